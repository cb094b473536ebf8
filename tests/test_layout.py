"""Imports between folders run one way, without circles; libraries stay in their parts; the settings have one reader."""

import ast
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted(file for part in ("actlab", "service", "worker", "migrations") for file in (ROOT / part).rglob("*.py"))

# Each part and the parts that it may import directly. The longest name that fits a module counts.
ARROWS: dict[str, list[str]] = {
    "migrations": [],
    "service": [],
    "service.settings": ["service.domain"],
    "service.domain": [],
    "service.access": ["service.domain"],
    "service.process": ["service.access", "service.domain"],
    "service.datasets": ["service.domain"],
    "service.report": ["service.domain"],
    "service.observability": ["service.domain", "service.storage"],
    "service.storage": ["service.access", "service.domain", "service.process", "service.settings", "migrations"],
    "service.usecases": ["service.access", "service.domain", "service.report", "service.storage"],
    "service.background": ["service.access", "service.domain", "service.process", "service.settings",
                           "service.storage", "service.usecases"],
    "service.changefeed": ["service.domain", "service.storage"],
    "service.dashboard": [],
    "service.api": ["service.access", "service.background", "service.changefeed", "service.dashboard",
                    "service.datasets", "service.domain", "service.observability", "service.process", "service.report",
                    "service.settings", "service.storage", "service.usecases"],
    "worker.training": ["service.datasets", "service.domain"],
    "worker": ["service.background", "service.datasets", "service.domain", "service.observability", "service.process",
               "service.settings", "service.storage", "worker.training"],
    "actlab": ["service", "worker"],
    "actlab.client": ["actlab"],
    "actlab.errors": ["actlab"],
    "actlab.flows": ["actlab"],
    "actlab.objects": ["actlab", "service.report"],
    "actlab.retries": ["actlab"],
    "actlab.configuration": ["actlab"],
    "actlab.operations": ["actlab"],
    "actlab.watching": ["actlab"],
    "actlab.demo": ["actlab"],
    "actlab.tables": ["actlab"],
}  # fmt: skip

STORAGE = ("engine", "tables", "changes", "records", "queue", "studies", "analysis")
"""Folders of service/storage from the bottom to the top: each imports those before it."""
MOST_STORAGE_ARROWS = 20

# Of the service, the client's plots use the palette of reports alone, which is written for both; libraries of frames
# and plots are imported where they are used.
SERVER = ["worker", "pydantic", "numpy", "scipy", "sqlalchemy", "fastapi", "torch", *(
    f"service.{part}" for part in ("access", "api", "background", "changefeed", "dashboard", "datasets", "domain",
                                   "observability", "process", "settings", "storage", "usecases")
)]  # fmt: skip

# Libraries and parts that a part may not reach, directly or by way of any module of ours. The first that fits counts.
UNREACHABLE = {
    "service.domain": ["sqlalchemy", "fastapi", "starlette", "celery", "torch"],
    "service.access": ["sqlalchemy", "fastapi", "starlette", "celery", "torch"],
    "service.datasets": ["sqlalchemy", "fastapi", "starlette", "celery", "torch"],
    "service.storage": ["fastapi", "starlette", "celery", "torch"],
    "service.usecases": ["fastapi", "starlette", "celery", "torch"],
    "service": ["worker", "actlab", "torch"],
    "worker.training": ["service.storage", "sqlalchemy", "celery", "fastapi"],
    "worker": ["service.api", "actlab", "fastapi", "starlette"],
    "actlab.client": SERVER,
    "actlab.configuration": ["service", "worker", "pydantic"],
    "actlab.operations": SERVER,
    "actlab.objects": SERVER,
    "actlab.demo": SERVER,
    "actlab.tables": ["service.storage", "service.api", "worker", "torch"],
}

# Modules that read or write the environment, and why a setting cannot replace that.
ENVIRONMENT = {
    "service.settings": "the one reader of the service, through pydantic-settings",
    "actlab.configuration": "the one reader of clients, which are installed without pydantic",
    "actlab.cli.editor": "VISUAL and EDITOR, by which users name their editor",
    "service.observability.registries": "PROMETHEUS_MULTIPROC_DIR, which prometheus-client reads for each metric",
    "worker.environment": "for OpenMP and glibc, which read them before any line of Python",
    "worker.training.execution": "CUBLAS_WORKSPACE_CONFIG: cuBLAS itself reads it, before its first use",
}


