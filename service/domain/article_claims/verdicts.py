"""The rules of all twelve claims, in order."""

from collections.abc import Callable

from service.domain.article_claims import accuracy, layers, linear, speed
from service.domain.article_claims.answer import ArticleClaim, ArticleClaims
from service.domain.article_claims.observations import Observations

RULES: tuple[Callable[[Observations], ArticleClaim], ...] = (
    linear.first, layers.second, layers.third, speed.fourth, speed.fifth, layers.sixth, layers.seventh, layers.eighth,
    accuracy.ninth, speed.tenth, accuracy.eleventh, linear.twelfth,
)  # fmt: skip


def judge(observations: Observations) -> ArticleClaims:
    """Decide every claim by its rule, over these runs."""
    return ArticleClaims(claims=[rule(observations) for rule in RULES])
