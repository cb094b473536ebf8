"""The containers, checked without an engine that builds them.

compose-spec.json is the Compose Specification's JSON schema as published in the package docker-compose 1.29.2
(compose/config/compose_spec.json, Apache-2.0), unchanged.
"""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft201909Validator

from service.settings import Settings

ROOT = Path(__file__).parents[2]
# With the numbers that Compose takes for variables that are not set.
TEXT = re.sub(r"\$\{\w+:-(\d+)\}", r"\1", (ROOT / "docker-compose.yml").read_text())
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = sorted(name for name, service in SERVICES.items() if service["image"].startswith("actlab-"))


def test_file_follows_the_compose_specification() -> None:
    schema = json.loads((Path(__file__).parent / "compose-spec.json").read_text())

    assert [error.message for error in Draft201909Validator(schema).iter_errors(COMPOSE)] == []


def test_services_are_the_documented_ones() -> None:
    assert OURS == ["api", "migrate", "worker", "worker-gpu"]
    assert sorted(SERVICES) == sorted([*OURS, "postgres", "redis"])


@pytest.mark.parametrize("name", OURS)
def test_every_actlab_variable_is_a_setting(name: str) -> None:
    variables = {key.removeprefix("ACTLAB_") for key in SERVICES[name]["environment"] if key.startswith("ACTLAB_")}

    assert variables
    assert {variable.lower() for variable in variables} <= Settings.model_fields.keys()


@pytest.mark.parametrize("name", OURS)
def test_values_are_accepted_by_settings(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for key, value in SERVICES[name]["environment"].items():
        monkeypatch.setenv(key, re.sub(r"\$\{\w+:-\}", "", value))  # of a variable that is not set

    settings = Settings()
    settings.check_exposure(keys=True)
    assert not settings.insecure


@pytest.mark.parametrize("name", OURS)
def test_command_is_an_actlab_command(name: str) -> None:
    program, subcommand = SERVICES[name]["command"][:2]

    assert program == "actlab"
    assert subcommand in ("serve", "worker", "db")


def test_ports_are_published_to_this_machine_alone() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}

    assert published == {"api": ["127.0.0.1:8000:8000"]}
    assert not any(service.get("network_mode") for service in SERVICES.values())


def test_password_has_no_default() -> None:
    uses = re.findall(r"\w*PASSWORD: (.*)", (ROOT / "docker-compose.yml").read_text())

    assert len(uses) == 2
    assert all(re.fullmatch(r"\$\{POSTGRES_PASSWORD:\?.+\}", use) for use in uses)


@pytest.mark.parametrize("name", ["api", "worker", "worker-gpu"])
def test_service_starts_after_the_migration(name: str) -> None:
    assert SERVICES[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


def test_api_and_workers_share_their_files() -> None:
    shared = {tuple(SERVICES[name]["volumes"]) for name in OURS}

    assert shared == {("data:/data",)}
    assert {SERVICES[name]["environment"]["ACTLAB_HOME"] for name in OURS} == {"/data"}
    assert set(COMPOSE["volumes"]) == {"data", "postgres"}


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_image_is_built_from_a_known_target_or_pinned(name: str) -> None:
    service = SERVICES[name]

    if "build" in service:
        assert service["image"] == f"actlab-{service['build']['target']}"
        assert service["build"]["target"] in stages()
    else:
        assert re.fullmatch(r"[a-z]+:\d[\w.-]*", service["image"])


@pytest.mark.parametrize("target", ["api", "worker"])
@pytest.mark.defends("container")
def test_image_does_not_run_as_root(target: str) -> None:
    instructions = re.findall(r"^(USER \w+|CMD|ENTRYPOINT)", stages()[target], re.MULTILINE)

    assert instructions == ["USER 10001", "CMD"]  # a number, which Kubernetes can tell from root


@pytest.mark.parametrize("name", OURS)
@pytest.mark.defends("container")
def test_containers_write_to_their_volume_and_to_memory_alone(name: str) -> None:
    service = SERVICES[name]
    assert (service["read_only"], service["tmpfs"], service["volumes"]) == (True, ["/tmp"], ["data:/data"])
    assert service["cap_drop"] == ["ALL"]


def test_api_image_is_built_without_torch() -> None:
    base, recipe = lineage("api")

    assert base.startswith("python:3.11-")
    assert "worker" not in recipe
    assert "torch" not in recipe
    extras = project()["optional-dependencies"]
    assert not any(name.startswith("torch") for name in [*project()["dependencies"], *extras["server"]])


def test_worker_image_has_torch() -> None:
    assert "[worker]" in stages()["worker"]
    assert any(name.startswith("torch") for name in project()["optional-dependencies"]["worker"])


def stages() -> dict[str, str]:
    """Return the part of the Dockerfile of each target, from its FROM line on, without comments."""
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    code = "\n".join(line for line in lines if not line.startswith("#"))
    parts = re.split(r"^(?=FROM )", code, flags=re.MULTILINE)[1:]
    return {part.splitlines()[0].split(" AS ")[1]: part for part in parts}


def lineage(target: str) -> tuple[str, str]:
    """Return the published image that a target starts from, and every instruction from there to the target."""
    recipe, parent = "", target
    while parent in stages():
        recipe = stages()[parent] + recipe
        parent = stages()[parent].split()[1]
    return parent, recipe


def project() -> dict[str, Any]:
    metadata: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return metadata
