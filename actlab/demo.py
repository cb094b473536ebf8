"""`actlab demo`: run the quick study and print its comparison, on a service that is started if none runs."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx2 as httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from actlab.client import Client
from actlab.tables import Json, comparison_table

START_SECONDS = 120.0  # of the API and the worker
STOP_SECONDS = 30.0
PATIENCE_SECONDS = 45.0
"""The time after which a service that says nothing has ended: an API that was killed is back within 10 s."""


class DemoFailed(Exception):
    """The demo could not be completed; the message says why."""


def run(client: Client, url: str, home: Path, console: Console, start: str = "make up", **base: str | int) -> None:
    """Submit the quick study, follow it and print its comparison. `base` overrides fields of the preset's base, `start`
    is the command that starts the service at this URL again.

    Raises DemoFailed when the service does not start or has no worker, or an experiment does not succeed.
    """
    with _service(client, url, home, console):
        study = client.submit_study(_study(base))
        console.print(f"Study [bold]{study['id']}[/]: {study['question']}")
        _watch(client, study, console)
        console.print(outcome(client, study["id"]))
        _check(client, study["id"])
    _look_next(console, url, study["id"], start)


def outcome(client: Client, study: str) -> Table:
    """Return the table that the demo ends with: the comparison of its study, with the study's own reference."""
    return comparison_table(client.study_comparison(study))


def _study(base: dict[str, str | int]) -> dict[str, object]:
    named = ", ".join(f"{name} {value}" for name, value in base.items())
    question = {"question": f"Which of the main article's five activations learns best? ({named})"} if base else {}
    return {"preset": "quick", "base": base, **question}


@contextmanager
def _service(client: Client, url: str, home: Path, console: Console) -> Iterator[None]:
    """Use the service that runs at `url`, or start one and stop it afterwards."""
    if client.healthy():
        console.print(f"Using the service at {url}.")
        _check_workers(client)
        with _answering(f"The service at {url} does not answer any more."):
            yield
        return
    log = home / "demo.log"
    console.print(f"Starting a service at {url} (its log: {log}).")
    with log.open("wb") as stream:
        command = [sys.executable, "-m", "actlab", "up", "--parent", str(os.getpid()), "--port", url.rpartition(":")[2]]
        process = subprocess.Popen(command, stdout=stream, stderr=stream)
    try:
        _await(client, process, log)
        with _answering("The service ended.", log):
            yield
    finally:
        _stop(process)


@contextmanager
def _answering(otherwise: str, log: Path | None = None) -> Iterator[None]:
    """Raise DemoFailed, with the last lines of the log, where the service ends while it is used."""
    try:
        yield
    except httpx.TransportError as problem:
        raise DemoFailed("\n".join([otherwise, *([] if log is None else [_last_lines(log)])])) from problem


def _await(client: Client, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise DemoFailed(f"The service did not start:\n{_last_lines(log)}")
        if client.healthy() and _check_workers(client):
            return
        time.sleep(0.2)
    raise DemoFailed(f"The service and its worker did not start within {START_SECONDS:g} s:\n{_last_lines(log)}")


def _check_workers(client: Client) -> bool:
    """Return whether a worker is alive. Raises DemoFailed with the reason where one could not start."""
    workers = client.workers()
    if any(worker["alive"] for worker in workers):
        return True
    for worker in workers:
        if worker["problem"]:
            raise DemoFailed(f"No worker could start. {worker['problem']}")
    return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _last_lines(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-15:])


def _watch(client: Client, study: Json, console: Console) -> None:
    """Show progress until the study has finished: a bar, and a line for each experiment that ends."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    ended: set[str] = set()
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task("waiting for a worker", total=study["experiments"])
        for experiments in _states(client, study):
            for experiment in experiments:
                if experiment["finished_at"] and experiment["id"] not in ended:
                    ended.add(experiment["id"])
                    progress.console.print(_summary(experiment))
            progress.update(bar, completed=len(ended), description=_activity(experiments))
            if len(ended) == study["experiments"]:
                return


def _states(client: Client, study: Json) -> Iterator[list[Json]]:
    """Yield the experiments of a study, now and after each change."""
    experiments: dict[str, Json] = {}
    for event in client.watch(
        study=study["id"], kind=["experiment"], since=study["revision"] - 1, patience=PATIENCE_SECONDS
    ):
        if event.kind == "reset":
            experiments = {
                experiment["id"]: experiment
                for experiment in client.experiments(study=study["id"], sort="id", limit=500)
            }
        elif event.kind == "experiment":
            experiments[event.data["id"]] = event.data
        yield list(experiments.values())


def _summary(experiment: Json) -> str:
    spec = experiment["spec"]
    name = f"{spec['activation']['name']:<11} seed {spec['seed']}"
    if experiment["status"] != "succeeded":
        return f"  {name}  {experiment['status']}: {experiment['detail'] or experiment['cause']}"
    return f"  {name}  test accuracy {experiment['test_accuracy']:.4f}  ({experiment['seconds']:.1f} s)"


def _activity(experiments: Sequence[Json]) -> str:
    running = [experiment for experiment in experiments if experiment["status"] == "running"]
    if not running:
        return next(
            (experiment["waiting_reason"] for experiment in experiments if experiment["waiting_reason"]), "finishing"
        )
    spec = running[0]["spec"]
    return f"{spec['activation']['name']} seed {spec['seed']}, epoch {running[0]['epochs_done'] + 1}/{spec['epochs']}"


def _check(client: Client, study: str) -> None:
    failed = [experiment for experiment in client.experiments(study=study) if experiment["status"] != "succeeded"]
    if failed:
        first = failed[0]
        raise DemoFailed(
            f"{len(failed)} experiments did not succeed. {first['detail'] or first['cause']} {first['remedy']}"
        )


def _look_next(console: Console, url: str, study: str, start: str) -> None:
    console.print(f"\nThe results are kept. Start the service with [bold]{start}[/], then look at")
    for what, path in (
        ("this study, with its curves and its comparison", f"/studies/{study}"),
        ("all activations", "/activations"),
        ("every route, to try out", "/docs"),
    ):
        console.print(f"  {what:<47} {url}{path}", soft_wrap=True)
    console.print(
        f"  {'the comparison of all pairs, here':<47} actlab study compare {study} --versus all", soft_wrap=True
    )
