"""Applies one mutation at a time to a copy of the source, and runs the tests that must notice."""

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
LIMIT = 300.0  # s for one run of pytest
FAILED = re.compile(r"^FAILED (\S+)", re.MULTILINE)


class GateError(Exception):
    """The gate itself does not work, which proves nothing about any guard."""


@dataclass(frozen=True)
class Edit:
    """`old` stands in `file` exactly once."""

    file: str
    old: str
    new: str


@dataclass(frozen=True)
class Guard:
    name: str
    edits: tuple[Edit, ...]
    tests: tuple[str, ...]


@dataclass(frozen=True)
class Verdict:
    guard: str
    caught_by: str | None
    seconds: float

    def __str__(self) -> str:
        return f"{self.guard:<62} {self.seconds:5.1f} s  {self.caught_by or 'SURVIVED'}"


def run(guards: Sequence[Guard], report: Callable[[Verdict], object]) -> list[Verdict]:
    """One verdict a guard. GateError where the copy's tests do not pass as they are, or do not test the copy."""
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
    """GateError unless the text to replace stands there exactly once: then the guard has moved, and the table must."""
    found = text.count(edit.old)
    if found != 1:
        raise GateError(
            f"{edit.file} holds {edit.old!r} {found} times instead of once; correct tests/mutants/guards.py"
        )
    return text.replace(edit.old, edit.new)


class Copy:
    """The source as it lies in the working tree, without what git ignores."""

    def __init__(self, root: Path) -> None:
        self.root = root
        listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout
        for name in filter(None, names.split("\0")):
            if (ROOT / name).is_file():  # a file that was deleted is listed until that is committed
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, root / name)
        # Bytecode is told from its source by seconds and size, which a mutation may leave equal.
        paths = {"PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
        self._environment = os.environ | paths
        self._must_be_what_is_imported()

    def must_pass(self, tests: Sequence[str]) -> None:
        done = self._pytest(tests)
        if done.returncode != 0:
            raise GateError(f"The unchanged source does not pass:\n{done.stdout[-4000:]}")

    def first_failure(self, tests: Sequence[str]) -> str | None:
        """The test that failed; None where all passed. GateError where pytest did not come so far as to run one."""
        done = self._pytest(tests)
        if done.returncode == 0:
            return None
        failed = FAILED.search(done.stdout)
        if done.returncode != 1 or failed is None:
            raise GateError(f"No test failed, but pytest ended with {done.returncode}:\n{done.stdout[-4000:]}")
        return failed.group(1)

    def _pytest(self, tests: Sequence[str]) -> subprocess.CompletedProcess[str]:
        return self._python("-m", "pytest", "-x", "-q", "--tb=no", "-p", "no:cacheprovider", *tests)

    def _must_be_what_is_imported(self) -> None:
        """And not the working tree, to which an editable installation points."""
        for package in ("service", "worker", "tests"):
            found = self._python("-c", f"import {package}; print({package}.__file__)").stdout.strip()
            if not Path(found).is_relative_to(self.root):
                raise GateError(f"{package} is imported from {found}, not from the copy")

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
