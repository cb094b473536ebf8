"""Print the table of docs/reliability.md: promise, fault, test and figures.

python -m tests.faults.table                    # runs every scenario, those of the night included, and prints the table
python -m tests.faults.table run.xml other.xml  # prints it from earlier runs (pytest -m proves --junitxml=run.xml)
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from tests.faults.scenario import PROPERTY, STACKS, Figures

MARKED = "proves and (nightly or not nightly)"
"""Scenarios, with those of the night: pytest leaves out nightly tests unless the expression names them."""

HEAD = (
    "| promise | fault | test | faults | lost | doubled | stale | gaps | longest pause, s |\n"
    "| --- | --- | --- | --: | --: | --: | --: | --: | --- |"
)


@dataclass(frozen=True)
class Run:
    """The figures of one test on one stack."""

    test: str
    figures: Figures


def main(files: list[str]) -> int:
    if files:
        _print(read(Path(name) for name in files))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-m", MARKED, f"--junitxml={report}", "tests"]
        status = subprocess.run(command, stdout=sys.stderr).returncode
        _print(read([report]))
    return status


def read(reports: Iterable[Path]) -> list[Run]:
    """Return the figures of the last run of each test. Raises ValueError where that run has failed."""
    cases = [case for report in reports for case in ElementTree.parse(report).iter("testcase")]
    last = {(case.get("classname"), case.get("name")): case for case in cases}
    return [run for case in last.values() for run in _runs(case)]


def _runs(case: ElementTree.Element) -> Iterator[Run]:
    name = case.get("name", "").partition("[")[0]
    if case.find("failure") is not None or case.find("error") is not None:
        raise ValueError(f"{name} has failed")
    for recorded in case.iter("property"):
        if recorded.get("name") == PROPERTY:
            yield Run(name, Figures(**json.loads(recorded.get("value", ""))))


def rows(runs: Iterable[Run]) -> list[str]:
    """Return one row for each test: the sums over its parameters and the longest pause on each stack."""
    grouped: dict[str, list[Figures]] = {}
    for run in runs:
        grouped.setdefault(run.test, []).append(run.figures)
    order = list(dict.fromkeys(figures[0].promise for figures in grouped.values()))
    by_promise = sorted(grouped.items(), key=lambda item: order.index(item[1][0].promise))
    return [_row(test, figures) for test, figures in by_promise]


def _row(test: str, figures: list[Figures]) -> str:
    sums = [sum(getattr(run, name) for run in figures) for name in ("injected", "lost", "doubled", "stale", "gaps")]
    cells = [figures[0].promise, figures[0].fault, f"`{test}`", *map(str, sums), _pauses(figures)]
    return f"| {' | '.join(cells)} |"


def _pauses(figures: list[Figures]) -> str:
    """Return the pauses as text: `embedded 1.2, production 3.4`."""
    longest = {
        stack: max((run.recovery for run in figures if run.stack == stack and run.recovery is not None), default=None)
        for stack in dict.fromkeys(STACKS.values())
    }
    return ", ".join(f"{stack} {seconds:.1f}" for stack, seconds in longest.items() if seconds is not None)


def _print(runs: list[Run]) -> None:
    sys.stdout.write("\n".join([HEAD, *rows(runs)]) + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
