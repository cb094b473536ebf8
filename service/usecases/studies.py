"""Submitting, extending, archiving, cancelling, retrying and deleting studies."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from service.domain.errors import FieldProblem, IllegalTransition, Invalid
from service.domain.spec import ExperimentSubmission
from service.domain.study import Reference, StudyPatch, StudySpec
from service.domain.tuning import NOT_FRESH
from service.storage.engine.unit_of_work import UnitOfWork
from service.storage.records.activations import StoredRegistry
from service.storage.records.experiments import Filter
from service.storage.studies import progress, reuse, tuning
from service.storage.studies import records as studies
from service.storage.tables.studies import Study
from service.usecases import many_experiments
from service.usecases.many_experiments import Block


@dataclass(frozen=True)
class StagedStudy:
    """A study before it is stored.

    `ranking` holds all experiments of its grids, and `trials` those that try learning rates first, where it tunes.
    `queued` holds the experiments of the first stage that remain to be trained, and `reused` the ids of the
    experiments that stand for the rest of that stage. `registry` knows which versions the registered names stand for.
    """

    spec: StudySpec
    ranking: Sequence[ExperimentSubmission]
    trials: Sequence[ExperimentSubmission]
    queued: Sequence[ExperimentSubmission]
    reused: Sequence[UUID]
    registry: StoredRegistry

    @property
    def wakes(self) -> int:
        """The number of workers to wake once it is stored."""
        return len(self.queued)


def stage(session: UnitOfWork, spec: StudySpec, code: str, limit: int) -> StagedStudy:
    """Expand the grids of a study and find what has been trained already.

    `code` is the version whose experiments may be reused. Raises Invalid for more than `limit` experiments.
    """
    _check_size(spec.size, limit, "/factors")
    registry = StoredRegistry(session)
    ranking, trials = spec.experiments(registry), spec.tuning_experiments(registry)
    spec.check_reference(registry)
    queued, reused = reuse.untrained(session, trials or ranking, code, enabled=spec.reuse)
    return StagedStudy(spec, ranking, trials, queued, reused, registry)


def submit(session: UnitOfWork, principal: str, staged: StagedStudy, id: UUID) -> Study:
    """Store a staged study and queue its experiments, all or none."""
    return studies.create(session, principal, staged.spec, staged.queued, id, staged.registry.versions, staged.reused)


def edit(session: UnitOfWork, study: Study, patch: StudyPatch, code: str, limit: int) -> tuple[Study, int]:
    """Change a locked study's name, question or reference, or add seeds; return it with the number of workers to wake.

    Raises IllegalTransition for seeds added to a cancelled study, for seeds or a reference of one that tries rates for
    another, and for the archiving of one that has not finished; Invalid for seeds that it cannot take, and for a
    reference that is none of its groups.
    """
    if patch.model_fields_set & {"seeds", "reference", "archived"}:
        _refuse_if_it_tunes(study)
    seeds = patch.added(study.seeds)
    if seeds and study.cancelled_at is not None:
        raise IllegalTransition("The study is cancelled. Submit a new one, with the seeds that you want.")
    registry = StoredRegistry(session, study.activations, archived=True)
    if patch.archived:
        _refuse_unless_finished(session, study)
    if patch.reference is not None:
        _with_reference(studies.spec_of(study), patch.reference).check_reference(registry)
    submissions = tuning.with_rates(study, _extended(studies.spec_of(study), seeds, limit, registry)) if seeds else []
    submissions, reused = reuse.untrained(session, submissions, code, enabled=study.reuse)
    if patch.archived is not None:  # before `edit`, which takes the change counter: this locks experiments
        study = studies.archive(session, study) if patch.archived else studies.restore(session, study)
    return studies.edit(session, study, patch.changes(), submissions, reused), len(submissions)


def cancel(session: UnitOfWork, study: Study) -> Study:
    """Cancel a locked study. Raises IllegalTransition where all of it has ended."""
    _refuse_if_it_tunes(study)
    if study.cancelled_at is None and progress.is_finished(study, progress.of_study(session, study.id)):
        raise IllegalTransition("All its experiments have ended: there is nothing to cancel.")
    return studies.cancel(session, study)


def retry(session: UnitOfWork, principal: str, study: Study, after: UUID | None, until: UUID) -> Block:
    """Queue a block of the failed experiments of a locked study again. Raises as `count_failed`."""
    filters = _retried_with(session, study)
    return many_experiments.retrying_failed(principal).block(session, filters, after, until)


def count_failed(session: Session, study: Study) -> int:
    """Return how many experiments a retry of the study would queue: those that failed and have not been retried.

    Raises IllegalTransition for a cancelled study and for one that tries rates for another.
    """
    return many_experiments.retrying_failed(study.principal).count(session, _retried_with(session, study))


def delete(session: UnitOfWork, study: Study) -> None:
    """Delete a locked study with its experiments. Raises IllegalTransition while some are queued or running."""
    _refuse_if_it_tunes(study)
    if not studies.remove(session, study):
        raise IllegalTransition("Some of its experiments are queued or running: cancel it first, then delete it.")


def _retried_with(session: Session, study: Study) -> Filter:
    """Return the filter of the experiments that are retried with a study: its own, and its trials while they count."""
    _refuse_if_it_tunes(study)
    if study.cancelled_at is not None:
        raise IllegalTransition("The study is cancelled. Submit a new one, or retry single experiments of it.")
    trials = studies.tuners(session, [study.id]).values() if study.tuned_at is None else ()
    return Filter(studies=(study.id, *trials))


def _extended(spec: StudySpec, seeds: list[int], limit: int, registry: StoredRegistry) -> list[ExperimentSubmission]:
    """Return the experiments that further seeds add to a study."""
    further = spec.with_seeds(seeds)
    if further is None:
        reason = "Every grid of this study has seeds of its own, to which none can be added"
        raise Invalid(f"{reason}.", errors=[FieldProblem("/seeds", reason, "seeds_fixed", seeds)])
    _check_size(spec.size + further.size, limit, "/seeds")
    stale = [seed for seed in seeds if spec.tuning is not None and seed in spec.tuning.seeds]
    if stale:
        raise Invalid(f"{NOT_FRESH}.", errors=[FieldProblem("/seeds", NOT_FRESH, "not_fresh", stale)])
    return further.model_copy(update={"tuning": None}).experiments(registry)


def _with_reference(spec: StudySpec, reference: Reference) -> StudySpec:
    return spec.model_copy(update={"reference": reference})


def _refuse_unless_finished(session: Session, study: Study) -> None:
    if not progress.is_finished(study, progress.of_study(session, study.id)):
        raise IllegalTransition("It has not finished: cancel it, or wait, before archiving.")


def _refuse_if_it_tunes(study: Study) -> None:
    if study.tunes is not None:
        raise IllegalTransition(f"It tries learning rates for study {study.tunes}: do that there.")


def _check_size(size: int, limit: int, pointer: str) -> None:
    if size > limit:
        reason = f"The grid holds {size} experiments, the limit is {limit} (ACTLAB_MAX_STUDY_EXPERIMENTS)"
        raise Invalid(f"{reason}.", errors=[FieldProblem(pointer, reason, "too_many")])
