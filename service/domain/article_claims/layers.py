"""Claims about the inside of the network, from diagnostics per epoch and layer: 2, 3, 6, 7 and 8."""

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from statistics import fmean
from typing import Any

import numpy as np

from service.domain.article_claims.accuracy import accuracy
from service.domain.article_claims.answer import (
    ArticleClaim,
    ClaimPart,
    Verdict,
    article_claim,
    conjunction,
    every,
    some,
)
from service.domain.article_claims.observations import NETWORK, STANDARD, Fields, Observations, Observed, Setting, Side
from service.domain.article_claims.pairs import contrast, difference, level, open_part, ruled, turns
from service.domain.article_claims.rules import above, below, exceeds, within
from service.domain.network import HEAD, dense_name

STEP, STRAIGHT_THROUGH = "step", "step(straight_through=1)"
DEPTHS = (1, 3, 5, 10)
ONE_POINT = partial(exceeds, least=0.01)
A_COST = partial(exceeds, least=math.log(1.02))
FADES = partial(below, limit=-0.1)
ABOUT_HALF = partial(within, low=0.4, high=0.6)
DIES = partial(above, limit=0.01)
UNNORMALISED: Fields = {**NETWORK, "model.batch_norm": False}
LEAST_FLOAT = 1.4e-45  # the smallest float32; a smaller gradient is stored as exactly 0
DIAGNOSTICS = "diagnostics of "


def step_cannot_learn(observations: Observations) -> ArticleClaim:
    parts = []
    for setting in observations.settings(["activation"], STANDARD):
        step = setting.side(activation=STEP)
        if step is not None:
            parts += _frozen(setting, step)
    title = f"accuracy({STRAIGHT_THROUGH}) - accuracy({STEP})"
    parts += contrast(observations, title, STRAIGHT_THROUGH, STEP, accuracy, ONE_POINT, "fraction")
    return article_claim(
        2,
        "A step function cannot learn by backpropagation.",
        "cross-entropy gradient below the output layer exactly 0 every epoch, weights bit-equal to epoch 0; and"
        " V(accuracy of straight-through - step, 1 pp)",
        parts,
    )


def gradients_vanish(observations: Observations) -> ArticleClaim:
    network = {path: value for path, value in UNNORMALISED.items() if path != "model.dense_layers"}
    parts, notes = [], []
    for setting in observations.settings(["activation", "model.dense_layers"], network):
        for name in ("sigmoid", "tanh"):
            sides = {depth: setting.side(activation=name, model__dense_layers=depth) for depth in DEPTHS}
            sides_present = {depth: side for depth, side in sides.items() if side is not None}
            if len(sides_present) > 1:
                parts.append(_fading(setting, name, sides_present))
                notes += _saturated(name, sides_present)
    for name in ("sigmoid", "tanh"):
        if not any(part.title.startswith(name) for part in parts):
            missing = f"{name} without batch normalisation at depths {', '.join(map(str, DEPTHS))}, with diagnostics"
            parts.append(open_part(f"{name}: slope per layer", [missing]))
    return article_claim(
        3,
        "With sigmoid and tanh, gradients vanish.",
        "batch normalisation off, depths 1, 3, 5, 10, at the start: slope per layer of log10(RMS gradient, first dense"
        " layer / last); upper end below -0.1 supports, lower end above -0.1 refutes; each function apart",
        parts,
        notes=notes,
    )


def half_of_relu_outputs_are_zero(observations: Observations) -> ArticleClaim:
    parts = _layer_by_layer(observations, STANDARD, "zero share at the start", ABOUT_HALF, _measured("zero_share", 0))
    without: Fields = {**UNNORMALISED, "activation": "relu"}
    return article_claim(
        6,
        "About half of ReLU's outputs are zero at the start.",
        "epoch 0, batch normalisation in training mode: the interval of each layer's zero share inside [0.4, 0.6];"
        " refuted if any lies wholly outside",
        parts or [open_part("zero share at the start", ["runs of relu, with diagnostics"])],
        notes=_zero_shares(observations, without),
    )


