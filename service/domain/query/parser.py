"""Reading queries: names and values are checked against the fields of a kind of record."""

import re
from typing import cast

from service.domain.query.conditions import AllOf, AnyOf, Condition, Never, Not, Operator, Query, Term
from service.domain.query.errors import QueryError, shortened
from service.domain.query.fields import ENTITIES, Catalogue, Entity, Field
from service.domain.query.grammar import MOST_TERMS, Raw, RawGroup, RawTerm, read
from service.domain.query.patterns import matches
from service.domain.query.values import OPERATORS, unquoted, value_of


def parse(text: str, catalogue: Catalogue, *, lenient: bool = False) -> Query:
    """Return the query of a text. Raises QueryError with the column.

    A name that does not exist is an error; where the reader is `lenient`, no record meets a comparison with a metric
    or a parameter of that name.
    """
    tree = read(text)
    _count(tree)
    return Query(text, _Reader(catalogue, lenient).condition(tree))


def field_named(name: str, catalogue: Catalogue, *, lenient: bool = False) -> Field | None:
    """Return the field that a name stands for.

    Raises QueryError for a name that does not exist; where the reader is `lenient`, None for a metric or a parameter.
    """
    entity, key = _split(name)
    field = catalogue.names(entity or "attributes").get(key)
    if field is None and entity == "tags":
        return catalogue.labels
    if field is None and not (lenient and entity in ("metrics", "params")):
        raise _unknown(catalogue, entity, key, 1)
    return field


def _count(tree: Raw) -> None:
    terms = list(_terms(tree))
    if len(terms) > MOST_TERMS:
        reason = f"A query has at most {MOST_TERMS} comparisons; IN (...) compares with several values at once"
        raise QueryError((terms[MOST_TERMS].field.start_pos or 0) + 1, reason, "query_too_long")


def _terms(tree: Raw) -> list[RawTerm]:
    if isinstance(tree, RawTerm):
        return [tree]
    return [term for part in tree.parts for term in _terms(part)]


class _Reader:
    def __init__(self, catalogue: Catalogue, lenient: bool) -> None:
        self._catalogue = catalogue
        self._lenient = lenient

    def condition(self, tree: Raw) -> Condition:
        match tree:
            case RawTerm():
                return self._term(tree)
            case RawGroup("NOT", [part]):
                return Not(self.condition(part))
            case RawGroup("AND", parts):
                return AllOf(tuple(map(self.condition, parts)))
            case RawGroup(_, parts):
                return AnyOf(tuple(map(self.condition, parts)))

    def _term(self, raw: RawTerm) -> Condition:
        entity, name = _split(str(raw.field))
        field = self._catalogue.names(entity or "attributes").get(name)
        if field is None and entity == "tags":
            return self._label(name, raw)
        if field is None and self._lenient and entity in ("metrics", "params"):
            return Never()
        if field is None:
            raise _unknown(self._catalogue, entity, name, (raw.field.start_pos or 0) + 1)
        return self._compared(field, raw)

    def _compared(self, field: Field, raw: RawTerm) -> Term:
        operator = _operator(raw)
        if operator not in OPERATORS[field.kind]:
            known = ", ".join(OPERATORS[field.kind])
            reason = f"{field.name} is a {field.kind}, which has no {operator}; it has {known}"
            raise QueryError((raw.operator.start_pos or 0) + 1, reason, "query_operator")
        return Term(field.name, operator, tuple(value_of(field, operator, word) for word in raw.values))

    def _label(self, label: str, raw: RawTerm) -> Condition:
        """Return a comparison with the value of one tag, which is the text true where a record has the tag."""
        has = Term(self._catalogue.labels.name, "=", (label,))
        text = Field(str(raw.field), "text", "")
        boolean = [word for word in raw.values if word.type == "BOOLEAN"]
        if boolean:
            raise QueryError((boolean[0].start_pos or 0) + 1, "A tag is compared with the text 'true'", "query_value")
        term = self._compared(text, raw)
        if term.operator == "IS NULL":
            return Not(has)
        return has if term.operator == "IS NOT NULL" or _is_met("true", term) else Never()


def _unknown(catalogue: Catalogue, entity: Entity | None, name: str, column: int) -> QueryError:
    written = name if entity is None else f"{entity}.{name}"
    near = catalogue.near(entity, name)
    advice = f"did you mean {' or '.join(near)}?" if near else "docs/query.md lists the fields"
    return QueryError(column, f"{shortened(written)} is no field of {catalogue.record}; {advice}", "query_field")


_NAME = re.compile(r"(?P<word>`[^`]*`|\w+)\.(?P<key>.+)", re.DOTALL)


def _split(written: str) -> tuple[Entity | None, str]:
    """Return the entity and the key of a name: the text after the first dot is the key, whatever dots it has."""
    parts = _NAME.fullmatch(written)
    entity = ENTITIES.get(parts["word"].strip("`").lower()) if parts else None
    if parts is None or entity is None:
        return None, written.strip("`")
    key = parts["key"]
    return entity, unquoted(key) if key[0] in '`"' and key[-1] == key[0] and len(key) > 1 else key


def _operator(raw: RawTerm) -> Operator:
    return cast(Operator, " ".join(raw.operator.upper().split()))


def _is_met(text: str, term: Term) -> bool:
    """Return whether a text meets a comparison of texts."""
    values = [str(value) for value in term.values]
    match term.operator:
        case "=" | "IN":
            return text in values
        case "!=" | "NOT IN":
            return text not in values
        case "LIKE" | "ILIKE":
            return matches(values[0], text, ignore_case=term.operator == "ILIKE")
        case _:
            return not matches(values[0], text, ignore_case=term.operator == "NOT ILIKE")
