"""The operations of the HTTP API, described once for both clients."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from actlab.errors import ApiError
from actlab.flows import (
    Call,
    Flow,
    Json,
    Runner,
    body_of,
    call,
    creation,
    done,
    if_match,
    items,
    operation,
    pages,
    plain,
)
from actlab.objects import activations, experiments, files, studies
from actlab.objects.activations import ActivationBase, ActivationCurve, activation_in, activations_of
from actlab.objects.comparisons import Comparison, read_comparison
from actlab.objects.curves import CurvesBase, curves_of, read_curves
from actlab.objects.experiments import (
    Diagnostics,
    ExperimentBase,
    Metrics,
    Result,
    experiment_in,
    experiments_of,
)
from actlab.objects.listings import activation_lists_of, experiment_lists_of, listing, study_lists_of
from actlab.objects.studies import StudyBase, StudyPlan, studies_of, study_in
from actlab.objects.waiting import until_ended

__all__ = ["ApiError", "Call", "Flow", "FreshReads", "Json", "Operations"]

FRESH_SECONDS = 180.0
"""Seconds after a write in which another process of the service may not have seen it: twice the longest
ACTLAB_POLL_SECONDS, and the time of the write itself."""


class FreshReads:
    """Makes reads see what their client knows already: its own writes, and the events that it has received.

    A service on PostgreSQL may have several processes, each of which answers from its memory. With
    `Cache-Control: no-cache` it asks the database.
    """

    def __init__(self) -> None:
        self._until = 0.0

    def demand(self) -> None:
        """Let the reads of the next FRESH_SECONDS see everything that has been committed before."""
        self._until = time.monotonic() + FRESH_SECONDS

    def headers(self, call: Call) -> dict[str, str]:
        """Return the headers to send with a call."""
        if call.method != "GET":
            self.demand()
        is_fresh = call.method == "GET" and time.monotonic() < self._until
        return {**call.headers, **({"Cache-Control": "no-cache"} if is_fresh else {})}


class Operations(Runner):
    """The operations of a service. Every method raises ApiError when the service answers with an error.

    The class of the error tells the kind: NotFound, Conflict, Invalid and so on (`actlab.errors`).
    """

    # --- experiments ---------------------------------------------------------------------------------------------

    @experiments_of
    def submit_experiment(
        self, /, body: Mapping[str, Any] | None = None, *, idempotency_key: str | None = None, **fields: Any
    ) -> Flow[ExperimentBase]:
        """Queue an experiment; its spec is `body`, with the other fields over it. Raises Invalid.

        >>> client.submit_experiment(activation="relu", epochs=3, seed=7).status
        'queued'
        """
        return experiment_in(self, (yield creation("/experiments", body_of(body, fields), idempotency_key)))

    @experiments_of
    def experiment(self, id: str, *, wait: float = 0) -> Flow[ExperimentBase]:
        """Read an experiment; with `wait`, as soon as it has ended or after so many seconds.

        >>> client.experiment(id).activation_label
        'relu'
        """
        return experiment_in(self, (yield Call("GET", f"/experiments/{id}", {"wait": wait or None})))

    @experiments_of
    def finished_experiment(self, id: str) -> Flow[ExperimentBase]:
        """Wait until an experiment has ended, without a limit, and read it."""
        return experiment_in(self, (yield from until_ended(f"/experiments/{id}", "finished_at")))

    @experiment_lists_of
    def experiments(self, /, **filters: Any) -> Flow[list[ExperimentBase]]:
        """List all experiments that match the filters, over all pages. The list has frames, such as `to_pandas`.

        >>> [experiment.spec["seed"] for experiment in client.experiments(activation="relu", sort="id")]
        [0, 1, 2]
        """
        return listing(self, ExperimentBase, (yield from pages("/experiments", filters)))

    @operation
    def experiments_page(self, /, **query: Any) -> Flow[Json]:
        """Read one page of the list of experiments: its `items`, and the `next_cursor` to send as `cursor`."""
        return call(Call("GET", "/experiments", query))

    @operation
    def count_experiments(self, /, **filters: Any) -> Flow[Json]:
        """Count the experiments that match the filters; archived ones too, unless `archived` says otherwise.

        >>> client.count_experiments(activation="relu")
        {'count': 3}
        """
        return call(Call("GET", "/experiments/count", filters))

    @experiments_of
    def edit_experiment(
        self, id: str, changes: Mapping[str, Any], *, edit_version: int | None = None
    ) -> Flow[ExperimentBase]:
        """Change the name, tags or notes; with `edit_version`, only if that is still the newest edit."""
        edit = Call("PATCH", f"/experiments/{id}", body=plain(changes), headers=if_match(edit_version))
        return experiment_in(self, (yield edit))

    @operation
    def metrics(self, id: str, *, since: int | None = None) -> Flow[Metrics]:
        """Read the figures of each epoch; with `since`, those that changed after that revision."""
        return experiments.read_metrics(id, since)

    @operation
    def diagnostics(
        self, id: str, *, layer: Sequence[str] = (), measure: Sequence[str] = (), since: int | None = None
    ) -> Flow[Diagnostics]:
        """Read the diagnostics of each epoch and layer; of some layers and measures, if any are named."""
        return experiments.read_diagnostics(id, layer, measure, since)

    @operation
    def result(self, id: str) -> Flow[Result]:
        """Read the scores on the test set. Raises Conflict unless the experiment has succeeded."""
        return experiments.read_result(id)

    @operation
    def misclassified(self, id: str, *, which: str = "last") -> Flow[Json]:
        """List the test images that the trained network gets wrong."""
        return call(Call("GET", f"/experiments/{id}/misclassified", {"which": which}))

    @operation
    def attempts(self, id: str) -> Flow[list[Json]]:
        """List the attempts of workers at an experiment."""
        return experiments.read_attempts(id)

    @experiments_of
    def cancel(self, id: str) -> Flow[ExperimentBase]:
        """Cancel an experiment: a queued one ends at once, a running one within about one step."""
        return experiment_in(self, (yield experiments.cancelling(id)))

    @experiments_of
    def retry(self, id: str, *, idempotency_key: str | None = None) -> Flow[ExperimentBase]:
        """Queue the same spec again, as a new experiment."""
        return experiment_in(self, (yield experiments.retrying(id, idempotency_key)))

    @operation
    def delete_experiment(self, id: str) -> Flow[None]:
        """Delete an experiment that has ended."""
        return done(Call("DELETE", f"/experiments/{id}"))

    @operation
    def cancel_experiments(
        self, /, ids: Sequence[str] | None = None, *, dry_run: bool = False, **filters: Any
    ) -> Flow[Json]:
        """Cancel the experiments with these ids, or all that match filters, which are those of `experiments`.

        Returns their `count`; with `dry_run`, the number that would be cancelled. Raises ValueError unless either ids
        or filters are given.

        >>> client.cancel_experiments(activation="tanh", dry_run=True)
        {'count': 0}
        """
        return call(_of_many("cancel", ids, filters, dry_run))

    @operation
    def delete_experiments(
        self, /, ids: Sequence[str] | None = None, *, dry_run: bool = False, **filters: Any
    ) -> Flow[Json]:
        """Delete experiments that have ended; the arguments are those of `cancel_experiments`."""
        return call(_of_many("delete", ids, filters, dry_run))

    @operation
    def tag_experiments(
        self,
        /,
        ids: Sequence[str] | None = None,
        *,
        add: Sequence[str] = (),
        remove: Sequence[str] = (),
        dry_run: bool = False,
        **filters: Any,
    ) -> Flow[Json]:
        """Add tags to experiments and remove others; the other arguments are those of `cancel_experiments`."""
        return call(_of_many("tag", ids, filters, dry_run, fields={"add": add, "remove": remove}))

    @operation
    def archive_experiments(
        self,
        /,
        ids: Sequence[str] | None = None,
        *,
        archived: bool = True,
        dry_run: bool = False,
        **filters: Any,
    ) -> Flow[Json]:
        """Archive experiments that have ended, so that lists leave them out; with `archived` False, restore them.

        The other arguments are those of `cancel_experiments`.
        """
        return call(_of_many("archive", ids, filters, dry_run, fields={"archived": archived}))

    @operation
    def retry_experiments(
        self,
        /,
        ids: Sequence[str] | None = None,
        *,
        dry_run: bool = False,
        idempotency_key: str | None = None,
        **filters: Any,
    ) -> Flow[Json]:
        """Queue experiments that have ended again; the arguments are those of `cancel_experiments`."""
        return call(_of_many("retry", ids, filters, dry_run, idempotency_key))

    @operation
    def weights(self, file: str | Path, id: str, *, which: str = "last") -> Flow[Path]:
        """Download the weights of an experiment as safetensors: those of the last epoch, or the `best`."""
        return experiments.download_weights(id, file, which)

    @operation
    def export(
        self, /, file: str | Path, *, study: str | None = None, rows: str = "experiments", **filters: Any
    ) -> Flow[Path]:
        """Export the experiments that have ended into a file, whose name ends in .csv, .parquet or .jsonl.

        `rows="epochs"` writes a row per epoch, and `rows="diagnostics"` one per epoch and layer. Filters are those of
        `experiments`, or `grid` alone: one grid of the study. The file appears when it is complete. Raises
        UnknownFormat for another suffix.

        >>> client.export(folder / "all.csv", activation="relu").read_text().count("relu") > 0
        True
        """
        return files.export(file, study, rows, filters)

    # --- studies -------------------------------------------------------------------------------------------------

    @studies_of
    def submit_study(
        self, /, body: Mapping[str, Any] | None = None, *, idempotency_key: str | None = None, **fields: Any
    ) -> Flow[StudyBase]:
        """Queue a study; its spec is `body`, with the other fields over it. Raises Invalid.

        The request has an Idempotency-Key, its own or the given one, so that a repeated one queues nothing twice.

        >>> client.submit_study(preset="quick", seeds=range(2)).experiments
        10
        """
        return study_in(self, (yield creation("/studies", body_of(body, fields), idempotency_key)))

    @operation
    def plan_study(self, /, body: Mapping[str, Any] | None = None, **fields: Any) -> Flow[StudyPlan]:
        """Return the size and the estimated time of a study without storing it.

        >>> client.plan_study(preset="quick").experiments
        25
        """
        plan = Call("POST", "/studies", {"dry_run": True}, body_of(body, fields), repeatable=True)
        return StudyPlan((yield plan))

    @studies_of
    def study(self, id: str, *, wait: float = 0) -> Flow[StudyBase]:
        """Read a study; with `wait`, as soon as it has finished or after so many seconds."""
        return study_in(self, (yield Call("GET", f"/studies/{id}", {"wait": wait or None})))

    @studies_of
    def finished_study(self, id: str) -> Flow[StudyBase]:
        """Wait until all experiments of a study have ended, without a limit, and read it."""
        return study_in(self, (yield from until_ended(f"/studies/{id}", "finished")))

    @study_lists_of
    def studies(self, /, **filters: Any) -> Flow[list[StudyBase]]:
        """List all studies that match the filters, over all pages."""
        return listing(self, StudyBase, (yield from pages("/studies", filters)))

    @operation
    def studies_page(self, /, **query: Any) -> Flow[Json]:
        """Read one page of the list of studies: its `items`, and the `next_cursor` to send as `cursor`."""
        return call(Call("GET", "/studies", query))

    @studies_of
    def edit_study(self, id: str, changes: Mapping[str, Any], *, edit_version: int | None = None) -> Flow[StudyBase]:
        """Change the name or question, or add seeds (the whole list); with `edit_version`, only if it is the newest."""
        return study_in(self, (yield studies.editing(id, changes, edit_version)))

    @studies_of
    def add_seeds(self, id: str, seeds: Sequence[int]) -> Flow[StudyBase]:
        """Queue every cell of a study with these seeds too; seeds that it has already change nothing."""
        return study_in(self, (yield from studies.with_seeds(id, seeds)))

    @studies_of
    def cancel_study(self, id: str) -> Flow[StudyBase]:
        """Cancel a study: queued experiments end at once, running ones within about one step."""
        return study_in(self, (yield studies.cancelling(id)))

    @operation
    def retry_study(self, id: str, *, dry_run: bool = False, idempotency_key: str | None = None) -> Flow[Json]:
        """Queue the experiments of a study that failed or were lost again; those retried before are passed over.

        Returns their `count`; with `dry_run`, the number that would be queued.
        """
        return studies.retrying(id, dry_run, idempotency_key)

    @operation
    def share_study(self, id: str, *, expires: str | None = "30d") -> Flow[Json]:
        """Make a link to a read-only page of a study; its `url` is shown only in this answer, None has no end."""
        return call(creation(f"/studies/{id}/shares", {"expires": expires}, None))

    @operation
    def shares(self, id: str) -> Flow[list[Json]]:
        """List the links of a study, with the number of their views."""
        return items(Call("GET", f"/studies/{id}/shares"))

    @operation
    def revoke_share(self, id: str, share: str) -> Flow[None]:
        """End a link of a study."""
        return done(Call("DELETE", f"/studies/{id}/shares/{share}"))

    @operation
    def delete_study(self, id: str) -> Flow[None]:
        """Delete a study whose experiments have all ended, together with them."""
        return done(Call("DELETE", f"/studies/{id}"))

    @operation
    def report(self, /, file: str | Path, study: str, **query: Any) -> Flow[Path]:
        """Write the report of a study into a file, whose name ends in .html, .md, .tex or .csv.

        `query` takes grid, metric, group_by and reference. The file appears when it is complete. Raises UnknownFormat
        for another suffix.
        """
        return files.report(file, study, query)

    # --- activations ---------------------------------------------------------------------------------------------

    @activation_lists_of
    def activations(self, *, archived: bool = False) -> Flow[list[ActivationBase]]:
        """List the catalogue, and then every registered formula in its newest version.

        >>> "relu" in [activation.name for activation in client.activations()]
        True
        """
        return listing(self, ActivationBase, (yield from pages("/activations", {"archived": archived})))

    @activations_of
    def activation(self, name: str, *, version: int | None = None) -> Flow[ActivationBase]:
        """Read an activation with its properties; of a registered formula the newest version, unless one is given."""
        return activation_in(self, (yield activations.reading(name, version)))

    @operation
    def curve(self, /, name: str, *, version: int | None = None, **query: Any) -> Flow[ActivationCurve]:
        """Read points of a graph; `query` takes points, parameters (JSON text) and `**{"from": -1, "to": 1}`."""
        return activations.read_curve(name, version, query)

    @operation
    def preview_activation(self, activation: Mapping[str, Any]) -> Flow[Json]:
        """Compute the properties, curve and cost of a formula. Nothing is stored."""
        return call(Call("POST", "/activations/preview", body=plain(activation), repeatable=True))

    @activations_of
    def register_activation(
        self, name: str, definition: Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> Flow[ActivationBase]:
        """Register a formula (`{"formula": ..., "parameters": ..., "note": ...}`) under a name for specs to use.

        >>> client.register_activation("bent", {"formula": "x + a * tanh(x)", "parameters": {"a": 2}}).version
        1
        """
        body = body_of({"name": name}, definition)
        return activation_in(self, (yield creation("/activations", body, idempotency_key)))

    @activations_of
    def edit_activation(
        self, name: str, definition: Mapping[str, Any], *, newest_version: int | None = None
    ) -> Flow[ActivationBase]:
        """Add a version to a registered name; with `newest_version`, only if that is still the newest."""
        edit = Call("PUT", f"/activations/{name}", body=plain(definition), headers=if_match(newest_version))
        return activation_in(self, (yield edit))

    @operation
    def archive_activation(self, name: str) -> Flow[None]:
        """Archive a registered name: lists and new specs leave it out. `edit_activation` makes it active again."""
        return done(Call("DELETE", f"/activations/{name}"))

    # --- comparisons and the rest --------------------------------------------------------------------------------

    @operation
    def comparison(self, /, **query: Any) -> Flow[Comparison]:
        """Compare the groups of the experiments that match filters, by activation unless `group_by` names others."""
        return read_comparison("/comparisons", query)

    @operation
    def study_comparison(self, /, id: str, **query: Any) -> Flow[Comparison]:
        """Compare the groups of a study, by its own factors unless `group_by` names others."""
        return read_comparison(f"/studies/{id}/comparison", query)

    @operation
    def comparison_table(self, /, format: str, *, study: str | None = None, **query: Any) -> Flow[str]:
        """Return the table of a comparison as `csv`, `markdown` or `latex`, with a caption that names the family.

        `rows="pairs"` returns that of the pairs of groups. `query` takes what `study_comparison` does for a study, and
        what `comparison` does without one.
        """
        path = "/comparisons" if study is None else f"/studies/{study}/comparison"
        text: str = yield Call("GET", path, {"format": format, **query}, as_text=True)
        return text

    @curves_of
    def curves(self, /, **query: Any) -> Flow[CurvesBase]:
        """Read the mean curves of a `metric` over seeds, with intervals; `level` adds the time to reach a value."""
        return read_curves(self, "/curves", query)

    @curves_of
    def study_curves(self, /, id: str, **query: Any) -> Flow[CurvesBase]:
        """Read the mean curves of a study, by its own factors unless `group_by` names others."""
        return read_curves(self, f"/studies/{id}/curves", query)

    @operation
    def study_claims(self, id: str) -> Flow[Json]:
        """Read the verdicts on the articles' claims by the experiments of a study."""
        return studies.read_claims(id)

    @operation
    def differing_images(self, /, a: str, b: str, **query: Any) -> Flow[Json]:
        """List the test images that most seeds of group a get right and most of group b wrong."""
        return call(Call("GET", "/comparisons/images", {"a": a, "b": b, **query}))

    @operation
    def workers(self) -> Flow[list[Json]]:
        """List the workers with their devices and memory."""
        return items(Call("GET", "/workers"))

    @operation
    def queue(self) -> Flow[Json]:
        """Read the numbers of queued and running experiments."""
        return call(Call("GET", "/queue"))

    # --- access --------------------------------------------------------------------------------------------------

    @operation
    def me(self) -> Flow[Json]:
        """Read the name, the role and the end of the key that this client sends."""
        return call(Call("GET", "/me"))

    @operation
    def keys(self, *, revoked: bool = False) -> Flow[list[Json]]:
        """List the API keys without their secrets."""
        return items(Call("GET", "/keys", {"revoked": revoked}))

    @operation
    def create_key(self, name: str, role: str, *, expires: str | None = None) -> Flow[Json]:
        """Make a key; its `key` is shown only in this answer. `expires` is a lifetime such as 90d, 12h or 4w."""
        return call(creation("/keys", {"name": name, "role": role, "expires": expires}, None))

    @operation
    def audit(self, /, **filters: Any) -> Flow[list[Json]]:
        """List who changed what, the newest first: all entries that match the filters, over all pages."""
        return pages("/audit", filters)

    @operation
    def audit_page(self, /, **query: Any) -> Flow[Json]:
        """Read one page of the list of changes: its `items`, and the `next_cursor` to send as `cursor`."""
        return call(Call("GET", "/audit", query))

    @operation
    def revoke_key(self, id: str) -> Flow[None]:
        """Revoke an API key."""
        return done(Call("DELETE", f"/keys/{id}"))


def _of_many(
    action: str,
    ids: Sequence[str] | None,
    filters: Json,
    dry_run: bool,
    idempotency_key: str | None = None,
    fields: Mapping[str, Any] | None = None,
) -> Call:
    if (ids is None) == (not filters):
        raise ValueError(f"Give either ids or filters of the experiments to {action}.")
    path, selection = f"/experiments/{action}", {"filters": filters} if ids is None else {"ids": list(ids)}
    body = body_of(selection, fields or {})
    if dry_run:
        return Call("POST", path, {"dry_run": True}, body, repeatable=True)
    return creation(path, body, idempotency_key) if action == "retry" else Call("POST", path, body=body)