def relu_units_die(observations: Observations) -> ArticleClaim:
    parts = _dying(observations) or [
        open_part("dead share at the end", ["relu without batch normalisation at learning rates 0.001 and 0.01"])
    ]
    return article_claim(
        7,
        "ReLU units die.",
        "batch normalisation off, learning rates 0.001 and 0.01, last epoch: any layer's dead share, confirmed on the"
        " whole training set, with its lower end above 1 %; refuted if all upper ends are below",
        parts,
        some(parts),
    )


def leaky_relu_cures_dying_units(observations: Observations) -> ArticleClaim:
    dying = relu_units_die(observations)
    premise = [ClaimPart(title="ReLU units die (claim 7)", verdict=dying.verdict, missing=dying.missing)]
    cures, costs = [], []
    for setting in observations.settings(["activation"], UNNORMALISED):
        relu, leaky = setting.side(activation="relu"), setting.side(activation="leaky_relu")
        if relu is not None and leaky is not None:
            title = "inactive units, relu - leaky_relu"
            cures.append(difference(title, setting, relu, leaky, _inactive, ONE_POINT, "fraction of units"))
            costs += turns("ln(step time leaky_relu / relu)", setting, leaky, relu, A_COST)
    pair = ["relu and leaky_relu without batch normalisation, in turns"]
    parts = [*premise, *(cures or [open_part("inactive units, relu - leaky_relu", pair)]),
             *(costs or [open_part("ln(step time leaky_relu / relu)", pair)])]  # fmt: skip
    groups: list[Verdict] = [dying.verdict, some(cures), every(costs)]
    return article_claim(
        8,
        "Leaky ReLU cures it, at a cost.",
        "claim 7 supported; V(inactive units of relu - leaky_relu, 1 pp) at a learning rate; and V(ln(step time of"
        " leaky_relu / relu), ln 1.02) of runs that took turns",
        parts,
        conjunction(groups),
        notes=[
            "A leaky unit is never dead by definition: units never above 0 are compared, which both functions have."
        ],
    )


# --- measures ------------------------------------------------------------------------------------------------------


def _measured(measure: str, epoch: int | None) -> Any:
    """Return the function that reads a measure of one layer, at this epoch or, for None, at the last one."""

    def figure(run: Observed, layer: str) -> float | None:
        value = run.layers.get(run.epochs if epoch is None else epoch, {}).get(layer, {}).get(measure)
        return None if value is None else float(value)

    return figure


def _layers_of(side: Side) -> list[str]:
    """Return the names of the layers with an activation, from the input on."""
    names = (layer for run in side.succeeded.values() for epoch in run.layers.values() for layer in epoch)
    return [layer for layer in dict.fromkeys(names) if layer != HEAD]


def _layer_by_layer(observations: Observations, where: Fields, title: str, rule: Any, figure: Any) -> list[ClaimPart]:
    """Judge each layer of ReLU's runs by itself."""
    parts = []
    for setting in observations.settings(["activation"], where):
        relu = setting.side(activation="relu")
        if relu is None:
            continue
        layers = _layers_of(relu)
        if not layers:
            parts.append(open_part(title, [f"{DIAGNOSTICS}relu"], setting.context, [relu]))
        for layer in layers:
            parts.append(
                level(f"{layer}: {title}", setting, relu, partial(figure, layer=layer), rule, "fraction")
            )  # fmt: skip
    return parts


def _dying(observations: Observations) -> list[ClaimPart]:
    title, figure = "dead share at the end", _measured("dead_share_confirmed", None)
    parts = []
    for rate in (0.001, 0.01):
        where: Fields = {**UNNORMALISED, "optimizer.learning_rate": rate, "optimizer.name": "adam"}
        missing = [f"relu without batch normalisation at learning rate {rate}"]
        parts += _layer_by_layer(observations, where, title, DIES, figure) or [open_part(title, missing)]
    return parts if any(part.evidence for part in parts) else []


def _inactive(run: Observed) -> float | None:
    """Return the share of all units, over the layers, that are never above 0 at the last epoch."""
    layers = [row for name, row in run.layers.get(run.epochs, {}).items() if name != HEAD]
    known = [(row["units"], row["inactive_share"]) for row in layers if row.get("inactive_share") is not None]
    return sum(units * share for units, share in known) / sum(units for units, _ in known) if known else None


