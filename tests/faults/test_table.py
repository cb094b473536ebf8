"""The table of docs/reliability.md has a row for every scenario, and says what the tests have recorded."""

import importlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.scenario import Figures
from tests.faults.table import Run, read, rows

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "reliability.md").read_text()
FILES = sorted(path for path in Path(__file__).parent.glob("test_*.py") if path.name != Path(__file__).name)
RACES = ROOT / "tests" / "storage" / "queue" / "test_races.py"


def scenarios() -> Iterator[Any]:
    """Every test of a file of faults, and the races that are marked as such."""
    for file in (*FILES, RACES):
        module = importlib.import_module(".".join(file.relative_to(ROOT).with_suffix("").parts))
        for name, value in vars(module).items():
            if name.startswith("test_") and (file != RACES or proof(value)):
                yield value


def proof(test: Any) -> tuple[str, str] | None:
    marks = [mark for mark in getattr(test, "pytestmark", []) if mark.name == "proves"]
    return marks[0].args if marks else None


@pytest.mark.parametrize("test", list(scenarios()), ids=lambda test: test.__name__)
def test_every_scenario_has_its_row(test: Any) -> None:
    found = proof(test)
    assert found is not None, "mark it: @pytest.mark.proves(promise, fault)"
    promise, fault = found
    assert f"| {promise} | {fault} | `{test.__name__}` |" in DOCUMENT, "print the table: python -m tests.faults.table"


def test_every_row_is_of_a_scenario_and_shows_no_loss() -> None:
    found = re.findall(r"^\| [^|]+ \| [^|]+ \| `(test_\w+)` \| (\d+) \| (.*?) \| [^|]*\|$", DOCUMENT, re.MULTILINE)
    assert {name for name, _, _ in found} == {test.__name__ for test in scenarios()}
    assert all(int(faults) > 0 and zeros == "0 | 0 | 0 | 0" for _, faults, zeros in found)


def case(name: str, **figures: Any) -> str:
    value = json.dumps({"promise": "p", "fault": "f", "stack": "embedded"} | figures).replace('"', "&quot;")
    return (
        f'<testcase name="{name}"><properties><property name="scenario" value="{value}"/></properties>'
        "{inside}</testcase>"
    )


def report(folder: Path, *cases: str, inside: str = "") -> Path:
    file = folder / "report.xml"
    file.write_text(f"<testsuites>{''.join(one.replace('{inside}', inside) for one in cases)}</testsuites>")
    return file


def test_a_row_adds_up_what_a_test_has_recorded(tmp_path: Path) -> None:
    written = report(
        tmp_path,
        case("test_a[x]", injected=2, back=1.0),
        case("test_a[y]", injected=3, back=4.25, doubled=1, stack="production"),
        case("test_b", injected=1),
    )
    assert rows(read([written])) == [
        "| p | f | `test_a` | 5 | 0 | 1 | 0 | 0 | embedded 1.0, production 4.2 |",
        "| p | f | `test_b` | 1 | 0 | 0 | 0 | 0 |  |",
    ]


def test_rows_of_one_promise_stand_together() -> None:
    runs = [Run(f"test_{number}", Figures(promise, "f", "embedded")) for number, promise in enumerate("pqp")]
    assert [row.split("`")[1] for row in rows(runs)] == ["test_0", "test_2", "test_1"]


def test_a_run_that_was_repeated_counts_once(tmp_path: Path) -> None:
    for name, inside in (("first", "<failure/>"), ("second", "")):
        (tmp_path / name).mkdir()
        report(tmp_path / name, case("test_a", injected=1), inside=inside)
    assert rows(read([tmp_path / "first" / "report.xml", tmp_path / "second" / "report.xml"])) == [
        "| p | f | `test_a` | 1 | 0 | 0 | 0 | 0 |  |"
    ]


@pytest.mark.parametrize("inside", ["<failure/>", "<error/>"])
def test_there_is_no_table_of_a_failure(tmp_path: Path, inside: str) -> None:
    with pytest.raises(ValueError, match="test_a has failed"):
        read([report(tmp_path, case("test_a"), inside=inside)])
