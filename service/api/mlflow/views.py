"""Studies, experiments and their figures as MLflow writes them."""

import json
import math
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from service.api.mlflow.names import EPOCH_METRICS, FINAL_METRICS, NO_STUDY, NO_STUDY_NAME, STATES
from service.api.mlflow.requests import dumped
from service.domain.query.fields import SPEC
from service.domain.spec import value_at
from service.domain.status import Status
from service.storage.tables.epochs import Epoch
from service.storage.tables.studies import Study

Json = dict[str, Any]

UNNAMED = "study "
"""The beginning of the name of a study that has none; eight characters of its id follow."""


def group(study: Study, tags: Sequence[str]) -> Json:
    """Return a study as an experiment of MLflow."""
    created = _milliseconds(study.created_at)
    notes = [_pair("mlflow.note.content", study.notes)] if study.notes else []
    return _group(
        str(study.id),
        study.name or f"{UNNAMED}{str(study.id)[:8]}",
        created,
        [*(_pair(tag, "true") for tag in tags), *notes],
        archived=study.archived_at is not None,
    )


def no_study() -> Json:
    """Return the experiment of MLflow that holds the experiments of no study."""
    return _group(NO_STUDY, NO_STUDY_NAME, 0, [])


def _group(id: str, name: str, created: int, tags: list[Json], *, archived: bool = False) -> Json:
    return {
        "experiment_id": id,
        "name": name,
        "artifact_location": f"mlflow-artifacts:/{id}",
        "lifecycle_stage": "deleted" if archived else "active",
        "creation_time": created,
        "last_update_time": created,
        "tags": tags,
    }


class Runs:
    """Writes experiments as runs. What experiments of one condition have in common is written once."""

    def __init__(self) -> None:
        self._common: dict[str, _Common] = {}

    def text(self, row: Any, tags: Sequence[str], epochs: Sequence[Epoch] = ()) -> str:
        """Return a run as JSON: of the figures, those of the row, and those of the newest of the epochs."""
        newest = epochs[-1:]
        metrics = [_of_epoch(key, newest[0], _ended(row, epochs)) for key in EPOCH_METRICS] if newest else []
        known = {metric["key"]: metric for metric in [*final_metrics(row), *filter(None, metrics)]}
        common = self._of_condition(row)
        params = f"[{dumped(_pair('seed', str(row.seed)))},{common.params}]"
        data = f'"metrics":{dumped(list(known.values()))},"params":{params},"tags":{dumped(_tags(row, tags))}'
        return f'{{"info":{dumped(_info(row))},"data":{{{data}}},"inputs":{common.inputs}}}'

    def _of_condition(self, row: Any) -> "_Common":
        if row.condition not in self._common:
            pairs = [dumped(_pair(path, text)) for path, text in _parameters(row) if path != "seed"]
            self._common[row.condition] = _Common(",".join(pairs), dumped(_inputs(row)))
        return self._common[row.condition]


class _Common(NamedTuple):
    """The parameters but the seed, and the data set, as JSON."""

    params: str
    inputs: str


def final_metrics(row: Any) -> list[Json]:
    """Return the figures of a row, each at the epoch that it is of."""
    time = _milliseconds(row.finished_at)
    figures = ((metric, getattr(row, metric.name)) for metric in FINAL_METRICS)
    return [_metric(metric.name, value, time, getattr(row, metric.step) or 0)
            for metric, value in figures if value is not None]  # fmt: skip


def history(row: Any, epochs: Sequence[Epoch], key: str) -> list[Json]:
    """Return the values of a metric: one for each epoch, or a final one; none of a metric that does not exist."""
    if key in EPOCH_METRICS:
        times = _ended_each(row, epochs)
        values = (_of_epoch(key, epoch, time) for epoch, time in zip(epochs, times, strict=True))
        return [value for value in values if value is not None]
    return [metric for metric in final_metrics(row) if metric["key"] == key]


def _of_epoch(key: str, epoch: Epoch, time: int) -> Json | None:
    value = getattr(epoch, key)
    if value is None and key in epoch.non_finite:
        value = math.nan
    return None if value is None else _metric(key, value, time, epoch.epoch)


def _metric(key: str, value: float, time: int, step: int) -> Json:
    return {"key": key, "value": value if math.isfinite(value) else "NaN", "timestamp": time, "step": step}


def _ended(row: Any, epochs: Sequence[Epoch]) -> int:
    return _ended_each(row, epochs)[-1]


def _ended_each(row: Any, epochs: Sequence[Epoch]) -> list[int]:
    """Return when each epoch ended: the start of the experiment and the training time so far."""
    start, spent, ends = _milliseconds(row.started_at), 0.0, []
    for epoch in epochs:
        spent += epoch.seconds
        ends.append(start + round(spent * 1000))
    return ends


def _info(row: Any) -> Json:
    id = str(row.id)
    return {
        "run_id": id,
        "run_uuid": id,
        "run_name": _name(row),
        "experiment_id": NO_STUDY if row.study_id is None else str(row.study_id),
        "user_id": row.principal,
        "status": STATES[Status(row.status)],
        "start_time": _milliseconds(row.started_at or row.created_at),
        **({} if row.finished_at is None else {"end_time": _milliseconds(row.finished_at)}),
        "artifact_uri": f"mlflow-artifacts:/{id}",
        "lifecycle_stage": "active" if row.archived_at is None else "deleted",
    }


def _name(row: Any) -> str:
    return row.name or f"{row.activation}, seed {row.seed}"


def _parameters(row: Any) -> Iterator[tuple[str, str]]:
    """Yield the dotted path and the text of each value of a spec; one that is null is left out."""
    for path in SPEC:
        value = row.activation if path == "activation" else value_at(row.spec, path)
        if value is not None:
            yield path, json.dumps(value) if isinstance(value, list) else str(value)


def _tags(row: Any, tags: Sequence[str]) -> list[Json]:
    system = {
        "mlflow.runName": _name(row),
        "mlflow.user": row.principal,
        "mlflow.note.content": row.notes,
        "mlflow.source.name": "actlab",
        "actlab.cause": row.cause,
        "actlab.device": row.device,
    }
    return [
        *(_pair(tag, "true") for tag in tags),
        *(_pair(key, value) for key, value in system.items() if value),
    ]


def _inputs(row: Any) -> Json:
    dataset = row.spec["dataset"]
    source = {"name": dataset, "digest": dataset, "source_type": "actlab", "source": dumped({"name": dataset})}
    return {"dataset_inputs": [{"dataset": source, "tags": [_pair("mlflow.data.context", "training")]}]}


def _pair(key: str, value: str) -> Json:
    return {"key": key, "value": value}


def _milliseconds(time: datetime | None) -> int:
    return 0 if time is None else int(time.timestamp() * 1000)
