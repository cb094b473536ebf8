"""Base models of answers: a view of a record, and a page of a list."""

from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

T = TypeVar("T")


class View(BaseModel):
    """An answer that can be read from the attributes of a record."""

    model_config = ConfigDict(from_attributes=True)


class Page(View, Generic[T]):
    """A page of a list."""

    items: list[T]
    next_cursor: str | None = Field(description="Send it as `cursor` to get the next page; null on the last page.")
