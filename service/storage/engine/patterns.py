"""Comparison with a pattern that heeds case, which each database writes in its own way."""

from typing import Any

from sqlalchemy import Boolean, ColumnElement
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from service.domain.query.patterns import as_glob, as_like


class _Like(FunctionElement[bool]):
    """A text, the pattern for LIKE, and the pattern for GLOB: SQLite's LIKE ignores case."""

    type = Boolean()
    name = "like_heeding_case"
    inherit_cache = True


def like(text: ColumnElement[Any], pattern: str) -> ColumnElement[bool]:
    """Return the condition that a text matches a pattern of service.domain.query.patterns."""
    return _Like(text, as_like(pattern), as_glob(pattern))


def ilike(text: ColumnElement[Any], pattern: str) -> ColumnElement[bool]:
    """Do as `like` in upper or lower case; for letters beyond ASCII, whether case matters depends on the database."""
    return text.ilike(as_like(pattern), escape="\\")


@compiles(_Like, "sqlite")
def _like_sqlite(element: _Like, compiler: SQLCompiler, **kw: Any) -> str:
    text, _, glob = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"({text} GLOB {glob})"


@compiles(_Like, "postgresql")
def _like_postgresql(element: _Like, compiler: SQLCompiler, **kw: Any) -> str:
    text, pattern, _ = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"({text} LIKE {pattern})"
