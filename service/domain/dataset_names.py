"""The name of a data set, as a field that is checked when a value is validated."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import PlainValidator, WithJsonSchema
from pydantic_core import PydanticKnownError

from service.domain.datasets import DATASETS


def listed(names: Sequence[str]) -> str:
    """Join names as pydantic writes a choice: `'mnist', 'mnist_5k' or 'digits'`."""
    *first, last = (repr(name) for name in names)
    return f"{', '.join(first)} or {last}" if first else last


def _known_name(value: Any) -> str:
    if not isinstance(value, str) or value not in DATASETS:
        raise PydanticKnownError("literal_error", {"expected": listed(list(DATASETS))})
    return value


DatasetName = Annotated[
    str,
    PlainValidator(_known_name),
    WithJsonSchema({"type": "string", "enum": list(DATASETS)}),
]
"""The name of one of DATASETS. It is checked when a value is validated, so that a test can add a data set."""
