"""The table of docs/reliability.md: each promise, the fault, the test, and what came of it.

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

HEAD = (
    "| promise | fault | test | faults | lost | doubled | stale | gaps | longest pause, s |\n"
    "| --- | --- | --- | --: | --: | --: | --: | --: | --- |"
)


@dataclass(frozen=True)
class Run:
    """What one test has recorded on one stack."""

    test: str
    figures: Figures


def main(files: list[str]) -> int:
    if files:
        _print(read(Path(name) for name in files))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-m", "proves", f"--junitxml={report}", "tests"]
        status = subprocess.run(command, stdout=sys.stderr).returncode
        _print(read([report]))
    return status


def read(reports: Iterable[Path]) -> list[Run]:
    """What was recorded, where a test was run more than once the last time. ValueError where that has failed."""
    cases = [case for report in reports for case in ElementTree.parse(report).iter("testcase")]
    last = {(case.get("classname"), case.get("name")): case for case in cases}
    return [run for case in last.values() for run in _runs(case)]


def _runs(case: ElementTree.Element) -> Iterator[Run]:
    name = case.get("name", "").partition("[")[0]
    if case.find("failure") is not None or case.find("error") is not None:
        raise ValueError(f"{name} has failed")
    for found in case.iter("property"):
        if found.get("name") == PROPERTY:
            yield Run(name, Figures(**json.loads(found.get("value", ""))))


def rows(runs: Iterable[Run]) -> list[str]:
    """One row a test: figures of its parameters added up, the longest pause of each stack."""
    grouped: dict[str, list[Figures]] = {}
    for run in runs:
        grouped.setdefault(run.test, []).append(run.figures)
    found = [(figures[0].promise, test, figures) for test, figures in grouped.items()]
    order = list(dict.fromkeys(promise for promise, _, _ in found))
    return [_row(test, figures) for _, test, figures in sorted(found, key=lambda row: order.index(row[0]))]


def _row(test: str, figures: list[Figures]) -> str:
    sums = [sum(getattr(each, name) for each in figures) for name in ("injected", "lost", "doubled", "stale", "gaps")]
    cells = [figures[0].promise, figures[0].fault, f"`{test}`", *map(str, sums), _pauses(figures)]
    return f"| {' | '.join(cells)} |"


def _pauses(figures: list[Figures]) -> str:
    """`embedded 1.2, production 3.4`, for the stacks that the test is for."""
    longest = {
        stack: max((each.back for each in figures if each.stack == stack and each.back is not None), default=None)
        for stack in dict.fromkeys(STACKS.values())
    }
    return ", ".join(f"{stack} {seconds:.1f}" for stack, seconds in longest.items() if seconds is not None)


def _print(runs: list[Run]) -> None:
    sys.stdout.write("\n".join([HEAD, *rows(runs)]) + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
