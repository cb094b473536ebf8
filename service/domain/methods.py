"""The methods of a study in sentences, built from what was done."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from service.domain.comparisons.answer import Comparison
from service.domain.comparisons.cells import Cell
from service.domain.comparisons.summary import margin_text
from service.domain.datasets import DATASETS
from service.domain.report import Machine, Report, name_of, value_text
from service.domain.statistics.t_tests import TestName

TESTS: Mapping[TestName | None, str] = {
    "paired t": "Student's paired t test over the seeds that both groups have",
    "Welch t": "Welch's t test",
    "Welch t of log errors": "Welch's t test of the logarithm of the number of errors, as for 3 or 4 seeds",
}

TRAINING = {
    "epochs": "{} epochs at most",
    "optimizer.name": "optimizer {}",
    "optimizer.learning_rate": "learning rate {:g} at the start",
    "optimizer.momentum": "momentum {:g}",
    "schedule": "schedule {}",
    "batch_size": "batches of {} images",
    "optimizer.l2": "L2 {:g}",
    "dropout.conv": "dropout {:g} after pooling",
    "dropout.dense": "dropout {:g} after the last dense activation",
    "early_stopping": "early stopping after {[patience]} epochs without improvement",
    "model.conv_channels": "convolutions with {} channels",
    "model.dense_layers": "hidden dense layers: {}",
    "model.dense_units": "units of each: {}",
    "model.batch_norm": "batch normalisation {}",
    "model.pool": "{} pooling",
    "model.init": "initialisation {}",
    "output": "output {}",
}
"""The words for a field that all experiments share, by its path in a spec."""


def methods(report: Report) -> list[str]:
    """Return sentences on data, training, seeds, statistics and machines of a study."""
    comparison = report.comparison
    return [
        *(_data(report.protocol) if report.protocol else ()),
        *(_training(report.protocol) if report.protocol else ()),
        *_seeds(report.cells),
        *_statistics(comparison),
        *_seeds_needed(comparison),
        *_machines(report.machines),
    ]


def _statistics(comparison: Comparison) -> list[str]:
    """Return sentences on the tests of a comparison, their correction, its intervals, margin and ranks."""
    family = comparison.family
    return [_tests(comparison), family.decision, family.intervals, *_margin(comparison), *_ranks(comparison)]


def _data(protocol: Mapping[str, Any]) -> Iterator[str]:
    definition = DATASETS.get(protocol.get("dataset", ""))
    if definition is None:
        yield "The experiments use several data sets."
    else:
        images = [f"{definition.test_images:,} test images"]
        fraction, samples = protocol.get("validation_fraction"), protocol.get("train_samples")
        if fraction is not None and "train_samples" in protocol and protocol.get("classes", ...) is None:
            validation = definition.validation_images(fraction)
            training = definition.training_images - validation if samples is None else samples
            images = [f"{training:,} training", f"{validation:,} validation", *images]
        classes = protocol.get("classes") or f"all {definition.classes}"
        yield f"Data set: {definition.name}, {_and(images)}; classes: {value_text(str(classes))}."
    yield (
        "The validation images are a stratified part of the training set, the same in every experiment. The test images"
        " are evaluated once, after training."
    )


def _training(protocol: Mapping[str, Any]) -> Iterator[str]:
    shared = {path: words for path, words in TRAINING.items() if protocol.get(path) not in (None, [])}
    if protocol.get("optimizer.name") != "sgd":
        shared.pop("optimizer.momentum", None)
    texts = [words.format(_plain(protocol[path])) for path, words in shared.items()]
    if texts:
        yield f"All experiments have in common: {', '.join(texts)}."
    varied = [path for path in TRAINING if path not in protocol]
    if varied:
        yield f"They differ in {_and(varied)}."


def _plain(value: Any) -> Any:
    if isinstance(value, bool):
        return value_text(value)
    return _and(list(map(str, value))) if isinstance(value, list) else value


def _seeds(cells: Sequence[Cell]) -> Iterator[str]:
    seeds = sorted({seed for cell in cells for seed in cell.values})
    if seeds:
        number = f"{len(seeds)} seed{'' if len(seeds) == 1 else 's'}"
        yield (
            f"Every group holds one experiment a seed, with {number} ({_ranges(seeds)}). Experiments with the same seed"
            " draw their initial weights, the order of batches and dropout from the same random streams, so that groups"
            " are compared in pairs."
        )


def _ranges(numbers: Sequence[int]) -> str:
    """Return `0 to 4, 7`."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(f"{run[0]} to {run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)


def _tests(comparison: Comparison) -> str:
    family = comparison.family
    pairs = "pairs of groups" if family.versus is None else f"pairs of a group with {name_of(family.versus)}"
    return (
        f"The verdicts are about one figure, {family.title[:1].lower()}{family.title[1:]}, and {family.pairs} {pairs}."
        f" {' '.join(used_tests(comparison))} p values are adjusted after {family.p_correction}."
    )


def used_tests(comparison: Comparison) -> list[str]:
    """Return a sentence on the tests of the pairs, with the number of pairs where they had several; none for no
    pairs."""
    counts = Counter(pair.test for pair in comparison.pairs)
    used = [(words, counts[test]) for test, words in [*TESTS.items(), (None, "none")] if counts[test]]
    if not used:
        return []
    if len(used) == 1:
        return [f"Test: {used[0][0]}."]
    return [f"Tests: {'; '.join(f'{words} ({number} pairs)' for words, number in used)}."]


def _margin(comparison: Comparison) -> list[str]:
    if comparison.family.margin is None:
        return ["No margin was set, so that no groups are called equivalent."]
    return [f"The margin within which a difference does not matter is {margin_text(comparison.family)}."]


def _ranks(comparison: Comparison) -> list[str]:
    if comparison.family.versus is not None:
        return []
    return [
        "A rank is a range: from 1 + the number of groups significantly better, to the number of groups less those"
        " significantly worse."
    ]


def _seeds_needed(comparison: Comparison) -> list[str]:
    needed = comparison.seeds_needed
    if needed is None:
        return []
    pair = f"{name_of(needed.a)} and {name_of(needed.b)}"
    if needed.seeds is None:
        return [f"How many seeds would show a difference of {pair} cannot be estimated from these {needed.n}."]
    return [
        f"Estimate: {needed.seeds} seeds a group would show a difference of {pair} with {needed.power:.0%} power, if"
        f" the difference and spread of these {needed.n} seeds were the true ones."
    ]


def _machines(machines: Sequence[Machine]) -> list[str]:
    return [
        f"{_number(machine.experiments, 'experiment')} ran on {machine.device_name}"
        f" ({machine.device}, {_number(machine.threads, 'thread')},"
        f" {machine.precision}) with {_and([f'{name} {version}' for name, version in machine.versions.items()])}."
        for machine in machines
    ]


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _and(texts: Sequence[str]) -> str:
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}"
