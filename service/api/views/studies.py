"""Views of studies and of their plans, and the resource that clients poll."""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from service.api.http.conditional import Resource, Snapshot
from service.api.http.loading import load_study, study_not_found
from service.api.schemas.studies import StudyPlan, StudyView, TuningView
from service.domain import estimates
from service.domain.comparisons.detectable import Detectable, detectable
from service.domain.estimates import PlannedCell
from service.domain.spec import ExperimentSubmission
from service.domain.study import Grid
from service.domain.tuning import Choice
from service.storage.analysis import pace, spread
from service.storage.records import workers
from service.storage.studies import progress
from service.storage.studies import records as studies
from service.storage.studies.progress import Progress, is_finished
from service.storage.tables.studies import Study
from service.usecases.studies import StagedStudy


def study_views(session: Session, rows: Sequence[Study]) -> list[StudyView]:
    """Return the views of studies with their progress, in five queries for all."""
    ids = [row.id for row in rows]
    progress_of, tuners = progress.of_studies(session, ids), studies.tuners(session, ids)
    tags = studies.tags_of(session, ids)
    return [_study(row, progress_of[row.id], tuners.get(row.id), tags.get(row.id, [])) for row in rows]


def study_view(session: Session, row: Study) -> StudyView:
    return study_views(session, [row])[0]


def _tuning(row: Study, tuner: UUID | None) -> TuningView | None:
    if row.tuning is None or tuner is None:
        return None
    choices = [Choice.model_validate(choice) for choice in row.tuned or ()]
    return TuningView(**row.tuning, study=tuner, tuned_at=row.tuned_at, choices=choices)


def _study(row: Study, progress: Progress, tuner: UUID | None, tags: list[str]) -> StudyView:
    finished = is_finished(row, progress)
    return StudyView(
        id=row.id,
        name=row.name,
        question=row.question,
        notes=row.notes,
        tags=tags,
        preset=row.preset,
        created_by=row.principal,
        base=row.base,
        factors=row.factors,
        grids=[Grid.model_validate(grid) for grid in row.grids],
        seeds=row.seeds,
        tuning=_tuning(row, tuner),
        tunes=row.tunes,
        reuse=row.reuse,
        reference=row.reference,
        activations=row.activations,
        experiments=progress.total,
        progress=dict(progress.counts),
        retryable=progress.retryable,
        finished=finished,
        eta_seconds=progress.eta_seconds if finished or progress.active else None,
        cancelled_at=row.cancelled_at,
        archived_at=row.archived_at,
        edit_version=row.edit_version,
        created_at=row.created_at,
        revision=row.revision,
    )


def plan(session: Session, staged: StagedStudy) -> StudyPlan:
    """Return the size of a staged study and its duration at the pace of recent experiments."""
    first, later = (staged.trials, staged.ranking) if staged.trials else (staged.ranking, [])
    submissions = [*staged.queued, *later]
    alive = workers.count_alive(session)
    estimate = estimates.estimate(_cells(submissions), pace.recent(session), alive)
    return StudyPlan(
        cells=len(_cells(staged.ranking)),
        experiments=len(staged.trials) + len(staged.ranking),
        reused=len(first) - len(staged.queued),
        tuning_experiments=len(staged.trials),
        workers=alive,
        detectable=_detectable(session, staged),
        **vars(estimate),
    )


def _detectable(session: Session, staged: StagedStudy) -> list[Detectable]:
    """Return the differences that the seeds of a staged study, or of each of its grids, probably find."""
    spec = staged.spec
    conditions = dict.fromkeys(submission.condition for submission in staged.ranking)
    sds = list(spread.spreads(session, conditions).values())
    names: list[str | None] = [grid.name for grid in spec.grids] or [None]
    return [
        detectable(name, len(block.seeds), block.cells, sds, reference=spec.compares_with_one(name, staged.registry))
        for name, block in zip(names, spec.blocks(), strict=True)
    ]


def _cells(submissions: Sequence[ExperimentSubmission]) -> list[PlannedCell]:
    """Return the cells of submissions, each with its number of seeds."""
    cells: dict[str, list[ExperimentSubmission]] = defaultdict(list)
    for submission in submissions:
        cells[submission.condition].append(submission)
    return [PlannedCell(cell[0].spec, len(cell)) for cell in cells.values()]


def study_resource(id: UUID) -> Resource:
    def peek(session: Session) -> int:
        revision = studies.revision(session, id)
        if revision is None:
            raise study_not_found(id)
        return revision

    def build(session: Session) -> Snapshot:
        view = study_view(session, load_study(session, id))
        return Snapshot(view, view.revision, view.finished, estimates=not view.finished)

    return Resource(id, peek, build)
