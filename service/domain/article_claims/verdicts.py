"""The rules of all twelve claims, in order."""

from collections.abc import Callable

from service.domain.article_claims import accuracy, layers, linear, speed
from service.domain.article_claims.answer import ArticleClaim, ArticleClaims
from service.domain.article_claims.observations import Observations

RULES: tuple[Callable[[Observations], ArticleClaim], ...] = (
    linear.linear_layers_collapse,
    layers.step_cannot_learn,
    layers.gradients_vanish,
    speed.tanh_is_faster_than_sigmoid,
    speed.relu_trains_faster,
    layers.half_of_relu_outputs_are_zero,
    layers.relu_units_die,
    layers.leaky_relu_cures_dying_units,
    accuracy.swish_is_better,
    speed.bounded_functions_are_steadier,
    accuracy.start_with_relu,
    linear.properties_are_as_stated,
)
"""The rules of claims 1 to 12."""


def judge(observations: Observations) -> ArticleClaims:
    """Decide every claim by its rule, over these runs."""
    return ArticleClaims(claims=[rule(observations) for rule in RULES])
