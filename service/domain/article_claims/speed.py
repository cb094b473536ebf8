"""Claims about the speed of learning: 4, 5 and 10."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import fmean

from service.domain.activations.catalogue import CATALOGUE
from service.domain.activations.properties import properties
from service.domain.article_claims.answer import ArticleClaim, ClaimPart, article_claim
from service.domain.article_claims.observations import STANDARD, Fields, Observations, Observed, Setting, Side
from service.domain.article_claims.pairs import contrast, open_part, ruled, turns
from service.domain.article_claims.rules import below, exceeds

A_TWENTIETH = partial(exceeds, least=math.log(1.05))
NO_SLOWER = partial(below, limit=math.log(1.02), reached=True)
A_QUARTER_DECADE = partial(exceeds, least=0.25)
HALF_A_DECADE = 0.51  # between neighbours; 0.00316 is rounded

GRADIENT_DESCENT: Fields = {
    **{path: value for path, value in STANDARD.items() if path != "optimizer.learning_rate"},
    "optimizer.name": "sgd",
    "schedule": "none",
}


def speed(run: Observed) -> float | None:
    return run.learning_speed


def tanh_is_faster_than_sigmoid(observations: Observations) -> ArticleClaim:
    words, rule = "tanh converges faster than sigmoid.", "V(A_sigmoid - A_tanh, ln 1.05)"
    return article_claim(4, words, rule, _slower(observations, "sigmoid", "tanh"))


def relu_trains_faster(observations: Observations) -> ArticleClaim:
    parts = [*_slower(observations, "sigmoid", "relu"), *_slower(observations, "tanh", "relu")]
    for other in ("sigmoid", "tanh"):
        parts += step_times(observations, "relu", other)
    return article_claim(
        5,
        "ReLU trains faster.",
        "V(A_sigmoid - A_relu, ln 1.05), V(A_tanh - A_relu, ln 1.05), and the ratio of step times, relu to each other,"
        " of runs that took turns: upper end at most 1.02",
        parts,
    )


def bounded_functions_are_steadier(observations: Observations) -> ArticleClaim:
    parts = []
    for setting in observations.settings(["activation", "optimizer.learning_rate"], GRADIENT_DESCENT):
        parts += _bounded_and_not(setting)
    runs = "SGD without a schedule, over a grid of learning rates in half decades, of bounded and unbounded functions"
    return article_claim(
        10,
        "Bounded functions are steadier; unbounded ones want a smaller learning rate.",
        "SGD, no schedule, half-decade grid: V(best log10 rate, bounded - unbounded, 0.25) and V(A*, bounded -"
        " unbounded, ln 1.05), A* being A at the best rate; undecided where an optimum lies at the grid's edge",
        parts or [open_part("Best learning rates", [runs])],
    )


def step_times(observations: Observations, name: str, other_name: str) -> list[ClaimPart]:
    """Return the parts on ln(step time of `name` / `other_name`), for each setting of the article's network."""
    title = f"ln(step time {name} / {other_name})"
    parts = []
    for setting in observations.settings(["activation"], STANDARD):
        a, b = setting.side(activation=name), setting.side(activation=other_name)
        if a is not None and b is not None:
            parts += turns(title, setting, a, b, NO_SLOWER)
    return parts or [open_part(title, [f"runs of {name} and of {other_name} that take turns"])]


def _slower(observations: Observations, slow: str, fast: str) -> list[ClaimPart]:
    return contrast(observations, f"A({slow}) - A({fast})", slow, fast, speed, A_TWENTIETH, "ln nats")


@dataclass(frozen=True)
class _Best:
    """The rate at which one function learned fastest with one seed."""

    log_rate: float
    speed: float
    at_edge: bool


def _bounded_and_not(setting: Setting) -> list[ClaimPart]:
    """Return both parts of claim 10, or none where no rate was varied."""
    grids: dict[str, dict[float, Side]] = {}
    for side in setting.sides.values():
        name, rate = side.factors["activation"], side.factors["optimizer.learning_rate"]
        if name in CATALOGUE and isinstance(rate, int | float):
            grids.setdefault(str(name), {})[float(rate)] = side
    if all(len(grid) < 2 for grid in grids.values()):
        return []
    titles = ("best log10 rate, bounded - unbounded", "A*, bounded - unbounded")
    bounded, unbounded = ([name for name in grids if _bounded(name) is kind] for kind in (True, False))
    missing = _grid_problems(grids, bounded, unbounded)
    sides = [side for grid in grids.values() for side in grid.values()]
    best = {} if missing else _best_by_seed(grids)
    missing += [
        f"a wider grid: the best rate of {name} at seed {seed} is at its edge, {10**fastest.log_rate:.3g}"
        for seed, row in best.items()
        for name, fastest in row.items()
        if fastest.at_edge
    ]
    if missing:
        return [open_part(title, missing, setting.context, sides) for title in titles]
    rates = [_apart(row, bounded, unbounded, lambda best: best.log_rate) for row in best.values()]
    speeds = [_apart(row, bounded, unbounded, lambda best: best.speed) for row in best.values()]
    return [
        ruled(titles[0], A_QUARTER_DECADE(rates), setting.context, sides, "decades"),
        ruled(titles[1], A_TWENTIETH(speeds), setting.context, sides, "ln nats"),
    ]


def _bounded(name: str) -> bool | None:
    row = CATALOGUE[name]
    return properties(row.expression, row.values()).bounded


def _grid_problems(
    grids: Mapping[str, Mapping[float, Side]], bounded: Sequence[str], unbounded: Sequence[str]
) -> list[str]:
    if not bounded or not unbounded:
        return ["a bounded and an unbounded function over the same rates"]
    rates = [sorted(grid) for grid in grids.values()]
    if any(grid_rates != rates[0] for grid_rates in rates):
        return ["every function at every rate of the grid"]
    steps = [math.log10(high / low) for low, high in zip(rates[0], rates[0][1:], strict=False)]
    if len(steps) < 2 or max(steps) > HALF_A_DECADE:
        return ["three rates or more, half a decade apart at most"]
    unfinished = sum(
        not run.status.terminal for grid in grids.values() for side in grid.values() for run in side.runs.values()
    )
    return [f"{unfinished} runs that are still to end"] if unfinished else []


def _best_by_seed(grids: Mapping[str, Mapping[float, Side]]) -> dict[int, dict[str, _Best]]:
    """Return the best rates of the seeds for which every function has one. A run that diverged or gave no figure is
    not best."""
    seeds = sorted({seed for grid in grids.values() for side in grid.values() for seed in side.runs})
    rows = {seed: {name: _best(grid, seed) for name, grid in grids.items()} for seed in seeds}
    return {seed: {name: best for name, best in row.items() if best} for seed, row in rows.items() if all(row.values())}


def _best(grid: Mapping[float, Side], seed: int) -> _Best | None:
    speeds = {rate: _speed_at(side, seed) for rate, side in grid.items()}
    known = {rate: value for rate, value in speeds.items() if value is not None}
    if not known:
        return None
    rate = min(known, key=lambda rate: (known[rate], rate))
    return _Best(math.log10(rate), known[rate], rate in (min(grid), max(grid)))


def _speed_at(side: Side, seed: int) -> float | None:
    run = side.succeeded.get(seed)
    return None if run is None else run.learning_speed


def _apart(
    row: Mapping[str, _Best], bounded: Sequence[str], unbounded: Sequence[str], figure: Callable[[_Best], float]
) -> float:
    return fmean(figure(row[name]) for name in bounded) - fmean(figure(row[name]) for name in unbounded)
