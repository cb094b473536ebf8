"""Mean curves of groups of experiments over epochs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Concatenate, cast

from actlab.flows import Call, Flow, Json, Operation, P, Runner, operation
from actlab.objects import fields
from actlab.objects.frames import Frames, Row
from actlab.objects.record import AsyncRecord, SyncRecord

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LISTS = ("mean", "low", "high", "n", "n_non_finite", "seconds")
"""The fields of a curve that have an entry for each epoch."""


class CurvesBase(fields.CurvesFields, Frames):
    """The fields and methods of curves, for both clients."""

    _call: Call | None

    def __init__(
        self,
        answer: Mapping[str, Any] | Iterable[tuple[str, Any]] = (),
        client: Runner | None = None,
        call: Call | None = None,
    ) -> None:
        super().__init__(answer, client)
        self._call = call

    @operation
    def plot(self, ax: Axes | None = None, *, reference: str | None = None) -> Flow[Axes]:
        """Draw the mean of each group over epochs, with a band of its Student-t 95% interval over seeds.

        `reference` adds the curves that an article published, dashed: `kizrak-2019`. Returns the axes, new ones without
        `ax`. Raises MissingLibrary without matplotlib.

        >>> axes = study.curves("validation_accuracy").plot(reference="kizrak-2019")
        >>> axes.get_xlabel()
        'epoch'
        """
        published = self.get("reference")
        if reference is not None and (published is None or published["name"] != reference):
            published = yield from self._published(reference)
        from actlab.objects.plots import curves_plot

        return curves_plot(self, published if reference is not None else None, ax)

    def _published(self, name: str) -> Flow[Json]:
        """Ask for the published curves of this figure."""
        if self._call is None:
            raise RuntimeError(f"These curves are a copy: read them anew, with reference={name!r}.")
        answer = yield Call("GET", self._call.path, {**self._call.query, "reference": name})
        reference: Json = answer["reference"]
        return reference

    def __repr__(self) -> str:
        return f"<Curves of {self.title.lower()}: {len(self.groups)} groups>"

    def _repr_html_(self) -> str:
        from actlab.objects.html import table

        return table(self._rows(), f"{self.title} ({self.unit})")

    def _rows(self) -> list[Row]:
        return [
            {
                **group["factors"],
                "epoch": epoch,
                **{name: (group[name] or [None] * len(group["epochs"]))[place] for name in LISTS},
                **{f"seed_{seed}": values[place] for seed, values in (group.get("seeds") or {}).items()},
            }
            for group in self["groups"]
            for place, epoch in enumerate(group["epochs"])
        ]


class Curves(CurvesBase, SyncRecord):
    """The mean curves of groups over epochs, with intervals. Its frames have a row for each group and epoch."""


class AsyncCurves(CurvesBase, AsyncRecord):
    """The mean curves of groups over epochs; `plot` is awaited, since it may ask for published curves."""


def curves_of(flow: Callable[Concatenate[Any, P], Flow[CurvesBase]]) -> Operation[P, Curves, AsyncCurves]:
    """Make a method of a flow that returns curves of its client."""
    return cast("Operation[P, Curves, AsyncCurves]", operation(flow))


def read_curves(runner: Runner, path: str, query: Json) -> Flow[CurvesBase]:
    """Read the curves at a path for a client or a record."""
    call = Call("GET", path, query)
    curves = runner._new(CurvesBase, (yield call))
    curves._call = call
    return curves
