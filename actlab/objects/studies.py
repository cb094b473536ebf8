"""Studies: grids of experiments that share a question."""

from __future__ import annotations

import warnings
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, cast

from actlab.errors import ExperimentsFailed, WaitTimeout
from actlab.flows import Call, Flow, Json, Operation, P, creation, if_match, operation, pages, plain
from actlab.objects import fields
from actlab.objects.comparisons import Comparison, read_comparison
from actlab.objects.curves import CurvesBase, curves_of, read_curves
from actlab.objects.experiments import (
    AsyncExperiment,
    Experiment,
    failure,
)
from actlab.objects.files import export, report
from actlab.objects.frames import Listing, flat
from actlab.objects.record import AsyncRecord, SyncRecord
from actlab.objects.waiting import LONGEST_WAIT, LOOK_SECONDS, Bar, maybe_bar, until_ended

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow
    from matplotlib.axes import Axes


def studies_of(flow: Callable[Concatenate[Any, P], Flow[StudyBase]]) -> Operation[P, Study, AsyncStudy]:
    """Make a method of a flow that returns a study of its client."""
    return cast("Operation[P, Study, AsyncStudy]", operation(flow))


class StudyPlan(fields.StudyPlanFields):
    """The size of a study and its estimated duration; nothing is stored."""

    def __repr__(self) -> str:
        time = "time unknown" if self.seconds is None else f"about {self.seconds:.0f} s"
        return f"<StudyPlan: {self.cells} cells, {self.experiments} experiments, {time}>"


def study_in(runner: Any, answer: Json) -> StudyBase:
    """Return an answer as a study of a client or a record."""
    study: StudyBase = runner._new(StudyBase, answer)
    return study


def cancelling(id: str) -> Call:
    return Call("POST", f"/studies/{id}/cancel", repeatable=True)


def editing(id: str, changes: Mapping[str, Any], edit_version: int | None) -> Call:
    return Call("PATCH", f"/studies/{id}", body=plain(changes), headers=if_match(edit_version))


def with_seeds(id: str, seeds: Sequence[int]) -> Flow[Json]:
    """Add seeds to a study; those that it has already change nothing."""
    study = yield Call("GET", f"/studies/{id}")
    edited: Json = yield editing(id, {"seeds": list(dict.fromkeys([*study["seeds"], *seeds]))}, None)
    return edited


def retrying(id: str, dry_run: bool, idempotency_key: str | None) -> Flow[Json]:
    path = f"/studies/{id}/retry"
    if dry_run:
        return (yield Call("POST", path, {"dry_run": True}, repeatable=True))  # type: ignore[no-any-return]
    return (yield creation(path, None, idempotency_key))  # type: ignore[no-any-return]


def read_claims(id: str) -> Flow[Json]:
    claims: Json = yield Call("GET", f"/studies/{id}/claims")
    return claims


