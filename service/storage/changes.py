"""The change counter: one number that every visible change raises, so that a higher revision committed later."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from service.storage.tables import ChangeCounter, Epoch, Experiment, Study


def stamp(session: Session, experiments: Collection[UUID], *, epoch: int | None = None) -> int:
    """Take the next revision and write it on the experiments, on that epoch of theirs, and on their studies.

    Call it after the rows themselves have changed: the counter's row stays locked until the commit, which puts the
    commits in the order of their revisions and should last as short as can be.
    """
    revision = next_revision(session)
    session.execute(update(Experiment).where(Experiment.id.in_(experiments)).values(revision=revision))
    if epoch is not None:
        touched = Epoch.experiment_id.in_(experiments) & (Epoch.epoch == epoch)
        session.execute(update(Epoch).where(touched).values(revision=revision))
    studies = select(Experiment.study_id).where(Experiment.id.in_(experiments), Experiment.study_id.is_not(None))
    session.execute(
        update(Study).where(Study.id.in_(studies)).values(revision=revision),
        execution_options={"synchronize_session": False},
    )
    return revision


def next_revision(session: Session) -> int:
    raised = update(ChangeCounter).values(value=ChangeCounter.value + 1).returning(ChangeCounter.value)
    return session.execute(raised, execution_options={"synchronize_session": False}).scalar_one()


def database_id(session: Session) -> str:
    """Tells this database from any other, so that an ETag of one never matches the other's."""
    return session.execute(select(ChangeCounter.database_id)).scalar_one()


def revision(session: Session) -> int:
    """The revision of the newest committed change of all: what was read since it was this has not changed."""
    return session.execute(select(ChangeCounter.value)).scalar_one()
