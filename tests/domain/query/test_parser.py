"""Reading queries: trees, names, values, limits and errors."""

from datetime import UTC, datetime

import pytest
from hypothesis import given

from service.domain.query.__main__ import tables
from service.domain.query.conditions import AllOf, AnyOf, Condition, Never, Not, Term
from service.domain.query.errors import QueryError
from service.domain.query.fields import EXPERIMENTS, STUDIES
from service.domain.query.grammar import DEEPEST, LONGEST_QUERY, MOST_TERMS
from service.domain.query.parser import parse
from tests.conftest import ROOT
from tests.domain.query.generating import texts

A, B, C = (Term("seed", "=", (value,)) for value in (1.0, 2.0, 3.0))


def read(text: str, *, lenient: bool = False) -> Condition:
    return parse(text, EXPERIMENTS, lenient=lenient).condition


def error(text: str, *, lenient: bool = False) -> QueryError:
    with pytest.raises(QueryError) as caught:
        parse(text, EXPERIMENTS, lenient=lenient)
    return caught.value


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("seed = 1 AND seed = 2 or seed = 3", AnyOf((AllOf((A, B)), C))),
        ("seed = 1 and (seed = 2 OR seed = 3)", AllOf((A, AnyOf((B, C))))),
        ("NOT seed = 1 AND seed = 2", AllOf((Not(A), B))),
        ("not (seed = 1 and not seed = 2)", Not(AllOf((A, Not(B))))),
        ("(((seed = 1)))", A),
    ],
    ids=["and binds before or", "parentheses", "not binds before and", "nested", "needless parentheses"],
)
def test_parse_nests_conditions_by_precedence(text: str, tree: Condition) -> None:
    assert read(text) == tree


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("metrics.test_accuracy > 0.9", Term("test_accuracy", ">", (0.9,))),
        ("metric.`test_accuracy`>=.5", Term("test_accuracy", ">=", (0.5,))),
        ("params.optimizer.learning_rate = '0.001'", Term("optimizer.learning_rate", "=", (0.001,))),
        ("parameter.\"dropout.conv\" != 1e-1", Term("dropout.conv", "!=", (0.1,))),
        ("attributes.status = 'FINISHED'", Term("status", "=", ("succeeded",))),
        ("status in ('queued', \"Running\")", Term("status", "IN", ("queued", "running"))),
        ("run.run_name not   LIKE '%it''s%'", Term("name", "NOT LIKE", ("%it's%",))),
        ("started_at > '2026-01-31'", Term("started", ">", (datetime(2026, 1, 31, tzinfo=UTC),))),
        ("end_time < 1000.5", Term("finished", "<", (datetime(1970, 1, 1, 0, 0, 1, 500, tzinfo=UTC),))),
        ("created = '2026-01-31T12:00:00+02:00'", Term("created", "=", (datetime(2026, 1, 31, 10, tzinfo=UTC),))),
        ("model.batch_norm = 'False'", Term("model.batch_norm", "=", (False,))),
        ("classes = '[1, 2]'", Term("classes", "=", ("[1,2]",))),
        ("cause IS  NOT null", Term("cause", "IS NOT NULL")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_parse_reads_names_and_values_of_each_kind(text: str, term: Term) -> None:
    assert read(text) == term


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("tags.x = 'true'", Term("tag", "=", ("x",))),
        ("tags.`a b` LIKE '%ru%'", Term("tag", "=", ("a b",))),
        ("tag.x IS NULL", Not(Term("tag", "=", ("x",)))),
        ("tags.x != 'true'", Never()),
        ("tags.x NOT ILIKE 'TRUE'", Never()),
        ("tags.x = 'false'", Never()),
    ],
)
def test_parse_takes_a_tag_for_a_key_with_the_value_true(text: str, tree: Condition) -> None:
    assert read(text) == tree


def test_parse_lenient_lets_unknown_metrics_and_parameters_match_nothing() -> None:
    assert read("metrics.auc > 0.5 or params.x IS NULL", lenient=True) == AnyOf((Never(), Never()))
    assert error("metrics.auc > 0.5").code == error("attributes.x = 1", lenient=True).code == "query_field"


ERRORS = {
    "test_acuracy > 0.9": (1, "did you mean test_accuracy"),
    "seed = 1 AND metrics.test_los < 1": (14, "did you mean metrics.test_loss"),
    "seed == 1": (6, "= to compare"),
    "seed <> 1": (6, "!="),
    "seed=1 && seed=2": (8, "AND"),
    "activation = relu": (14, "quoted, as in 'relu'"),
    "name = 'x": (8, "second quotation mark"),
    "seed BETWEEN 1 AND 2": (6, "x >= a AND x <= b"),
    "name LIKE 3": (11, "pattern in quotes"),
    "seed IN 3": (9, "'('"),
    "seed IN (3": (11, "',' or ')'"),
    "(seed = 1": (10, "')'"),
    "seed = 1)": (9, "the end"),
    "seed = 1 name = 'x'": (10, "AND, OR"),
    "seed = 1 AND ": (13, "a field"),
    "": (1, "a field"),
    "seed": (5, "an operator"),
    "seed = 1e5x": (8, "a value"),
    "seed = 'x'": (8, "a number"),
    "seed = 1e999": (8, "a number"),
    "created > 'soon'": (11, "'2026-01-31'"),
    "created > 1e300": (11, "a time"),
    "status = 'done'": (10, "queued, running, succeeded"),
    "model.batch_norm = 1": (20, "true or false"),
    "id = 'x'": (6, "a UUID"),
    "name = 3": (8, "quote it, as in '3'"),
    "name > 'x'": (6, "LIKE"),
    "seed LIKE '1%'": (6, "which has no LIKE"),
    "tag < 'x'": (5, "which has no <"),
    "name = 'a\0b'": (8, "control characters"),
    "name = '\ud800'": (8, "surrogate"),
    "tags.x = true": (10, "'true'"),
}


@pytest.mark.parametrize("text", ERRORS, ids=lambda text: ascii(text))
def test_parse_error_has_the_column_and_a_remedy(text: str) -> None:
    column, remedy = ERRORS[text]
    wrong = error(text)
    assert wrong.column == column
    assert remedy in wrong.reason


def test_parse_limits_length_terms_and_depth() -> None:
    depth, terms = DEEPEST, " AND ".join(["seed = 1"] * MOST_TERMS)
    assert read("(" * depth + "seed = 1" + ")" * depth) == A
    assert isinstance(read(terms), AllOf)
    assert error("(" * (depth + 1) + "seed = 1" + ")" * (depth + 1)).code == "query_too_deep"
    assert error("NOT " * (depth + 1) + "seed = 1").code == "query_too_deep"
    assert error("not" + " not" * 990 + " seed = 1").code == "query_too_deep"
    assert error(f"{terms} OR seed = 1").code == "query_too_long"
    assert read("seed = 1".ljust(LONGEST_QUERY)) == A
    assert error("seed = 1".ljust(LONGEST_QUERY + 1)).column == LONGEST_QUERY + 1


@given(texts())
def test_parse_of_any_text_gives_a_query_or_an_error_within_it(text: str) -> None:
    for catalogue in (EXPERIMENTS, STUDIES):
        try:
            parse(text, catalogue)
            column = 1
        except QueryError as wrong:
            column = wrong.column
        assert 1 <= column <= len(text) + 1


def test_tables_of_fields_are_in_the_guide() -> None:
    assert tables() in (ROOT / "docs" / "query.md").read_text()
