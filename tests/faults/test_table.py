"""The table of docs/reliability.md has a row for every scenario, with the figures that its test recorded."""

import importlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults import table
from tests.faults.scenario import Figures
from tests.faults.table import Run

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "reliability.md").read_text()
FILES = sorted(path for path in Path(__file__).parent.glob("test_*.py") if path.name != Path(__file__).name)
RACES = ROOT / "tests" / "storage" / "queue" / "test_races.py"


def scenarios() -> Iterator[Any]:
    """Yield every fault test, and the tests of races that are marked `proves`."""
    for file in (*FILES, RACES):
        module = importlib.import_module(".".join(file.relative_to(ROOT).with_suffix("").parts))
        for name, value in vars(module).items():
            if name.startswith("test_") and (file != RACES or proof(value)):
                yield value


def proof(test: Any) -> tuple[str, str] | None:
    marks = [mark for mark in getattr(test, "pytestmark", []) if mark.name == "proves"]
    return marks[0].args if marks else None


@pytest.mark.parametrize("test", list(scenarios()), ids=lambda test: test.__name__)
def test_table_has_a_row_for_every_scenario(test: Any) -> None:
    marked = proof(test)
    assert marked is not None, "mark the test: @pytest.mark.proves(promise, fault)"
    promise, fault = marked
    assert f"| {promise} | {fault} | `{test.__name__}` |" in DOCUMENT, "print the table: python -m tests.faults.table"


def test_table_rows_name_scenarios_and_show_no_loss() -> None:
    rows = re.findall(r"^\| [^|]+ \| [^|]+ \| `(test_\w+)` \| (\d+) \| (.*?) \| [^|]*\|$", DOCUMENT, re.MULTILINE)
    assert {name for name, _, _ in rows} == {test.__name__ for test in scenarios()}
    assert all(int(faults) > 0 and zeros == "0 | 0 | 0 | 0" for _, faults, zeros in rows)


def case(name: str, **figures: Any) -> str:
    value = json.dumps({"promise": "p", "fault": "f", "stack": "embedded"} | figures).replace('"', "&quot;")
    return (
        f'<testcase name="{name}"><properties><property name="scenario" value="{value}"/></properties>'
        "{inside}</testcase>"
    )


def report(folder: Path, *cases: str, inside: str = "") -> Path:
    file = folder / "report.xml"
    file.write_text(f"<testsuites>{''.join(case.replace('{inside}', inside) for case in cases)}</testsuites>")
    return file


def test_rows_add_up_the_figures_of_a_test(tmp_path: Path) -> None:
    written = report(
        tmp_path,
        case("test_a[x]", injected=2, recovery=1.0),
        case("test_a[y]", injected=3, recovery=4.25, doubled=1, stack="production"),
        case("test_b", injected=1),
    )
    assert table.rows(table.read([written])) == [
        "| p | f | `test_a` | 5 | 0 | 1 | 0 | 0 | embedded 1.0, production 4.2 |",
        "| p | f | `test_b` | 1 | 0 | 0 | 0 | 0 |  |",
    ]


def test_rows_group_tests_by_promise() -> None:
    runs = [Run(f"test_{number}", Figures(promise, "f", "embedded")) for number, promise in enumerate("pqp")]
    assert [row.split("`")[1] for row in table.rows(runs)] == ["test_0", "test_2", "test_1"]


def test_read_keeps_the_last_of_repeated_runs(tmp_path: Path) -> None:
    for name, inside in (("first", "<failure/>"), ("second", "")):
        (tmp_path / name).mkdir()
        report(tmp_path / name, case("test_a", injected=1), inside=inside)
    assert table.rows(table.read([tmp_path / "first" / "report.xml", tmp_path / "second" / "report.xml"])) == [
        "| p | f | `test_a` | 1 | 0 | 0 | 0 | 0 |  |"
    ]


@pytest.mark.parametrize("inside", ["<failure/>", "<error/>"])
def test_read_refuses_a_failed_run(tmp_path: Path, inside: str) -> None:
    with pytest.raises(ValueError, match="test_a has failed"):
        table.read([report(tmp_path, case("test_a"), inside=inside)])