def _zero_shares(observations: Observations, where: Fields) -> list[str]:
    notes = []
    for setting in observations.settings(["activation"], where):
        side = setting.side(activation="relu")
        shares = (
            {layer: _known(side, partial(_measured("zero_share", 0), layer=layer)) for layer in _layers_of(side)}
            if side
            else {}
        )
        means = [f"{layer} {fmean(values):.3f}" for layer, values in shares.items() if values]
        if means:
            notes.append(f"Without batch normalisation: {', '.join(means)}.")
    return list(dict.fromkeys(notes))


def _known(side: Side, figure: Any) -> list[float]:
    return [value for value in map(figure, side.succeeded.values()) if value is not None]


# --- gradients -----------------------------------------------------------------------------------------------------


def _frozen(setting: Setting, step: Side) -> list[ClaimPart]:
    """Return the parts about gradients and weights below the output of the step network, over all runs with
    diagnostics."""
    runs = list(step.succeeded.values())
    diagnosed = [run for run in runs if run.layers]
    titles = ("gradient below the output is 0 at every epoch", "weights below the output are those of epoch 0")
    if not diagnosed:
        return [open_part(title, [f"{DIAGNOSTICS}{STEP}"], setting.context, [step]) for title in titles]
    without_gradient = [
        _all(run, "gradient_norm", range(run.epochs + 1), lambda value: value == 0) for run in diagnosed
    ]
    unchanged = [_all(run, "unchanged", [run.epochs], lambda value: value is True) for run in diagnosed]
    return [
        ClaimPart(
            title=title,
            verdict="supported" if all(holds) else "refuted",
            context=setting.context,
            n=len(diagnosed),
            evidence=[step.evidence],
        )
        for title, holds in zip(titles, (without_gradient, unchanged), strict=True)
    ]


def _all(run: Observed, measure: str, epochs: Sequence[int] | range, holds: Any) -> bool:
    rows = [row for epoch in epochs for layer, row in run.layers.get(epoch, {}).items() if layer != HEAD]
    return bool(rows) and all(holds(row.get(measure)) for row in rows)


def _fading(setting: Setting, name: str, sides: Mapping[int, Side]) -> ClaimPart:
    title = f"{name}: slope per layer of log10(RMS gradient, first dense / last)"
    absent = [depth for depth in DEPTHS if depth not in sides]
    if absent:
        return open_part(
            title, [f"{name} at depth {', '.join(map(str, absent))}"], setting.context, list(sides.values())
        )
    ratios = {depth: dict(_ratios(side)) for depth, side in sides.items()}
    seeds = sorted(set.intersection(*(set(by_seed) for by_seed in ratios.values())))
    slopes = [float(np.polyfit(DEPTHS, [ratios[depth][seed] for depth in DEPTHS], 1)[0]) for seed in seeds]
    return ruled(title, FADES(slopes), setting.context, list(sides.values()), "decades a layer")


def _ratios(side: Side) -> Iterator[tuple[int, float]]:
    """Yield by seed log10 of the RMS gradient of the first dense layer over that of the last, at the start."""
    for seed, run in side.succeeded.items():
        layers = run.layers.get(0, {})
        first, last = (layers.get(name, {}).get("gradient_rms") for name in (dense_name(1), HEAD))
        if first is not None and last:
            yield seed, math.log10(max(first, LEAST_FLOAT)) - math.log10(last)


def _saturated(name: str, sides: Mapping[int, Side]) -> list[str]:
    deepest = max(sides)
    dense = {dense_name(depth) for depth in range(1, deepest + 1)}
    shares = [
        row["saturated_share"]
        for run in sides[deepest].succeeded.values()
        for layer, row in run.layers.get(0, {}).items()
        if layer in dense and row.get("saturated_share") is not None
    ]
    return (
        [f"{name}, {deepest} dense layers, at the start: {fmean(shares):.1%} of elements saturated."] if shares else []
    )
