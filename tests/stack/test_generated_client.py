"""A client that openapi-python-client generates from the document of a running service."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stack.services import SHORT, Service

GENERATOR = "openapi-python-client==0.29.1"
SCRIPT = """
import json, sys
from act_lab_client import Client
from act_lab_client.api.studies import get_study, submit_study
from act_lab_client.api.comparisons import get_study_comparison
from act_lab_client.models import StudySpec

client = Client(sys.argv[1], raise_on_unexpected_status=True, timeout=60)
study = submit_study.sync(client=client, body=StudySpec.from_dict(json.loads(sys.argv[2])))
while not get_study.sync(study.id, client=client, wait=30).finished:
    pass
comparison = get_study_comparison.sync(study.id, client=client)
print(json.dumps([[group.factors.to_dict(), group.n] for group in comparison.groups]))
"""

pytestmark = [pytest.mark.nightly, pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    service = Service(tmp_path / "home")
    try:
        yield service.start()
    finally:
        service.close()


def test_generated_client_submits_waits_and_compares(service: Service, tmp_path: Path) -> None:
    bin = tmp_path / "venv" / "bin"
    subprocess.run([sys.executable, "-m", "venv", bin.parent], check=True)
    packages = [GENERATOR, "python-dateutil"]
    subprocess.run([bin / "python", "-m", "pip", "install", "--quiet", *packages], check=True)
    url, generated = f"http://127.0.0.1:{service.port}", tmp_path / "generated"
    options = ["--url", f"{url}/openapi.json", "--output-path", str(generated), "--fail-on-warning"]
    subprocess.run([bin / "openapi-python-client", "generate", *options], check=True, cwd=tmp_path)
    base = {name: value for name, value in SHORT.items() if name != "activation"}
    study = {"base": base, "factors": {"activation": ["relu", "tanh"]}, "seeds": [0, 1]}
    printed = subprocess.check_output([bin / "python", "-c", SCRIPT, url, json.dumps(study)], cwd=generated, text=True)
    groups = sorted(json.loads(printed), key=str)
    assert groups == [[{"activation": "relu"}, 2], [{"activation": "tanh"}, 2]]
