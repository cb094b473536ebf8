"""Requests of MLflow's client: their fields, their filters and orders, and the tokens of pages."""

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, Field

from service.api.mlflow.names import GROUPS, NO_STUDY, RUNS
from service.domain.errors import FieldProblem, Invalid, NotFound
from service.domain.query.conditions import AllOf, AnyOf, Condition, Never, Query, Term
from service.domain.query.errors import QueryError
from service.domain.query.fields import Catalogue
from service.domain.query.fields import Field as QueryField
from service.domain.query.parser import field_named, parse
from service.storage.records.experiments import Filter
from service.storage.records.ordering import Order, Start
from service.storage.studies.records import Filter as StudyFilter

MOST_RUNS = 10_000
MOST_GROUPS = 1_000
MOST_ORDERS = 10
ViewType = Literal["ACTIVE_ONLY", "DELETED_ONLY", "ALL"]
_ARCHIVED: dict[ViewType, bool | None] = {"ACTIVE_ONLY": False, "DELETED_ONLY": True, "ALL": None}

Texts = Annotated[list[str], BeforeValidator(lambda value: [] if value is None else value)]


class SearchRequest(BaseModel):
    """The common fields of a search for experiments or runs. A page may hold fewer than `max_results`."""

    filter: str | None = None
    order_by: Texts = []
    max_results: Annotated[int, Field(ge=1)] = 1_000
    page_token: str | None = None

    def start(self) -> Start:
        """Return where the page begins. Raises Invalid for a token of another search."""
        if not self.page_token:
            return Start()
        try:
            after, offset, digest = json.loads(base64.urlsafe_b64decode(self.page_token))
            start = Start(None if after is None else UUID(after), int(offset))
        except (ValueError, TypeError, AttributeError, RecursionError, OverflowError) as error:
            raise _refused("page_token", "This is not a page_token of this service") from error
        if digest != self._digest() or not 0 <= start.offset < 2**62:
            raise _refused("page_token", "This page_token belongs to a search with another filter or order")
        return start

    def token(self, start: Start) -> str:
        """Return the token of the page that begins at a place."""
        after = None if start.after is None else start.after.hex
        return base64.urlsafe_b64encode(json.dumps([after, start.offset, self._digest()]).encode()).decode()

    def _digest(self) -> str:
        asked = self.model_dump(mode="json", exclude={"page_token", "max_results"})
        return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:16]


class RunSearch(SearchRequest):
    experiment_ids: Texts = []
    run_view_type: ViewType = "ACTIVE_ONLY"

    def filters(self) -> Filter:
        conditions = [_in_any_of(self.experiment_ids), *_filtered(self.filter, RUNS)]
        return Filter(query=Query(self.filter or "", AllOf(tuple(conditions))), archived=_ARCHIVED[self.run_view_type])

    def order(self) -> list[Order]:
        return _order(self.order_by, RUNS)


class GroupSearch(SearchRequest):
    """A search for MLflow's experiments, which are studies."""

    view_type: ViewType = "ACTIVE_ONLY"

    def filters(self) -> StudyFilter:
        conditions = _filtered(self.filter, GROUPS)
        query = Query(self.filter or "", conditions[0]) if conditions else None
        return StudyFilter(query=query, archived=_ARCHIVED[self.view_type])

    def order(self) -> list[Order]:
        return _order(self.order_by, GROUPS)


def id_of(text: str | None, what: str) -> UUID:
    """Return the id that a text is, with hyphens or without. Raises NotFound for another text."""
    try:
        return UUID(text or "")
    except ValueError:
        raise NotFound(f"There is no {what} {text!r}.") from None


def _in_any_of(groups: Sequence[str]) -> Condition:
    """Return the condition that one of these experiments of MLflow holds a run; ids of none hold nothing."""
    studies = [UUID(group) for group in dict.fromkeys(groups) if _is_id(group)]
    holds: list[Condition] = [Term("study", "IN", tuple(studies))] if studies else []
    if NO_STUDY in groups:
        holds.append(Term("study", "IS NULL"))
    return AnyOf(tuple(holds)) if holds else Never()


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _filtered(text: str | None, catalogue: Catalogue) -> list[Condition]:
    if text is None or not text.strip():
        return []
    try:
        return [parse(text, catalogue, lenient=True).condition]
    except QueryError as error:
        raise _refused("filter", f"{error.reason} (column {error.column})", error.code, error.column) from error


_ORDER = re.compile(r"\s*(?P<name>.+?)(?:\s+(?P<way>asc|desc))?\s*", re.IGNORECASE | re.DOTALL)


def _order(texts: Sequence[str], catalogue: Catalogue) -> list[Order]:
    if len(texts) > MOST_ORDERS:
        raise _refused("order_by", f"At most {MOST_ORDERS} keys order a search")
    orders = []
    for text in texts:
        match = _ORDER.fullmatch(text)
        field = _field(match["name"], catalogue) if match else None
        if match is not None and field is not None:
            orders.append(Order(field.name, (match["way"] or "asc").lower() == "desc"))
    return orders


def _field(name: str, catalogue: Catalogue) -> QueryField | None:
    """Return the field of a key; None for a metric or parameter that does not exist, by which all are equal."""
    try:
        field = field_named(name, catalogue, lenient=True)
    except QueryError as error:
        raise _refused("order_by", error.reason, error.code) from error
    if field is not None and field.kind in ("labels", "studies"):
        raise _refused("order_by", f"{name} has several values and orders nothing; leave it out")
    return field


def _refused(place: str, reason: str, code: str = "value_error", column: int | None = None) -> Invalid:
    return Invalid(f"{place}: {reason}.", errors=[FieldProblem(place, reason, code, column=column)])


# Made once: json.dumps makes an encoder at each call with separators.
dumped = json.JSONEncoder(separators=(",", ":")).encode
"""Return JSON without spaces."""
