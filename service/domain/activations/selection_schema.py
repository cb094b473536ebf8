"""The JSON Schema of a spec's activation, for the OpenAPI document."""

from typing import Any

from service.domain.activations.catalogue import CATALOGUE
from service.domain.activations.parameters import MOST_PARAMETERS
from service.domain.activations.registry import LATEST_VERSION, LONGEST_NAME, NAME
from service.domain.formulas.parser import LONGEST

PARAMETERS_SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": {
        "anyOf": [
            {"type": "number"},
            {
                "title": "ParameterSetting",
                "type": "object",
                "properties": {"value": {"type": "number"}, "learnable": {"type": "boolean"}},
                "required": ["value"],
                "additionalProperties": False,
            },
        ]
    },
}
PARAMETERS_OF_FORMULA_SCHEMA = PARAMETERS_SCHEMA | {"maxProperties": MOST_PARAMETERS}
FORMULA_TEXT_SCHEMA = {"type": "string", "minLength": 1, "maxLength": LONGEST}
REGISTERED_NAME_SCHEMA = {"type": "string", "pattern": NAME, "maxLength": LONGEST_NAME}

_NAMED_SCHEMA = {
    "title": "CatalogueActivation",
    "type": "object",
    "properties": {"name": {"type": "string", "enum": sorted(CATALOGUE)}, "parameters": PARAMETERS_SCHEMA},
    "required": ["name"],
    "additionalProperties": False,
}
_FORMULA_SCHEMA = {
    "title": "FormulaActivation",
    "type": "object",
    "properties": {"formula": FORMULA_TEXT_SCHEMA, "parameters": PARAMETERS_OF_FORMULA_SCHEMA},
    "required": ["formula"],
    "additionalProperties": False,
}
_REGISTERED_SCHEMA = {
    "title": "RegisteredActivation",
    "type": "object",
    "description": "A registered formula, in its newest version unless another one is given.",
    "properties": {
        "name": REGISTERED_NAME_SCHEMA,
        "version": {"anyOf": [{"type": "integer", "minimum": 1, "maximum": LATEST_VERSION}, {"type": "null"}]},
        "formula": {
            "anyOf": [FORMULA_TEXT_SCHEMA, {"type": "null"}],
            "description": "The formula of that version; may be left out.",
        },
        "parameters": PARAMETERS_OF_FORMULA_SCHEMA,
    },
    "required": ["name"],
    "additionalProperties": False,
}

FORMULA_EXAMPLE: dict[str, Any] = {
    "formula": "x * tanh(softplus(a * x))",
    "parameters": {"a": {"value": 0.5, "learnable": True}},
}

SCHEMA: dict[str, Any] = {
    "title": "Activation",
    "anyOf": [
        {"type": "string", "enum": sorted(CATALOGUE)},
        REGISTERED_NAME_SCHEMA,
        _NAMED_SCHEMA,
        _FORMULA_SCHEMA,
        _REGISTERED_SCHEMA,
    ],
    "description": "A name of the catalogue or a registered one, with or without parameters; or a formula.",
    "examples": ["relu", {"name": "swish", "parameters": {"beta": 1.5}}, FORMULA_EXAMPLE],
}

SPELT_OUT_SCHEMA: dict[str, Any] = {
    "title": "SpeltOutActivation",
    "anyOf": [_FORMULA_SCHEMA, _NAMED_SCHEMA, _REGISTERED_SCHEMA],
    "description": "A formula, or a name of the catalogue or a registered one, with its parameters.",
    "examples": [FORMULA_EXAMPLE],
}
