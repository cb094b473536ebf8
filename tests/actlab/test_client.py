"""Both clients against a listening server."""

import asyncio
import inspect
import json
import socket
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest

from actlab.client import ApiError, AsyncClient, Client, UnknownFormat, UnusableProxy
from service.settings import Settings
from service.storage.engine.database import Database
from tests.api import states
from tests.api.routes.test_weights import keep
from tests.api.serving import listening

GRID: dict[str, Any] = {"factors": {"activation": ["relu", "tanh"]}, "seeds": [0]}
Ask = Callable[..., Any]


@pytest.fixture
def url(settings: Settings) -> Iterator[str]:
    with listening(settings) as root:
        yield root


@pytest.fixture(params=["sync", "async"])
def ask(request: pytest.FixtureRequest, url: str) -> Iterator[Ask]:
    """Return a function that calls the method `name` of either client."""
    if request.param == "sync":
        with Client(url) as client:
            yield lambda name, *args, **kwargs: getattr(client, name)(*args, **kwargs)
        return

    async def once(name: str, *args: Any, **kwargs: Any) -> Any:
        async with AsyncClient(url) as client:
            item: Awaitable[Any] = getattr(client, name)(*args, **kwargs)
            return await item

    yield lambda name, *args, **kwargs: asyncio.run(once(name, *args, **kwargs))


@states.on_sqlite
def test_client_runs_a_study_from_plan_to_delete(ask: Ask, database: Database) -> None:
    assert ask("healthy") is True
    assert ask("plan_study", GRID)["experiments"] == 2
    study = ask("submit_study", GRID, idempotency_key="k")["id"]
    assert ask("submit_study", GRID, idempotency_key="k")["id"] == study
    assert ask("edit_study", study, {"name": "mine"}, edit_version=1)["edit_version"] == 2
    with pytest.raises(ApiError) as refused:
        ask("edit_study", study, {"name": "yours"}, edit_version=1)
    assert (refused.value.status, refused.value.code) == (412, "precondition_failed")
    assert ask("add_seeds", study, [5, 0])["seeds"] == [0, 5]
    assert [item["name"] for item in ask("studies", text="min")] == ["mine"]
    states.finish_queued(database, lambda spec: 0.5 + 0.1 * spec["seed"])
    assert ask("finished_study", study)["progress"]["succeeded"] == 4
    assert [group["n"] for group in ask("study_comparison", study)["groups"]] == [2, 2]
    curves = ask("study_curves", study, metric="validation_loss")
    assert curves == ask("curves", metric="validation_loss", study=study)
    assert (curves["metric"], len(curves["groups"])) == ("validation_loss", 2)
    assert [claim["number"] for claim in ask("study_claims", study)["claims"]] == list(range(1, 13))
    assert ask("delete_study", study) is None
    assert ask("studies") == []


@states.on_sqlite
def test_experiments_lists_all_pages(ask: Ask, database: Database) -> None:
    ids = [str(states.queue(database, seed=seed)) for seed in range(5)]
    assert [item["id"] for item in ask("experiments", limit=2, sort="id")] == ids


@states.on_sqlite
def test_client_edits_cancels_retries_and_deletes_an_experiment(ask: Ask) -> None:
    id = ask("submit_experiment", {"activation": "relu"})["id"]
    assert ask("edit_experiment", id, {"tags": ["a"]})["tags"] == ["a"]
    assert ask("cancel", id)["status"] == "cancelled"
    again = ask("retry", id)["id"]
    assert ask("experiment", again)["retry_of"] == id
    assert ask("delete_experiment", id) is None
    with pytest.raises(ApiError, match=id):
        ask("experiment", id)


@states.on_sqlite
def test_client_retries_the_failed_experiments_of_a_study(ask: Ask, database: Database) -> None:
    id = ask("submit_study", {"base": {"activation": "relu"}, "seeds": [0, 1, 2]})["id"]
    for fence in states.claim(database, limit=2):
        states.fail(database, fence)
    assert ask("retry_study", id, dry_run=True) == {"count": 2}
    assert ask("retry_study", id, idempotency_key="k") == ask("retry_study", id, idempotency_key="k") == {"count": 2}
    assert ask("study", id)["progress"]["queued"] == 3
    assert ask("retry_study", id) == {"count": 0}


