"""The base of models that clients post and that specs are made of."""

from pydantic import BaseModel, ConfigDict


class StrictModel(BaseModel):
    """An immutable model that refuses unknown fields, values of another type, infinity and NaN."""

    # Strict, since a number sent as text or a flag sent as 1 is a client's mistake that would otherwise go unnoticed.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)
