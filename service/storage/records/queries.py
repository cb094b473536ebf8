"""Queries as SQL: the columns that their fields stand for, and their values as bound parameters.

A NOT is moved inwards to the comparisons, where it becomes the opposite operator, so that an index serves it too.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, and_, false, func, or_, select, true
from sqlalchemy.orm import aliased

from service.domain.query.conditions import AllOf, AnyOf, Condition, Never, Not, Operator, Query, Term, Value
from service.domain.query.fields import SPEC, Kind
from service.domain.spec import ExperimentSpec, added_fields
from service.storage.engine.patterns import ilike, like
from service.storage.records.membership import is_any_of, is_of_any_study, of_studies
from service.storage.tables.epochs import Epoch
from service.storage.tables.experiments import Experiment, Tag

OPPOSITE: Mapping[Operator, Operator] = {
    "=": "!=", "!=": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">", "IN": "NOT IN", "NOT IN": "IN",
    "LIKE": "NOT LIKE", "NOT LIKE": "LIKE", "ILIKE": "NOT ILIKE", "NOT ILIKE": "ILIKE",
    "IS NULL": "IS NOT NULL", "IS NOT NULL": "IS NULL",
}  # fmt: skip


@dataclass(frozen=True)
class Members:
    """A field that is a set of values: `has` is the condition that it has one that an operator and values describe."""

    has: Callable[[Operator, Sequence[Value]], ColumnElement[bool]]

    def condition(self, term: Term) -> ColumnElement[bool]:
        """Return a condition on the set: `!=`, NOT IN and NOT LIKE ask that no member is so, IS NULL that none is."""
        lacks = term.operator in ("!=", "NOT IN", "NOT LIKE", "NOT ILIKE", "IS NULL")
        found = self.has(OPPOSITE[term.operator] if lacks else term.operator, term.values)
        return ~found if lacks else found


Columns: TypeAlias = Mapping[str, tuple[Any, ...] | Members]
"""The columns of each field; a comparison must hold for all of a field's columns."""


def condition(query: Query, columns: Columns) -> ColumnElement[bool]:
    """Return the condition that a record meets a query."""
    return _condition(query.condition, columns, holds=True)


def _condition(node: Condition, columns: Columns, *, holds: bool) -> ColumnElement[bool]:
    """Return the condition that a node holds, or that it does not."""
    match node:
        case Term():
            return _term(node, columns, holds=holds)
        case Not(inner):
            return _condition(inner, columns, holds=not holds)
        case Never():
            return false() if holds else true()
        case AllOf(parts) | AnyOf(parts):
            join = and_ if isinstance(node, AllOf) == holds else or_
            return join(*(_condition(part, columns, holds=holds) for part in parts))


def _term(term: Term, columns: Columns, *, holds: bool) -> ColumnElement[bool]:
    place = columns[term.field]
    if isinstance(place, Members):
        found = place.condition(term)
        return found if holds else ~found
    if holds:
        return and_(*(compared(column, term.operator, term.values) for column in place))
    return or_(*(_not(column, term) for column in place))


def _not(column: ColumnElement[Any], term: Term) -> ColumnElement[bool]:
    """Return the condition that a comparison does not hold: a field without a value meets none but IS NULL."""
    opposite = compared(column, OPPOSITE[term.operator], term.values)
    return opposite if "NULL" in term.operator else or_(column.is_(None), opposite)


_COMPARISONS: Mapping[Operator, Callable[[Any, list[Any]], Any]] = {
    "=": lambda column, values: column == values[0],
    "!=": lambda column, values: column != values[0],
    "<": lambda column, values: column < values[0],
    "<=": lambda column, values: column <= values[0],
    ">": lambda column, values: column > values[0],
    ">=": lambda column, values: column >= values[0],
    "IN": is_any_of,
    "NOT IN": lambda column, values: column.not_in(values),
    "LIKE": lambda column, values: like(column, values[0]),
    "NOT LIKE": lambda column, values: ~like(column, values[0]),
    "ILIKE": lambda column, values: ilike(column, values[0]),
    "NOT ILIKE": lambda column, values: ~ilike(column, values[0]),
    "IS NULL": lambda column, values: column.is_(None),
    "IS NOT NULL": lambda column, values: column.is_not(None),
}


