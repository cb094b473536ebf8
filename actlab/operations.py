"""The operations of the HTTP API, described once for both clients: each is a generator of requests."""

import time
from abc import ABC, abstractmethod
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

Json = dict[str, Any]
T = TypeVar("T")
One = TypeVar("One")
Many = TypeVar("Many")
Nothing = TypeVar("Nothing")

LONGEST_WAIT = 30.0  # seconds; the most that the service waits with an answer
FRESH_SECONDS = 180.0
"""Seconds after a write in which another process of the service may not have seen it: twice the longest
ACTLAB_POLL_SECONDS, and the time of the write itself."""


class ApiError(Exception):
    """The service answered with an error. `code` is stable; `errors` has one entry for each wrong field."""

    def __init__(self, status: int, problem: Json) -> None:
        super().__init__(problem.get("detail") or f"HTTP {status}")
        self.status = status
        self.code: str = problem.get("code", "unknown")
        self.errors: list[Json] = problem.get("errors", [])


@dataclass(frozen=True)
class Call:
    """A request. Query parameters that are None are left out."""

    method: str
    path: str
    query: Json = field(default_factory=dict)
    body: Json | None = None
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"/api/v1{self.path}"

    @property
    def parameters(self) -> Json:
        return {name: value for name, value in self.query.items() if value is not None}


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


Flow = Generator[Call, Json, T]
"""A generator that yields requests, is sent the JSON of their answers ({} without a body), and returns the result."""


