import pytest

from service.domain.workers import WorkerMemory

GIB = 2**30


@pytest.mark.parametrize(
    ("stored", "memory"),
    [
        ({"total": 8 * GIB, "used": GIB}, WorkerMemory(total=8 * GIB, used=GIB)),
        ({"total": 8 * GIB, "used": None}, WorkerMemory(total=8 * GIB)),
        (
            {"process": GIB, "machine_total": 8 * GIB, "device_free": None, "device_total": None},
            WorkerMemory(total=8 * GIB, used=GIB),
        ),
        (
            {"process": GIB, "machine_total": 8 * GIB, "device_free": 30 * GIB, "device_total": 32 * GIB},
            WorkerMemory(total=32 * GIB, used=2 * GIB),
        ),
        ({}, WorkerMemory()),
    ],
    ids=["current", "unknown use", "first release on a CPU", "first release on a GPU", "empty"],
)
def test_worker_memory_reads_stored_rows(stored: dict[str, int | None], memory: WorkerMemory) -> None:
    assert WorkerMemory.model_validate(stored) == memory
    assert WorkerMemory.model_validate(memory.model_dump()) == memory
