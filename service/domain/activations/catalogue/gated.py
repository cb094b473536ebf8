"""Functions that multiply x by a gate, a function of x."""

from service.domain.activations.activation import ARTICLE, HE, Activation, Advice, Parameter
from service.domain.formulas.library import DEFINITIONS

BETA = Parameter("beta", 1.0, 0.0, 100.0, may_learn=True)

ROWS = (
    Activation(
        "swish",
        "Swish",
        DEFINITIONS["swish"],
        "Ramachandran, Zoph & Le 2017 (arXiv:1710.05941). beta 0 gives x / 2; a large beta approaches ReLU.",
        (BETA,),
        named_in_article=True,
        initialisation=HE,
        advice=Advice("Instead of ReLU in deep networks: smooth, not monotonic, and often more accurate.", ARTICLE),
    ),
    Activation(
        "swish2",
        "Doubled swish",
        DEFINITIONS["swish2"],
        "The formula that the article prints under swish (Kizrak 2019). beta 0 gives x, a large beta nearly 2 ReLU.",
        (BETA,),
        named_in_article=True,
        initialisation=HE,
        advice=Advice("To repeat the article's printed formula; for anything else take swish.", ARTICLE),
    ),
    Activation(
        "gelu",
        "GELU",
        DEFINITIONS["gelu"],
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
        DEFINITIONS["gelu_tanh"],
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
        DEFINITIONS["silu"],
        "Hendrycks & Gimpel 2016; Elfwing, Uchibe & Doya 2017 (arXiv:1702.03118). It is swish with beta 1.",
        initialisation=HE,
        advice=Advice("Swish without its parameter, and as good in most tests.", "Ramachandran, Zoph & Le 2017"),
    ),
    Activation(
        "mish",
        "Mish",
        DEFINITIONS["mish"],
        "Misra 2019 (arXiv:1908.08681).",
        initialisation=HE,
        advice=Advice("Instead of swish in deep convolutional networks, for a little more time.", "Misra 2019"),
    ),
    Activation(
        "hard_swish",
        "Hard swish",
        DEFINITIONS["hard_swish"],
        "Howard et al. 2019 (MobileNetV3, arXiv:1905.02244), section 5.2.",
        initialisation=HE,
        advice=Advice(
            "Swish where an exponential costs too much, in the later layers.", "Howard et al. 2019, section 5.2"
        ),
    ),
)