class Operations(ABC, Generic[One, Many, Nothing]):
    """The operations of a service. Every method raises ApiError when the service answers with an error."""

    @abstractmethod
    def _one(self, flow: Flow[Json]) -> One: ...

    @abstractmethod
    def _many(self, flow: Flow[list[Json]]) -> Many: ...

    @abstractmethod
    def _nothing(self, flow: Flow[None]) -> Nothing: ...

    # --- experiments ---------------------------------------------------------------------------------------------

    def submit_experiment(self, spec: Json, *, idempotency_key: str | None = None) -> One:
        return self._one(_call(_post("/experiments", spec, idempotency_key)))

    def experiment(self, id: str, *, wait: float = 0) -> One:
        """Read an experiment; with `wait`, as soon as it has ended or after so many seconds."""
        return self._one(_call(Call("GET", f"/experiments/{id}", {"wait": wait or None})))

    def finished_experiment(self, id: str) -> One:
        """Wait until an experiment has ended, without a limit, and read it."""
        return self._one(_until(f"/experiments/{id}", "finished_at"))

    def experiments(self, **filters: Any) -> Many:
        """List all experiments that match the filters, over all pages."""
        return self._many(_pages("/experiments", filters))

    def edit_experiment(self, id: str, changes: Json, *, edit_version: int | None = None) -> One:
        """Change the name, tags or notes; with `edit_version`, only if that is still the newest edit."""
        return self._one(_call(Call("PATCH", f"/experiments/{id}", body=changes, headers=_if_match(edit_version))))

    def metrics(self, id: str, *, since: int | None = None) -> One:
        """Read the figures of each epoch; with `since`, those that changed after that revision."""
        return self._one(_call(Call("GET", f"/experiments/{id}/metrics", {"since": since})))

    def diagnostics(
        self, id: str, *, layer: Sequence[str] = (), measure: Sequence[str] = (), since: int | None = None
    ) -> One:
        """Read the diagnostics of each epoch and layer; of some layers and measures, if any are named."""
        query = {"layer": list(layer), "measure": list(measure), "since": since}
        return self._one(_call(Call("GET", f"/experiments/{id}/diagnostics", query)))

    def result(self, id: str) -> One:
        return self._one(_call(Call("GET", f"/experiments/{id}/result")))

    def misclassified(self, id: str, *, which: str = "last") -> One:
        """List the test images that the trained network gets wrong."""
        return self._one(_call(Call("GET", f"/experiments/{id}/misclassified", {"which": which})))

    def attempts(self, id: str) -> Many:
        return self._many(_items(Call("GET", f"/experiments/{id}/attempts")))

    def cancel(self, id: str) -> One:
        return self._one(_call(Call("POST", f"/experiments/{id}/cancel")))

    def retry(self, id: str, *, idempotency_key: str | None = None) -> One:
        """Queue the same spec again, as a new experiment."""
        return self._one(_call(Call("POST", f"/experiments/{id}/retry", headers=_key(idempotency_key))))

    def delete_experiment(self, id: str) -> Nothing:
        return self._nothing(_done(Call("DELETE", f"/experiments/{id}")))

    def cancel_experiments(self, ids: Sequence[str] | None = None, *, dry_run: bool = False, **filters: Any) -> One:
        """Cancel the experiments with these ids, or all that match filters, which are those of `experiments`.

        Returns their `count`; with `dry_run`, the number that would be cancelled. Raises ValueError unless either ids
        or filters are given.
        """
        return self._one(_call(_of_many("cancel", ids, filters, dry_run)))

    def delete_experiments(self, ids: Sequence[str] | None = None, *, dry_run: bool = False, **filters: Any) -> One:
        """Delete experiments that have ended; the arguments are those of `cancel_experiments`."""
        return self._one(_call(_of_many("delete", ids, filters, dry_run)))

    def tag_experiments(
        self,
        ids: Sequence[str] | None = None,
        *,
        add: Sequence[str] = (),
        remove: Sequence[str] = (),
        dry_run: bool = False,
        **filters: Any,
    ) -> One:
        """Add tags to experiments and remove others; the other arguments are those of `cancel_experiments`."""
        return self._one(
            _call(_of_many("tag", ids, filters, dry_run, fields={"add": list(add), "remove": list(remove)}))
        )

    def archive_experiments(
        self, ids: Sequence[str] | None = None, *, archived: bool = True, dry_run: bool = False, **filters: Any
    ) -> One:
        """Archive experiments that have ended, so that lists leave them out; with `archived` False, restore them.

        The other arguments are those of `cancel_experiments`.
        """
        return self._one(_call(_of_many("archive", ids, filters, dry_run, fields={"archived": archived})))

    def retry_experiments(
        self,
        ids: Sequence[str] | None = None,
        *,
        dry_run: bool = False,
        idempotency_key: str | None = None,
        **filters: Any,
    ) -> One:
        """Queue experiments that have ended again; the arguments are those of `cancel_experiments`."""
        return self._one(_call(_of_many("retry", ids, filters, dry_run, idempotency_key)))

    # --- studies -------------------------------------------------------------------------------------------------

    def submit_study(self, spec: Json, *, idempotency_key: str | None = None) -> One:
        return self._one(_call(_post("/studies", spec, idempotency_key)))

    def plan_study(self, spec: Json) -> One:
        """Return the size and the estimated time of a study without storing it."""
        return self._one(_call(Call("POST", "/studies", {"dry_run": True}, spec)))

    def study(self, id: str, *, wait: float = 0) -> One:
        """Read a study; with `wait`, as soon as it has finished or after so many seconds."""
        return self._one(_call(Call("GET", f"/studies/{id}", {"wait": wait or None})))

    def finished_study(self, id: str) -> One:
        """Wait until all experiments of a study have ended, without a limit, and read it."""
        return self._one(_until(f"/studies/{id}", "finished"))

    def studies(self, **filters: Any) -> Many:
        """List all studies that match the filters, over all pages."""
        return self._many(_pages("/studies", filters))

    def edit_study(self, id: str, changes: Json, *, edit_version: int | None = None) -> One:
        """Change the name or question, or add seeds (the whole list); with `edit_version`, only if it is the newest."""
        return self._one(_call(Call("PATCH", f"/studies/{id}", body=changes, headers=_if_match(edit_version))))

    def add_seeds(self, id: str, seeds: list[int]) -> One:
        """Queue every cell of a study with these seeds too; seeds that it has already change nothing."""
        return self._one(_with_seeds(id, seeds))

    def cancel_study(self, id: str) -> One:
        return self._one(_call(Call("POST", f"/studies/{id}/cancel")))

    def retry_study(self, id: str, *, dry_run: bool = False, idempotency_key: str | None = None) -> One:
        """Queue the experiments of a study that failed or were lost again; those retried before are passed over.

        Returns their `count`; with `dry_run`, the number that would be queued.
        """
        query = {"dry_run": True} if dry_run else {}
        return self._one(_call(Call("POST", f"/studies/{id}/retry", query, headers=_key(idempotency_key))))

    def share_study(self, id: str, *, expires: str | None = "30d") -> One:
        """Make a link to a read-only page of a study; its `url` is shown only in this answer, None has no end."""
        return self._one(_call(Call("POST", f"/studies/{id}/shares", body={"expires": expires})))

    def shares(self, id: str) -> Many:
        """List the links of a study, with the number of their views."""
        return self._many(_items(Call("GET", f"/studies/{id}/shares")))

    def revoke_share(self, id: str, share: str) -> Nothing:
        return self._nothing(_done(Call("DELETE", f"/studies/{id}/shares/{share}")))

    def delete_study(self, id: str) -> Nothing:
        """Delete a study whose experiments have all ended, together with them."""
        return self._nothing(_done(Call("DELETE", f"/studies/{id}")))

    # --- activations ---------------------------------------------------------------------------------------------

    def activations(self, *, archived: bool = False) -> Many:
        """List the catalogue, and then every registered formula in its newest version."""
        return self._many(_pages("/activations", {"archived": archived}))

    def activation(self, name: str, *, version: int | None = None) -> One:
        return self._one(_call(Call("GET", f"/activations/{name}", {"version": version})))

    def curve(self, name: str, *, version: int | None = None, **query: Any) -> One:
        """Read points of a graph; `query` takes points, parameters (JSON text) and `**{"from": -1, "to": 1}`."""
        return self._one(_call(Call("GET", f"/activations/{name}/curve", {"version": version, **query})))

    def preview_activation(self, activation: Json) -> One:
        """Compute the properties, curve and cost of a formula. Nothing is stored."""
        return self._one(_call(Call("POST", "/activations/preview", body=activation)))

    def register_activation(self, name: str, definition: Json, *, idempotency_key: str | None = None) -> One:
        """Register a formula (`{"formula": ..., "parameters": ..., "note": ...}`) under a name for specs to use."""
        return self._one(_call(_post("/activations", {"name": name, **definition}, idempotency_key)))

    def edit_activation(self, name: str, definition: Json, *, newest_version: int | None = None) -> One:
        """Add a version to a registered name; with `newest_version`, only if that is still the newest."""
        return self._one(_call(Call("PUT", f"/activations/{name}", body=definition, headers=_if_match(newest_version))))

    def archive_activation(self, name: str) -> Nothing:
        """Archive a registered name: lists and new specs leave it out. `edit_activation` makes it active again."""
        return self._nothing(_done(Call("DELETE", f"/activations/{name}")))

    # --- comparisons and the rest --------------------------------------------------------------------------------

    def comparison(self, **query: Any) -> One:
        return self._one(_call(Call("GET", "/comparisons", query)))

    def study_comparison(self, id: str, **query: Any) -> One:
        """Compare the groups of a study, by its own factors unless `group_by` names others."""
        return self._one(_call(Call("GET", f"/studies/{id}/comparison", query)))

    def curves(self, **query: Any) -> One:
        """Read the mean curves of a `metric` over seeds, with intervals; `level` adds the time to reach a value."""
        return self._one(_call(Call("GET", "/curves", query)))

    def study_curves(self, id: str, **query: Any) -> One:
        """Read the mean curves of a study, by its own factors unless `group_by` names others."""
        return self._one(_call(Call("GET", f"/studies/{id}/curves", query)))

    def study_claims(self, id: str) -> One:
        """Read the verdicts on the articles' claims by the experiments of a study."""
        return self._one(_call(Call("GET", f"/studies/{id}/claims")))

    def differing_images(self, a: str, b: str, **query: Any) -> One:
        """List the test images that most seeds of group a get right and most of group b wrong."""
        return self._one(_call(Call("GET", "/comparisons/images", {"a": a, "b": b, **query})))

    def workers(self) -> Many:
        return self._many(_items(Call("GET", "/workers")))

    def queue(self) -> One:
        return self._one(_call(Call("GET", "/queue")))

    # --- access --------------------------------------------------------------------------------------------------

    def me(self) -> One:
        """Read the name, the role and the end of the key that this client sends."""
        return self._one(_call(Call("GET", "/me")))

    def keys(self, *, revoked: bool = False) -> Many:
        """List the API keys without their secrets."""
        return self._many(_items(Call("GET", "/keys", {"revoked": revoked})))

    def create_key(self, name: str, role: str, *, expires: str | None = None) -> One:
        """Make a key; its `key` is shown only in this answer. `expires` is a lifetime such as 90d, 12h or 4w."""
        return self._one(_call(Call("POST", "/keys", body={"name": name, "role": role, "expires": expires})))

    def audit(self, **filters: Any) -> Many:
        """List who changed what, the newest first: all entries that match the filters, over all pages."""
        return self._many(_pages("/audit", filters))

    def revoke_key(self, id: str) -> Nothing:
        return self._nothing(_done(Call("DELETE", f"/keys/{id}")))


