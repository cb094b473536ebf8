"""What keeps the code apart that belongs apart: imports run one way, files stay short, settings have one reader."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted(file for part in ("actlab", "service", "worker", "migrations") for file in (ROOT / part).rglob("*.py"))
LONGEST = 300

# What a part may not import, directly or by way of any module of ours. The first part that fits a module counts.
FORBIDDEN = {
    "service.domain": ["service.storage", "service.api", "worker", "actlab", "sqlalchemy", "fastapi", "starlette",
                       "celery", "torch"],
    "service.storage": ["service.api", "worker", "actlab", "fastapi", "starlette", "celery", "torch"],
    "service": ["worker", "actlab", "torch"],
    "worker.training": ["service.storage", "service.api", "actlab", "sqlalchemy", "celery", "fastapi"],
    "worker": ["service.api", "actlab", "fastapi", "starlette"],
    "actlab.client": ["service", "worker"],
    "actlab.operations": ["service", "worker"],
    "actlab.demo": ["service", "worker"],
    "actlab.cli.tables": ["service.storage", "service.api", "worker", "torch"],
}  # fmt: skip

# Where the environment is touched, and why that cannot be a setting.
ENVIRONMENT = {
    "service.settings": "the one reader, through pydantic-settings",
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
    """Everything that a module imports, wherever in it, and the packages around what it imports."""
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
    """What is imported by a module and by what it imports, as far as that is ours."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        for imported in imports(waiting.pop()) - found:
            found.add(imported)
            if imported in NAMES:
                waiting.append(imported)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_imports_run_one_way(name: str) -> None:
    part = next((part for part in FORBIDDEN if is_within(name, part)), None)
    if part is None:  # the commands, which start everything, and the migrations
        return
    wrong = {other for other in reached(name) for forbidden in FORBIDDEN[part] if is_within(other, forbidden)}
    assert not wrong


@pytest.mark.parametrize("name", NAMES)
def test_no_process_pays_for_all_of_scipys_statistics(name: str) -> None:
    """service/domain/statistics says how much that is."""
    assert not [imported for imported in imports(name) if is_within(imported, "scipy.stats")]


def test_every_rule_is_of_a_part_that_exists() -> None:
    for part in FORBIDDEN:
        assert any(is_within(name, part) for name in NAMES), part


def test_the_api_starts_without_torch() -> None:
    program = (
        "import sys; from service.api.app import create_app; from service.settings import Settings;"
        "create_app(Settings()).openapi();"
        "print(*sorted({'torch', 'worker', 'sklearn', 'mlxtend', 'safetensors'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_a_command_waits_for_nothing_that_only_another_needs() -> None:
    program = "import sys, actlab.cli.main; print(*sorted({'fastapi', 'alembic', 'torch'} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


@pytest.mark.parametrize("name", NAMES)
def test_no_file_is_long(name: str) -> None:
    assert len(NAMES[name].read_text().splitlines()) <= LONGEST


def test_only_the_settings_read_the_environment() -> None:
    readers = {
        name
        for name, file in NAMES.items()
        for node in ast.walk(ast.parse(file.read_text()))
        if (isinstance(node, ast.Attribute) and node.attr in ("environ", "environb", "getenv", "putenv", "unsetenv"))
        or (isinstance(node, ast.alias) and node.name in ("environ", "getenv"))
    }
    assert readers <= ENVIRONMENT.keys()


def test_importing_any_module_of_the_service_opens_nothing() -> None:
    """No module keeps a database, an app or settings of its own."""
    names = [name for name in NAMES if is_within(name, "service")]
    program = (
        f"import importlib, os, threading; [importlib.import_module(name) for name in {names!r}];"
        "print(threading.active_count(), os.path.exists('.actlab'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split()[0] == "1"
