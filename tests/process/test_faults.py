"""Crash points: parsing a plan, and acting at the named points."""

from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from service.domain.errors import ConfigurationError
from service.process.faults import Faults, InjectedFault
from service.storage.engine.database import Database
from service.storage.tables.changes import ChangeCounter


@pytest.mark.parametrize("text", ["claim", "claim:explode", "claim:kill:x", ":"])
def test_parse_refuses_text_that_is_not_a_plan(text: str) -> None:
    with pytest.raises(ConfigurationError, match="ACTLAB_FAULT"):
        Faults.parse(text)


def test_reach_acts_once_after_its_passes() -> None:
    faults = Faults.parse("here:error:2,there:error")
    faults.reach("here")
    faults.reach("here")
    with pytest.raises(InjectedFault):
        faults.reach("here")
    faults.reach("here")


def test_reach_acts_once_across_processes(tmp_path: Path) -> None:
    for process in range(3):
        faults = Faults.parse("here:error", tmp_path / "faults")
        if process == 0:
            with pytest.raises(InjectedFault):
                faults.reach("here")
        faults.reach("here")


def test_exclamation_mark_acts_each_time(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(InjectedFault):
            Faults.parse("here:error!", tmp_path / "faults").reach("here")


def test_plan_in_a_file_may_change(tmp_path: Path) -> None:
    plan = tmp_path / "plan"
    faults = Faults.parse(f"@{plan}")
    faults.reach("here")
    for point in ("here", "there"):
        (tmp_path / "new").write_text(f"{point}:error!")
        (tmp_path / "new").rename(plan)
        with pytest.raises(InjectedFault):
            faults.reach(point)
    faults.reach("here")


@pytest.mark.parametrize(("point", "stored"), [("raise.before_commit", 0), ("raise.after_commit", 7)])
def test_crash_points_lie_on_both_sides_of_the_commit(database_url: str, point: str, stored: int) -> None:
    database = Database(database_url, faults=Faults.parse(f"{point}:error"))

    def work(session: Session) -> None:
        counter = session.get(ChangeCounter, 1)
        assert counter is not None
        counter.value = 7

    with pytest.raises(InjectedFault):
        database.run("raise", work)
    with database.read() as session:
        counter = session.get(ChangeCounter, 1)
        assert counter is not None
        assert counter.value == stored
    database.close()
