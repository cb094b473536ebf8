"""Refuse functions that have a finite value nowhere, with which nothing can be trained."""

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from pydantic_core import PydanticCustomError

from service.domain.activations.properties import GRID
from service.domain.activations.selection import ActivationSpec
from service.domain.formulas.evaluation import evaluate
from service.domain.formulas.expression import Expression


def check_finite_somewhere(activation: ActivationSpec) -> None:
    """Raise PydanticCustomError for a formula without a finite value in float32 at any x from -1e4 to 1e4.

    Stored specs are not checked, since older versions accepted such formulas; nor is a preview, which shows them.
    """
    if activation.formula is not None and not _is_finite_somewhere(activation.definition.expression, activation.values):
        reason = (
            "The formula has a finite value in float32 for no x from -1e4 to 1e4, so nothing can be trained with it;"
            " POST /api/v1/activations/preview shows its values"
        )
        raise PydanticCustomError("nowhere_finite", "{reason}", {"reason": reason, "at": "formula"})


def _is_finite_somewhere(expression: Expression, values: Mapping[str, float]) -> bool:
    return _computed(expression, tuple(sorted(values.items())))


@lru_cache(maxsize=256)
def _computed(expression: Expression, items: tuple[tuple[str, float], ...]) -> bool:
    pairs = np.stack([GRID, GRID[::-1]], axis=1).astype(np.float32)  # softmax compares the elements of a pair
    return bool(np.isfinite(evaluate(expression, pairs, dict(items))).any())
