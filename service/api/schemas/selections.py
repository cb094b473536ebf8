"""Bodies of requests and answers about many experiments."""

from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from service.api.schemas.base import View
from service.api.schemas.filters import FilterQuery
from service.api.schemas.several import distinct
from service.domain.text import Tags
from service.storage.records.experiments import Filter

MOST_IDS = 1000


class ExperimentFilters(FilterQuery):
    """The filters of a list of experiments."""


class ExperimentSelection(BaseModel):
    """Experiments by their ids, or all that match filters, which are those of a list."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"filters": {"status": ["failed", "cancelled"], "tag": "baseline"}},
                {"ids": ["0198c1d2-7e51-7c44-9f3a-1b2c3d4e5f60"]},
            ]
        },
    )

    ids: Annotated[list[UUID], Field(max_length=MOST_IDS)] | None = Field(
        None, description="Only these experiments; ids of no experiment are passed over."
    )
    filters: ExperimentFilters | None = Field(None, description="All experiments that match; {} matches all there are.")

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if (self.ids is None) == (self.filters is None):
            raise PydanticCustomError("ids_or_filters", "Give either ids or filters")
        return self

    def filter_for(self, principal: str) -> Filter:
        """Return the filter of a request from a principal."""
        return Filter(ids=distinct(self.ids or [])) if self.filters is None else self.filters.filter_for(principal)


class TagSelection(ExperimentSelection):
    """Experiments, and the tags to add to them and to remove."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"filters": {"activation": "swish"}, "add": ["smooth"], "remove": ["new"]}]}
    )

    add: Tags = []
    remove: Tags = []

    @model_validator(mode="after")
    def _changes_tags(self) -> Self:
        if not (self.add or self.remove):
            raise PydanticCustomError("no_tags", "Give tags to add or to remove")
        if both := sorted(set(self.add) & set(self.remove)):
            raise PydanticCustomError("added_and_removed", "A tag is to be added and removed: {tag}", {"tag": both[0]})
        return self


class ArchiveSelection(ExperimentSelection):
    """Experiments, to archive or to restore."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"ids": ["0198c1d2-7e51-7c44-9f3a-1b2c3d4e5f60"]}]})

    archived: bool = Field(True, description="Whether to archive them; false restores them.")


class ExperimentCount(View):
    """The number of experiments that match, or that a request changed or would change."""

    count: int = Field(
        description="Experiments that the request applies to. Those that cannot be cancelled, deleted, retried or"
        " archived in their present status are passed over, and so are those that it would leave as they are, and"
        " deletions of what another study counts.",
        examples=[12],
    )
