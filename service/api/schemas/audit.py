"""The query and the answers of the audit."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from service.api.schemas.base import View
from service.api.schemas.several import Several, distinct
from service.domain.text import Text
from service.storage.records import audit


class AuditView(View):
    """A change: who made it, when and from where."""

    id: UUID
    at: datetime
    principal: str = Field(description="The id of the key; `local` without keys, `console` by command.")
    name: str = Field(description="The name of the key at that time.")
    action: str = Field(description="The id of the operation.")
    path: str | None = Field(description="The path of the request; null for a command.")
    address: str | None = Field(description="The address of the client, as a trusted proxy names it.")
    details: dict[str, Any] = Field(description="What the path does not say, such as the location of what was created.")


class AuditQuery(BaseModel):
    """The filters and the page of the audit."""

    model_config = ConfigDict(extra="forbid")

    principal: Several[Text] = Field([], description="Only changes by the key with this id.")
    action: Several[Text] = Field([], description="Only this operation, such as `cancel_study`.")
    at_min: AwareDatetime | None = Field(None, description="The earliest time, with a time zone.")
    at_max: AwareDatetime | None = Field(None, description="The latest time, with a time zone.")
    limit: int = Field(50, ge=1, le=500, description="The most items on one page.")
    cursor: Text | None = Field(None, description="The `next_cursor` of the page before; the filters must be the same.")

    @property
    def filter(self) -> audit.Filter:
        return audit.Filter(distinct(self.principal), distinct(self.action), self.at_min, self.at_max)
