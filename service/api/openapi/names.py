"""Names of the components of the OpenAPI document."""

import re

from pydantic import BaseModel


def component_name(model: type[BaseModel]) -> str:
    """Return the name of a model's component: its title, which stays when the class is renamed.

    FastAPI writes the component of `Page[StudyView]` as `Page_StudyView_`.
    """
    title = model.model_config.get("title") or model.__name__
    return re.sub(r"[^\w.-]", "_", title)
