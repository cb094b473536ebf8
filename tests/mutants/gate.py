"""Apply one mutation at a time to a copy of the source, and run the tests that must fail then."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
LIMIT = 300.0  # seconds of one run of pytest
FAILED = re.compile(r"^FAILED (\S+)", re.MULTILINE)


class GateError(Exception):
    """An error of the gate itself, after which nothing is known about any guard."""


@dataclass(frozen=True)
class Edit:
    """A replacement of `old`, which is in `file` exactly once, by `new`."""

    file: str
    old: str
    new: str


@dataclass(frozen=True)
class Guard:
    """A protection in the source, the edits that remove it, and the tests of which one must fail then."""

    name: str
    edits: tuple[Edit, ...]
    tests: tuple[str, ...]


@dataclass(frozen=True)
class Verdict:
    """The first test that failed without a guard; None if all passed."""

    guard: str
    caught_by: str | None
    seconds: float

    def __str__(self) -> str:
        return f"{self.guard:<62} {self.seconds:5.1f} s  {self.caught_by or 'SURVIVED'}"


def run(guards: Sequence[Guard], report: Callable[[Verdict], object]) -> list[Verdict]:
    """Remove each guard in turn and run its tests. Raises GateError if the tests of the unchanged copy fail, or do not
    import the copy."""
    with tempfile.TemporaryDirectory(prefix="actlab-mutants-") as folder:
        copy = Copy(Path(folder))
        started = time.monotonic()
        copy.must_pass(sorted({test for guard in guards for test in guard.tests}))
        report(Verdict("none: every test below, on the unchanged source", "nothing", time.monotonic() - started))
        verdicts = []
        for guard in guards:
            verdicts.append(_judge(copy, guard))
            report(verdicts[-1])
    return verdicts


def _judge(copy: "Copy", guard: Guard) -> Verdict:
    started = time.monotonic()
    originals = {edit.file: (copy.root / edit.file).read_text() for edit in guard.edits}
    for edit in guard.edits:
        file = copy.root / edit.file
        file.write_text(mutated(file.read_text(), edit))
    caught_by = copy.first_failure(guard.tests)
    for name, text in originals.items():
        (copy.root / name).write_text(text)
    return Verdict(guard.name, caught_by, time.monotonic() - started)


def mutated(text: str, edit: Edit) -> str:
    """Return a text with an edit applied. Raises GateError unless it has the text to replace exactly once."""
    count = text.count(edit.old)
    if count != 1:
        raise GateError(
            f"{edit.file} holds {edit.old!r} {count} times instead of once; correct tests/mutants/guards.py"
        )
    return text.replace(edit.old, edit.new)


class Copy:
    """A copy of the working tree without the files that git ignores."""

    def __init__(self, root: Path) -> None:
        self.root = root
        listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout
        for name in filter(None, names.split("\0")):
            if (ROOT / name).is_file():  # git lists a deleted file until the deletion is committed
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, root / name)
        # Python compares bytecode with its source by seconds and size, which a mutation may not change.
        paths = {"PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
        self._environment = os.environ | paths
        self._must_be_what_is_imported()

    def must_pass(self, tests: Sequence[str]) -> None:
        process = self._pytest(tests)
        if process.returncode != 0:
            raise GateError(f"The unchanged source does not pass:\n{process.stdout[-4000:]}")

    def first_failure(self, tests: Sequence[str]) -> str | None:
        """Return the test that failed, or None if all passed. Raises GateError if pytest ended without running them."""
        process = self._pytest(tests)
        if process.returncode == 0:
            return None
        failed = FAILED.search(process.stdout)
        if process.returncode != 1 or failed is None:
            raise GateError(f"No test failed, but pytest ended with {process.returncode}:\n{process.stdout[-4000:]}")
        return failed.group(1)

    def _pytest(self, tests: Sequence[str]) -> subprocess.CompletedProcess[str]:
        return self._python("-m", "pytest", "-x", "-q", "--tb=no", "-p", "no:cacheprovider", *tests)

    def _must_be_what_is_imported(self) -> None:
        """Raise GateError if Python imports the working tree, to which an editable installation points."""
        for package in ("service", "worker", "tests"):
            file = self._python("-c", f"import {package}; print({package}.__file__)").stdout.strip()
            if not Path(file).is_relative_to(self.root):
                raise GateError(f"{package} is imported from {file}, not from the copy")

    def _python(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, *arguments]
        return subprocess.run(
            command,
            cwd=self.root,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LIMIT,
        )
