"""Measure the largest page in a browser: a study of 500 experiments with 20 epochs each, opened and then extended.

python -m benchmarks.pages [--cells 5] [--updates 10]

`--cells 5` is five activations over 100 seeds; `--cells 100` is a grid of 100 combinations over 5 seeds.
"""

import shutil
import statistics
import tempfile
from pathlib import Path
from typing import Any

import typer
from playwright.sync_api import CDPSession, Page, expect, sync_playwright

from service.storage.engine.database import Database
from service.storage.queue import transitions
from tests.browser.filling import FIVE, LONG_LEASES, Filled, Json, fill, make_figures
from tests.stack.services import Service
from tests.waiting import await_true

EPOCHS = 20
DROPOUTS, BATCH_SIZES = [0, 0.1, 0.25, 0.5], [32, 64, 128, 256, 512]
SETTLE_MS = 3000

# Times at which the last chart was drawn, since navigation and since the last answer, and the time of all charts.
PAINT = """() => {
  const answers = performance.getEntriesByType('resource').filter((one) => one.name.includes('/api/v1/studies/'));
  const pictures = performance.getEntriesByName('actlab.chart');
  const last = Math.max(...pictures.map((one) => one.startTime + one.duration));
  const answered = Math.max(...answers.map((one) => one.responseEnd).filter((end) => end <= last));
  const took = pictures.reduce((sum, one) => sum + one.duration, 0);
  return { last, after: last - answered, pictures: took, count: pictures.length };
}"""


def main(cells: int = 5, updates: int = 10) -> None:
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        service = Service(Path(home), **LONG_LEASES)
        service.run("db", "upgrade")
        database = Database(service.database_url)
        filled = fill(database, study(cells), finished=499, running=1)
        service.launch("serve")
        await_true(service.client.healthy, seconds=90)
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), chromium_sandbox=False)
        try:
            page = browser.new_page(base_url=f"http://127.0.0.1:{service.port}")
            opened(page, filled)
            extended(page, database, filled, updates)
        finally:
            browser.close()
            database.close()
            service.close()


def study(cells: int) -> Json:
    factors: Json = {"activation": FIVE}
    if cells == 100:
        factors |= {"dropout": DROPOUTS, "batch_size": BATCH_SIZES}
    base = {"dataset": "mnist_5k", "epochs": EPOCHS, "diagnostics": False}
    return {"name": "large", "base": base, "factors": factors, "seeds": list(range(500 // cells))}


def opened(page: Page, filled: Filled) -> None:
    page.goto(f"/studies/{filled.study}")
    expect(page.locator(".ranking")).to_be_visible(timeout=60_000)
    expect(page.locator("figure canvas")).to_have_count(4, timeout=60_000)
    page.wait_for_timeout(SETTLE_MS)
    times: dict[str, Any] = page.evaluate(PAINT)
    typer.echo(f"last picture {times['last'] / 1000:.2f} s after the address was entered, {times['after']:.0f} ms after"
               f" the last answer; {times['count']} pictures took {times['pictures']:.0f} ms in all")  # fmt: skip


def extended(page: Page, database: Database, filled: Filled, updates: int) -> None:
    """Record one epoch at a time, and measure the work of the main thread until the page is at rest, less its work in
    the same time without an epoch."""
    profiler = page.context.new_cdp_session(page)
    # Processor time of the thread, which other programs do not affect.
    profiler.send("Performance.enable", {"timeDomain": "threadTicks"})
    [(fence, spec)] = filled.running
    idle = work(page, profiler)
    durations = []
    for number in range(updates):
        epoch = EPOCHS // 2 + 1 + number % (EPOCHS // 2)
        with database.write("extend") as session:
            transitions.record_epoch(session, fence, make_figures(spec, epoch))
        durations.append(work(page, profiler) - idle)
    median, least, most = statistics.median(durations), min(durations), max(durations)
    typer.echo(f"an update takes {median:.0f} ms of the main thread ({least:.0f} to {most:.0f}, n = {updates})")
    typer.echo(f"at rest it does {idle:.0f} ms of work in the same time")


def work(page: Page, profiler: CDPSession) -> float:
    """Return the milliseconds of tasks on the main thread until the page has settled."""
    before = task_seconds(profiler)
    page.wait_for_timeout(SETTLE_MS)
    return 1000 * (task_seconds(profiler) - before)


def task_seconds(profiler: CDPSession) -> float:
    metrics = profiler.send("Performance.getMetrics")["metrics"]
    seconds: float = next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration")
    return seconds


if __name__ == "__main__":
    typer.run(main)
