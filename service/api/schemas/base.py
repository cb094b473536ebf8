"""Models that other answers extend: a view of a record, and a page of a list."""

from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

T = TypeVar("T")


class View(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class Page(View, Generic[T]):
    items: list[T]
    next_cursor: str | None = Field(description="Give it as `cursor` to get the next page; null on the last one.")
