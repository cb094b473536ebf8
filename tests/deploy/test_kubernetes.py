"""The manifests of deploy/kubernetes, checked without a cluster: against Kubernetes' schemas and the project."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from service.api.app import create_app
from service.settings import Settings
from tests.conftest import ROOT
from tests.servers import missing

FOLDER = ROOT / "deploy" / "kubernetes"
OVERLAYS = ["base", "overlays/example", "overlays/gpu", "overlays/keda"]
VERSIONS = ["1.30.0", "1.37.0"]
"""The oldest version that the manifests are for, and the newest that kubernetes-validate knows."""
NO_SCHEMA = {"Kustomization", "ScaledObject"}
"""Kinds that are not Kubernetes' own."""

Manifest = dict[str, Any]


def documents(text: str) -> list[Manifest]:
    return [document for document in yaml.safe_load_all(text) if document is not None]


FILES = sorted(FOLDER.rglob("*.yaml"))
MANIFESTS = {file: documents(file.read_text()) for file in FILES}
each_file = pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(FOLDER)))


def kustomizations() -> Iterator[tuple[Path, Manifest]]:
    for folder in OVERLAYS:
        file = FOLDER / folder / "kustomization.yaml"
        (document,) = MANIFESTS[file]
        yield file.parent, document


def resources(folder: Path) -> list[Manifest]:
    """Return the manifests of a kustomization, with those of its base and without its patches."""
    (document,) = MANIFESTS[folder / "kustomization.yaml"]
    found = []
    for name in document["resources"]:
        path = (folder / name).resolve()
        found += resources(path) if path.is_dir() else MANIFESTS[path]
    return found


def patches(folder: Path, document: Manifest) -> list[Path]:
    return [(folder / patch["path"]).resolve() for patch in document.get("patches", [])]


def identity(manifest: Manifest) -> tuple[str, str, str]:
    return manifest["apiVersion"], manifest["kind"], manifest["metadata"]["name"]


BASE = {identity(manifest)[1:]: manifest for manifest in resources(FOLDER / "base")}
PODS = {
    manifest["metadata"]["name"]: manifest["spec"]["template"]["spec"]
    for file in FILES
    for manifest in MANIFESTS[file]
    if manifest["kind"] in ("Deployment", "Job")
    and "serviceAccountName" in manifest["spec"].get("template", {}).get("spec", {})
}
each_pod = pytest.mark.parametrize("name", PODS)


@each_file
@pytest.mark.parametrize("version", VERSIONS)
def test_manifest_follows_the_schema_of_its_kind(file: Path, version: str) -> None:
    patched = {patch for folder, document in kustomizations() for patch in patches(folder, document)}
    for manifest in MANIFESTS[file]:
        if manifest["kind"] not in NO_SCHEMA and file not in patched:  # a patch is a part of a manifest
            kubernetes_validate.validate(manifest, version, strict=True)


def test_schema_finds_a_wrong_field() -> None:
    manifest = yaml.safe_load((FOLDER / "base" / "data.yaml").read_text())
    manifest["spec"]["accessMode"] = manifest["spec"].pop("accessModes")
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(manifest, VERSIONS[-1], strict=True)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_kustomization_names_files_that_exist(overlay: str) -> None:
    folder = FOLDER / overlay
    (document,) = MANIFESTS[folder / "kustomization.yaml"]
    for name in document["resources"]:
        path = folder / name
        assert (path / "kustomization.yaml").is_file() or path.is_file(), name
    existing = {identity(manifest) for manifest in resources(folder)}
    assert len(existing) == len(resources(folder))
    for patch in patches(folder, document):
        assert {identity(manifest) for manifest in MANIFESTS[patch]} <= existing, patch
    deployments = {name for _, kind, name in existing if kind == "Deployment"}
    assert {entry["name"] for entry in document.get("replicas", [])} <= deployments


def test_every_file_is_part_of_a_kustomization() -> None:
    used = {folder / "kustomization.yaml" for folder, _ in kustomizations()}
    for folder, document in kustomizations():
        used |= {(folder / name).resolve() for name in document["resources"] if name.endswith(".yaml")}
        used |= set(patches(folder, document))
    assert used == set(FILES)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_kustomize_builds_manifests_that_follow_their_schemas(overlay: str) -> None:
    if missing("kubectl"):
        pytest.skip("kubectl is not installed; the other tests check the parts")
    built = subprocess.run(
        ["kubectl", "kustomize", FOLDER / overlay], capture_output=True, text=True, check=True, timeout=60
    )
    manifests = documents(built.stdout)
    assert {identity(manifest) for manifest in resources(FOLDER / overlay)} == {map_name(m) for m in manifests}
    for manifest in manifests:
        if manifest["kind"] not in NO_SCHEMA:
            kubernetes_validate.validate(manifest, VERSIONS[-1], strict=True)


