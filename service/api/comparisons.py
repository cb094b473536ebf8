"""Routes of comparisons."""

import json
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from service.api import conditional
from service.api.dependencies import ReadSession
from service.api.experiments import NOT_FOUND, NOT_MODIFIED
from service.domain import factors
from service.domain.comparisons import Comparison, Factors, compare
from service.domain.errors import FieldProblem, Invalid, StudyNotFound
from service.domain.spec import DatasetName
from service.domain.text import Text
from service.storage import comparisons, studies
from service.storage.experiments import Filter

router = APIRouter(prefix="/comparisons", tags=["comparisons"])

MetricName = Literal["test_accuracy", "best_test_accuracy", "test_loss", "best_test_loss", "seconds"]


class ComparisonQuery(BaseModel):
    """Which experiments, grouped by what, compared in which figure."""

    model_config = ConfigDict(extra="forbid")

    study: UUID | None = None
    activation: Text | None = None
    dataset: DatasetName | None = None
    tag: Text | None = None
    group_by: list[str] = Field(
        [], description="Dotted spec paths; default: the study's factors, or activation.", examples=[["activation"]]
    )
    metric: MetricName = "test_accuracy"
    versus: Text | None = Field(
        None,
        description='Hold every group against this one: the value of the only factor, or JSON such as {"epochs": 3}.',
        examples=["relu"],
    )
    allow_mixed: bool = Field(False, description="Pool over device kinds, precisions and versions of the code.")

    @property
    def filter(self) -> Filter:
        return Filter(activation=self.activation, dataset=self.dataset, study=self.study, tag=self.tag)


@router.get("", responses=NOT_FOUND | NOT_MODIFIED, response_model=Comparison)
def get_comparison(request: Request, query: Annotated[ComparisonQuery, Query()], session: ReadSession) -> Response:
    """Groups side by side over their seeds: means with Student-t intervals, tests corrected for their number, ranks."""
    factors.check(query.group_by, "group_by")
    default = _study_factors(session, query.study) or ["activation"]
    group_by = query.group_by or default
    rows = comparisons.observations(session, query.filter, query.metric, group_by, allow_mixed=query.allow_mixed)
    versus = None if query.versus is None else _group(query.versus, group_by)
    return conditional.hashed(request, compare(rows, query.metric, versus))


def _study_factors(session: Session, study: UUID | None) -> list[str]:
    """What the study varies, as paths to group by."""
    if study is None:
        return []
    row = studies.find(session, study)
    if row is None:
        raise StudyNotFound(f"There is no study {study}.")
    return list(dict.fromkeys(map(factors.groupable, row.factors)))


def _group(text: str, group_by: list[str]) -> Factors:
    """`versus` as factors: a JSON object of them, or the value alone where there is one factor."""
    try:
        read: Any = json.loads(text)
    except (ValueError, RecursionError):
        read = text
    if isinstance(read, dict) and read.keys() <= set(group_by):
        return {path: factors.plain(value) for path, value in read.items()}
    if len(group_by) == 1:
        return {group_by[0]: factors.plain(read)}
    reason = f"With {len(group_by)} factors, give versus as a JSON object of factors and values"
    raise Invalid(f"{reason}.", errors=[FieldProblem("versus", reason, "not_a_group", text)])
