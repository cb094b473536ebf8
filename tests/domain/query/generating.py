"""Queries by hypothesis: valid ones from the fields, and texts from pieces of the language."""

from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from service.domain.query.fields import EXPERIMENTS, Catalogue, Field
from service.domain.query.values import OPERATORS

TEXTS = ("relu", "tanh", "Relu", "a%b", "a_b", "a*b?[c]", "a\\b", "%", "_", "", "it's", 'say "x"', "x", "y z", "local",
         "[32,64]", "[1, 2]", "cpu", "test")  # fmt: skip
PATTERNS = ("%", "r%", "%u", "_elu", "%a%", "a\\%b", "a\\_b", "a*%", "%[c]", "a\\\\b", "\\", "[3%", "R%", "%'%")
NUMBERS = ("0", "1", "3", "-1", "0.25", ".5", "0.9", "1e-3", "'0.001'", "12345678901234567890", "1e300", "128", "+7")
TIMES = ("'2020-01-01'", "'2999-12-31T23:59:59+02:00'", "1700000000000", "'2026-01-31T12:00:00.000001Z'")


def _quoted(text: str) -> list[str]:
    return ["'" + text.replace("'", "''") + "'", '"' + text.replace('"', '""') + '"']


def _values(field: Field, ids: list[UUID]) -> st.SearchStrategy[str]:
    match field.kind:
        case "number":
            return st.sampled_from(NUMBERS)
        case "time":
            return st.sampled_from(TIMES)
        case "boolean":
            return st.sampled_from(["true", "FALSE", "'True'"])
        case "id" | "studies":
            return st.sampled_from([f"'{id}'" for id in ids] + [f"'{ids[0].hex}'"])
        case "choice":
            return st.sampled_from([f"'{choice}'" for choice in field.choices])
        case _:
            return st.sampled_from([word for text in TEXTS for word in _quoted(text)])


def _names(catalogue: Catalogue) -> list[tuple[str, Field]]:
    return [
        *catalogue.attributes.items(),
        *((f"attributes.{name}", field) for name, field in catalogue.attributes.items()),
        *((f"metrics.{name}", field) for name, field in catalogue.metrics.items()),
        *((f"params.`{name}`", field) for name, field in catalogue.params.items()),
        *((f"tags.{tag}", Field(tag, "text", "")) for tag in ("x", "`y z`", '"missing"')),
    ]


@st.composite
def _comparisons(draw: st.DrawFn, catalogue: Catalogue, ids: list[UUID]) -> str:
    name, field = draw(st.sampled_from(_names(catalogue)))
    operator = draw(st.sampled_from(OPERATORS[field.kind]))
    values = _values(field, ids)
    if "NULL" in operator:
        return f"{name} {operator}"
    if "LIKE" in operator:
        return f"{name} {operator} {draw(st.sampled_from([_quoted(pattern)[0] for pattern in PATTERNS]))}"
    if "IN" in operator:
        return f"{name} {operator.lower()} ({', '.join(draw(st.lists(values, min_size=1, max_size=4)))})"
    return f"{name} {operator} {draw(values)}"


def queries(ids: list[UUID], catalogue: Catalogue = EXPERIMENTS) -> st.SearchStrategy[str]:
    """Generate valid queries; `ids` are those that they may name."""

    def grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        joined = st.tuples(inner, st.sampled_from([" AND ", " or "]), inner).map("".join)
        return st.one_of(joined, inner.map("not {}".format), inner.map("({})".format))

    return st.recursive(_comparisons(catalogue, ids), grown, max_leaves=8)


PIECES = ("test_accuracy", "name", "tag", "tags.", "metrics.", "params.", "`a b`", "study", "created", "(", ")", "and",
          "OR", "not", "in", "like", "ilike", "is", "null", "=", "!=", "<", ">=", "==", "'x'", '"y"', "'", "1", "0.5",
          "1e999", "true", ",", " ", "\n", ".", "\\", "%", "\0", "\ud800", "é", "٣", "-", ";", "--", "' OR 1=1",
          "9" * 30, "`", "1e5x")  # fmt: skip


def texts() -> st.SearchStrategy[str]:
    """Generate texts that are mostly no queries."""
    joined: st.SearchStrategy[Any] = st.lists(st.sampled_from(PIECES), max_size=12).map(" ".join)
    return st.one_of(joined, st.lists(st.sampled_from(PIECES), max_size=8).map("".join), st.text(max_size=40))
