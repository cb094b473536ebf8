"""Experiments, their figures of each epoch and layer, and their results."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, cast

from actlab.errors import ExperimentsFailed, WaitTimeout
from actlab.flows import Call, Flow, Json, Operation, P, creation, items, operation
from actlab.objects import fields
from actlab.objects.differences import Difference, difference
from actlab.objects.frames import Frames, Row, aligned, flat
from actlab.objects.record import AsyncRecord, SyncRecord
from actlab.objects.waiting import LOOK_SECONDS, Bar, maybe_bar, until_ended

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Metrics(fields.MetricsFields, Frames):
    """The figures of an experiment's epochs. Its frames have a row for each epoch.

    >>> metrics = experiment.metrics()
    >>> [epoch["epoch"] for epoch in metrics.epochs]
    [1, 2]
    """

    @property
    def epochs(self) -> list[fields.EpochView]:
        """The figures of each epoch: losses are means per image in nats, accuracies fractions."""
        epochs: list[fields.EpochView] = self["items"]
        return epochs

    def plot(self, ax: Axes | None = None, *, metric: str = "accuracy") -> Axes:
        """Draw a figure of the training and the validation images over epochs: `accuracy` or `loss`.

        Returns the axes, new ones without `ax`. Raises MissingLibrary without matplotlib.
        """
        from actlab.objects.plots import metrics_plot

        return metrics_plot(self.epochs, metric, ax)

    def __repr__(self) -> str:
        return f"<Metrics of {len(self.epochs)} epochs>"

    def _repr_html_(self) -> str:
        from actlab.objects.html import table

        return table(self._rows())

    def _rows(self) -> list[Row]:
        return aligned([flat(epoch) for epoch in self["items"]])


class Diagnostics(fields.DiagnosticsFields, Frames):
    """The diagnostics of an experiment's layers. Its frames have a row for each epoch and layer."""

    @property
    def layers(self) -> list[fields.LayerView]:
        """The diagnostics of each epoch and layer, by epoch, and within it from the input to the output."""
        layers: list[fields.LayerView] = self["items"]
        return layers

    def plot(self, measure: str = "zero_share", ax: Axes | None = None) -> Axes:
        """Draw a measure of each layer over epochs. Raises MissingLibrary without matplotlib."""
        from actlab.objects.plots import diagnostics_plot

        return diagnostics_plot(self.layers, measure, ax)

    def __repr__(self) -> str:
        names = list(dict.fromkeys(layer["layer"] for layer in self.layers))
        return f"<Diagnostics of the layers {', '.join(names)}>"

    def _repr_html_(self) -> str:
        from actlab.objects.html import table

        return table(self._rows())

    def _rows(self) -> list[Row]:
        return aligned([flat(layer) for layer in self["items"]])


class Result(fields.ResultFields):
    """The test result of an experiment that succeeded."""

    def __repr__(self) -> str:
        last = self["last"]
        return f"<Result: test accuracy {last['test_accuracy']:.4f} after epoch {last['epoch']}>"


def experiments_of(
    flow: Callable[Concatenate[Any, P], Flow[ExperimentBase]],
) -> Operation[P, Experiment, AsyncExperiment]:
    """Make a method of a flow that returns an experiment of its client."""
    return cast("Operation[P, Experiment, AsyncExperiment]", operation(flow))


def read_metrics(id: str, since: int | None = None) -> Flow[Metrics]:
    return Metrics((yield Call("GET", f"/experiments/{id}/metrics", {"since": since})))


def read_diagnostics(
    id: str, layer: Sequence[str] = (), measure: Sequence[str] = (), since: int | None = None
) -> Flow[Diagnostics]:
    query = {"layer": list(layer), "measure": list(measure), "since": since}
    return Diagnostics((yield Call("GET", f"/experiments/{id}/diagnostics", query)))


def read_result(id: str) -> Flow[Result]:
    return Result((yield Call("GET", f"/experiments/{id}/result")))


def read_attempts(id: str) -> Flow[list[Json]]:
    return items(Call("GET", f"/experiments/{id}/attempts"))


def download_weights(id: str, file: str | Path, which: str) -> Flow[Path]:
    yield Call("GET", f"/experiments/{id}/weights", {"which": which}, file=Path(file))
    return Path(file)


def cancelling(id: str) -> Call:
    return Call("POST", f"/experiments/{id}/cancel", repeatable=True)


def retrying(id: str, idempotency_key: str | None = None) -> Call:
    return creation(f"/experiments/{id}/retry", None, idempotency_key)


