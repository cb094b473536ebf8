"""Measure the page of experiments in a browser, over 10,000 of them: opened, then changed one experiment at a time.

python -m benchmarks.lists [--experiments 10000] [--updates 20]
"""

import shutil
import statistics
import tempfile
from pathlib import Path
from typing import Any

import typer
from playwright.sync_api import Page, sync_playwright

from actlab.client import Client
from benchmarks.pages import work
from service.storage.engine.database import Database
from tests.browser.filling import FILLED, LONG_LEASES, fill, multiply
from tests.stack.services import Service
from tests.waiting import await_true

OPENINGS = 5


def main(experiments: int = 10_000, updates: int = 20) -> None:
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        service = Service(Path(home), **LONG_LEASES)
        service.run("db", "upgrade")
        database = Database(service.database_url)
        (body, parts), *_ = FILLED
        fill(database, body, **parts)
        multiply(database, experiments)
        database.close()
        service.launch("serve")
        await_true(service.client.healthy, seconds=90)
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), chromium_sandbox=False)
        try:
            page = browser.new_page(base_url=f"http://127.0.0.1:{service.port}")
            opened(page)
            changed(page, service.client, updates)
        finally:
            browser.close()
            service.close()


def opened(page: Page) -> None:
    """Print the time until the rows can be ticked: their checkboxes are there and the page's scripts have returned."""
    times = []
    for _ in range(OPENINGS):
        page.goto("/experiments")
        page.get_by_role("row").nth(50).wait_for()
        times.append(float(page.evaluate("new Promise((done) => setTimeout(() => done(performance.now())))")))
    typer.echo(f"rows can be ticked after {statistics.median(times):.0f} ms ({min(times):.0f} to {max(times):.0f},"
               f" n = {OPENINGS})")  # fmt: skip


def changed(page: Page, client: Client, updates: int) -> None:
    """Rename a listed experiment at a time, and measure the work of the main thread until the page is at rest, less its
    work in the same time without a change."""
    profiler = page.context.new_cdp_session(page)
    # Processor time of the thread, which other programs do not affect.
    profiler.send("Performance.enable", {"timeDomain": "threadTicks"})
    items: list[Any] = client.experiments_page(limit=50)["items"]
    idle = work(page, profiler)
    durations = []
    for number in range(updates):
        client.edit_experiment(items[number % len(items)]["id"], {"name": f"renamed {number}"})
        durations.append(work(page, profiler) - idle)
    typer.echo(f"an update takes {statistics.median(durations):.0f} ms of the main thread ({min(durations):.0f} to"
               f" {max(durations):.0f}, n = {updates}); at rest {idle:.0f} ms in the same time")  # fmt: skip


if __name__ == "__main__":
    typer.run(main)
