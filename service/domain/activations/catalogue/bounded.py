"""Functions with a bounded range, and the identity."""

from service.domain.activations.activation import ARTICLE, Activation, Advice, Parameter
from service.domain.formulas.expression import X, sigmoid, softmax, tanh
from service.domain.formulas.library import DEFINITIONS

ROWS = (
    Activation(
        "step",
        "Step",
        DEFINITIONS["step"],
        "McCulloch & Pitts 1943. Its gradient is 0 everywhere, so nothing below it learns; straight_through is the"
        " slope that back-propagation takes instead (1: the identity's, Bengio et al. 2013, arXiv:1308.3432).",
        (Parameter("straight_through", 0.0, 0.0, 1.0),),
        named_in_article=True,
        # It does not fall, but equal values have a straight-through gradient, which pooling first would give to others.
        non_decreasing=False,
        advice=Advice("Back-propagation cannot train the layers below it; take it to see that.", ARTICLE),
    ),
    Activation(
        "linear",
        "Linear",
        DEFINITIONS["linear"],
        "The identity: a stack of linear layers is one linear layer.",
        named_in_article=True,
        non_decreasing=True,  # f' = 1
        advice=Advice(
            "Not between hidden layers, which it collapses into one; for the output of a regression.", ARTICLE
        ),
    ),
    Activation(
        "sigmoid",
        "Sigmoid",
        sigmoid(X),
        "The logistic function, 1 / (1 + exp(-x)); Verhulst 1845.",
        named_in_article=True,
        non_decreasing=True,  # f' = f (1 - f) > 0
        advice=Advice(
            "For the output of a two-label classifier; in hidden layers its gradients vanish with depth.", ARTICLE
        ),
    ),
    Activation(
        "tanh",
        "Tanh",
        tanh(X),
        "2 sigmoid(2x) - 1; centred on zero, which speeds convergence (LeCun et al. 1998, Efficient BackProp).",
        named_in_article=True,
        non_decreasing=True,  # f' = 1 - f^2 > 0
        advice=Advice(
            "Rather than the sigmoid in hidden layers, as it learns faster; its gradients vanish with depth too.",
            ARTICLE,
        ),
    ),
    Activation(
        "softmax",
        "Softmax",
        softmax(X),
        "exp(x) divided by its sum over the channels or units of one example (Bridle 1990).",
        named_in_article=True,
        advice=Advice("For the output of a classifier of many classes, where it gives probabilities.", ARTICLE),
    ),
    Activation(
        "hard_sigmoid",
        "Hard sigmoid",
        DEFINITIONS["hard_sigmoid"],
        "Straight from -3 to 3, as in PyTorch and Howard et al. 2019 (arXiv:1905.02244); Courbariaux, Bengio & David"
        " 2015 (arXiv:1511.00363) go from -1 to 1 instead.",
        non_decreasing=True,  # f' is 1/6 or 0
        advice=Advice(
            "Where the sigmoid's exponential costs too much, as on phones.", "Howard et al. 2019, section 5.2"
        ),
    ),
    Activation(
        "hard_tanh",
        "Hard tanh",
        DEFINITIONS["hard_tanh"],
        "Collobert 2004 (thesis, Large Scale Machine Learning).",
        non_decreasing=True,  # f' is 1 or 0
        advice=Advice(
            "Where tanh's exponential costs too much; it is exactly flat beyond -1 and 1, so units there do not learn.",
            "Gulcehre et al. 2016 (arXiv:1603.00391), section 3",
        ),
    ),
    Activation(
        "softsign",
        "Softsign",
        DEFINITIONS["softsign"],
        "Turian, Bergstra & Bengio 2009: like tanh, but it nears its limits as 1/x and not exponentially.",
        non_decreasing=True,  # f' = 1 / (1 + |x|)^2 > 0
        advice=Advice("Instead of tanh in deep networks: it saturates later.", "Glorot & Bengio 2010, section 3"),
    ),
    Activation(
        "sine",
        "Sine",
        DEFINITIONS["sine"],
        "Parascandolo, Huttunen & Virtanen 2017 (Taming the waves); here without SIREN's frequency of 30.",
        advice=Advice(
            "For signals and images as functions of position, with a start of its own; elsewhere it is hard to train.",
            "Sitzmann et al. 2020 (arXiv:2006.09661), section 3",
        ),
    ),
)