@states.on_sqlite
def test_client_changes_many_experiments(ask: Ask, database: Database) -> None:
    ids = [str(states.queue(database, tags=[tag])) for tag in "aabc"]
    assert ask("cancel_experiments", tag=["a", "b"], dry_run=True) == {"count": 3}
    assert ask("cancel_experiments", tag=["a", "b"]) == {"count": 3}
    assert ask("retry_experiments", ids[:2], idempotency_key="k") == {"count": 2}
    assert ask("retry_experiments", ids[:2], idempotency_key="k") == {"count": 2}
    assert len(ask("experiments", status=["queued", "running"])) == 3
    assert ask("tag_experiments", status="cancelled", add=["new"], remove=["a"]) == {"count": 3}
    assert ask("count_experiments", tag="new", status="cancelled") == {"count": 3}
    assert ask("archive_experiments", tag="new", dry_run=True) == {"count": 3}
    assert ask("archive_experiments", tag="new") == {"count": 3}
    assert len(ask("experiments")) == 3
    assert ask("archive_experiments", tag="new", archived=False) == {"count": 3}
    assert ask("delete_experiments", status="cancelled") == {"count": 3}
    for method in ("cancel_experiments", "delete_experiments", "retry_experiments"):
        with pytest.raises(ValueError, match="either ids or filters"):
            ask(method)
        with pytest.raises(ValueError, match="either ids or filters"):
            ask(method, ids, tag="a")


@states.on_sqlite
def test_export_writes_a_complete_file_or_none(ask: Ask, database: Database, tmp_path: Path) -> None:
    states.finish(database, 0.75)
    file = tmp_path / "all.jsonl"
    assert ask("export", str(file), activation="relu") == file
    assert [json.loads(line)["test_accuracy"] for line in file.read_text().splitlines()] == [0.75]
    with pytest.raises(ApiError, match="study"):
        ask("export", tmp_path / "none.csv", study=str(states.SOME_ID))
    with pytest.raises(UnknownFormat, match="parquet"):
        ask("export", tmp_path / "all.xlsx")
    assert list(tmp_path.glob("*.*")) == [file, *tmp_path.glob("*.db*")]


@states.on_sqlite
def test_weights_writes_a_file(ask: Ask, database: Database, settings: Settings, tmp_path: Path) -> None:
    id = states.finish(database)
    keep(database, settings, id)
    assert ask("weights", tmp_path / "swish.safetensors", str(id), which="best").read_bytes() == b"best" * 1000
    with pytest.raises(ApiError, match="could not be written"):
        ask("weights", tmp_path / "none", str(states.finish(database, seed=1)))
    assert not (tmp_path / "none").exists()


@states.on_sqlite
def test_export_and_report_of_one_grid(ask: Ask, database: Database, tmp_path: Path) -> None:
    grids = [{"name": "two"}, {"name": "slow", "base": {"epochs": 3}, "seeds": [1]}]
    study = ask("submit_study", GRID | {"grids": grids})["id"]
    states.finish_queued(database, lambda spec: 0.9)
    file = ask("export", tmp_path / "slow.jsonl", study=study, grid="slow")
    assert [json.loads(line)["epochs"] for line in file.read_text().splitlines()] == [3, 3]
    page = ask("report", tmp_path / "slow.md", study, grid="slow")
    assert "of its grids only slow" in page.read_text()
    assert ask("report", str(tmp_path / "all.html"), study).read_text().startswith("<!doctype html>")
    with pytest.raises(UnknownFormat, match="name the file"):
        ask("report", tmp_path / "all.pdf", study)


@states.on_sqlite
def test_comparison_table_returns_text(ask: Ask, database: Database) -> None:
    study = ask("submit_study", GRID)["id"]
    states.finish_queued(database, lambda spec: 0.9)
    assert ask("comparison_table", "csv", study=study, rows="pairs").startswith("a,n_a,b,n_b,")
    assert "\\toprule" in ask("comparison_table", "latex", activation="relu", group_by=["epochs"])
    with pytest.raises(ApiError, match="format"):
        ask("comparison_table", "pdf", study=study)


def test_clients_have_the_same_methods() -> None:
    def methods(kind: type) -> dict[str, list[str]]:
        public = {name: item for name, item in inspect.getmembers(kind, inspect.isfunction) if name[0] != "_"}
        return {name: list(inspect.signature(item).parameters) for name, item in public.items()}

    assert methods(Client) == methods(AsyncClient)


