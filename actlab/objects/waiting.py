"""Waiting for a study or an experiment to end, with a bar that shows how far it is."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from typing import Any, Protocol

from actlab.flows import Call, Flow, Json

LONGEST_WAIT = 30.0  # seconds; the most that the service waits with an answer
LOOK_SECONDS = 1.0  # between two states of a bar


class Bar(Protocol):
    """A bar that is shown."""

    def update(self, done: float, total: float, text: str) -> None: ...

    def say(self, line: str) -> None:
        """Print a line that stays."""


def until_ended(
    path: str,
    field: str,
    timeout: float | None = None,
    on_state: Callable[[Json], Flow[None]] | None = None,
    longest: float = LONGEST_WAIT,
) -> Flow[Json]:
    """Read a record until `field` of it is set, and return the last answer; after `timeout` seconds, whatever it is.

    `on_state` makes a flow of each answer, of which there is one every `longest` seconds.
    """
    deadline = math.inf if timeout is None else time.monotonic() + timeout
    while True:
        left = min(longest, max(0.0, deadline - time.monotonic()))
        answer: Json = yield Call("GET", path, {"wait": round(left, 3)})
        if on_state is not None:
            yield from on_state(answer)
        if answer[field] or left <= 0:
            return answer


@contextmanager
def maybe_bar(progress: bool) -> Iterator[Bar | None]:
    """Show a bar while the block runs, if one is wanted."""
    if not progress:
        yield None
        return
    with bar() as shown:
        yield shown


@contextmanager
def bar() -> Iterator[Bar]:
    """Show a bar while the block runs: in the output of a notebook's cell, or else on standard error."""
    if in_notebook():
        with _notebook_bar() as shown:
            yield shown
    else:
        with _terminal_bar() as shown:
            yield shown


def in_notebook() -> bool:
    """Return whether this code runs in a kernel of Jupyter."""
    module = sys.modules.get("IPython")
    shell: Any = None if module is None else module.get_ipython()
    return getattr(shell, "kernel", None) is not None


@contextmanager
def _terminal_bar() -> Iterator[Bar]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("waiting", total=None)

        class Shown:
            def update(self, done: float, total: float, text: str) -> None:
                progress.update(task, completed=done, total=total, description=text)

            def say(self, line: str) -> None:
                progress.console.print(line, markup=False, highlight=False)

        yield Shown()


@contextmanager
def _notebook_bar() -> Iterator[Bar]:
    """Show a bar of HTML, which is updated in place. That of rich needs ipywidgets, without which it shows nothing."""
    from IPython.display import HTML, display

    handle = display(HTML("waiting"), display_id=True)

    class Shown:
        def update(self, done: float, total: float, text: str) -> None:
            element = f'<progress value="{done:g}" max="{total:g}"></progress>'
            handle.update(HTML(f"{element} {done:g}/{total:g} {escape(text)}"))

        def say(self, line: str) -> None:
            display(HTML(escape(line)))

    yield Shown()
