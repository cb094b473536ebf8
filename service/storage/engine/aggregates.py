"""The aggregate `packed`: all values of a group in one column, because a row each would cost more than the scan."""

import sys
from array import array
from typing import Any

from sqlalchemy import Dialect, LargeBinary
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import BigInteger, TypeDecorator


class _Packed(TypeDecorator[list[Any]]):
    """A list of numbers sent as bytes: written as digits they would take PostgreSQL as long as finding them."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, whole: bool) -> None:
        super().__init__()
        self.whole = whole

    def process_result_value(self, value: Any, dialect: Dialect) -> list[Any]:
        numbers = array("q" if self.whole else "d", value)
        if dialect.name == "postgresql" and sys.byteorder == "little":  # there they come in network byte order
            numbers.byteswap()
        return numbers.tolist()


class packed(FunctionElement[list[Any]]):
    """The values of a column within a group. Two packed columns of one query are in the same order."""

    inherit_cache = True
    name = "packed"

    def __init__(self, column: Any) -> None:
        super().__init__(column)
        self.type = _Packed(whole=isinstance(column.type, BigInteger))


class Packing(list[float]):
    """The implementation of `packed(value)` in SQLite, for values that are not null."""

    step = list.append  # without a frame of Python's for each value, which would take as long as the scan

    def finalize(self) -> bytes:
        whole = bool(self) and isinstance(self[0], int)
        return array("q" if whole else "d", self).tobytes()


@compiles(packed, "sqlite")
def _packed_sqlite(element: Any, compiler: SQLCompiler, **kw: Any) -> str:
    return f"packed({compiler.process(element.clauses, **kw)})"


@compiles(packed, "postgresql")
def _packed_postgresql(element: Any, compiler: SQLCompiler, **kw: Any) -> str:
    send = "int8send" if element.type.whole else "float8send"
    return f"string_agg({send}({compiler.process(element.clauses, **kw)}), '')"
