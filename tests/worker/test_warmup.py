"""The warm-up of a worker process."""

import subprocess
import sys

import pytest

# Prints the modules that a first training imports after the warm-up, but for a few small ones.
NEW_MODULES = """
import sys
import worker.app
from worker.warmup import warm_up
from tests.worker.make import make_data, make_execution, make_spec
from worker.training.loop import Callbacks, train
warm_up("cpu")
known = set(sys.modules)
train(spec := make_spec(), make_data(), make_execution(spec), Callbacks())
print(*sorted(set(sys.modules) - known))
"""


@pytest.mark.slow
def test_warm_up_imports_what_the_first_training_needs() -> None:
    process = subprocess.run([sys.executable, "-c", NEW_MODULES], check=True, capture_output=True, text=True)
    assert len(process.stdout.split()) < 20, process.stdout