def map_name(manifest: Manifest) -> tuple[str, str, str]:
    return identity(manifest)


# --- the project -----------------------------------------------------------------------------------------------------


@each_pod
def test_every_actlab_variable_is_a_setting(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (container,) = PODS[name]["containers"]
    variables = {entry["name"]: entry.get("value", "") for entry in container.get("env", [])}
    variables |= BASE["ConfigMap", "actlab-settings"]["data"]
    for key, value in variables.items():
        if key.startswith("ACTLAB_"):
            assert key.removeprefix("ACTLAB_").lower() in Settings.model_fields
            monkeypatch.setenv(key, value.replace("$(POD_IP)", "10.0.0.1"))
    settings = Settings()
    settings.check_exposure(keys=True)
    assert not settings.insecure


@each_pod
def test_pod_may_write_to_its_volumes_alone(name: str) -> None:
    pod = PODS[name]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] == 10001  # of the Dockerfile
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
    }  # fmt: skip
    assert {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]} == {
        "/data": "data",
        "/tmp": "tmp",
    }
    assert {volume["name"] for volume in pod["volumes"]} == {"data", "tmp"}
    assert pod["enableServiceLinks"] is False
    assert "memory" in container["resources"]["limits"]


@each_pod
def test_command_is_an_actlab_command(name: str) -> None:
    (container,) = PODS[name]["containers"]
    assert container["command"][:2] in (["actlab", "serve"], ["actlab", "worker"], ["actlab", "db"])
    assert f"FROM base AS {container['image'].removeprefix('actlab-')}" in (ROOT / "Dockerfile").read_text()


def test_probes_ask_routes_without_a_key() -> None:
    app = create_app(Settings())
    (container,) = PODS["actlab-api"]["containers"]
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        path = container[probe]["httpGet"]["path"]
        assert any(pattern.match(path) for pattern in app.state.public), path
    assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"  # an outage of the database restarts nothing
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"


def test_pods_are_allowed_by_their_address() -> None:
    """Probes and scrapes send the address of the pod as the Host."""
    (container,) = PODS["actlab-api"]["containers"]
    names = [entry["name"] for entry in container["env"]]
    hosts = next(entry["value"] for entry in container["env"] if entry["name"] == "ACTLAB_ALLOWED_HOSTS")
    assert "$(POD_IP)" in hosts
    assert names.index("POD_IP") < names.index("ACTLAB_ALLOWED_HOSTS")  # or it would not be expanded


def test_selectors_fit_the_pods() -> None:
    labels = BASE["Deployment", "actlab-api"]["spec"]["template"]["metadata"]["labels"]
    for kind in ("Service", "PodDisruptionBudget"):
        selector = BASE[kind, "actlab-api"]["spec"]["selector"]
        assert selector.get("matchLabels", selector).items() <= labels.items()


def test_gpu_worker_has_one_device() -> None:
    (container,) = PODS["actlab-worker-gpu"]["containers"]
    assert container["resources"]["limits"]["nvidia.com/gpu"] == "1"
    assert {"name": "ACTLAB_DEVICE", "value": "cuda"} in container["env"]


def test_scaled_object_follows_the_queue() -> None:
    (scaled,) = MANIFESTS[FOLDER / "overlays" / "keda" / "scaled-object.yaml"]
    assert scaled["apiVersion"] == "keda.sh/v1alpha1"
    target = scaled["spec"]["scaleTargetRef"]["name"]
    assert ("Deployment", target) in BASE
    (patch,) = MANIFESTS[FOLDER / "overlays" / "keda" / "no-replicas.yaml"]
    assert (patch["metadata"]["name"], patch["spec"]) == (target, {"replicas": None})
    (trigger,) = scaled["spec"]["triggers"]
    assert re.findall(r"actlab_\w+", trigger["metadata"]["query"]) == ["actlab_queue_experiments", "actlab_experiments"]


def test_images_have_the_version_of_the_project() -> None:
    from importlib.metadata import version

    for _, document in kustomizations():
        assert {image["newTag"] for image in document.get("images", [])} <= {version("actlab")}
