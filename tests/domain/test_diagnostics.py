"""Diagnostics: the record of one layer."""

import math

from service.domain.diagnostics import MEASURES, LayerDiagnostics


def test_measures_are_the_fields_of_a_layer_that_can_be_asked_for() -> None:
    always = {"epoch", "layer", "position", "units", "non_finite"}
    assert list(MEASURES) == [name for name in LayerDiagnostics.model_fields if name not in always]


def test_of_names_figures_that_are_not_finite() -> None:
    figures = {"epoch": 1, "layer": "conv1", "position": 0, "units": 2, "zero_share": 0.5, "sd_before": math.inf,
               "parameters": {"beta": math.nan, "a": 1.0}}  # fmt: skip
    layer = LayerDiagnostics.of(figures)
    assert (layer.zero_share, layer.sd_before, layer.parameters) == (0.5, None, {"beta": None, "a": 1.0})
    assert layer.non_finite == ["parameters.beta", "sd_before"]
