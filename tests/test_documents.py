"""Documents name only paths, modules, functions, tests and links that exist."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.snippets import Snippet, snippets
from tests.test_layout import ARROWS

DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
FOLDERS = "actlab|service|worker|migrations|tests|benchmarks|docs|scripts|deploy"

PATH = re.compile(rf"(?<![\w/.@-])((?:{FOLDERS})/(?:[\w.@*-]+/?)*[\w*]|(?:{FOLDERS})/)(?![\w/<{{])")
FILE = re.compile(r"(?<![\w/.:-])((?:[\w-]+/)*[\w-]+\.(?:py|js|css))\b")
"""A file by its last names, such as `charts/axes.js`."""
DOTTED = re.compile(rf"`(?!actlab\.db`)((?:{FOLDERS})(?:\.\w+)+)(?:\(\))?`")
COMMAND = re.compile(rf"python -m ((?:{FOLDERS})(?:\.\w+)*)")
TEST = re.compile(r"\btest(?:_[a-z0-9]+){3,}\b(?!\.py|/)")
"""Three words or more: `test_accuracy` and `test_image_interval` are fields."""
LINK = re.compile(r"\]\(([^)#:]+?)(?:#[\w-]*)?\)")
MAP_LINE = re.compile(r"^( *)([\w.-]+/)(?:\s|$)")

each_document = pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: str(file.relative_to(ROOT)))


@cache
def definitions(file: Path) -> frozenset[str]:
    """Return the dotted names that a module defines: constants, functions, classes and their members."""
    return frozenset(_defined(ast.parse(file.read_text()), ""))


def _defined(scope: ast.AST, prefix: str) -> Iterator[str]:
    for node in ast.iter_child_nodes(scope):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{prefix}{node.name}"
            if isinstance(node, ast.ClassDef):
                yield from _defined(node, f"{prefix}{node.name}.")
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield f"{prefix}{node.target.id}"
        elif isinstance(node, ast.Assign):
            yield from (f"{prefix}{target.id}" for target in node.targets if isinstance(target, ast.Name))


def exists(name: str) -> bool:
    """Return whether a dotted name is a package or a module, or is defined in a module."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        place = ROOT.joinpath(*parts[:length])
        file = place.with_suffix(".py") if place.with_suffix(".py").is_file() else place / "__init__.py"
        if file.is_file() or place.is_dir():
            rest = ".".join(parts[length:])
            return not rest or (file.is_file() and rest in definitions(file))
    return False


@cache
def names_of_tests() -> frozenset[str]:
    names = (name for file in (ROOT / "tests").rglob("test_*.py") for name in definitions(file))
    return frozenset(name for name in names if name.startswith("test_"))


def folders_of_map(text: str) -> Iterator[str]:
    """Yield the folders of code blocks that show one folder a line, indented below the folder that contains it."""
    for block in re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        around: list[tuple[int, str]] = []
        for line in block.splitlines():
            if match := MAP_LINE.match(line):
                indent = len(match[1])
                around = [(depth, name) for depth, name in around if depth < indent]
                around.append((indent, match[2]))
                yield "".join(name for _, name in around)


@each_document
def test_document_has_no_marks_of_a_merge(file: Path) -> None:
    assert not re.findall(r"^(?:<{7}|={7}|>{7})(?: .*)?$", file.read_text(), re.MULTILINE)


@each_document
def test_document_names_paths_that_exist(file: Path) -> None:
    named = {match[1] for match in PATH.finditer(file.read_text())}
    assert not {path for path in named if not any(ROOT.glob(path))}


@cache
def sources() -> tuple[str, ...]:
    """Return the paths of all source files."""
    folders = [ROOT / folder for folder in FOLDERS.split("|")]
    return tuple(str(file) for folder in folders for file in folder.rglob("*.*"))


