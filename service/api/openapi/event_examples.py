"""The schema and an example of one server-sent event, for the OpenAPI document."""

from typing import Any, get_args

from service.api.events.describe import EpochsEvent
from service.api.openapi.examples import EPOCHS, EXPERIMENT
from service.changefeed.items import Kind

_EPOCHS = EpochsEvent(**dict(EPOCHS), experiment_id=EXPERIMENT.id, study_id=EXPERIMENT.study_id)

EVENT: dict[str, Any] = {
    "type": "object",
    "description": "One of a stream of server-sent events.",
    "properties": {
        "event": {"type": "string", "enum": list(get_args(Kind))},
        "data": {"type": "string", "contentMediaType": "application/json", "description": "The body, by `event`."},
        "id": {
            "type": "string",
            "description": "The position in the stream, on the last event of each revision. Browsers send it back in"
            " Last-Event-ID.",
        },
        "retry": {"type": "integer", "description": "Milliseconds after which a browser connects again."},
    },
    "examples": [
        {
            "event": "metrics",
            "data": _EPOCHS.model_dump_json(),
            "id": f"3f9d0c5b7a184e2f9b6a1c2d3e4f5a6b.{EXPERIMENT.revision}",
        }
    ],
}
