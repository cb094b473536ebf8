"""Examples of comparisons and curves: what the API computes from a few seeds of two activations."""

from service.domain.comparisons.cells import Cell, key
from service.domain.comparisons.compare import compare
from service.domain.comparisons.curves import Trace, curve, curves

_RELU, _SWISH = {"activation": "relu"}, {"activation": "swish"}

COMPARISON = compare(
    [
        Cell(_RELU, {0: 0.949, 1: 0.951, 2: 0.953, 3: 0.9505, 4: 0.952}),
        Cell(_SWISH, {0: 0.961, 1: 0.9585, 2: 0.9635, 3: 0.9595, 4: 0.962}),
    ],
    "test_accuracy",
    versus=_RELU,
    reference=_RELU,
    images={key(_RELU): (0.934, 0.967), key(_SWISH): (0.9455, 0.9755)},
)

_SECONDS = [6.125, 6.25, 6.125]
CURVES = curves(
    "validation_accuracy",
    [
        curve(
            _RELU,
            {
                0: Trace([0.8750, 0.9250, 0.9375], _SECONDS),
                1: Trace([0.8825, 0.9275, 0.9425], _SECONDS),
                2: Trace([0.8875, 0.9325], _SECONDS[:2]),
            },
        ),
        curve(
            _SWISH,
            {
                0: Trace([0.8900, 0.9325, 0.9525], _SECONDS),
                1: Trace([0.8950, 0.9375, 0.9550], _SECONDS),
                2: Trace([0.9025, 0.9400, 0.9615], _SECONDS),
            },
        ),
    ],
    published=None,
    differs=[],
)