def compared(column: ColumnElement[Any], operator: Operator, values: Sequence[Value]) -> ColumnElement[bool]:
    """Return the comparison of a column; of one without a value it is null or false."""
    # SQLAlchemy binds a float as one whatever the type of the column, so that no integer is too large for it.
    comparison: ColumnElement[bool] = _COMPARISONS[operator](column, list(values))
    return comparison


def labels(owner: Any, tag: Any, of: Any) -> Members:
    """Return the tags of records: `owner` is the id of the record, `tag` and `of` are the columns of the tag."""

    def has(operator: Operator, values: Sequence[Value]) -> ColumnElement[bool]:
        rows = select(of)
        found: ColumnElement[bool] = owner.in_(
            rows if operator == "IS NOT NULL" else rows.where(compared(tag, operator, values))
        )
        return found

    return Members(has)


def _has_study(operator: Operator, values: Sequence[Any]) -> ColumnElement[bool]:
    return is_of_any_study() if operator == "IS NOT NULL" else Experiment.id.in_(of_studies(values))


def _of_newest_epoch(name: str) -> ColumnElement[Any]:
    epoch = aliased(Epoch)
    newest = (epoch.experiment_id == Experiment.id, epoch.epoch == Experiment.epochs_done)
    return select(getattr(epoch, name)).where(*newest).correlate(Experiment).scalar_subquery()


def _of_spec(path: str, kind: Kind) -> ColumnElement[Any]:
    """Return the value at a dotted path of the spec; that of an older spec which lacks the field is the default."""
    item = Experiment.spec[tuple(path.split("."))]
    value: ColumnElement[Any] = {"number": item.as_float, "boolean": item.as_boolean}.get(kind, item.as_string)()
    default = added_fields(ExperimentSpec).get(path)
    value = value if default is None else func.coalesce(value, default)
    return func.replace(value, " ", "") if kind == "list" else value


_COPIES: Columns = {
    "activation": (Experiment.activation,),
    "dataset": (Experiment.dataset,),
    "seed": (Experiment.seed,),
    "epochs": (Experiment.epochs,),
    "batch_size": (Experiment.batch_size,),
    "dropout": (Experiment.dropout_conv, Experiment.dropout_dense),
    "dropout.conv": (Experiment.dropout_conv,),
    "dropout.dense": (Experiment.dropout_dense,),
    "optimizer.learning_rate": (Experiment.learning_rate,),
}
"""Of the spec, the fields that have a column of their own."""

_OWN = ("id", "name", "notes", "status", "cause", "detail", "priority", "attempt", "epochs_done", "images_per_second",
        "device", "device_name", "threads", "code", "retry_of", "cancel_requested", "test_accuracy", "test_loss",
        "best_epoch", "best_test_accuracy", "best_test_loss", "validation_accuracy", "validation_loss",
        "best_validation_accuracy", "best_validation_loss", "seconds", "early_loss")  # fmt: skip

EXPERIMENTS: Columns = {
    **{name: (getattr(Experiment, name),) for name in _OWN},
    **{path: (_of_spec(path, field.kind),) for path, field in SPEC.items()},
    **_COPIES,
    **{name: (_of_newest_epoch(name),) for name in ("train_loss", "train_accuracy", "l2")},
    "tag": labels(Experiment.id, Tag.tag, Tag.experiment_id),
    "study": Members(_has_study),
    "trained_precision": (Experiment.precision,),
    "created_by": (Experiment.principal,),
    "created": (Experiment.created_at,),
    "started": (Experiment.started_at,),
    "finished": (Experiment.finished_at,),
    "archived": (Experiment.archived_at.is_not(None),),
}
