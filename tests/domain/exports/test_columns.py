"""The columns of exports, derived from models."""

from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from service.domain.exports.columns import SHEETS, SPEC, kind_of
from service.domain.spec import ExperimentSpec, fields_of


@pytest.mark.parametrize(
    ("annotation", "kind"),
    [
        (str, "text"),
        (Literal["max", "avg"], "text"),
        (int | None, "integer"),
        (Annotated[float, Field(ge=0)] | None, "real"),
        (bool, "boolean"),
        (list[str], "texts"),
        (list[Annotated[int, Field(ge=1)]] | None, "integers"),
        (dict[str, float | None], "object"),
    ],
)
def test_kind_of_reads_the_type_of_a_field(annotation: Any, kind: str) -> None:
    assert kind_of(annotation) == kind


@pytest.mark.parametrize("annotation", [bytes, list[float], BaseModel])
def test_kind_of_refuses_a_type_that_no_column_holds(annotation: Any) -> None:
    with pytest.raises(TypeError, match="no column"):
        kind_of(annotation)


def test_spec_columns_follow_the_fields_of_the_spec() -> None:
    paths = [path for path, _ in fields_of(ExperimentSpec)]
    leaves = [path for path in paths if not any(other.startswith(f"{path}.") for other in paths)]
    names = [path.replace(".", "_") for path in leaves]
    assert [column.name for column in SPEC] == ["activation", "activation_spec", *names[1:]]


def test_meaning_of_a_choice_lists_its_values() -> None:
    (pool,) = (column for column in SPEC if column.name == "model_pool")
    assert pool.meaning.endswith(": `max` or `avg`.")


@pytest.mark.parametrize("rows", SHEETS)
def test_columns_of_a_row_have_distinct_names_and_a_meaning(rows: Any) -> None:
    columns = SHEETS[rows]
    assert len({column.name for column in columns}) == len(columns)
    assert all(column.meaning.endswith(".") for column in columns)