class ExperimentBase(fields.ExperimentFields, Frames):
    """The fields and methods of an experiment, for both clients."""

    @experiments_of
    def refresh(self) -> Flow[ExperimentBase]:
        """Read the experiment again, and return it with its new fields.

        >>> experiment.refresh().status
        'succeeded'
        """
        return self._replace((yield Call("GET", f"/experiments/{self.id}")))

    @experiments_of
    def wait(self, timeout: float | None = None, *, progress: bool = False) -> Flow[ExperimentBase]:
        """Wait until the experiment has ended, and return it with its new fields.

        `progress` shows a bar of its epochs. Warns of a failure with ExperimentsFailed, and raises WaitTimeout after
        `timeout` seconds.

        >>> experiment.wait(timeout=60).test_accuracy
        0.9
        """
        path = f"/experiments/{self.id}"
        with maybe_bar(progress) as bar:
            every = {} if bar is None else {"longest": LOOK_SECONDS}
            answer = yield from until_ended(path, "finished_at", timeout, lambda state: _show(bar, state), **every)
        self._replace(answer)
        if not self.finished_at:
            state = self.waiting_reason or f"it is {self.status}, after {self.epochs_done} epochs."
            raise WaitTimeout(f"Experiment {self.id} has not ended within {timeout:g} s: {state}")
        if self.status == "failed":
            warnings.warn(f"Experiment {self.id} failed. {failure(self)}", ExperimentsFailed, stacklevel=2)
        return self

    @experiments_of
    def cancel(self) -> Flow[ExperimentBase]:
        """Cancel the experiment: a queued one ends at once, a running one within about one step."""
        return self._replace((yield cancelling(self.id)))

    @experiments_of
    def retry(self, *, idempotency_key: str | None = None) -> Flow[ExperimentBase]:
        """Queue the same spec again, and return the new experiment."""
        return experiment_in(self, (yield retrying(self.id, idempotency_key)))

    @operation
    def metrics(self, *, since: int | None = None) -> Flow[Metrics]:
        """Read the figures of each epoch; with `since`, those that changed after that revision."""
        return read_metrics(self.id, since)

    @operation
    def diagnostics(
        self, *, layer: Sequence[str] = (), measure: Sequence[str] = (), since: int | None = None
    ) -> Flow[Diagnostics]:
        """Read the diagnostics of each epoch and layer; of some layers and measures, if any are named."""
        return read_diagnostics(self.id, layer, measure, since)

    @operation
    def result(self) -> Flow[Result]:
        """Read the scores on the test set, by class too. Raises Conflict unless the experiment has succeeded.

        >>> experiment.result().last["test_accuracy"]
        0.9
        """
        return read_result(self.id)

    @operation
    def attempts(self) -> Flow[list[Json]]:
        """List the attempts of workers, with the cause of each that failed."""
        return read_attempts(self.id)

    @operation
    def weights(self, file: str | Path, *, which: str = "last") -> Flow[Path]:
        """Download the weights as safetensors: those of the last epoch, or the `best`."""
        return download_weights(self.id, file, which)

    @operation
    def plot(self, ax: Axes | None = None, *, metric: str = "accuracy") -> Flow[Axes]:
        """Draw the `accuracy` or `loss` of the training and the validation images over epochs."""
        metrics = yield from read_metrics(self.id)
        return metrics.plot(ax, metric=metric)

    def diff(self, other: ExperimentBase) -> Difference:
        """Return the fields of the specs and the figures in which two experiments differ.

        >>> experiment.diff(other)
        spec.activation.name  relu  tanh
        """
        return difference(self, other)

    def __repr__(self) -> str:
        accuracy = self.get("test_accuracy")
        figure = "" if accuracy is None else f", test accuracy {accuracy:.4f}"
        return f"<{type(self).__name__} {self.get('id')}: {self.get('activation_label')}, {self.get('status')}{figure}>"

    def _repr_html_(self) -> str:
        from actlab.objects.html import table

        shown = {name: value for name, value in flat(self).items() if value is not None}
        return table([{"field": name, "value": value} for name, value in shown.items()])

    def _rows(self) -> list[Row]:
        return [flat(self)]


class Experiment(ExperimentBase, SyncRecord):
    """An experiment: one training run of one spec with one seed.

    It is a dict, whose fields are attributes too.

    >>> experiment = client.experiment(id)
    >>> experiment.status, experiment["status"]
    ('succeeded', 'succeeded')
    """


class AsyncExperiment(ExperimentBase, AsyncRecord):
    """An experiment, whose methods that ask the service are awaited: `await experiment.wait()`."""


def experiment_in(runner: Any, answer: Json) -> ExperimentBase:
    """Return an answer as an experiment of a client or a record."""
    experiment: ExperimentBase = runner._new(ExperimentBase, answer)
    return experiment


def failure(experiment: Json) -> str:
    """Return why an experiment failed, and what to do."""
    parts = [experiment["detail"] or f"Its cause is {experiment['cause']}.", experiment["remedy"]]
    return " ".join(part for part in parts if part)


def _show(bar: Bar | None, experiment: Json) -> Flow[None]:
    if bar is not None:
        text = experiment["waiting_reason"] or f"{experiment['activation_label']} {experiment['status']}"
        bar.update(experiment["epochs_done"], experiment["spec"]["epochs"], text)
    yield from ()  # it asks for nothing else
