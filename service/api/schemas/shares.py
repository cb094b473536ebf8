"""Bodies of requests and answers about share links."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from service.api.schemas.base import View
from service.api.schemas.keys import Lifetime


class ShareRequest(BaseModel):
    """The lifetime of a new link."""

    model_config = ConfigDict(extra="forbid", strict=True, json_schema_extra={"examples": [{"expires": "4w"}]})

    expires: Lifetime | None = Field("30d", description="Its lifetime in hours, days or weeks; null: no end.")


class ShareView(View):
    """A link to a read-only page of a study, without its token."""

    id: UUID
    study_id: UUID
    created_at: datetime
    created_by: str = Field(description="The id of the key that made it; `local` without keys.")
    expires_at: datetime | None
    revoked_at: datetime | None
    views: int = Field(description="The number of times that it was opened.")
    last_viewed_at: datetime | None


class NewShareView(ShareView):
    """A link that was just made, with its address, which is shown only now."""

    url: str = Field(description="The address of the page on this server. Whoever has it sees the page.")


class SharesView(View):
    """The links of a study, the newest first, with those that have ended."""

    items: list[ShareView]
