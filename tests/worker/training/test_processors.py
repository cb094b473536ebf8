"""Processors that a process may use: affinity, and the quota of control groups of both versions."""

import os
from pathlib import Path

import pytest

from tests.worker.make import make_spec
from worker.training import execution, processors
from worker.training.execution import Execution, default_threads

V2 = "0::{group}\n"
V1 = "3:cpu,cpuacct:{group}\n2:memory:/elsewhere\n"


def make_proc(tmp_path: Path, version: int, group: str, root: str = "/") -> tuple[Path, Path]:
    """Write /proc/self of a process in a control group; return it and the folder where groups are mounted."""
    proc, mount = tmp_path / "proc", tmp_path / "mount"
    proc.mkdir()
    mount.mkdir()
    (proc / "cgroup").write_text((V1 if version == 1 else V2).format(group=group))
    kind = "cgroup cgroup rw,cpu,cpuacct" if version == 1 else "cgroup2 cgroup2 rw"
    lines = ["22 1 0:20 / /proc rw - proc proc rw", f"30 22 0:26 {root} {mount} rw,nosuid shared:9 - {kind}"]
    (proc / "mountinfo").write_text("\n".join(lines))
    return proc, mount


def limit(folder: Path, version: int, quota: str, period: str = "100000") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if version == 2:
        (folder / "cpu.max").write_text(f"{quota} {period}\n")
    else:
        (folder / "cpu.cfs_quota_us").write_text(f"{quota}\n")
        (folder / "cpu.cfs_period_us").write_text(f"{period}\n")


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize(
    ("quota", "processors_"), [("100000", 1), ("50000", 1), ("150000", 2), ("300000", 3), ("6400000", 8)]
)
def test_usable_processors_follow_the_quota(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: int, quota: str, processors_: int
) -> None:
    monkeypatch.setattr(processors, "_affinity", lambda: 8)
    proc, mount = make_proc(tmp_path, version, "/")
    limit(mount, version, quota)
    assert processors.usable_processors(proc) == processors_


@pytest.mark.parametrize(("version", "unlimited"), [(1, "-1"), (2, "max")])
def test_cpu_quota_is_the_least_of_the_group_and_those_above(tmp_path: Path, version: int, unlimited: str) -> None:
    proc, mount = make_proc(tmp_path, version, "/slice/pod/container")
    limit(mount, version, unlimited)
    assert processors.cpu_quota(proc) is None
    limit(mount / "slice", version, "400000")
    limit(mount / "slice/pod", version, "150000")
    limit(mount / "slice/pod/container", version, unlimited)
    assert processors.cpu_quota(proc) == 1.5


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize(("group", "inner"), [("/docker/abc", ""), ("/docker/abc/inner", "inner"), ("/other", "")])
def test_cpu_quota_is_found_in_a_part_of_the_tree_that_is_mounted(
    tmp_path: Path, version: int, group: str, inner: str
) -> None:
    proc, mount = make_proc(tmp_path, version, group, root="/docker/abc")
    limit(mount / inner, version, "200000")
    assert processors.cpu_quota(proc) == 2.0


def test_usable_processors_without_control_groups_are_those_of_the_affinity(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processors, "_affinity", lambda: 5)
    assert processors.usable_processors(tmp_path / "nowhere") == 5


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs Linux")
def test_default_threads_follow_the_affinity() -> None:
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        assert default_threads() == 1
        assert Execution.resolve(make_spec(), device="cpu").threads == 1
    finally:
        os.sched_setaffinity(0, allowed)


def test_resolve_takes_the_threads_of_the_setting_beyond_the_quota(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execution, "usable_processors", lambda: 1)
    assert Execution.resolve(make_spec(), device="cpu", threads=3).threads == 3
