"""Fixtures of the domain's tests."""

import pytest

from service.domain import spec
from tests.domain.later_spec import LaterSpec


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make LaterSpec the spec of this version, so that what ExperimentSpec stores is of an older one."""
    monkeypatch.setattr(spec, "ExperimentSpec", LaterSpec)