@states.on_sqlite
def test_client_runs_a_formula_from_preview_to_archive(ask: Ask) -> None:
    mine: dict[str, Any] = {"formula": "a * tanh(x)", "parameters": {"a": 2}}
    assert ask("preview_activation", mine)["properties"]["range"] == [-2, 2]
    assert ask("register_activation", "mine", mine, idempotency_key="k")["version"] == 1
    assert ask("edit_activation", "mine", {"formula": "tanh(x)"}, newest_version=1)["version"] == 2
    assert ask("activation", "mine", version=1)["formula"] == "a * tanh(x)"
    assert ask("curve", "mine", version=1, points=3)["y"][1] == 0
    assert ask("submit_experiment", {"activation": "mine"})["spec"]["activation"]["version"] == 2
    assert ask("archive_activation", "mine") is None
    assert [item["name"] for item in ask("activations", archived=True)][-1] == "mine"
    assert "mine" not in [item["name"] for item in ask("activations")]


PROXIES = {
    "one where nothing listens": {"HTTP_PROXY": "http://127.0.0.1:9"},
    "in small letters": {"http_proxy": "http://127.0.0.1:9", "all_proxy": "http://127.0.0.1:9"},
    "SOCKS": {"ALL_PROXY": "socks5://127.0.0.1:1080"},
    "no URL": {"HTTP_PROXY": "http://[::1"},
    "an unknown scheme": {"HTTPS_PROXY": "ftp://127.0.0.1:9"},
}


@pytest.fixture(params=PROXIES)
def proxy(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Set the variables of a proxy, and return its name in PROXIES."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name, value in PROXIES[request.param].items():
        monkeypatch.setenv(name, value)
    return str(request.param)


@states.on_sqlite
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_clients_reach_this_machine_without_a_proxy(url: str, host: str, proxy: str) -> None:
    address = url.replace("127.0.0.1", host)
    with Client(address) as client:
        assert client.healthy()

    async def is_healthy() -> bool:
        async with AsyncClient(address) as client:
            return await client.healthy()

    assert asyncio.run(is_healthy())


@pytest.mark.parametrize("client", [Client, AsyncClient])
@pytest.mark.parametrize("proxy", ["SOCKS", "no URL", "an unknown scheme"], indirect=True)
def test_clients_name_a_proxy_that_cannot_be_used(proxy: str, client: type[Client] | type[AsyncClient]) -> None:
    with pytest.raises(UnusableProxy, match=r"ALL_PROXY cannot be used: .*NO_PROXY") as refused:
        client("http://service.example:8000")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("host", ["127.8.9.1", "[::1]", "[::ffff:127.0.0.1]", "localhost.", "a.localhost", "0.0.0.0"])
@pytest.mark.parametrize("proxy", ["SOCKS"], indirect=True)
def test_client_takes_every_name_of_this_machine_for_it(proxy: str, host: str) -> None:
    Client(f"http://{host}:8000").close()


@pytest.mark.parametrize("proxy", ["SOCKS"], indirect=True)
def test_client_takes_addresses_of_this_machine_alone_for_it(proxy: str) -> None:
    families = {socket.AF_INET, socket.AF_INET6}
    own = [a.address for all in psutil.net_if_addrs().values() for a in all if a.family in families]
    for address in own:
        if "%" not in address:
            Client(f"http://[{address}]:8000" if ":" in address else f"http://{address}:8000").close()
    Client(f"http://{socket.gethostname()}:8000").close()
    for address in ("198.51.100.7", "[2001:db8::7]"):
        with pytest.raises(UnusableProxy):
            Client(f"http://{address}:8000")


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_client_asks_for_the_database_after_its_own_writes(kind: type[Client] | type[AsyncClient]) -> None:
    """Another process of the service may not have seen them."""
    sent: list[tuple[str, str | None]] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        sent.append((request.method, request.headers.get("cache-control")))
        return httpx2.Response(200, json={})

    client: Any = kind("http://127.0.0.1:1", transport=httpx2.MockTransport(answer))

    def call(name: str) -> None:
        called = getattr(client, name)("id")
        if inspect.isawaitable(called):
            asyncio.run(_await(called))

    for name in ("study", "cancel", "study", "experiment"):
        call(name)
    assert sent == [("GET", None), ("POST", None), ("GET", "no-cache"), ("GET", "no-cache")]


async def _await(called: Awaitable[Any]) -> Any:
    return await called
