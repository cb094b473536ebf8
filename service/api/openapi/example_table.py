"""The example of each component of the OpenAPI document.

Importing this module computes the figures of comparisons and activations, which imports scipy.optimize: a fifth of the
processor time that importing the API takes. Only the document needs it.
"""

from collections.abc import Mapping
from typing import Any

from service.api.openapi.activation_examples import ACTIVATIONS
from service.api.openapi.comparison_examples import COMPARISON, CURVES
from service.api.openapi.examples import ANSWERS, PROBLEM
from service.api.openapi.names import component_name


def _rounded(value: Any) -> Any:
    """Round the numbers of a JSON value to six significant digits, for readers."""
    match value:
        case dict():
            return {name: _rounded(member) for name, member in value.items()}
        case list():
            return [_rounded(member) for member in value]
        case float():
            return float(f"{value:.6g}")
    return value


BY_COMPONENT: Mapping[str, dict[str, Any]] = {
    **{
        component_name(type(answer)): _rounded(answer.model_dump(mode="json"))
        for answer in [*ANSWERS, COMPARISON, CURVES, *ACTIVATIONS]
    },
    component_name(type(PROBLEM)): PROBLEM.model_dump(mode="json", exclude_none=True),
}
"""The example of each component of the document that has one."""
