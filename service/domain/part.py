"""What every part of a spec has in common."""

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    # strict: a number given as text or a flag given as 1 is a mistake of the client's that would otherwise hide.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)
