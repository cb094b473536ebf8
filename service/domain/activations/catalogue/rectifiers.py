"""Functions that pass positive inputs on and damp negative ones."""

from service.domain.activations.activation import (
    ARTICLE,
    HE,
    LECUN,
    Activation,
    Advice,
    Parameter,
    UniformDraw,
)
from service.domain.formulas.expression import Reference, X, softplus, where
from service.domain.formulas.library import DEFINITIONS

ROWS = (
    Activation(
        "relu",
        "ReLU",
        DEFINITIONS["relu"],
        "Rectified linear unit (Nair & Hinton 2010).",
        named_in_article=True,
        non_decreasing=True,  # f' is 0 or 1
        initialisation=HE,
        advice=Advice("Start with it in hidden layers; try leaky ReLU if many units die.", ARTICLE),
    ),
    Activation(
        "leaky_relu",
        "Leaky ReLU",
        DEFINITIONS["leaky_relu"],
        "Slope 0.01 on the left (Maas, Hannun & Ng 2013).",
        (Parameter("slope", 0.01, 0.0, 1.0),),
        named_in_article=True,
        non_decreasing=True,  # f' is 1 or slope >= 0
        initialisation=HE,
        advice=Advice("Where units of a ReLU network die: negative inputs keep a small gradient.", ARTICLE),
    ),
    Activation(
        "rrelu",
        "Randomized leaky ReLU",
        where(X > 0, X, Reference("slope") * X),
        "Xu et al. 2015 (arXiv:1505.00853), who divide by a number drawn from 3 to 8; here, as in PyTorch, the slope"
        " itself is drawn, from 1/8 to 1/3, for each element in training; evaluation takes the mean slope.",
        (Parameter("lower", 1 / 8, 0.0, 1.0), Parameter("upper", 1 / 3, 0.0, 1.0)),
        named_in_article=True,
        # In training each element has its own slope: of two negative inputs the larger may give the smaller output.
        non_decreasing=False,
        draw=UniformDraw("slope", "lower", "upper"),
        initialisation=HE,
        advice=Advice("For small data sets: the random slope works against overfitting.", "Xu et al. 2015, section 4"),
    ),
    Activation(
        "softplus",
        "Softplus",
        softplus(X),
        "log(1 + exp(x)), a smooth ReLU (Dugas et al. 2001).",
        named_in_article=True,
        non_decreasing=True,  # f' = sigmoid(x) > 0
        initialisation=HE,
        advice=Advice(
            "Where a positive, smooth output is wanted; as a hidden unit it did no better than ReLU.",
            "Glorot, Bordes & Bengio 2011 (AISTATS), section 4.1",
        ),
    ),
    Activation(
        "elu",
        "ELU",
        DEFINITIONS["elu"],
        "Clevert, Unterthiner & Hochreiter 2015 (arXiv:1511.07289), with alpha 1. alpha 0 gives ReLU.",
        (Parameter("alpha", 1.0, 0.0, 10.0),),
        non_decreasing=True,  # continuous at 0; f' is 1 or alpha exp(x) >= 0
        initialisation=HE,
        advice=Advice(
            "Instead of ReLU where means near zero should speed up learning, at the cost of an exponential.",
            "Clevert, Unterthiner & Hochreiter 2015, section 3",
        ),
    ),
    Activation(
        "selu",
        "SELU",
        DEFINITIONS["selu"],
        "Klambauer et al. 2017 (arXiv:1706.02515): both constants follow from keeping mean 0 and variance 1.",
        non_decreasing=True,  # a positive multiple of ELU
        initialisation=LECUN,
        advice=Advice(
            "For deep networks without batch normalisation, from LeCun's initialisation and with alpha dropout.",
            "Klambauer et al. 2017, section 2",
        ),
    ),
    Activation(
        "prelu",
        "PReLU",
        DEFINITIONS["prelu"],
        "He et al. 2015 (arXiv:1502.01852): the slope starts at 0.25 and is learned, one for each layer.",
        (Parameter("slope", 0.25, -1.0, 1.0, learnable=True, may_learn=True),),
        initialisation=HE,
        advice=Advice(
            "Where there is much data: it learns the slope, and may overfit where there is little.",
            "Xu et al. 2015 (arXiv:1505.00853), section 4",
        ),
    ),
    Activation(
        "relu6",
        "ReLU6",
        DEFINITIONS["relu6"],
        "Krizhevsky 2010 (Convolutional deep belief networks on CIFAR-10).",
        non_decreasing=True,  # f' is 1 or 0
        initialisation=HE,
        advice=Advice(
            "Where values must fit few bits, as on phones.",
            "Sandler et al. 2018 (arXiv:1801.04381)",
        ),
    ),
    Activation(
        "celu",
        "CELU",
        DEFINITIONS["celu"],
        "Barron 2017 (arXiv:1704.07483): ELU with f'(0) = 1 for every alpha. A small alpha approaches ReLU.",
        (Parameter("alpha", 1.0, 0.01, 100.0),),
        non_decreasing=True,  # continuous at 0; f' is 1 or exp(x / alpha) > 0
        initialisation=HE,
        advice=Advice("Instead of ELU where alpha is not 1: it has no kink.", "Barron 2017"),
    ),
    Activation(
        "relu_squared",
        "Squared ReLU",
        DEFINITIONS["relu_squared"],
        "So et al. 2021 (Primer, arXiv:2109.08668).",
        non_decreasing=True,  # f' is 0 or 2x > 0
        initialisation=HE,
        advice=Advice(
            "For the feed-forward layers of transformers; its gradient is unbounded, so mind the learning rate.",
            "So et al. 2021",
        ),
    ),
)
