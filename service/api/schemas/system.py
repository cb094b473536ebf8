"""Bodies of answers about the service itself."""

from importlib.metadata import version

from pydantic import Field

from service.api.schemas.base import View


class Health(View):
    """The health of the process."""

    status: str = Field(examples=["ok"])
    version: str = Field(examples=[version("actlab")])


class Readiness(View):
    """The state of everything that the service needs to do its work."""

    status: str = Field(examples=["ready"])
    database: str = Field(examples=["sqlite"])
    schema_revision: str = Field(examples=["0005"])
    disk_free_bytes: int = Field(examples=[52_428_800_000])
    disk_used_share: float = Field(examples=[0.42])
    workers_alive: int = Field(examples=[1])
