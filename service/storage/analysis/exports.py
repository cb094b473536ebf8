"""Reading the records of an export in blocks, each in a session of its own."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from service.domain.choices import ExportRows
from service.domain.network import layer_names
from service.domain.spec import ModelSpec
from service.storage.engine.keyset import Position
from service.storage.records import diagnostics, epochs, experiments
from service.storage.records.experiments import Filter
from service.storage.tables.experiments import Experiment

MOST_EXPERIMENTS = 200
MOST_PARTS = 2_000
"""The most epochs or layers of one block; those of a single experiment may be more."""

Record = tuple[Experiment, Any]
"""An experiment and, for rows of its parts, the epoch or layer."""


class Reader:
    """Reads terminal experiments in the order of creation. Those that end while it reads may be among them or not."""

    def __init__(self, filters: Filter, rows: ExportRows) -> None:
        self._filters = replace(filters, ended=True)
        self._parts = PARTS[rows]
        self._layers = rows == "diagnostics"
        self._waiting: list[Experiment] = []
        self._after: Position | None = None
        self._over = False

    def block(self, session: Session) -> list[Record] | None:
        """Return the next records, possibly none; None after the last."""
        if not self._waiting and not self._over:
            page = experiments.page(session, self._filters, sort="id", limit=MOST_EXPERIMENTS, after=self._after)
            self._waiting, self._after, self._over = list(page.items), page.next, page.next is None
        if not self._waiting:
            return None
        return list(self._parts(session, self._take()))

    def _take(self) -> list[Experiment]:
        """Take as many of the experiments read so far as have MOST_PARTS parts together, at least one."""
        number = parts = 0
        for experiment in self._waiting:
            parts += self._parts_of(experiment)
            if number and parts > MOST_PARTS:
                break
            number += 1
        taken, self._waiting = self._waiting[:number], self._waiting[number:]
        return taken

    def _parts_of(self, experiment: Experiment) -> int:
        """Return the number of its epochs, or of its layers over all epochs and the start."""
        if not self._layers:
            return experiment.epochs_done
        layers = layer_names(ModelSpec.model_validate(experiment.spec["model"]))
        return (experiment.epochs_done + 1) * len(layers)


def _whole(session: Session, rows: Sequence[Experiment]) -> Iterator[Record]:
    return ((row, None) for row in rows)


def _epochs(session: Session, rows: Sequence[Experiment]) -> Iterator[Record]:
    by_id: Mapping[UUID, Experiment] = {row.id: row for row in rows}
    return ((by_id[epoch.experiment_id], epoch) for epoch in epochs.of_experiments(session, list(by_id)))


def _layers(session: Session, rows: Sequence[Experiment]) -> Iterator[Record]:
    by_id: Mapping[UUID, Experiment] = {row.id: row for row in rows}
    return ((by_id[layer.experiment_id], layer) for layer in diagnostics.of_experiments(session, list(by_id)))


PARTS: Mapping[ExportRows, Callable[[Session, Sequence[Experiment]], Iterator[Record]]] = {
    "experiments": _whole,
    "epochs": _epochs,
    "diagnostics": _layers,
}
