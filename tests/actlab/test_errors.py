"""The client's errors by the service's codes."""

from email.utils import formatdate
from time import time

import pytest

import actlab
from actlab import errors as client_errors
from actlab.errors import ApiError, Invalid, RateLimited, Unavailable, error_of
from service.domain import errors as service_errors


def subclasses(kind: type) -> set[type]:
    return {kind}.union(*map(subclasses, kind.__subclasses__()))


SENT = sorted(
    (kind for kind in subclasses(service_errors.ActLabError) if kind.__module__ == service_errors.__name__),
    key=lambda kind: kind.__name__,
)


@pytest.mark.parametrize("kind", SENT, ids=lambda kind: kind.__name__)
def test_error_of_the_service_has_the_class_of_its_name(kind: type[service_errors.ActLabError]) -> None:
    error = error_of(kind.status, {"detail": "no", "code": kind.code})
    names = [base.__name__ for base in kind.__mro__ if base.__name__ in vars(client_errors)]
    assert type(error).__name__ == (names[0] if names else "ApiError")
    assert (str(error), error.code) == ("no", kind.code)


def test_error_of_a_proxy_has_no_code() -> None:
    error = error_of(502, {})
    assert isinstance(error, Unavailable)
    assert (str(error), error.code, error.errors) == ("HTTP 502", "unknown", [])


def test_error_lists_wrong_fields() -> None:
    wrong = [{"pointer": "/epochs", "detail": "Should be at least 1", "code": "greater_than_equal"}]
    error = error_of(422, {"detail": "epochs: no", "code": "validation_error", "errors": wrong})
    assert isinstance(error, Invalid)
    assert error.errors == wrong


def test_error_reads_retry_after_as_seconds_and_as_a_date() -> None:
    limited = error_of(429, {}, "7")
    assert isinstance(limited, RateLimited)
    assert limited.retry_after == 7.0
    assert error_of(503, {}, formatdate(time() + 30, usegmt=True)).retry_after == pytest.approx(30, abs=5)
    assert error_of(503, {}, "soon").retry_after is None
    assert error_of(503, {}).retry_after is None


def test_package_exports_every_class_of_errors() -> None:
    kinds = {
        name
        for name, kind in vars(client_errors).items()
        if isinstance(kind, type) and kind.__module__ == client_errors.__name__
    }
    assert kinds <= set(actlab.__all__)
    assert issubclass(actlab.NotFound, ApiError)
