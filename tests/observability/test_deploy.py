"""The dashboard and the alerts of deploy/: each metric that they name is served, and promtool accepts the rules."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from fastapi.testclient import TestClient

from service.domain.workers import WorkerMemory
from service.observability.registries import Reading
from service.observability.work import WorkMetrics, device_families
from service.settings import Settings
from service.storage.engine.database import Database
from tests.api import states
from tests.api.serving import EXPERIMENTS, serving
from tests.conftest import ROOT, do_without
from tests.observability.scrapes import names_of, rendered
from tests.servers import missing

RULES = ROOT / "deploy" / "prometheus" / "alerts.yml"
DASHBOARD = ROOT / "deploy" / "grafana" / "actlab.json"
NAME = re.compile(r"\b(?:actlab_\w+|up)\b")
OWN = {"up"}
"""The metrics that Prometheus itself records of a scrape."""
SPACE = {"used": 1, "total": 2}


def alerts() -> dict[str, str]:
    (group,) = yaml.safe_load(RULES.read_text())["groups"]
    return {rule["alert"]: rule["expr"] for rule in group["rules"]}


def queries() -> dict[str, str]:
    panels = json.loads(DASHBOARD.read_text())["panels"]
    return {f"{panel['title']} {target['refId']}": target["expr"] for panel in panels for target in panel["targets"]}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[set[str]]:
    """The names of all metrics of an API and a worker that have done something."""
    home = tmp_path_factory.mktemp("served")
    file = home / "actlab.db"
    file.write_bytes(sqlite_template.read_bytes())
    database = Database(f"sqlite:///{file}")
    states.heartbeat(database)
    database.close()
    with serving(Settings(home=home, database_url=f"sqlite:///{file}")) as client:
        yield api_names(client) | worker_names()


def api_names(client: TestClient) -> set[str]:
    client.get(EXPERIMENTS)
    return names_of(client.get("/metrics").text)


def worker_names() -> set[str]:
    metrics = WorkMetrics()
    metrics.claimed(0.01, [1.0])
    metrics.epoch("mnist", "cpu", 1.0, 60_000)
    metrics.experiment("mnist", "cpu", 5.0)
    metrics.registry.register(Reading(lambda: device_families("cpu", WorkerMemory.model_validate(SPACE))))
    return names_of(rendered(metrics))


@pytest.mark.parametrize("name", alerts())
def test_alert_names_served_metrics(served: set[str], name: str) -> None:
    named = set(NAME.findall(alerts()[name]))
    assert named
    assert named <= served | OWN


@pytest.mark.parametrize("name", queries())
def test_panel_names_served_metrics(served: set[str], name: str) -> None:
    named = set(NAME.findall(queries()[name]))
    assert named
    assert named <= served | OWN


def test_dashboard_shows_every_metric_of_the_service(served: set[str]) -> None:
    text = " ".join([*queries().values(), *alerts().values()])
    families = {re.sub(r"_(bucket|sum|count)$", "", name) for name in served if name.startswith("actlab_")}
    without = {name for name in families if not re.search(rf"\b{name}(_bucket|_count)?\b", text)}
    assert without == {"actlab_build_info", "actlab_api_processes"}


def test_dashboard_names_no_source_of_its_own() -> None:
    """An imported dashboard asks for the Prometheus to read."""
    sources = {panel["datasource"]["uid"] for panel in json.loads(DASHBOARD.read_text())["panels"]}
    assert sources == {"${source}"}


# --- promtool --------------------------------------------------------------------------------------------------------


def promtool(*arguments: str | Path, text: str = "") -> str:
    if missing("promtool"):
        do_without("promtool is not installed (Debian: prometheus)")
    done = subprocess.run(["promtool", *arguments], input=text, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.nightly
def test_promtool_accepts_rules_and_configuration() -> None:
    promtool("check", "rules", RULES)
    promtool("check", "config", "--syntax-only", RULES.with_name("prometheus.yml"))


@pytest.mark.nightly
@states.on_sqlite
def test_promtool_finds_no_fault_with_the_metrics(client: TestClient) -> None:
    client.get(EXPERIMENTS)
    assert promtool("check", "metrics", text=client.get("/metrics").text) == ""
    assert promtool("check", "metrics", text=rendered(WorkMetrics())) == ""


@pytest.mark.nightly
def test_alerts_fire_when_they_should(tmp_path: Path) -> None:
    """promtool runs alerts-test.yml, which names the rules relative to itself."""
    cases = (Path(__file__).parent / "alerts-test.yml").read_text().replace("RULES", str(RULES))
    (tmp_path / "test.yml").write_text(cases)
    promtool("test", "rules", tmp_path / "test.yml")
