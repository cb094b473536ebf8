"""Bodies that name activations, read with the registry: a name becomes the formula that it stands for."""

from typing import Annotated, Any, TypeVar

from fastapi import Depends
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError, WrapValidator

from service.api.http.dependencies import ReadSession, WriteSession
from service.domain.activations.registry import REGISTRY
from service.domain.activations.selection import ActivationSpec, SpeltOutActivation
from service.domain.spec import ExperimentSubmission
from service.storage.records.activations import StoredRegistry

B = TypeVar("B", bound=BaseModel)

# FastAPI validates a body before a dependency can read the database. It only passes the JSON on, and documents it.
_AS_SENT = WrapValidator(lambda body, _: body)


def _submission(body: Annotated[ExperimentSubmission, _AS_SENT], session: WriteSession) -> ExperimentSubmission:
    return _read(ExperimentSubmission, body, StoredRegistry(session))


def _choice(body: Annotated[SpeltOutActivation, _AS_SENT], session: ReadSession) -> ActivationSpec:
    return _read(ActivationSpec, body, StoredRegistry(session, archived=True))


SubmissionDep = Annotated[ExperimentSubmission, Depends(_submission, scope="function")]
ChoiceDep = Annotated[ActivationSpec, Depends(_choice, scope="function")]


def _read(model: type[B], body: Any, registry: StoredRegistry) -> B:
    try:
        return model.model_validate(body, from_attributes=True, context={REGISTRY: registry})
    except ValidationError as error:
        errors = [{**details, "loc": ("body", *details["loc"])} for details in error.errors()]
        raise RequestValidationError(errors) from error
