"""The number of processors that this process may use: its affinity and the CPU quota of its control group."""

import math
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

PROC = Path("/proc/self")


def usable_processors(proc: Path = PROC) -> int:
    """Return how many processors this process can keep busy, at least 1.

    A quota, as of `docker run --cpus=1.5`, is rounded up: with 2 threads all of it can be used.
    """
    quota = cpu_quota(proc)
    return _affinity() if quota is None else max(1, min(_affinity(), math.ceil(quota)))


def cpu_quota(proc: Path = PROC) -> float | None:
    """Return the least CPU quota of this process's control group and those above it, in processors; None without one.

    Both versions of control groups are read: `cpu.max`, and `cpu.cfs_quota_us` with `cpu.cfs_period_us`.
    """
    return min((quota for folder in _folders(proc) if (quota := _quota(folder)) is not None), default=None)


def _affinity() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _folders(proc: Path) -> Iterator[Path]:
    """Yield the folders of the control groups that limit this process, each from the innermost to its mount."""
    groups = dict(_groups(proc))
    for is_v2, root, mount in _mounts(proc):
        group = PurePosixPath(groups.get(is_v2, "/"))
        # Within a container, a group outside of the mounted part is the mounted part itself.
        relative = group.relative_to(root) if group.is_relative_to(root) else PurePosixPath()
        folder = mount / relative
        yield from (parent for parent in (folder, *folder.parents) if parent.is_relative_to(mount))


def _groups(proc: Path) -> Iterator[tuple[bool, str]]:
    """Yield the control groups of this process: whether of version 2, and the path. A line is `id:controllers:path`."""
    for line in _lines(proc / "cgroup"):
        _, controllers, path = line.split(":", 2)
        if not controllers or "cpu" in controllers.split(","):
            yield not controllers, path


def _mounts(proc: Path) -> Iterator[tuple[bool, str, Path]]:
    """Yield where control groups with a CPU quota are mounted: whether of version 2, the root in it, and the folder.

    A line is `id parent device root folder options ... - type source options`.
    """
    for line in _lines(proc / "mountinfo"):
        fields, _, kind = line.partition(" - ")
        type, _, options = kind.split(" ", 2)
        if type == "cgroup2" or (type == "cgroup" and "cpu" in options.split(",")):
            _, _, _, root, folder, *_ = fields.split(" ")
            yield type == "cgroup2", root, Path(folder)


def _quota(folder: Path) -> float | None:
    """Return the quota of one group in processors."""
    words = " ".join(_lines(folder / "cpu.max")).split()
    if not words:
        words = [*_lines(folder / "cpu.cfs_quota_us"), *_lines(folder / "cpu.cfs_period_us")]
    if len(words) != 2 or words[0] == "max" or float(words[0]) <= 0:  # version 1 writes -1 for no quota
        return None
    return float(words[0]) / float(words[1])


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text().splitlines()
    except OSError:  # not Linux, no control group here, or not readable
        return []
