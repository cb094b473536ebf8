"""Pictures of the API's answers for people: tables and lists of fields that fit a terminal of 80 columns."""

from collections.abc import Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from actlab.cli.charts import sparkline
from actlab.cli.output import Json, clipped, coloured, duration, fields, moment, number, plain, table

FIGURES = (
    ("train_loss", "loss"), ("train_accuracy", "accuracy"), ("validation_loss", "val. loss"),
    ("validation_accuracy", "val. acc."),
)  # fmt: skip
"""The columns of figures that a table of epochs has."""


def experiments_table(experiments: Sequence[Json]) -> Table:
    """Return a row for each experiment, with its whole id, which other commands take."""
    made = table("id", "activation", "seed", "status", "epochs", "accuracy", right=["seed", "epochs", "accuracy"],
                 cut=["activation"])  # fmt: skip
    for experiment in experiments:
        made.add_row(
            experiment["id"],
            clipped(experiment["activation_label"]),
            str(experiment["spec"]["seed"]),
            coloured(experiment["status"]),
            epochs_done(experiment),
            number(experiment["test_accuracy"]),
        )
    return made


def epochs_done(experiment: Json) -> str:
    return f"{experiment['epochs_done']}/{experiment['spec']['epochs']}"


def experiment_fields(experiment: Json, epochs: Sequence[Json]) -> Table:
    """Return what a person asks about one experiment: state, spec in short, figures, times."""
    spec = experiment["spec"]
    rate = f"{spec['optimizer']['name']}, learning rate {spec['optimizer']['learning_rate']:g}"
    return fields(
        [
            ("id", experiment["id"]),
            ("name", experiment["name"]),
            ("status", coloured(experiment["status"])),
            ("waits", experiment["waiting_reason"]),
            ("cause", experiment["detail"] or experiment["cause"]),
            ("remedy", experiment["remedy"]),
            ("activation", experiment["activation_label"]),
            ("data set", f"{spec['dataset']}, seed {spec['seed']}, batches of {spec['batch_size']}"),
            ("optimizer", rate),
            ("epochs", epochs_done(experiment)),
            ("validation", _trend(epochs, "validation_accuracy")),
            ("test accuracy", _figures(experiment, "test_accuracy", "test_loss")),
            ("best weights", _best(experiment)),
            ("trained", _pace(experiment)),
            ("study", experiment["study_id"]),
            ("retry of", experiment["retry_of"]),
            ("tags", ", ".join(experiment["tags"])),
            ("notes", experiment["notes"]),
            ("submitted", _times(experiment)),
        ]
    )


def _trend(epochs: Sequence[Json], figure: str) -> str:
    figures = [epoch[figure] for epoch in epochs]
    return f"accuracy {sparkline(figures, 30)} {number(figures[-1])}" if figures else ""


def _figures(experiment: Json, accuracy: str, loss: str) -> str:
    if experiment[accuracy] is None:
        return ""
    return f"{number(experiment[accuracy])} (loss {number(experiment[loss])})"


def _best(experiment: Json) -> str:
    figures = _figures(experiment, "best_test_accuracy", "best_test_loss")
    return f"{figures}, of epoch {experiment['best_epoch']}" if figures else ""


def _pace(experiment: Json) -> str:
    if experiment["seconds"] is None:
        return ""
    pace = experiment["images_per_second"]
    return duration(experiment["seconds"]) + ("" if pace is None else f", {pace:,.0f} images per second")


def _times(experiment: Json) -> str:
    later = {"started": experiment["started_at"], "ended": experiment["finished_at"]}
    parts = [f"{word} {moment(time)}" for word, time in later.items() if time]
    return ", ".join([moment(experiment["created_at"]), *parts])


def epochs_table(epochs: Sequence[Json]) -> RenderableType:
    """Return the figures of each epoch, below a sparkline of each figure."""
    headings = [heading for _, heading in FIGURES]
    made = table("epoch", *headings, "rate", "time", right=["epoch", *headings, "rate", "time"])
    for epoch in epochs:
        figures = [_figure(epoch, name) for name, _ in FIGURES]
        made.add_row(str(epoch["epoch"]), *figures, f"{epoch['learning_rate']:g}", duration(epoch["seconds"]))
    lines = [(heading, sparkline([epoch[name] for epoch in epochs], 40)) for name, heading in FIGURES]
    return Group(fields(lines), Text(), made)


def _figure(epoch: Json, name: str) -> str:
    return "not finite" if name in epoch["non_finite"] else number(epoch[name])


def differences_table(differences: Json) -> Table:
    """Return a row for each path in which two records differ, with both values."""
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("", "A", "B"):
        made.add_column(heading, overflow="fold")
    for path, (a, b) in differences.items():
        made.add_row(plain(path), *(plain(_short(value)) for value in (a, b)))
    return made


def _short(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