class StudyBase(fields.StudyFields):
    """The fields and methods of a study, for both clients."""

    @studies_of
    def refresh(self) -> Flow[StudyBase]:
        """Read the study again, and return it with its new fields.

        >>> study.refresh().progress["succeeded"]
        6
        """
        return self._replace((yield Call("GET", f"/studies/{self.id}")))

    @studies_of
    def wait(self, timeout: float | None = None, *, progress: bool = False) -> Flow[StudyBase]:
        """Wait until all experiments of the study have ended, and return it with its new fields.

        `progress` shows a bar, and a line for each experiment that fails. Without it, failures are told by the warning
        ExperimentsFailed. Raises WaitTimeout after `timeout` seconds.

        >>> study.wait(timeout=60).finished
        True
        """
        with maybe_bar(progress) as bar:
            told: set[str] = set()
            answer = yield from until_ended(
                f"/studies/{self.id}",
                "finished",
                timeout,
                lambda state: _show(bar, state, told),
                LONGEST_WAIT if bar is None else LOOK_SECONDS,
            )
        self._replace(answer)
        if not self.finished:
            raise WaitTimeout(f"Study {self.id} has not ended within {timeout:g} s: {_counts(self)}.")
        if self.progress["failed"] and not progress:
            failed = yield from _failures(self.id)
            warnings.warn(
                f"{len(failed)} of {self.experiments} experiments of study {self.id} failed. {failure(failed[0])}",
                ExperimentsFailed,
                stacklevel=2,
            )
        return self

    @studies_of
    def cancel(self) -> Flow[StudyBase]:
        """Cancel the study: queued experiments end at once, running ones within about one step."""
        return self._replace((yield cancelling(self.id)))

    @operation
    def retry(self, *, dry_run: bool = False, idempotency_key: str | None = None) -> Flow[int]:
        """Queue the experiments that failed or were lost again, and return their number.

        With `dry_run`, return the number that would be queued.

        >>> study.retry(dry_run=True)
        0
        """
        answer = yield from retrying(self.id, dry_run, idempotency_key)
        count: int = answer["count"]
        return count

    @studies_of
    def edit(self, /, *, edit_version: int | None = None, **changes: Any) -> Flow[StudyBase]:
        """Change the name, the question or the reference; with `edit_version`, only if it is the newest edit.

        >>> study.edit(name="mine").name
        'mine'
        """
        return self._replace((yield editing(self.id, changes, edit_version)))

    @studies_of
    def add_seeds(self, seeds: Sequence[int]) -> Flow[StudyBase]:
        """Queue every cell with these seeds too; seeds that it has already change nothing.

        >>> study.add_seeds([0, 1, 2]).experiments
        6
        """
        return self._replace((yield from with_seeds(self.id, seeds)))

    @operation
    def delete(self) -> Flow[None]:
        """Delete the study with its experiments. Raises Conflict unless all have ended."""
        yield Call("DELETE", f"/studies/{self.id}")

    @operation
    def compare(
        self,
        /,
        *,
        metric: str | None = None,
        versus: str | Mapping[str, Any] | None = None,
        grid: str | None = None,
        **query: Any,
    ) -> Flow[Comparison]:
        """Compare the groups of the study by a figure, usually `test_accuracy`.

        `versus` is the group that the others are compared with, or `all`; without it, the study's reference decides.
        `query` takes group_by, margin, seeds and allow_mixed.

        >>> study.compare(metric="validation_loss").metric
        'validation_loss'
        """
        whole = {"metric": metric, "versus": versus, "grid": grid, **query}
        return read_comparison(f"/studies/{self.id}/comparison", whole)

    @curves_of
    def curves(self, /, metric: str = "validation_accuracy", **query: Any) -> Flow[CurvesBase]:
        """Read the mean curves of the study's groups over epochs, with intervals over seeds.

        `query` takes grid, group_by, level, seeds, reference and allow_mixed.

        >>> study.curves("train_loss").title
        'Training loss (cross-entropy)'
        """
        return read_curves(self, f"/studies/{self.id}/curves", {"metric": metric, **query})

    @operation
    def claims(self) -> Flow[Json]:
        """Read the verdicts on the articles' claims by the experiments of the study."""
        return read_claims(self.id)

    @operation
    def report(self, /, file: str | Path, **query: Any) -> Flow[Path]:
        """Write the report into a file, whose name ends in .html, .md, .tex or .csv.

        `query` takes grid, metric, group_by, versus and reference. The file appears when it is complete.

        >>> study.report(folder / "report.html").stat().st_size > 10_000
        True
        """
        return report(file, self.id, query)

    @operation
    def export(self, /, file: str | Path, *, rows: str = "experiments", **filters: Any) -> Flow[Path]:
        """Write the experiments that have ended into a file, whose name ends in .csv, .parquet or .jsonl.

        `rows` is experiments, epochs or diagnostics.

        >>> study.export(folder / "epochs.parquet", rows="epochs").name
        'epochs.parquet'
        """
        return export(file, self.id, rows, filters)

    @operation
    def to_pandas(self, /, **filters: Any) -> Flow[pandas.DataFrame]:
        """Return a row for each experiment of the study as a DataFrame. Raises MissingLibrary without pandas.

        >>> len(study.to_pandas())
        6
        """
        return (yield from self._listing(filters)).to_pandas()

    @operation
    def to_polars(self, /, **filters: Any) -> Flow[polars.DataFrame]:
        """Return a row for each experiment as a DataFrame of polars. Raises MissingLibrary without it."""
        return (yield from self._listing(filters)).to_polars()

    @operation
    def to_arrow(self, /, **filters: Any) -> Flow[pyarrow.Table]:
        """Return a row for each experiment as a table of pyarrow. Raises MissingLibrary without it."""
        return (yield from self._listing(filters)).to_arrow()

    @operation
    def plot(self, ax: Axes | None = None, *, metric: str = "validation_accuracy") -> Flow[Axes]:
        """Draw the mean curves of the study's groups. Raises MissingLibrary without matplotlib."""
        from actlab.objects.plots import curves_plot

        curves = yield from read_curves(self, f"/studies/{self.id}/curves", {"metric": metric})
        return curves_plot(curves, None, ax)

    def _listing(self, filters: Json) -> Flow[Listing[Json]]:
        return Listing((yield from pages("/experiments", {**_theirs(self.id), "sort": "id", "limit": 500, **filters})))

    def __repr__(self) -> str:
        name = f" {self['name']!r}" if self.get("name") else ""
        counts = _counts(self) if "progress" in self else ""
        return f"<{type(self).__name__} {self.get('id')}{name}: {self.get('experiments')} experiments, {counts}>"

    def _repr_html_(self) -> str:
        from actlab.objects.html import table

        shown = {name: value for name, value in flat(self).items() if value not in (None, [], 0)}
        return table([{"field": name, "value": value} for name, value in shown.items()])


