"""Hints to the planner of SQLite, which keeps no statistics of the values of a column."""

from typing import Any

from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class unselective(FunctionElement[Any]):
    """A column whose condition selects most rows, so that an index on it would be the wrong one to use."""

    inherit_cache = True
    name = "unselective"

    def __init__(self, column: Any) -> None:
        super().__init__(column)
        self.type = column.type


@compiles(unselective, "sqlite")
def _unselective_sqlite(element: Any, compiler: SQLCompiler, **kw: Any) -> str:
    return f"+{compiler.process(element.clauses, **kw)}"


@compiles(unselective, "postgresql")
def _unselective_postgresql(element: Any, compiler: SQLCompiler, **kw: Any) -> str:
    return compiler.process(element.clauses, **kw)
