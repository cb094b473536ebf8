"""The log file of an attempt, which its worker writes and the reaper of a lost worker reads."""

from pathlib import Path
from uuid import UUID

TAIL_BYTES = 16_384


def path(folder: Path, experiment: UUID, attempt: int) -> Path:
    return folder / str(experiment) / f"{attempt}.log"


def tail(file: Path) -> str:
    """Return the last 16 KiB of a log from the start of a line; empty where there is no such file on this machine."""
    try:
        with file.open("rb") as stream:
            size = stream.seek(0, 2)
            stream.seek(max(0, size - TAIL_BYTES))
            text = stream.read(TAIL_BYTES).decode("utf-8", errors="replace").replace("\0", "")
    except FileNotFoundError:
        return ""
    return text if size <= TAIL_BYTES else text.partition("\n")[2]
