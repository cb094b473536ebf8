"""Activation functions: those of the catalogue and registered formulas."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Concatenate, cast

from actlab.flows import Call, Flow, Json, Operation, P, operation
from actlab.objects import fields
from actlab.objects.frames import Frames, Row, flat
from actlab.objects.record import AsyncRecord, SyncRecord

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class ActivationCurve(fields.ActivationCurveFields, Frames):
    """Points of the graph of a function and of its derivative. Its frames have a row for each point."""

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the function and its derivative. Raises MissingLibrary without matplotlib."""
        from actlab.objects.plots import activation_plot

        return activation_plot(self, ax)

    def __repr__(self) -> str:
        return f"<ActivationCurve of {len(self.x)} points>"

    def _rows(self) -> list[Row]:
        return [{"x": x, "y": y, "dy": dy} for x, y, dy in zip(self.x, self.y, self.dy, strict=True)]


def activations_of(
    flow: Callable[Concatenate[Any, P], Flow[ActivationBase]],
) -> Operation[P, Activation, AsyncActivation]:
    """Make a method of a flow that returns an activation of its client."""
    return cast("Operation[P, Activation, AsyncActivation]", operation(flow))


def activation_in(runner: Any, answer: Json) -> ActivationBase:
    """Return an answer as an activation of a client or a record."""
    activation: ActivationBase = runner._new(ActivationBase, answer)
    return activation


def reading(name: str, version: int | None) -> Call:
    return Call("GET", f"/activations/{name}", {"version": version})


def read_curve(name: str, version: int | None, query: Json) -> Flow[ActivationCurve]:
    return ActivationCurve((yield Call("GET", f"/activations/{name}/curve", {"version": version, **query})))


class ActivationBase(fields.ActivationFields, Frames):
    """The fields and methods of an activation, for both clients."""

    @activations_of
    def refresh(self) -> Flow[ActivationBase]:
        """Read the activation again, in this version, and return it with its new fields."""
        return self._replace((yield reading(self.name, self.version)))

    @operation
    def curve(self, /, **query: Any) -> Flow[ActivationCurve]:
        """Read points of the graph; `query` takes points, parameters (JSON text) and `**{"from": -1, "to": 1}`.

        >>> client.activation("relu").curve(points=3, **{"from": -1, "to": 1}).y
        [0.0, 0.0, 1.0]
        """
        return read_curve(self.name, self.version, query)

    @operation
    def plot(self, ax: Axes | None = None) -> Flow[Axes]:
        """Draw the function and its derivative from -6 to 6. Raises MissingLibrary without matplotlib.

        >>> client.activation("swish").plot().get_title()
        'swish'
        """
        curve = yield from read_curve(self.name, self.version, {})
        axes = curve.plot(ax)
        axes.set_title(self.name)
        return axes

    def __repr__(self) -> str:
        return f"<Activation {self.name}: {self.formula}>"

    def _repr_html_(self) -> str:
        from actlab.objects.html import table

        shown = {name: value for name, value in flat(self).items() if value is not None}
        return table([{"field": name, "value": value} for name, value in shown.items()])

    def _rows(self) -> list[Row]:
        return [flat(self)]


class Activation(ActivationBase, SyncRecord):
    """A function of the catalogue, or a version of a registered formula. It is a dict, whose fields are attributes too.

    >>> client.activation("relu")
    <Activation relu: where(x > 0, x, 0)>
    """


class AsyncActivation(ActivationBase, AsyncRecord):
    """An activation, whose methods that ask the service are awaited."""
