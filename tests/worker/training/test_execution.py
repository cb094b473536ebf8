import json

import pytest
import torch
from pydantic import ValidationError

from tests.worker.make import make_spec
from worker.training import execution
from worker.training.execution import Execution


@pytest.mark.parametrize(("hardware", "resolved"), [(True, "bfloat16"), (False, "float32")])
def test_resolve_takes_bfloat16_for_auto_where_the_hardware_has_it(
    hardware: bool, resolved: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execution, "_computes_bfloat16", lambda device: hardware)
    assert Execution.resolve(make_spec(precision="auto")).precision == resolved


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_resolve_takes_the_precision_of_the_spec(precision: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execution, "_computes_bfloat16", lambda device: False)
    assert Execution.resolve(make_spec(precision=precision)).precision == precision


def test_execution_round_trips_through_json() -> None:
    execution = Execution.resolve(make_spec(), threads=2)
    stored = json.loads(json.dumps(execution.model_dump()))
    assert Execution.model_validate(stored) == execution


def test_execution_reads_rows_of_the_first_release() -> None:
    execution = Execution.resolve(make_spec(), threads=2)
    assert Execution.model_validate(execution.model_dump() | {"form": "single"}) == execution
    assert execution.fingerprint().execution == "single"


def test_execution_rejects_unknown_fields() -> None:
    with pytest.raises(ValidationError, match="Extra inputs"):
        Execution.model_validate(Execution.resolve(make_spec()).model_dump() | {"packed": 4})


def test_continued_here_keeps_the_execution_of_this_machine() -> None:
    execution = Execution.resolve(make_spec(), device="cpu", threads=2)
    assert execution.continued_here() == execution


def test_continued_here_takes_the_cpu_where_cuda_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    stored = Execution(device="cuda", precision="bfloat16", threads=1, torch="2.11.0")
    here = stored.continued_here()
    assert (here.device, here.precision, here.torch) == ("cpu", "bfloat16", torch.__version__)


def test_fingerprint_names_everything_that_decides_the_bits() -> None:
    execution = Execution.resolve(make_spec(precision="float32"), device="cpu", threads=2)
    fingerprint = execution.fingerprint()
    assert (fingerprint.device, fingerprint.precision, fingerprint.threads) == ("cpu", "float32", 2)
    assert all([fingerprint.device_name, fingerprint.instruction_set, fingerprint.code])
    assert not fingerprint.matches(execution.model_copy(update={"threads": 1}).fingerprint())


def test_prepare_makes_the_process_deterministic() -> None:
    Execution.resolve(make_spec(), threads=1).prepare()
    assert torch.get_num_threads() == 1
    assert torch.are_deterministic_algorithms_enabled()
    assert not torch.backends.cudnn.benchmark
