"""Sets of experiments to compare: the experiments of a study or of one of its grids, and the paths to group them by."""

from collections.abc import Collection
from dataclasses import replace
from uuid import UUID

from sqlalchemy.orm import Session

from service.domain import factors
from service.domain.errors import StudyNotFound
from service.storage.changes import revisions
from service.storage.records.activations import StoredRegistry
from service.storage.records.experiments import Filter
from service.storage.studies import records as studies
from service.storage.studies import tuning
from service.storage.tables.studies import Study


def group_by(session: Session, paths: list[str], studies: Collection[UUID]) -> list[str]:
    """Return the paths to group by: the given ones, else those that any of the studies varies, else the activation.

    Raises StudyNotFound, and Invalid for a path that no spec has.
    """
    factors.check(paths, "group_by")
    of_studies = [of_study(session, study, None, paths)[0] for study in studies]
    return paths or list(dict.fromkeys(path for varied in of_studies for path in varied)) or ["activation"]


def of_study(session: Session, study: UUID, grid: str | None, paths: list[str]) -> tuple[list[str], Filter]:
    """Return the paths to group a study by, or one grid of it, and the filter of its experiments.

    Raises StudyNotFound, and Invalid for a path that no spec has or a grid that the study does not have.
    """
    factors.check(paths, "group_by")
    row = _study(session, study)
    spec = studies.spec_of(row)
    if grid is not None:
        spec = spec.grid(grid)
    paths = paths or list(dict.fromkeys(map(factors.groupable, spec.varied()))) or ["activation"]
    if grid is None:
        return paths, Filter(studies=(study,))
    cells = tuning.with_rates(row, spec.cells(StoredRegistry(session, row.activations, archived=True)))
    return paths, Filter(studies=(study,), of_conditions=tuple(dict.fromkeys(cell.spec.condition for cell in cells)))


def revision(session: Session, filters: Filter) -> int:
    """Return a number that rises with every change of these experiments and their figures.

    It is the revision of the study where the set is a study or a grid of it; else that of the newest change of all,
    because an experiment may also leave a set. Raises StudyNotFound.
    """
    if len(filters.studies) == 1 and replace(filters, of_conditions=None) == Filter(studies=filters.studies):
        return _study_revision(session, *filters.studies)
    return revisions.newest(session)


def _study_revision(session: Session, study: UUID) -> int:
    number = studies.revision(session, study)
    if number is None:
        raise StudyNotFound(f"There is no study {study}.")
    return number


def _study(session: Session, study: UUID) -> Study:
    row = studies.find(session, study)
    if row is None:
        raise StudyNotFound(f"There is no study {study}.")
    return row
