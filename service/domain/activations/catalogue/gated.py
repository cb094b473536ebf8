"""Functions that multiply x by a gate, a function of x."""

from service.domain.activations.activation import ARTICLE, HE, Activation, Advice, Parameter
from service.domain.formulas.expression import Reference, X, erf, sigmoid, softplus, sqrt, tanh, where

BETA = Parameter("beta", 1.0, 0.0, 100.0, may_learn=True)
beta = Reference("beta")

TWICE_SQRT_2_OVER_PI = 1.5957691216057308

ROWS = (
    Activation(
        "swish",
        "Swish",
        X * sigmoid(beta * X),
        "Ramachandran, Zoph & Le 2017 (arXiv:1710.05941). beta 0 gives x / 2; a large beta approaches ReLU.",
        (BETA,),
        named_in_article=True,
        initialisation=HE,
        advice=Advice("Instead of ReLU in deep networks: smooth, not monotonic, and often more accurate.", ARTICLE),
    ),
    Activation(
        "swish2",
        "Doubled swish",
        2 * X * sigmoid(beta * X),
        "The formula that the article prints under swish (Kizrak 2019). beta 0 gives x, a large beta nearly 2 ReLU.",
        (BETA,),
        named_in_article=True,
        initialisation=HE,
        advice=Advice("To repeat the article's printed formula; for anything else take swish.", ARTICLE),
    ),
    Activation(
        "gelu",
        "GELU",
        X * (1 + erf(X / sqrt(2))) / 2,
        "x times the normal distribution function at x, in its exact form (Hendrycks & Gimpel 2016, arXiv:1606.08415).",
        initialisation=HE,
        advice=Advice(
            "The default of transformers; better than ReLU and ELU on the tasks of its paper.",
            "Hendrycks & Gimpel 2016, section 3",
        ),
    ),
    Activation(
        "gelu_tanh",
        "GELU (tanh)",
        X * sigmoid(TWICE_SQRT_2_OVER_PI * (X + 0.044715 * X**3)),
        "Hendrycks & Gimpel 2016 (arXiv:1606.08415), section 2: an approximation of GELU to 5e-4. The paper's"
        " (1 + tanh(u)) / 2 is written sigmoid(2 u), which keeps its digits on the far left.",
        initialisation=HE,
        advice=Advice(
            "To match models that were trained with it; else take GELU.", "Hendrycks & Gimpel 2016, section 2"
        ),
    ),
    Activation(
        "silu",
        "SiLU",
        X * sigmoid(X),
        "Hendrycks & Gimpel 2016; Elfwing, Uchibe & Doya 2017 (arXiv:1702.03118). It is swish with beta 1.",
        initialisation=HE,
        advice=Advice("Swish without its parameter, and as good in most tests.", "Ramachandran, Zoph & Le 2017"),
    ),
    Activation(
        "mish",
        "Mish",
        X * tanh(softplus(X)),
        "Misra 2019 (arXiv:1908.08681).",
        initialisation=HE,
        advice=Advice("Instead of swish in deep convolutional networks, for a little more time.", "Misra 2019"),
    ),
    Activation(
        "hard_swish",
        "Hard swish",
        X * where(abs(X) < 3, X / 6 + 0.5, where(X > 0, 1, 0)),
        "Howard et al. 2019 (MobileNetV3, arXiv:1905.02244), section 5.2.",
        initialisation=HE,
        advice=Advice(
            "Swish where an exponential costs too much, in the later layers.", "Howard et al. 2019, section 5.2"
        ),
    ),
)