def _call(call: Call) -> Flow[Json]:
    answer: Json = yield call
    return answer


def _done(call: Call) -> Flow[None]:
    yield call


def _items(call: Call) -> Flow[list[Json]]:
    answer = yield call
    items: list[Json] = answer["items"]
    return items


def _pages(path: str, filters: Json) -> Flow[list[Json]]:
    page = yield Call("GET", path, filters)
    items: list[Json] = page["items"]
    while page["next_cursor"]:
        page = yield Call("GET", path, {**filters, "cursor": page["next_cursor"]})
        items += page["items"]
    return items


def _until(path: str, field: str) -> Flow[Json]:
    while True:
        answer = yield Call("GET", path, {"wait": LONGEST_WAIT})
        if answer[field]:
            return answer


def _with_seeds(id: str, seeds: list[int]) -> Flow[Json]:
    study = yield Call("GET", f"/studies/{id}")
    all_seeds = list(dict.fromkeys([*study["seeds"], *seeds]))
    edited: Json = yield Call("PATCH", f"/studies/{id}", body={"seeds": all_seeds})
    return edited


def _post(path: str, body: Json, idempotency_key: str | None) -> Call:
    return Call("POST", path, body=body, headers=_key(idempotency_key))


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
    selection: Json = {"filters": filters} if ids is None else {"ids": list(ids)}
    query = {"dry_run": True} if dry_run else {}
    return Call("POST", f"/experiments/{action}", query, {**selection, **(fields or {})}, _key(idempotency_key))


def _key(idempotency_key: str | None) -> dict[str, str]:
    return {} if idempotency_key is None else {"Idempotency-Key": idempotency_key}


def _if_match(edit_version: int | None) -> dict[str, str]:
    return {} if edit_version is None else {"If-Match": f'"{edit_version}"'}
