"""The differences between two experiments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from actlab.objects.frames import Frames, Row, flat

FIGURES = (
    "status", "epochs_done", "test_accuracy", "test_loss", "best_epoch", "best_test_accuracy", "best_test_loss",
    "validation_accuracy", "validation_loss", "best_validation_accuracy", "best_validation_loss", "early_loss",
    "seconds", "images_per_second",
)  # fmt: skip
"""The fields of experiments that are outcomes."""


class Difference(dict[str, tuple[Any, Any]], Frames):
    """The fields in which two experiments differ, each with both values; None where one has no such field.

    Fields of the spec are written as `spec.optimizer.learning_rate`.
    """

    def __repr__(self) -> str:
        if not self:
            return "No differences."
        cells = [(name, _text(a), _text(b)) for name, (a, b) in self.items()]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in cells)

    def _repr_html_(self) -> str:
        from actlab.objects.html import table

        return table(self._rows())

    def _rows(self) -> list[Row]:
        return [{"field": name, "a": _text(a), "b": _text(b)} for name, (a, b) in self.items()]


def difference(a: Mapping[str, Any], b: Mapping[str, Any]) -> Difference:
    """Return the fields of the specs, and then the figures, in which two experiments differ."""
    first, second = _compared(a), _compared(b)
    names = sorted(first.keys() | second.keys(), key=lambda name: (not name.startswith("spec."), *_place(name, first)))
    return Difference(
        {name: (first.get(name), second.get(name)) for name in names if first.get(name) != second.get(name)}
    )


def _compared(experiment: Mapping[str, Any]) -> Row:
    return flat(experiment["spec"], "spec.") | {name: experiment.get(name) for name in FIGURES}


def _place(name: str, row: Row) -> tuple[int, str]:
    names = list(row)
    return (names.index(name), "") if name in row else (len(names), name)


def _text(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
