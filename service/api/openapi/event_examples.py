"""What one event looks like, for readers of the OpenAPI document."""

import json
from typing import Any, get_args

from service.api.openapi.examples import EXPERIMENT, METRICS
from service.changefeed.items import Kind

_METRICS = {
    "items": METRICS["items"][-1:],
    "valid_through_epoch": METRICS["valid_through_epoch"],
    "revision": EXPERIMENT["revision"],
    "experiment_id": EXPERIMENT["id"],
    "study_id": EXPERIMENT["study_id"],
}

EVENT: dict[str, Any] = {
    "type": "object",
    "description": "One of a stream of server-sent events.",
    "properties": {
        "event": {"type": "string", "enum": list(get_args(Kind))},
        "data": {"type": "string", "contentMediaType": "application/json", "description": "The body, by `event`."},
        "id": {"type": "string", "description": "How far you are; on the last event of a revision."},
        "retry": {"type": "integer", "description": "Milliseconds until a browser comes back."},
    },
    "examples": [
        {
            "event": "metrics",
            "data": json.dumps(_METRICS),
            "id": f"3f9d0c5b7a184e2f9b6a1c2d3e4f5a6b.{EXPERIMENT['revision']}",
        }
    ],
}
