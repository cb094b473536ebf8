"""The base of all parts of a spec."""

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    # Strict, since a number sent as text or a flag sent as 1 is a client's mistake that would otherwise go unnoticed.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)
