"""Bodies of requests and answers about API keys and sessions."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from service.access.keys import LIFETIME, LONGEST_KEY_NAME
from service.access.roles import Role
from service.api.schemas.base import View
from service.domain.text import Name, Text

Lifetime = Annotated[str, StringConstraints(pattern=LIFETIME)]


class KeyRequest(BaseModel):
    """The name, the role and the lifetime of a new key."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={"examples": [{"name": "ci", "role": "submitter", "expires": "90d"}]},
    )

    name: Annotated[Name, Field(min_length=1, max_length=LONGEST_KEY_NAME)] = Field(
        description="What it is for. No other key that is not revoked may have the name."
    )
    role: Role = Field(strict=False, description="viewer reads, submitter changes, admin makes keys.")
    expires: Lifetime | None = Field(None, description="Its lifetime in hours, days or weeks; null: no end.")


class KeyView(View):
    """An API key without its secret."""

    id: str
    name: str
    role: Role
    created_at: datetime
    created_by: str = Field(description="The id of the key that made it; `local` without keys, `console` by command.")
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None = Field(description="The time of its last use, at most a minute old.")


class NewKeyView(KeyView):
    """A key that was just made, with its secret, which is shown only now."""

    key: str = Field(description="The key. It cannot be read again.")


class KeysView(View):
    """The API keys, the newest first."""

    items: list[KeyView]


class PrincipalView(View):
    """The sender of the request."""

    id: str = Field(description="The id of the key; `local` while there are no keys.")
    name: str
    role: Role
    expires_at: datetime | None
    open: bool = Field(description="Whether there are no keys, so that nobody is asked for one.")


class SignIn(BaseModel):
    """A key to sign in with."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"key": f"actlab_{'k' * 8}_{'s' * 43}"}]})

    key: Annotated[Text, Field(max_length=200)]
