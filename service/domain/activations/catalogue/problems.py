"""The known problem of each function, with its source."""

from collections.abc import Mapping

from service.domain.activations.activation import ARTICLE, Advice

_COMPUTED = "Its table of properties, computed here"

KNOWN_PROBLEMS: Mapping[str, Advice] = {
    "step": Advice("Its gradient is 0 everywhere: back-propagation trains nothing below it.", ARTICLE),
    "linear": Advice("Any number of linear layers is one linear layer.", ARTICLE),
    "sigmoid": Advice(
        "It saturates on both sides, and in a deep network its top hidden layer does so early and stays there.",
        "Glorot & Bengio 2010 (AISTATS), section 3.1",
    ),
    "tanh": Advice(
        "It saturates on both sides, layer after layer from the first one on.",
        "Glorot & Bengio 2010 (AISTATS), section 3.2",
    ),
    "softmax": Advice(
        "Its outputs compete: one can only grow where others shrink, and it saturates where inputs differ much.",
        "Goodfellow, Bengio & Courville 2016 (Deep Learning), section 6.2.2.3",
    ),
    "hard_sigmoid": Advice(
        "It is exactly flat beyond -3 and 3: units there do not learn.", "Gulcehre et al. 2016 (arXiv:1603.00391)"
    ),
    "hard_tanh": Advice(
        "It is exactly flat beyond -1 and 1: units there do not learn.", "Gulcehre et al. 2016 (arXiv:1603.00391)"
    ),
    "softsign": Advice("It saturates on both sides, later than tanh.", "Glorot & Bengio 2010 (AISTATS), section 3.3"),
    "sine": Advice(
        "It is periodic: far inputs give the same outputs as near ones, and the loss has many poor minima.",
        "Parascandolo, Huttunen & Virtanen 2017 (Taming the waves)",
    ),
    "relu": Advice(
        "A unit whose inputs are all negative has no gradient, and may stay so for ever: it dies.",
        "Lu et al. 2019 (arXiv:1903.06733)",
    ),
    "leaky_relu": Advice(
        "With its small slope it trained to nearly the same results as ReLU.", "Maas, Hannun & Ng 2013, section 4"
    ),
    "rrelu": Advice(
        "Evaluation takes the mean slope, which is another function than any that training saw.",
        "Xu et al. 2015 (arXiv:1505.00853), section 2.4",
    ),
    "softplus": Advice(
        "It is 0 nowhere, so it is not sparse, and it did no better than ReLU.",
        "Glorot, Bordes & Bengio 2011 (AISTATS), section 4.1",
    ),
    "elu": Advice("For an alpha other than 1 its slope jumps at 0.", "Barron 2017 (arXiv:1704.07483)"),
    "selu": Advice(
        "What it is made for, a mean of 0 and a variance of 1, is lost with another initialisation or with ordinary"
        " dropout.",
        "Klambauer et al. 2017 (arXiv:1706.02515), section 2",
    ),
    "prelu": Advice(
        "Weight decay on the slope pushes it to 0, which is ReLU; here the slope has none.",
        "He et al. 2015 (arXiv:1502.01852), section 2.1",
    ),
    "relu6": Advice("It is flat above 6 as well as below 0: units on either side do not learn.", _COMPUTED),
    "celu": Advice("It saturates on the left, the sooner the smaller alpha is.", _COMPUTED),
    "relu_squared": Advice("Its slope has no bound: large inputs have gradients that are larger still.", _COMPUTED),
    "swish": Advice(
        "Its exponential costs more than ReLU, above all on phones.",
        "Howard et al. 2019 (arXiv:1905.02244), section 5.2",
    ),
    "swish2": Advice(
        "On the right its slope comes to 2: without normalisation, outputs double from layer to layer.", _COMPUTED
    ),
    "silu": Advice(
        "Its exponential costs more than ReLU, above all on phones.",
        "Howard et al. 2019 (arXiv:1905.02244), section 5.2",
    ),
    "gelu": Advice(
        "Its error function is slow to compute, so that approximations of it are about.",
        "Hendrycks & Gimpel 2016 (arXiv:1606.08415), section 2",
    ),
    "gelu_tanh": Advice(
        "It is not GELU: a model trained with one and run with the other differs in the fourth digit.",
        "Hendrycks & Gimpel 2016 (arXiv:1606.08415), section 2",
    ),
    "mish": Advice("It costs more time than ReLU and swish.", "Misra 2019 (arXiv:1908.08681)"),
    "hard_swish": Advice(
        "Most of its benefit is in the deeper layers; in the first ones it costs more than it brings.",
        "Howard et al. 2019 (arXiv:1905.02244), section 5.2",
    ),
    "log_sigmoid": Advice("All its values are negative, and on the left they have no bound.", _COMPUTED),
    "tanh_shrink": Advice("Its slope at 0 is 0: small inputs have next to no gradient.", _COMPUTED),
    "soft_shrink": Advice("Within the threshold its slope is 0: inputs there have no gradient.", _COMPUTED),
    "hard_shrink": Advice("Within the threshold it has no gradient, and it jumps at both ends of it.", _COMPUTED),
}
