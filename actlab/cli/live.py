"""Following experiments and studies: a live picture for people, or their events as lines of JSON."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from actlab.cli.charts import sparkline
from actlab.cli.output import Json, clipped, coloured, console, duration, number, table, write_line
from actlab.cli.pictures import epochs_done
from actlab.client import Client, Event

PATIENCE_SECONDS = 45.0
"""Seconds of silence after which a service that was followed counts as ended: a killed API is back within 10 s."""
SHOWN = 12
"""The most experiments of a study that its picture shows."""
FIGURE = "validation_accuracy"


class Experiments:
    """The newest state of experiments, and a figure of each of their epochs."""

    def __init__(self, experiments: Iterable[Json]) -> None:
        self.by_id: dict[str, Json] = {experiment["id"]: experiment for experiment in experiments}
        self._epochs: dict[str, dict[int, float | None]] = {id: {} for id in self.by_id}

    def take(self, event: Event) -> None:
        """Take over what an event says."""
        if event.kind == "experiment":
            self.by_id[event.data["id"]] = event.data
        elif event.kind == "metrics":
            self.record(event.data["experiment_id"], event.data)
        elif event.kind == "deleted" and event.data["kind"] == "experiment":
            self.by_id.pop(event.data["id"], None)

    def record(self, id: str, metrics: Json) -> None:
        """Take over figures of epochs; an attempt that was resumed trains those after `valid_through_epoch` again."""
        valid = metrics["valid_through_epoch"]
        epochs = {epoch: figure for epoch, figure in self._epochs.get(id, {}).items() if epoch <= valid}
        self._epochs[id] = epochs | {row["epoch"]: row[FIGURE] for row in metrics["items"]}

    def figures(self, id: str) -> list[float | None]:
        """Return the figure of each epoch in order."""
        return [figure for _, figure in sorted(self._epochs.get(id, {}).items())]

    @property
    def ended(self) -> bool:
        return all(experiment["finished_at"] for experiment in self.by_id.values())

    def table(self, shown: Sequence[Json]) -> Table:
        """Return a row for each of these experiments, with a bar of its epochs and a sparkline of the figure."""
        made = table("experiment", "status", "epochs", "", "validation accuracy", "now", right=["epochs", "now"],
                     cut=["experiment"])  # fmt: skip
        for experiment in shown:
            figures = self.figures(experiment["id"])
            label = f"{experiment['activation_label']} seed {experiment['spec']['seed']}"
            made.add_row(
                clipped(label),
                coloured(experiment["status"]),
                epochs_done(experiment),
                _bar(experiment["spec"]["epochs"], experiment["epochs_done"], 12),
                Text(sparkline(figures, 20), "cyan"),
                number(figures[-1] if figures else None),
            )
        return made


def experiments(client: Client, ids: Sequence[str]) -> list[Json]:
    """Show a live table of experiments until all have ended, and return their last states."""
    state = _read(client, ids)
    with _live(state.table([*state.by_id.values()])) as picture:
        if not state.ended:
            for event in _events(client, state):
                if event.kind == "reset":
                    state = _read(client, ids)
                state.take(event)
                picture.update(state.table([*state.by_id.values()]))
                if state.ended:
                    break
    return [*state.by_id.values()]


def lines(client: Client, ids: Sequence[str]) -> list[Json]:
    """Print the state of experiments and then their events, each as a line of JSON, until all have ended."""
    state = _read(client, ids)
    for experiment in state.by_id.values():
        _write("experiment", experiment)
    if not state.ended:
        for event in _events(client, state):
            _write(event.kind, event.data)
            if event.kind == "reset":
                state = _read(client, ids)
            state.take(event)
            if state.ended:
                break
    return [*state.by_id.values()]


def study(client: Client, id: str) -> Json:
    """Show a live picture of a study until it has finished, and return its last state."""
    shown: Json = client.study(id)
    state = _of_study(client, id)
    with _live(_study_picture(shown, state)) as picture:
        for event in _study_events(client, shown):
            if event.kind == "reset":
                shown, state = client.study(id), _of_study(client, id)
            shown = _newest(shown, event)
            state.take(event)
            picture.update(_study_picture(shown, state))
            if shown["finished"]:
                break
    return shown


def study_lines(client: Client, id: str) -> Json:
    """Print the state of a study and then its events, each as a line of JSON, until it has finished."""
    shown: Json = client.study(id)
    _write("study", shown)
    for event in _study_events(client, shown):
        _write(event.kind, event.data)
        shown = client.study(id) if event.kind == "reset" else _newest(shown, event)
        if shown["finished"]:
            break
    return shown


def _read(client: Client, ids: Sequence[str]) -> Experiments:
    state = Experiments(client.experiment(id) for id in dict.fromkeys(ids))
    for id in state.by_id:
        state.record(id, client.metrics(id))
    return state


def _of_study(client: Client, id: str) -> Experiments:
    state = Experiments(client.experiments(study=id, sort="id", limit=500))
    for experiment in state.by_id.values():
        if experiment["status"] == "running":
            state.record(experiment["id"], client.metrics(experiment["id"]))
    return state


def _events(client: Client, state: Experiments) -> Iterator[Event]:
    since = min(experiment["revision"] for experiment in state.by_id.values())
    kind = ["experiment", "metrics"]
    return client.watch(experiment=[*state.by_id], kind=kind, since=since, patience=PATIENCE_SECONDS)


def _study_events(client: Client, shown: Json) -> Iterator[Event]:
    if shown["finished"]:
        return iter(())
    return client.watch(study=shown["id"], since=shown["revision"], patience=PATIENCE_SECONDS)


def _newest(shown: Json, event: Event) -> Json:
    return event.data if event.kind == "study" and event.data["id"] == shown["id"] else shown


def _write(kind: str, data: Any) -> None:
    write_line({"event": kind, "data": data})


def _study_picture(shown: Json, state: Experiments) -> RenderableType:
    progress, total = shown["progress"], shown["experiments"]
    ended = sum(progress[status] for status in ("succeeded", "failed", "cancelled"))
    left = "" if shown["finished"] else duration(shown["eta_seconds"])
    counts = Text("   ").join(
        Text.assemble((f"{count} ", "bold"), coloured(status)) for status, count in progress.items() if count
    )
    head = Table.grid(padding=(0, 2, 0, 0))
    head.add_row(_bar(total, ended, 30), f"{ended}/{total}", f"{left} left" if left else "", counts)
    title = Text(shown["name"] or shown["question"] or shown["id"], "bold")
    return Group(title, head, Text(), state.table(_of_interest(state)))


def _bar(total: int, done: int, width: int) -> ProgressBar:
    """Return a bar in colours that every terminal has; rich's own are all grey where there are 16."""
    return ProgressBar(max(total, 1), done, width, complete_style="cyan", finished_style="green")


def _of_interest(state: Experiments) -> list[Json]:
    """Return the running experiments, and before them those that ended last."""
    running = [one for one in state.by_id.values() if one["status"] == "running"]
    ended = sorted((one for one in state.by_id.values() if one["finished_at"]), key=lambda one: one["finished_at"])
    return [*ended[-max(SHOWN - len(running), 1) :], *running][-SHOWN:]


@contextmanager
def _live(first: RenderableType) -> Iterator[Live]:
    """Show a picture in place until the end, where it stays; a file gets only its last state."""
    with Live(first, console=console(), refresh_per_second=8) as picture:
        yield picture
    if not picture.console.is_terminal:
        picture.console.line()  # rich ends the last state without a newline there
