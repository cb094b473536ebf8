"""Reading the JSON of request bodies."""

import json
from collections import Counter
from typing import Any

from fastapi import Request

from service.domain.errors import MalformedJson


class StrictRequest(Request):
    """A request whose JSON names each field of an object once.

    Of a field that is named twice one parser takes the first value and another the last, so that what checks a body and
    what acts on it may read different ones.
    """

    async def json(self) -> Any:
        """Return the body. Raises JSONDecodeError, and MalformedJson for a field that is named twice."""
        return json.loads(await self.body(), object_pairs_hook=_each_once)


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        ((twice, _),) = Counter(name for name, _ in pairs).most_common(1)
        raise MalformedJson(f"The field {twice[:100]!r} is named more than once in an object. Name it once.")
    return fields
