"""Docstrings begin with a sentence, and names of tests begin with the unit under test."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

FOLDERS = ("actlab", "benchmarks", "migrations", "scripts", "service", "tests", "worker")
TESTS = sorted((ROOT / "tests").rglob("test_*.py"))
FILES = sorted(file for folder in FOLDERS for file in (ROOT / folder).rglob("*.py"))

CLAUSE = re.compile(r"(What|Who|Whoever|How|Where|Whether|Which|Whose|That|Of)\b")
MOST_CLAUSES = 0.05
"""The share of docstrings that may begin with a clause instead of a sentence."""

ARTICLE = re.compile(r"test_(a|an|the)_")
LONGEST_NAME = 80


def docstrings() -> Iterator[tuple[str, str]]:
    """Yield every docstring of the project with its place, those of constants and attributes too."""
    for file in FILES:
        for node in ast.walk(ast.parse(file.read_text())):
            match node:
                case ast.Expr(ast.Constant(str(text))):
                    yield f"{file.relative_to(ROOT)}:{node.lineno}", text


def names_of_tests(file: Path) -> list[str]:
    nodes = ast.walk(ast.parse(file.read_text()))
    functions = (node for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return [node.name for node in functions if node.name.startswith("test_")]


def test_docstrings_begin_with_a_sentence() -> None:
    written = list(docstrings())
    clauses = [place for place, text in written if CLAUSE.match(text)]
    assert len(clauses) <= MOST_CLAUSES * len(written), clauses


@pytest.mark.parametrize("file", TESTS, ids=lambda file: str(file.relative_to(ROOT)))
def test_names_of_tests_begin_with_the_unit_and_are_short(file: Path) -> None:
    assert [name for name in names_of_tests(file) if ARTICLE.match(name) or len(name) > LONGEST_NAME] == []
