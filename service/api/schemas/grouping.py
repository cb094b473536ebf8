"""Query parameters of comparisons, curves and reports: the set of experiments and its grouping."""

import json
from dataclasses import replace
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from service.api.schemas.filters import FilterQuery
from service.api.schemas.several import distinct
from service.domain import factors
from service.domain.comparisons.cells import Factors
from service.domain.errors import FieldProblem, Invalid
from service.domain.text import Name
from service.storage.records.experiments import Filter

MOST_IDS = 500


class SetQuery(FilterQuery):
    """Filters and ids that select a set of experiments. An experiment must match all of them."""

    id: Annotated[list[UUID], Field(max_length=MOST_IDS)] = Field(
        [], description=f"Only these experiments; repeat it at most {MOST_IDS} times."
    )

    @property
    def filter(self) -> Filter:
        return replace(super().filter, ids=distinct(self.id) or None)


Grid = Annotated[
    Name | None, Field(description="The name of one grid, for a study with several grids.", examples=["depth"])
]


class GroupingQuery(BaseModel):
    """The grouping of a set of experiments."""

    model_config = ConfigDict(extra="forbid")

    group_by: list[str] = Field(
        [],
        description="Dotted spec paths to group by. Default: the study's factors, or activation.",
        examples=[["activation"]],
    )
    allow_mixed: bool = Field(
        False, description="Allow groups that mix kinds of device, precisions or versions of the code."
    )


def group_named(text: str, paths: list[str], parameter: str = "versus") -> Factors:
    """Return the factors that a text names: a JSON object of them, or the value alone of the only factor.

    Raises Invalid for the parameter if the text names no group.
    """
    try:
        value: Any = json.loads(text)
    except (ValueError, RecursionError):
        value = text
    if isinstance(value, dict) and value.keys() <= set(paths):
        return {path: factors.plain(level) for path, level in value.items()}
    if len(paths) == 1:
        return {paths[0]: factors.plain(value)}
    reason = f"With {len(paths)} factors, give {parameter} as a JSON object of factors and values"
    raise Invalid(f"{reason}.", errors=[FieldProblem(parameter, reason, "not_a_group", text)])
