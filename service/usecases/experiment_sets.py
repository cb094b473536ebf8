"""Sets of experiments to compare: the experiments of a study or of one of its grids, and the paths to group them by."""

from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy.orm import Session

from service.domain import factors
from service.domain.comparisons.cells import Factors
from service.domain.errors import StudyNotFound
from service.storage.changes import revisions
from service.storage.records.activations import StoredRegistry
from service.storage.records.experiments import Filter
from service.storage.studies import records as studies
from service.storage.studies import tuning
from service.storage.tables.studies import Study


@dataclass(frozen=True)
class ExperimentSet:
    """Experiments to compare: the filter that selects them, the paths to group them by, and the reference of their
    study, which need not be among them."""

    filters: Filter
    group_by: list[str]
    reference: Factors | None = None


def of_filter(session: Session, filters: Filter, paths: list[str]) -> ExperimentSet:
    """Return the set that a filter selects.

    It is grouped by the given paths, else by those that any of its studies varies, else by the activation. Its
    reference is the one that all its studies have. Raises StudyNotFound, and Invalid for a path that no spec has.
    """
    factors.check(paths, "group_by")
    studies = [of_study(session, study, None, paths) for study in filters.studies]
    varied = list(dict.fromkeys(path for study in studies for path in study.group_by)) or ["activation"]
    references = [study.reference for study in studies]
    agreed = references[0] if references and all(other == references[0] for other in references) else None
    return ExperimentSet(filters, paths or varied, agreed)


def of_study(session: Session, study: UUID, grid: str | None, paths: list[str]) -> ExperimentSet:
    """Return the experiments of a study or of one grid of it, grouped by these paths or by its own factors.

    Raises StudyNotFound, and Invalid for a path that no spec has or a grid that the study does not have.
    """
    factors.check(paths, "group_by")
    row = _study(session, study)
    spec = studies.spec_of(row)
    reference = spec.reference_group()
    if grid is not None:
        spec = spec.grid(grid)
    paths = paths or spec.grouping()
    if grid is None:
        return ExperimentSet(Filter(studies=(study,)), paths, reference)
    cells = tuning.with_rates(row, spec.cells(StoredRegistry(session, row.activations, archived=True)))
    conditions = tuple(dict.fromkeys(cell.spec.condition for cell in cells))
    return ExperimentSet(Filter(studies=(study,), of_conditions=conditions), paths, reference)


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
