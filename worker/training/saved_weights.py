"""Files of weights: safetensors whose metadata says which network they are of, how it was trained and how it scored."""

import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file

from service.domain.results import Score, TestResult
from service.domain.spec import ExperimentSpec
from worker.training.model import Network
from worker.training.randomness import Streams

FORMAT = "1"
"""The version of the metadata."""


class UnreadableWeights(ValueError):
    """A file is not one of weights that ActLab has written with their spec."""


def metadata_of(experiment: str, spec: ExperimentSpec, result: TestResult, score: Score) -> dict[str, str]:
    """Return the metadata of the weights that a score belongs to. Values of safetensors are text, and these are JSON.

    `spec` is the whole spec with its formula, `dataset` its data set, `score` the epoch and its scores on the test set,
    and `fingerprint` the versions of torch, numpy and ActLab, the device and the precision.
    """
    content = {
        "experiment": experiment,
        "dataset": spec.dataset,
        "spec": spec.model_dump(mode="json"),
        "score": score.model_dump(mode="json", exclude={"correct"}),
        "fingerprint": result.fingerprint.model_dump(mode="json"),
    }
    return {"format": "pt", "actlab_format": FORMAT} | {name: json.dumps(value) for name, value in content.items()}


def read_metadata(file: Path) -> dict[str, Any]:
    """Return the metadata of a file of weights. Raises UnreadableWeights."""
    try:
        with safe_open(file, framework="pt") as opened:
            metadata = opened.metadata() or {}
    except SafetensorError as error:
        raise UnreadableWeights(f"{file} is not a complete file of safetensors: {error}") from error
    if metadata.get("actlab_format") != FORMAT:
        raise UnreadableWeights(
            f"{file} does not say which network it is of (actlab_format {FORMAT}): another program wrote it, or ActLab"
            " 0.2.0 or older. Train the experiment again, and download its weights."
        )
    return {name: json.loads(value) for name, value in metadata.items() if name not in ("format", "actlab_format")}


def load(file: Path, device: str = "cpu") -> Network:
    """Build the network of a file in evaluation mode, on a device. Raises UnreadableWeights."""
    spec = ExperimentSpec.model_validate(read_metadata(file)["spec"])
    network = Network(spec, Streams(spec.seed, device))
    network.load_state_dict(load_file(file))
    return network.to(device).eval()
