"""The arrows between the folders of the pages' modules: imports run one way, and no page imports another."""

import re
from collections import defaultdict
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from service.dashboard.assets import DASHBOARD

APP = DASHBOARD / "app"
MODULES = sorted(APP.rglob("*.js"))
NAMES = [file.relative_to(APP).as_posix() for file in MODULES]
# `import ... from "./x.js"`, also over several lines, `export ... from "./x.js"` and `import("./x.js")`.
LONGEST_LINE = 120
IMPORT = re.compile(r"""(?:\bfrom|\bimport)\s*\(?\s*["'](\.[^"']+)["']""")

# Each folder and the folders that its modules may import besides their own. The longest name that fits a module counts.
ARROWS: dict[str, list[str]] = {
    "core": [],
    "text": ["core"],
    "data": ["core"],
    "charts": ["core", "text"],
    "components": ["core", "text", "data", "charts"],
    **{
        page.relative_to(APP).as_posix(): ["core", "text", "data", "charts", "components"]
        for page in sorted((APP / "pages").iterdir())
    },
    "": ["core", "text", "data", "charts", "components", "pages"],
}


def imports(module: Path) -> set[str]:
    """The modules of ours that a module imports, by their path below app/."""
    targets = (module.parent / path for path in IMPORT.findall(module.read_text()))
    return {target.resolve().relative_to(APP).as_posix() for target in targets}


def is_within(name: str, folder: str) -> bool:
    return folder == "" or name.startswith(f"{folder}/")


def folder_of(name: str) -> str:
    return max((folder for folder in ARROWS if is_within(name, folder)), key=len)


@pytest.mark.parametrize("module", MODULES, ids=NAMES)
def test_module_imports_only_folders_that_its_own_may(module: Path) -> None:
    folder = folder_of(module.relative_to(APP).as_posix())
    allowed = [folder, *ARROWS[folder]]

    assert not {name for name in imports(module) if not any(is_within(name, other) for other in allowed)}


@pytest.mark.parametrize("module", MODULES, ids=NAMES)
def test_lines_have_at_most_120_letters(module: Path) -> None:
    """prettier breaks code, and neither comments nor the text of templates."""
    assert not [line for line in module.read_text().splitlines() if len(line) > LONGEST_LINE]


def test_modules_have_no_circle() -> None:
    arrows = {name: imports(module) for name, module in zip(NAMES, MODULES, strict=True)}

    TopologicalSorter(arrows).prepare()  # CycleError names the circle


def test_folders_have_no_circle() -> None:
    arrows: dict[str, set[str]] = defaultdict(set)
    for name, module in zip(NAMES, MODULES, strict=True):
        folder = folder_of(name)
        arrows[folder] |= {folder_of(imported) for imported in imports(module)} - {folder}

    TopologicalSorter(arrows).prepare()


def test_only_main_imports_the_routes() -> None:
    assert [name for name, module in zip(NAMES, MODULES, strict=True) if "routes.js" in imports(module)] == ["main.js"]


def test_components_folder_holds_what_several_pages_use() -> None:
    """A component of one page lives with that page."""
    users: dict[str, set[str]] = defaultdict(set)
    for name, module in zip(NAMES, MODULES, strict=True):
        for imported in imports(module):
            if imported.startswith("components/"):
                users[imported].add(folder_of(name))

    assert {name for name in NAMES if name.startswith("components/")} == users.keys()
    assert not {name for name, folders in users.items() if len(folders) == 1 and folders <= pages()}


def pages() -> set[str]:
    return {folder for folder in ARROWS if folder.startswith("pages/")}