def module(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


NAMES = {module(file): file for file in SOURCES}


def is_within(name: str, part: str) -> bool:
    return name == part or name.startswith(f"{part}.")


@cache
def imports(name: str) -> frozenset[str]:
    """Return the modules that a module imports, anywhere in it, and the packages around them."""
    return frozenset(_imported(name))


def _imported(name: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(NAMES[name].read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name} imports relatively"
            assert node.module is not None
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def reached(name: str) -> set[str]:
    """Return what a module imports, directly and through modules of the project."""
    modules: set[str] = set()
    waiting = [name]
    while waiting:
        for imported in imports(waiting.pop()) - modules:
            modules.add(imported)
            if imported in NAMES:
                waiting.append(imported)
    return modules


def part_of(name: str, parts: Mapping[str, object]) -> str:
    """Return the part with the longest name that contains a module."""
    return max((part for part in parts if is_within(name, part)), key=len)


@cache
def our_imports(name: str) -> frozenset[str]:
    """Return the project's modules that a module imports directly; a package where no module of it is named."""
    modules = set()
    for imported in imports(name):
        while imported and imported not in NAMES:
            imported = imported.rpartition(".")[0]
        modules.add(imported)
    packages = {other.rpartition(".")[0] for other in modules}
    return frozenset(modules - packages - {name, ""})


@pytest.mark.parametrize("name", NAMES)
def test_module_imports_only_parts_that_its_own_may(name: str) -> None:
    own = part_of(name, ARROWS)
    allowed = {own, *ARROWS[own]}
    foreign = {other for other in our_imports(name) if not any(is_within(other, part) for part in allowed)}
    assert not foreign


@pytest.mark.parametrize("name", NAMES)
def test_module_reaches_no_library_that_its_part_may_not(name: str) -> None:
    part = next((part for part in UNREACHABLE if is_within(name, part)), None)
    if part is None:  # the commands, which start everything, and the migrations
        return
    wrong = {other for other in reached(name) for forbidden in UNREACHABLE[part] if is_within(other, forbidden)}
    assert not wrong


def arrows_within(folder: str) -> dict[str, set[str]]:
    """Return the modules and folders of a folder, each with those of its siblings that it imports."""
    arrows: dict[str, set[str]] = defaultdict(set)
    for name in NAMES:
        for other in our_imports(name):
            if is_within(name, folder) and is_within(other, folder) and folder not in (name, other):
                source, target = (module.removeprefix(f"{folder}.").split(".")[0] for module in (name, other))
                if source != target:
                    arrows[source].add(target)
    return arrows


FOLDERS = sorted({module(file.parent / "__init__.py") for file in SOURCES})


@pytest.mark.parametrize("folder", FOLDERS)
def test_folder_has_no_circle_between_its_parts(folder: str) -> None:
    TopologicalSorter(arrows_within(folder)).prepare()  # CycleError names the circle


def test_project_has_no_circle_between_its_packages() -> None:
    arrows: dict[str, set[str]] = defaultdict(set)
    for name in NAMES:
        top = name.split(".")[0]
        arrows[top] |= {other.split(".")[0] for other in our_imports(name)} - {top}
    TopologicalSorter(arrows).prepare()


def test_storage_folders_import_only_those_below() -> None:
    arrows = {folder: targets & set(STORAGE) for folder, targets in arrows_within("service.storage").items()}
    for place, folder in enumerate(STORAGE):
        assert arrows.get(folder, set()) <= set(STORAGE[:place]), folder
    assert sum(len(arrows.get(folder, ())) for folder in STORAGE) <= MOST_STORAGE_ARROWS


@pytest.mark.parametrize("name", NAMES)
def test_module_does_not_import_all_of_scipy_stats(name: str) -> None:
    """service/domain/statistics says what importing scipy.stats costs."""
    assert not [imported for imported in imports(name) if is_within(imported, "scipy.stats")]


def test_rules_name_parts_that_exist() -> None:
    for part in (*ARROWS, *UNREACHABLE):
        assert any(is_within(name, part) for name in NAMES), part


def test_api_imports_no_training_library() -> None:
    program = (
        "import sys; from service.api.app import create_app; from service.settings import Settings;"
        "create_app(Settings()).openapi();"
        "print(*sorted({'torch', 'worker', 'sklearn', 'mlxtend', 'safetensors'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_environment_is_read_only_by_the_listed_modules() -> None:
    readers = {
        name
        for name, file in NAMES.items()
        for node in ast.walk(ast.parse(file.read_text()))
        if (isinstance(node, ast.Attribute) and node.attr in ("environ", "environb", "getenv", "putenv", "unsetenv"))
        or (isinstance(node, ast.alias) and node.name in ("environ", "getenv"))
    }
    assert readers <= ENVIRONMENT.keys()


def test_service_modules_open_nothing_when_imported() -> None:
    """A module keeps no database, app or settings of its own."""
    names = [name for name in NAMES if is_within(name, "service")]
    program = (
        f"import importlib, os, threading; [importlib.import_module(name) for name in {names!r}];"
        "print(threading.active_count(), os.path.exists('.actlab'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split()[0] == "1"


def test_migrations_are_numbered_in_their_order() -> None:
    """Two migrations that are written at the same time must not both follow the same one."""
    files = sorted((ROOT / "migrations" / "versions").glob("[0-9]*.py"))
    lines = [re.findall(r'^(?:down_)?revision = (?:"(\d+)"|None)$', file.read_text(), re.MULTILINE) for file in files]
    numbers = [file.name[:4] for file in files]
    assert lines == [list(pair) for pair in zip(numbers, ["", *numbers[:-1]], strict=True)]
