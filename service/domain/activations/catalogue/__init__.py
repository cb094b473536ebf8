"""The catalogue of activations. Training, plots and documentation take each function from its one definition here."""

from collections.abc import Mapping
from dataclasses import replace

from service.domain.activations.activation import Activation
from service.domain.activations.catalogue import bounded, gated, rectifiers, shrinking
from service.domain.activations.catalogue.problems import KNOWN_PROBLEMS

# The functions that the main article names come first.
_ROWS = sorted(
    (*bounded.ROWS, *rectifiers.ROWS, *gated.ROWS, *shrinking.ROWS), key=lambda row: not row.named_in_article
)

CATALOGUE: Mapping[str, Activation] = {row.name: replace(row, known_problem=KNOWN_PROBLEMS[row.name]) for row in _ROWS}