@each_document
def test_document_names_files_that_exist(file: Path) -> None:
    named = set(FILE.findall(file.read_text()))
    assert not {name for name in named if not any(source.endswith(f"/{name}") for source in sources())}


@each_document
def test_document_names_functions_that_exist(file: Path) -> None:
    text = file.read_text()
    named = {*DOTTED.findall(text), *COMMAND.findall(text)}
    assert not {name for name in named if not exists(name)}


@each_document
def test_document_names_tests_that_exist(file: Path) -> None:
    assert not set(TEST.findall(file.read_text())) - names_of_tests()


@each_document
def test_document_links_lead_somewhere(file: Path) -> None:
    links = LINK.findall(file.read_text())
    assert not {link for link in links if not (file.parent / link).exists()}


@each_document
def test_document_runs_its_code_blocks_or_says_why_not(file: Path) -> None:
    """tests/stack/test_snippets.py runs them."""
    assert [block.fault for block in snippets(file, file.relative_to(ROOT).as_posix()) if block.fault] == []


@pytest.mark.parametrize("name", ["README.md"])
def test_map_shows_folders_that_exist(name: str) -> None:
    folders = list(folders_of_map((ROOT / name).read_text()))
    assert "service/domain/" in folders
    assert not {folder for folder in folders if not (ROOT / folder).is_dir()}


def test_map_shows_every_folder_at_the_top() -> None:
    shown = {folder.split("/")[0] for folder in folders_of_map((ROOT / "README.md").read_text())}
    assert {part.split(".")[0] for part in ARROWS} <= shown


def test_architecture_shows_each_part_above_those_that_it_imports() -> None:
    (block,) = re.findall(r"^```tower\n(.*?)^```", (ROOT / "docs" / "architecture.md").read_text(), re.M | re.S)
    level = {part: number for number, line in enumerate(block.splitlines()) for part in line.split()}
    assert {part for part in ARROWS if part.count(".") <= 1 and not part.startswith("actlab.")} - level.keys() <= {
        "service", "service.dashboard",
    }  # fmt: skip
    wrong = {(part, other) for part in level for other in ARROWS.get(part, ()) if level.get(other, 99) <= level[part]}
    assert not wrong


def test_every_decision_is_in_their_list() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = LINK.findall((folder / "README.md").read_text())
    assert sorted(listed) == sorted(file.name for file in folder.glob("0*.md"))


# --- the checks themselves -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("`service/domain/spec.py`, and tests/faults -m", ["service/domain/spec.py", "tests/faults"]),
        ("[this](docs/claims.md).", ["docs/claims.md"]),
        ("curl http://127.0.0.1:8000/docs/x and /service/y", []),
        ("migrations/versions/0*.py", ["migrations/versions/0*.py"]),
        ("service/ holds", ["service/"]),
        ("tests/stack/releases/<version>", []),
    ],
)
def test_path_pattern_finds_paths_of_this_project(text: str, paths: list[str]) -> None:
    assert [match[1] for match in PATH.finditer(text)] == paths


@pytest.mark.parametrize(
    ("name", "there"),
    [
        ("service.storage.queue", True),
        ("service.storage.migrate.upgrade", True),
        ("service.changefeed.feed.Feed.wrote", True),
        ("service.storage.migrate.sidegrade", False),
        ("service.storage.nothing", False),
    ],
)
def test_exists_finds_modules_and_what_they_define(name: str, there: bool) -> None:
    assert exists(name) is there


@pytest.mark.parametrize(
    ("language", "comment", "right"),
    [
        ("bash", "", True),
        ("bash", "not run: it needs Docker", True),
        ("json", "body of POST /api/v1/experiments", True),
        ("", "", False),
        ("ruby", "", False),
        ("bash", "not run: ", False),
        ("bash", "skip", False),
    ],
)
def test_fault_of_a_block_is_its_language_or_its_comment(language: str, comment: str, right: bool) -> None:
    assert (Snippet("page.md:1", language, "", comment).fault == "") is right
