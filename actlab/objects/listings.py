"""Lists of records, for both clients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Concatenate, TypeVar, cast

from actlab.flows import Flow, Json, Operation, P, Runner, operation
from actlab.objects.activations import Activation, ActivationBase, AsyncActivation
from actlab.objects.experiments import AsyncExperiment, Experiment, ExperimentBase
from actlab.objects.frames import Listing
from actlab.objects.studies import AsyncStudy, Study, StudyBase

K = TypeVar("K")


def listing(runner: Runner, kind: type[K], answers: Sequence[Json]) -> list[K]:
    """Return answers as records of a client."""
    return Listing(runner._new(kind, answer) for answer in answers)


def experiment_lists_of(
    flow: Callable[Concatenate[Any, P], Flow[list[ExperimentBase]]],
) -> Operation[P, Listing[Experiment], Listing[AsyncExperiment]]:
    """Make a method of a flow that returns experiments of its client."""
    return cast("Operation[P, Listing[Experiment], Listing[AsyncExperiment]]", operation(flow))


def study_lists_of(
    flow: Callable[Concatenate[Any, P], Flow[list[StudyBase]]],
) -> Operation[P, Listing[Study], Listing[AsyncStudy]]:
    """Make a method of a flow that returns studies of its client."""
    return cast("Operation[P, Listing[Study], Listing[AsyncStudy]]", operation(flow))


def activation_lists_of(
    flow: Callable[Concatenate[Any, P], Flow[list[ActivationBase]]],
) -> Operation[P, Listing[Activation], Listing[AsyncActivation]]:
    """Make a method of a flow that returns activations of its client."""
    return cast("Operation[P, Listing[Activation], Listing[AsyncActivation]]", operation(flow))
