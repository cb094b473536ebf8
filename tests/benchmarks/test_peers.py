"""The comparison with other trackers: its table, and what it measures of ActLab."""

from pathlib import Path

import pytest
from rich.console import Console

from benchmarks.peers.__main__ import table
from benchmarks.peers.actlab import ActLab
from benchmarks.peers.environments import NotInstallable, commands


def test_table_gives_the_ratios_to_the_last_tracker() -> None:
    console = Console(width=120)
    with console.capture() as capture:
        console.print(table({"slow": {"read": 10.0}, "fast": {"read": 500.0}, "ours": {"read": 1000.0}}))
    row = next(line for line in capture.get().splitlines() if line.startswith("│ read"))
    assert [cell.strip() for cell in row.strip("│").split("│")] == [
        "read",
        "10.0",
        "500.0",
        "1,000.0",
        "100.00",
        "2.00",
    ]


def test_commands_say_that_a_package_cannot_be_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(NotInstallable, match="nothing cannot be installed here"):
        commands(tmp_path, "nothing", "1.0")


@pytest.mark.slow
def test_actlab_is_read_and_written_as_peers_are(tmp_path: Path) -> None:
    with ActLab().running(tmp_path) as served:
        served.fill(300)
        served.write()
        assert served.reads().keys() == {"run", "history", "page"}
