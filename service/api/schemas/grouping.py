"""Query parameters that comparisons and curves share: which experiments, and how they are grouped."""

import json
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from service.api.schemas.filters import FilterQuery
from service.domain import factors
from service.domain.comparisons.cells import Factors
from service.domain.errors import FieldProblem, Invalid
from service.domain.text import Name
from service.storage.records.experiments import Filter

MOST_IDS = 500


class SetQuery(FilterQuery):
    """Which experiments: those of a study, those that filters leave, those with these ids, or what all of it leaves."""

    id: Annotated[list[UUID], Field(max_length=MOST_IDS)] = Field(
        [], description=f"Only these experiments; repeat it, {MOST_IDS} times at most."
    )

    @property
    def filter(self) -> Filter:
        return Filter(**{**vars(super().filter), "ids": tuple(self.id)})


Grid = Annotated[
    Name | None, Field(description="Of a study with several grids, only this one, by its name.", examples=["depth"])
]


class GroupingQuery(BaseModel):
    """How to group them."""

    model_config = ConfigDict(extra="forbid")

    group_by: list[str] = Field(
        [], description="Dotted spec paths; default: the study's factors, or activation.", examples=[["activation"]]
    )
    allow_mixed: bool = Field(False, description="Pool over device kinds, precisions and versions of the code.")


def group_named(text: str, paths: list[str], parameter: str = "versus") -> Factors:
    """A group as factors: a JSON object of them, or the value alone where there is one factor."""
    try:
        read: Any = json.loads(text)
    except (ValueError, RecursionError):
        read = text
    if isinstance(read, dict) and read.keys() <= set(paths):
        return {path: factors.plain(value) for path, value in read.items()}
    if len(paths) == 1:
        return {paths[0]: factors.plain(read)}
    reason = f"With {len(paths)} factors, give {parameter} as a JSON object of factors and values"
    raise Invalid(f"{reason}.", errors=[FieldProblem(parameter, reason, "not_a_group", text)])
