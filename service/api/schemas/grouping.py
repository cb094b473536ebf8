"""What comparisons and curves have in common: which experiments, and how they are grouped."""

import json
from dataclasses import replace
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from service.api.schemas.filters import FilterQuery
from service.domain import factors
from service.domain.comparisons.cells import Factors
from service.domain.errors import FieldProblem, Invalid, StudyNotFound
from service.domain.text import Name
from service.storage.changes import revisions
from service.storage.records.activations import Names
from service.storage.records.experiments import Filter
from service.storage.studies import records as studies
from service.storage.studies import tuning
from service.storage.tables.studies import Study

MOST_IDS = 500


class SetQuery(FilterQuery):
    """Which experiments: those of a study, those that filters leave, those with these ids, or what all of it leaves."""

    id: Annotated[list[UUID], Field(max_length=MOST_IDS)] = Field(
        [], description=f"Only these experiments; repeat it, {MOST_IDS} times at most."
    )

    @property
    def filter(self) -> Filter:
        return Filter(**{**vars(super().filter), "ids": tuple(self.id)})


Grid = Annotated[
    Name | None, Field(description="Of a study with several grids, only this one, by its name.", examples=["depth"])
]


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
    if study is not None:
        return of_study(session, study, None, asked)[0]
    factors.check(asked, "group_by")
    return asked or ["activation"]


def of_study(session: Session, study: UUID, grid: str | None, asked: list[str]) -> tuple[list[str], Filter]:
    """The paths to group a study by, or one grid of it, and which experiments that leaves."""
    factors.check(asked, "group_by")
    row = _found(session, study)
    spec = studies.spec_of(row)
    if grid is not None:
        spec = spec.grid(grid)
    paths = asked or list(dict.fromkeys(map(factors.groupable, spec.varied()))) or ["activation"]
    if grid is None:
        return paths, Filter(study=study)
    cells = tuning.with_rates(row, spec.cells(Names(session, row.activations, archived=True)))
    return paths, Filter(study=study, of_conditions=tuple(dict.fromkeys(each.spec.condition for each in cells)))


def revision(session: Session, narrowed: Filter) -> int:
    """A number that rises with every change of what these experiments are and gave. A study's own where only that
    narrows; else that of the newest change anywhere, for an experiment may also leave a set."""
    if narrowed.study is not None and replace(narrowed, of_conditions=None) == Filter(study=narrowed.study):
        found = studies.revision(session, narrowed.study)
        if found is None:
            raise StudyNotFound(f"There is no study {narrowed.study}.")
        return found
    return revisions.newest(session)


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


def _found(session: Session, study: UUID) -> Study:
    row = studies.find(session, study)
    if row is None:
        raise StudyNotFound(f"There is no study {study}.")
    return row
