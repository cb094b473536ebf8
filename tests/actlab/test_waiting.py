"""Bars that show how far a study is."""

import sys
from types import ModuleType, SimpleNamespace

import pytest

from actlab.objects import waiting


class Display:
    """The output of a notebook's cell: displays that can be updated."""

    def __init__(self) -> None:
        self.shown: list[str] = []

    def display(self, text: str, display_id: bool = False) -> "SimpleNamespace | None":
        self.shown.append(text)
        place = len(self.shown) - 1

        def update(newer: str) -> None:
            self.shown[place] = newer

        return SimpleNamespace(update=update) if display_id else None


@pytest.fixture
def cell(monkeypatch: pytest.MonkeyPatch) -> Display:
    """Pretend that this process is a kernel of Jupyter."""
    cell = Display()
    ipython, display = ModuleType("IPython"), ModuleType("IPython.display")
    vars(ipython)["get_ipython"] = lambda: SimpleNamespace(kernel=object())
    vars(display).update(HTML=str, display=cell.display)
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    return cell


def test_bar_is_updated_in_a_notebook_cell(cell: Display) -> None:
    with waiting.bar() as bar:
        bar.update(3, 25, "22 queued <now>")
        bar.say("relu seed 1 failed.")
        bar.update(4, 25, "21 queued")
    assert cell.shown == ['<progress value="4" max="25"></progress> 4/25 21 queued', "relu seed 1 failed."]


def test_bar_is_in_the_terminal_outside_of_notebooks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ipython = ModuleType("IPython")
    vars(ipython)["get_ipython"] = lambda: None
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    assert not waiting.in_notebook()
    with waiting.bar() as bar:
        bar.update(25, 25, "25 succeeded")
        bar.say("relu [seed 1] failed.")
    shown = capsys.readouterr().err
    assert "25/25" in shown
    assert "relu [seed 1] failed." in shown
