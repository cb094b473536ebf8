"""Functions for sparse coding and for losses, seldom used in hidden layers."""

from service.domain.activations.activation import Activation, Advice, Parameter
from service.domain.formulas.library import DEFINITIONS

THRESHOLD = Parameter("threshold", 0.5, 0.0, 10.0)

_CODING = Advice(
    "For sparse codes, where small values are noise; in a classifier's hidden layers it drops what is near zero.",
    "Gregor & LeCun 2010 (ICML), Learning Fast Approximations of Sparse Coding",
)

ROWS = (
    Activation(
        "log_sigmoid",
        "Log-sigmoid",
        DEFINITIONS["log_sigmoid"],
        "log(sigmoid(x)), without its underflow.",
        non_decreasing=True,  # f' = sigmoid(-x) > 0
        advice=Advice(
            "Part of the cross-entropy loss; all its values are negative, so it is seldom a hidden unit.",
            "PyTorch's documentation of LogSigmoid",
        ),
    ),
    Activation(
        "tanh_shrink",
        "Tanh-shrink",
        DEFINITIONS["tanh_shrink"],
        "Of the Torch library; flat at 0, where its slope is 0.",
        # It does not fall, but the rounded difference near 0 does.
        non_decreasing=False,
        advice=_CODING,
    ),
    Activation(
        "soft_shrink",
        "Soft-shrink",
        DEFINITIONS["soft_shrink"],
        "Donoho & Johnstone 1994 (soft thresholding); threshold 0 gives the identity.",
        (THRESHOLD,),
        non_decreasing=True,  # continuous; f' is 1 or 0
        advice=_CODING,
    ),
    Activation(
        "hard_shrink",
        "Hard-shrink",
        DEFINITIONS["hard_shrink"],
        "Donoho & Johnstone 1994 (hard thresholding); it jumps at both thresholds.",
        (THRESHOLD,),
        # It does not fall, but among inputs within the threshold, which all give 0, pooling first selects another one.
        non_decreasing=False,
        advice=_CODING,
    ),
)
