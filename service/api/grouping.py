"""What comparisons and curves have in common: which experiments, and how they are grouped."""

import json
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from service.api.filters import FilterQuery
from service.domain import factors
from service.domain.comparisons.cells import Factors
from service.domain.errors import FieldProblem, Invalid, StudyNotFound
from service.storage import changes, studies
from service.storage.experiments import Filter

MOST_IDS = 500


class SetQuery(FilterQuery):
    """Which experiments: those of a study, those that filters leave, those with these ids, or what all of it leaves."""

    id: Annotated[list[UUID], Field(max_length=MOST_IDS)] = Field(
        [], description=f"Only these experiments; repeat it, {MOST_IDS} times at most."
    )

    @property
    def filter(self) -> Filter:
        return Filter(**{**vars(super().filter), "ids": tuple(self.id)})


class GroupingQuery(BaseModel):
    """How to group them."""

    model_config = ConfigDict(extra="forbid")

    group_by: list[str] = Field(
        [], description="Dotted spec paths; default: the study's factors, or activation.", examples=[["activation"]]
    )
    allow_mixed: bool = Field(False, description="Pool over device kinds, precisions and versions of the code.")


def group_by(session: Session, asked: list[str], study: UUID | None) -> list[str]:
    """The paths to group by: those asked for, else what the study varies, else the activation. Invalid for a path that
    no spec has; StudyNotFound."""
    factors.check(asked, "group_by")
    return asked or _study_factors(session, study) or ["activation"]


def revision(session: Session, narrowed: Filter) -> int:
    """A number that rises with every change of what these experiments are and gave. A study's own where only that
    narrows; else that of the newest change anywhere, for an experiment may also leave a set."""
    if narrowed.study is not None and narrowed == Filter(study=narrowed.study):
        found = studies.revision(session, narrowed.study)
        if found is None:
            raise StudyNotFound(f"There is no study {narrowed.study}.")
        return found
    return changes.revision(session)


def group_named(text: str, paths: list[str], parameter: str = "versus") -> Factors:
    """A group as factors: a JSON object of them, or the value alone where there is one factor."""
    try:
        read: Any = json.loads(text)
    except (ValueError, RecursionError):
        read = text
    if isinstance(read, dict) and read.keys() <= set(paths):
        return {path: factors.plain(value) for path, value in read.items()}
    if len(paths) == 1:
        return {paths[0]: factors.plain(read)}
    reason = f"With {len(paths)} factors, give {parameter} as a JSON object of factors and values"
    raise Invalid(f"{reason}.", errors=[FieldProblem(parameter, reason, "not_a_group", text)])


def _study_factors(session: Session, study: UUID | None) -> list[str]:
    """What the study varies, as paths to group by."""
    if study is None:
        return []
    row = studies.find(session, study)
    if row is None:
        raise StudyNotFound(f"There is no study {study}.")
    return list(dict.fromkeys(map(factors.groupable, row.factors)))