class Study(StudyBase, SyncRecord):
    """A study: a grid of experiments that share a question.

    It is a dict, whose fields are attributes too.

    >>> study = client.submit_study(base={"epochs": 1}, factors={"activation": ["relu", "tanh"]}, seeds=range(2))
    >>> study.experiments, study["experiments"]
    (4, 4)
    """

    def iter_experiments(self, **filters: Any) -> Iterator[Experiment]:
        """Yield the experiments of the study, page by page as they are needed.

        >>> next(study.iter_experiments(status="succeeded")).status
        'succeeded'
        """
        client: Any = self._client
        experiments: Iterator[Experiment] = client.iter_experiments(**{**_theirs(self.id), **filters})
        return experiments


class AsyncStudy(StudyBase, AsyncRecord):
    """A study, whose methods that ask the service are awaited: `await study.wait()`."""

    def iter_experiments(self, **filters: Any) -> AsyncIterator[AsyncExperiment]:
        """Yield the experiments of the study, page by page as they are needed."""
        client: Any = self._client
        experiments: AsyncIterator[AsyncExperiment] = client.iter_experiments(**{**_theirs(self.id), **filters})
        return experiments


def _theirs(study: str) -> Json:
    """Return the filters of a study's experiments, archived ones among them."""
    return {"study": study, "archived": "any"}


def _counts(study: Json) -> str:
    return ", ".join(f"{number} {status}" for status, number in study["progress"].items() if number)


def _failures(id: str) -> Flow[list[Json]]:
    return pages("/experiments", {**_theirs(id), "status": "failed", "sort": "id", "limit": 500})


def _show(bar: Bar | None, study: Json, told: set[str]) -> Flow[None]:
    """Show the state of a study, and each failure that has not been told."""
    if bar is None:
        return
    if study["progress"]["failed"] > len(told):
        for experiment in (yield from _failures(study["id"])):
            if experiment["id"] not in told:
                told.add(experiment["id"])
                name = f"{experiment['activation_label']} seed {experiment['spec']['seed']}"
                bar.say(f"{name} failed. {failure(experiment)}")
    waiting = study["progress"]["queued"] + study["progress"]["running"]
    bar.update(study["experiments"] - waiting, study["experiments"], _counts(study))
