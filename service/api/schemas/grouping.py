"""Query parameters of comparisons, curves and reports: the set of experiments and its grouping."""

from dataclasses import replace
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from service.api.schemas.filters import FilterQuery
from service.api.schemas.several import distinct
from service.domain.text import Name, Text
from service.storage.records.experiments import Filter

MOST_IDS = 500


class SetQuery(FilterQuery):
    """Filters and ids that select a set of experiments. An experiment must match all of them."""

    id: Annotated[list[UUID], Field(max_length=MOST_IDS)] = Field(
        [], description=f"Only these experiments; repeat it at most {MOST_IDS} times."
    )

    def filter_for(self, principal: str) -> Filter:
        return replace(super().filter_for(principal), ids=distinct(self.id) or None)


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


Versus = Annotated[
    Text | None,
    Field(
        description='Compare every group with this one: the value of the only factor, or JSON such as {"epochs": 3};'
        " `all` compares all pairs. Default: the reference of the study, or all pairs where it has none.",
        examples=["relu"],
    ),
]

Margin = Annotated[
    float | None,
    Field(
        ge=0,
        le=1,
        description="The largest difference that does not matter: of accuracies, 0.005 unless given; of losses, times"
        " and the pace as a share, 0.05 unless given. 0: no margin, and no pair is equivalent.",
        examples=[0.005],
    ),
]
