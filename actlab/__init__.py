"""Train and compare activation functions: the client of the service, and the `actlab` command.

>>> from actlab import Client
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from actlab.client import AsyncClient, Client
    from actlab.errors import (
        ApiError,
        BadRequest,
        Conflict,
        ExperimentsFailed,
        Forbidden,
        Gone,
        Invalid,
        MissingLibrary,
        NotFound,
        PreconditionFailed,
        RateLimited,
        Unauthorized,
        Unavailable,
        UnknownFormat,
        UnusableProxy,
        WaitTimeout,
    )
    from actlab.objects.activations import Activation, ActivationCurve, AsyncActivation
    from actlab.objects.comparisons import Comparison
    from actlab.objects.curves import AsyncCurves, Curves
    from actlab.objects.differences import Difference
    from actlab.objects.experiments import AsyncExperiment, Diagnostics, Experiment, Metrics, Result
    from actlab.objects.frames import Listing
    from actlab.objects.studies import AsyncStudy, Study, StudyPlan
    from actlab.watching import Event

__all__ = [
    "Activation",
    "ActivationCurve",
    "ApiError",
    "AsyncActivation",
    "AsyncClient",
    "AsyncCurves",
    "AsyncExperiment",
    "AsyncStudy",
    "BadRequest",
    "Client",
    "Comparison",
    "Conflict",
    "Curves",
    "Diagnostics",
    "Difference",
    "Event",
    "Experiment",
    "ExperimentsFailed",
    "Forbidden",
    "Gone",
    "Invalid",
    "Listing",
    "Metrics",
    "MissingLibrary",
    "NotFound",
    "PreconditionFailed",
    "RateLimited",
    "Result",
    "Study",
    "StudyPlan",
    "Unauthorized",
    "Unavailable",
    "UnknownFormat",
    "UnusableProxy",
    "WaitTimeout",
]

_MODULES = {
    "actlab.client": ("AsyncClient", "Client"),
    "actlab.watching": ("Event",),
    "actlab.objects.activations": ("Activation", "ActivationCurve", "AsyncActivation"),
    "actlab.objects.comparisons": ("Comparison",),
    "actlab.objects.curves": ("AsyncCurves", "Curves"),
    "actlab.objects.differences": ("Difference",),
    "actlab.objects.experiments": ("AsyncExperiment", "Diagnostics", "Experiment", "Metrics", "Result"),
    "actlab.objects.frames": ("Listing",),
    "actlab.objects.studies": ("AsyncStudy", "Study", "StudyPlan"),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import what a program asks for when it does, so that the command does not import the client."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULE_OF.get(name, "actlab.errors")), name)


def __dir__() -> list[str]:
    return __all__
