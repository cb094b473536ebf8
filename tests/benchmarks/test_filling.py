"""`python -m benchmarks.filling`."""

import subprocess
import sys
from pathlib import Path

import pytest
import typer
from sqlalchemy import func, select
from typer.testing import CliRunner, Result

from benchmarks.filling import EPOCHS, main, size
from service.domain.spec import ExperimentSubmission
from service.domain.status import Status
from service.settings import Settings
from service.storage import migrate
from service.storage.engine.database import Database
from service.storage.records import experiments, results
from service.storage.records.experiments import Filter
from service.storage.tables.base import new_id
from service.storage.tables.epochs import Epoch
from tests.conftest import ROOT

pytestmark = pytest.mark.usefixtures("no_database_url")


@pytest.fixture
def no_database_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACTLAB_DATABASE_URL", "postgresql+psycopg://nowhere/nothing")  # the command is for SQLite


def filling(*arguments: object) -> Result:
    app = typer.Typer()
    app.command()(main)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def opened(home: Path) -> Database:
    return Database(Settings(home=home, database_url=None).database)


def test_filling_makes_a_migrated_home_of_finished_experiments(tmp_path: Path) -> None:
    home = tmp_path / "new" / "home"
    result = filling(home, 110)
    assert result.exit_code == 0, result.output
    database = opened(home)
    migrate.check(database)
    with database.read() as session:
        page = experiments.page(session, Filter(statuses=(Status.SUCCEEDED,)), sort="-id", limit=200, after=None)
        assert len(page.items) == size(database) == 110
        assert len({row.study_id for row in page.items}) == 2
        assert results.of_experiment(session, page.items[0].id) is not None
        assert session.scalars(select(func.count()).select_from(Epoch)).one() == 110 * EPOCHS
    database.close()


def test_filling_tops_up_to_the_number(tmp_path: Path) -> None:
    for count in (3, 5, 4):
        assert filling(tmp_path, count).exit_code == 0
    database = opened(tmp_path)
    assert size(database) == 5
    database.close()


def test_filling_refuses_a_home_with_other_experiments(tmp_path: Path) -> None:
    assert filling(tmp_path, 3).exit_code == 0
    database = opened(tmp_path)
    submission = ExperimentSubmission.model_validate({"activation": "relu"})
    database.run("submit", lambda session: experiments.create(session, "local", submission, id=new_id()))
    result = filling(tmp_path, 5)
    assert result.exit_code == 2
    assert "1 experiments of its own" in " ".join(result.output.split())
    assert size(database) == 4
    database.close()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [((), "Missing argument 'HOME'"), (("home",), "Missing argument 'N'"), (("home", "0"), "Invalid value for 'N'")],
)
def test_filling_explains_wrong_usage(arguments: tuple[str, ...], message: str) -> None:
    result = filling(*arguments)
    assert result.exit_code == 2
    assert message in result.output


def test_filling_is_a_command() -> None:
    done = subprocess.run([sys.executable, "-m", "benchmarks.filling"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert "Usage: python -m benchmarks.filling" in done.stderr
