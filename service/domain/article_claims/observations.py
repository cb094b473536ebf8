"""The evidence of claims: the runs of a study, sorted into sides that differ only in the factors of a claim."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from service.domain import factors
from service.domain.article_claims.answer import Evidence
from service.domain.comparisons.cells import Factor, Run, key, standing
from service.domain.spec import ExperimentSpec, complete
from service.domain.status import Status

Fields = Mapping[str, Factor]
"""A spec by dotted path, an activation by its label, without the fields that change no figure."""

Layers = Mapping[int, Mapping[str, Mapping[str, Any]]]
"""Diagnostics by epoch and layer: measures by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed(Run):
    """An experiment with the figures that claims use.

    `machine` is device, precision and version of the code; `hardware` is the name of the machine, on which step times
    depend too.
    """

    fields: Fields
    test_accuracy: float | None = None
    learning_speed: float | None = None  # ln nats
    images_per_second: float | None = None
    machine: tuple[str, str, str] | None = None
    hardware: str | None = None
    started: datetime | None = None
    finished: datetime | None = None
    epochs: int = 0
    layers: Layers = field(default_factory=dict)
    largest_difference: float | None = None  # of a linear network from the one linear layer that it is


@dataclass(frozen=True)
class Side:
    """Runs that are alike in all but the seed; one counts for each seed."""

    factors: Mapping[str, Factor]
    runs: Mapping[int, Observed]

    @property
    def name(self) -> str:
        return ", ".join(
            str(value) if path == "activation" else f"{path}={value}" for path, value in self.factors.items()
        )

    @property
    def succeeded(self) -> dict[int, Observed]:
        return {seed: run for seed, run in self.runs.items() if run.status == Status.SUCCEEDED}

    @property
    def evidence(self) -> Evidence:
        runs = sorted(self.succeeded.items())
        return Evidence(
            factors=dict(self.factors), seeds=[seed for seed, _ in runs], experiments=[UUID(run.id) for _, run in runs]
        )

    def on(self, hardware: str | None) -> "Side":
        """Return the side without the successes on other machines."""
        kept = {seed: run for seed, run in self.runs.items()
                if run.status != Status.SUCCEEDED or run.hardware == hardware}  # fmt: skip
        return replace(self, runs=kept)

    def why_not(self) -> list[str]:
        """Return the reasons why its figures are no evidence."""
        diverged = sum(run.diverged for run in self.runs.values())
        if diverged:
            return [f"runs of {self.name} that do not diverge: {diverged} of {len(self.runs)} did, and the others are a"
                    " selected sample"]  # fmt: skip
        machines = {run.machine for run in self.succeeded.values()}
        return (
            [f"runs of {self.name} on one kind of device, in one precision, by one version"]
            if len(machines) > 1
            else []
        )


@dataclass(frozen=True)
class Setting:
    """A combination of fields, and the sides that share it."""

    fields: Fields
    sides: Mapping[frozenset[object], Side]

    def side(self, **named: Factor) -> Side | None:
        return self.sides.get(key({name.replace("__", "."): value for name, value in named.items()}))

    def activations(self) -> dict[str, Side]:
        """Return the sides by activation, where nothing else tells them apart."""
        return {str(side.factors["activation"]): side for side in self.sides.values()}

    @property
    def context(self) -> dict[str, Factor]:
        return {path: value for path, value in self.fields.items() if PROTOCOL.get(path) != value}


class Observations:
    """The runs of a study."""

    def __init__(self, runs: Sequence[Observed]) -> None:
        self._runs = runs

    def settings(self, apart: Sequence[str], where: Mapping[str, Factor] | None = None) -> list[Setting]:
        """Return the settings with the values `where`, each with the sides that differ in the paths `apart`, in a
        steady order."""
        groups: dict[frozenset[object], dict[frozenset[object], list[Observed]]] = defaultdict(
            lambda: defaultdict(list)
        )
        for run in self._runs:
            if all(run.fields.get(path) == value for path, value in (where or {}).items()):
                own = key({path: run.fields.get(path) for path in apart})
                shared = key({path: value for path, value in run.fields.items() if path not in apart})
                groups[shared][own].append(run)
        settings = [_setting(sides, apart) for sides in groups.values()]
        return sorted(
            settings, key=lambda setting: sorted((path, str(value)) for path, value in setting.fields.items())
        )


def _setting(sides: Mapping[frozenset[object], list[Observed]], apart: Sequence[str]) -> Setting:
    first_run = next(iter(sides.values()))[0].fields
    shared = {path: value for path, value in first_run.items() if path not in apart}
    return Setting(shared, {own: _side(runs, apart) for own, runs in sides.items()})


def _side(runs: Sequence[Observed], apart: Sequence[str]) -> Side:
    seeds: dict[int, list[Observed]] = defaultdict(list)
    for run in runs:
        seeds[run.seed].append(run)
    named = {path: runs[0].fields.get(path) for path in apart}
    return Side(named, {seed: standing(same) for seed, same in seeds.items()})


def fields(spec: Mapping[str, Any]) -> Fields:
    """Return a stored spec as `Fields`."""
    return {"activation": factors.value(spec, "activation"), **dict(_leaves(complete(spec)))}


def _leaves(spec: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Factor]]:
    for name, value in spec.items():
        if above or (name not in factors.NO_EFFECT and name != "activation"):
            if isinstance(value, dict):
                yield from _leaves(value, f"{above}{name}.")
            else:
                yield above + name, factors.plain(value)


PROTOCOL: Fields = fields(ExperimentSpec.model_validate({"activation": "relu"}).model_dump(mode="json"))
"""The main article's spec."""

NETWORK: Fields = {path: PROTOCOL[path] for path in PROTOCOL if path.startswith("model.")}
STANDARD: Fields = {
    path: PROTOCOL[path]
    for path in (
        *NETWORK,
        "optimizer.name",
        "optimizer.learning_rate",
        "optimizer.momentum",
        "schedule",
        "output",
        "classes",
    )
}
"""The article's network, trained as the article does; data set, epochs, batch size, dropout and L2 may differ."""

RATE = "optimizer.learning_rate"
TUNED: Fields = {**STANDARD, RATE: "tuned"}
"""The same network in a study that has chosen a rate for each of its cells."""


def tuned(named: Fields) -> Fields:
    """Return the fields of a run at a chosen rate, in which all chosen rates are equal.

    Such runs share a setting although their rates differ.
    """
    return {**named, RATE: "tuned"}
