"""Studies, from rows to what clients see."""

import itertools
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from service.api.conditional import Resource, Snapshot
from service.api.study_schemas import StudyPlan, StudyView
from service.domain import estimates
from service.domain.errors import StudyNotFound
from service.domain.estimates import Wanted
from service.domain.spec import ExperimentSubmission
from service.domain.study import Grid
from service.storage import paces, progress, studies, workers
from service.storage.progress import Progress
from service.storage.tables import Study


def study_views(session: Session, rows: Sequence[Study]) -> list[StudyView]:
    """With the progress of each, in two queries whatever their number."""
    found = progress.of_studies(session, [row.id for row in rows])
    return [_study(row, found[row.id]) for row in rows]


def study_view(session: Session, row: Study) -> StudyView:
    return study_views(session, [row])[0]


def _study(row: Study, progress: Progress) -> StudyView:
    return StudyView(
        id=row.id,
        name=row.name,
        question=row.question,
        preset=row.preset,
        base=row.base,
        factors=row.factors,
        grids=[Grid.model_validate(grid) for grid in row.grids],
        seeds=row.seeds,
        activations=row.activations,
        experiments=progress.total,
        progress=dict(progress.counts),
        finished=progress.finished,
        eta_seconds=progress.eta_seconds,
        cancelled_at=row.cancelled_at,
        edit_version=row.edit_version,
        created_at=row.created_at,
        revision=row.revision,
    )


def plan(session: Session, submissions: Sequence[ExperimentSubmission]) -> StudyPlan:
    """What the study would take, going by what has just been trained."""
    alive = workers.count_alive(session)
    # Seeds are innermost, so that the experiments of a cell follow each other.
    alike = itertools.groupby(submissions, key=lambda each: each.model_copy(update={"seed": 0}))
    cells = [Wanted(cell.spec, len(list(seeds))) for cell, seeds in alike]
    expected = estimates.estimate(cells, paces.recent(session), alive)
    return StudyPlan(cells=len(cells), experiments=len(submissions), workers=alive, **vars(expected))


def study_resource(id: UUID) -> Resource:
    def peek(session: Session) -> int:
        revision = studies.revision(session, id)
        if revision is None:
            raise StudyNotFound(f"There is no study {id}.")
        return revision

    def build(session: Session) -> Snapshot:
        view = study_view(session, found(session, id))
        return Snapshot(view, view.revision, view.finished)

    return Resource(id, peek, build)


def found(session: Session, id: UUID) -> Study:
    row = studies.find(session, id)
    if row is None:
        raise StudyNotFound(f"There is no study {id}.")
    return row
