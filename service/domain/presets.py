"""Presets: studies that come with the service, and the merging of a client's fields into one.

Only the standard library is imported: the command lists presets without the server's libraries.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from service.domain.nested import has, merged, without

PresetName = Literal["quick", "kizrak-2019", "claims"]

ARTICLE = ["relu", "sigmoid", "tanh", "leaky_relu", "swish"]
STRAIGHT_THROUGH = {"name": "step", "parameters": {"straight_through": 1.0}}
HALF_DECADES = [0.001, 0.00316, 0.01, 0.0316, 0.1, 0.316, 1.0]

PRESETS: Mapping[PresetName, dict[str, Any]] = {
    "quick": {
        "name": "quick",
        "question": "Which of the main article's five activations learns best in three short epochs on 4,000 images?",
        "base": {"dataset": "mnist_5k", "epochs": 3},
        "factors": {"activation": ARTICLE},
        "seeds": [0, 1, 2, 3, 4],
        "reference": "relu",
    },
    "kizrak-2019": {
        "name": "kizrak-2019",
        "question": "Which of five activations learns best in 20 epochs of MNIST? The article's study, over seeds.",
        "base": {"dataset": "mnist", "epochs": 20, "batch_size": 128},
        "factors": {"activation": ARTICLE},
        "seeds": [0, 1, 2, 3, 4],
        "reference": "relu",
    },
    "claims": {
        "name": "claims",
        "question": "Which of the articles' claims about activations hold?",
        # Adam turns L2 into full-size steps where the gradient is zero, which would move a step network's weights.
        "base": {"epochs": 20, "optimizer": {"l2": 0.0}},
        "factors": {},
        "grids": [
            {  # claims 4, 5, 6 (with batch norm), 9 and 11; ten seeds, which claim 9 asks for
                "name": "accuracy",
                "factors": {"activation": ARTICLE, "dataset": ["mnist", "fashion_mnist"]},
            },
            {  # claim 1
                "name": "linear",
                "base": {"activation": "linear", "model": {"pool": "avg"}},
                "factors": {"model.dense_layers": [1, 10]},
                "seeds": [0, 1, 2, 3, 4],
            },
            {  # claim 1: the layer that they collapse to, trained as such
                "name": "softmax regression",
                "base": {"activation": "linear", "model": {"pool": "avg", "conv_channels": [], "dense_layers": 0}},
                "factors": {},
                "seeds": [0, 1, 2, 3, 4],
            },
            {  # claim 2
                "name": "step",
                "base": {"epochs": 5},
                "factors": {"activation": ["step", STRAIGHT_THROUGH]},
                "seeds": [0, 1, 2, 3, 4],
            },
            {  # claim 3; ReLU for contrast
                "name": "depth",
                "base": {"epochs": 2, "model": {"batch_norm": False}},
                "factors": {"activation": ["sigmoid", "tanh", "relu"], "model.dense_layers": [1, 3, 5, 10]},
                "seeds": [0, 1, 2, 3, 4],
            },
            {  # claims 6 (without batch norm), 7 and 8
                "name": "dying",
                "base": {"model": {"batch_norm": False}},
                "factors": {"activation": ["relu", "leaky_relu"], "optimizer.learning_rate": [0.001, 0.01]},
                "seeds": [0, 1, 2, 3, 4],
            },
            {  # claim 10
                "name": "learning rate",
                "base": {"epochs": 5, "optimizer": {"name": "sgd"}, "schedule": "none"},
                "factors": {"activation": ARTICLE, "optimizer.learning_rate": HALF_DECADES},
                "seeds": [0, 1, 2, 3, 4],
            },
        ],
        "seeds": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    },
}


def over_preset(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the preset that `fields` names, with the other fields put over it.

    A field of base is fixed in every grid, a factor is varied in every grid, and seeds are those of every grid. The
    preset's reference stays as long as it names one of the groups, and its question as long as it describes the same
    runs. Fields of the wrong shape are returned as they are, for validation to refuse.
    """
    preset = PRESETS[fields["preset"]]
    base, factors = fields.get("base", {}), fields.get("factors", {})
    if not isinstance(base, dict) or not isinstance(factors, dict):
        return fields
    varied = [path.split(".") for path in factors]
    fixed = list(_leaves(base))

    def remaining(grid: Mapping[str, Any]) -> dict[str, Any]:
        """Return a grid of the preset without the client's fields."""
        own_base = without(grid.get("base", {}), [*varied, *fixed])
        varied_factors = {path: values for path, values in grid["factors"].items() if not has(base, path.split("."))}
        rest = {path: values for path, values in varied_factors.items() if path not in factors}
        rest_of_grid = {name: value for name, value in grid.items() if name != "seeds" or "seeds" not in fields}
        return {**rest_of_grid, "base": own_base, "factors": rest}

    shared = remaining({"base": preset["base"], "factors": preset["factors"]})
    grids = {"grids": [remaining(grid) for grid in preset["grids"]]} if "grids" in preset else {}
    merged_fields = {"base": merged(shared["base"], base), "factors": {**shared["factors"], **factors}}
    stays = "grids" not in fields and _names_one(preset.get("reference"), merged_fields["factors"])
    reference = {"reference": preset["reference"] if stays else None} if "reference" in preset else {}
    is_its_own = "grids" not in fields and not base and not factors
    question = {} if is_its_own else {"question": None}
    return {**preset, **question, **grids, **reference, **fields, **merged_fields}


def _names_one(reference: Any, factors: Mapping[str, Any]) -> bool:
    """Return whether a bare value names one group of a grid: it is a value of the only factor."""
    values = next(iter(factors.values()), None) if len(factors) == 1 else None
    return isinstance(values, list) and reference in values


def _leaves(values: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[list[str]]:
    """Yield the paths of the values, of which an activation is one."""
    for name, value in values.items():
        if isinstance(value, dict) and value and name != "activation":
            yield from _leaves(value, (*above, name))
        else:
            yield [*above, name]
