"""Many values of a group in one column: a row for each would cost more than the scan that finds them."""

from array import array
from typing import Any

from sqlalchemy import Dialect, LargeBinary
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import BigInteger, Double, TypeDecorator, TypeEngine


class _Packed(TypeDecorator[list[Any]]):
    """A list of numbers: an array on PostgreSQL, on SQLite the bytes that `Packing` makes."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, whole: bool) -> None:
        super().__init__()
        self.whole = whole

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "sqlite":
            return dialect.type_descriptor(LargeBinary())
        return dialect.type_descriptor(ARRAY(BigInteger() if self.whole else Double()))

    def process_result_value(self, value: Any, dialect: Dialect) -> list[Any]:
        if dialect.name != "sqlite":
            return list(value)
        return array("q" if self.whole else "d", value).tolist()


class packed(FunctionElement[list[Any]]):
    """All values of one column within a GROUP BY; two packed columns are in the same order."""

    inherit_cache = True
    name = "packed"

    def __init__(self, column: Any) -> None:
        super().__init__(column)
        self.type = _Packed(whole=isinstance(column.type, BigInteger))


class Packing:
    """SQLite's aggregate function `packed(value)`, of values that are not null."""

    def __init__(self) -> None:
        self.values: list[float] = []

    def step(self, value: float) -> None:
        self.values.append(value)

    def finalize(self) -> bytes:
        whole = bool(self.values) and isinstance(self.values[0], int)
        return array("q" if whole else "d", self.values).tobytes()


@compiles(packed, "sqlite")
def _packed_sqlite(element: Any, compiler: SQLCompiler, **kw: Any) -> str:
    return f"packed({compiler.process(element.clauses, **kw)})"


@compiles(packed, "postgresql")
def _packed_postgresql(element: Any, compiler: SQLCompiler, **kw: Any) -> str:
    return f"array_agg({compiler.process(element.clauses, **kw)})"
