"""Take the pictures of docs/images from real runs, as `python scripts/pictures.py [FOLDER]`; it needs Chromium.

It serves a folder of its own and trains 25 experiments on `digits`, which takes one to two minutes.
"""

import io
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # a script sees its own folder first, and not the project

from actlab import Client, Study  # noqa: E402

WIDTH, HEIGHT = 1280, 800
HEIGHTS = {"study": 1990, "experiment": 1130, "compare": 1300, "new-study": 900, "activations": 900}
STUDY = {
    "preset": "quick",
    "base": {"dataset": "digits", "epochs": 8},
    "name": "Five activation functions on digits",
    "question": "Which activation learns 8 x 8 digits best in eight epochs?",
}
PICTURED_AT = 18
"""The number of experiments that have ended when the picture of the running study is taken, of 25."""

FILM_SIZE, FILM_COLOURS, FRAME_MS = (800, 500), 64, 600
START_SECONDS, STUDY_SECONDS = 120, 1200


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home, _service(Path(home)) as client, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), chromium_sandbox=False)
        viewport = {"width": WIDTH, "height": HEIGHT}
        page = browser.new_page(base_url=client.address("/"), viewport=viewport, color_scheme="light")
        study = client.submit_study(STUDY)
        _film(page, study, folder)
        experiment, other = list(study.iter_experiments(status="succeeded", sort="id"))[:2]
        _take(page, f"/experiments/{experiment.id}", folder / "experiment.png")
        _take(page, f"/compare?id={experiment.id}&id={other.id}", folder / "compare.png")
        _take(page, "/studies/new", folder / "new-study.png")
        _take(page, "/activations", folder / "activations.png")
        browser.close()


@contextmanager
def _service(home: Path) -> Iterator[Client]:
    """Run a service in a folder of its own, and yield its client when a worker is alive."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("ACTLAB_")}
    port = _free_port()
    variables |= {"ACTLAB_HOME": str(home), "ACTLAB_PORT": str(port), "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([sys.executable, "-m", "actlab", "up"], env=variables)
    try:
        with Client(f"http://127.0.0.1:{port}") as client:
            _await(client.healthy)
            _await(client.workers)
            yield client
    finally:
        process.terminate()
        process.wait(60)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _await(look: Callable[[], object]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not look():
        if time.monotonic() > deadline:
            raise TimeoutError(f"The service did not start within {START_SECONDS} s.")
        time.sleep(0.5)


def _film(page: Page, study: Study, folder: Path) -> None:
    """Take a frame of the study's page at each experiment that ends, and a picture when most have."""
    page.goto(f"/studies/{study.id}")
    frames: list[Image.Image] = []
    is_pictured = False
    for ended in _ended(study):
        page.wait_for_timeout(400)
        frames.append(_frame(page.screenshot()))
        if ended >= PICTURED_AT and not is_pictured:
            is_pictured = True
            _shoot(page, folder / "study.png")
            page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
    first, *others = frames
    first.save(folder / "study.gif", save_all=True, append_images=others, duration=FRAME_MS, loop=0, optimize=True)


def _ended(study: Study) -> Iterator[int]:
    """Yield the number of a study's experiments that have succeeded, at each change until it has finished."""
    deadline, last = time.monotonic() + STUDY_SECONDS, -1
    while not study.finished and time.monotonic() < deadline:
        if study.refresh().progress["succeeded"] != last:
            last = study.progress["succeeded"]
            yield last
        time.sleep(0.2)


def _frame(png: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(png)).convert("RGB").resize(FILM_SIZE, Image.Resampling.LANCZOS)
    return image.quantize(FILM_COLOURS, dither=Image.Dither.NONE)


def _take(page: Page, address: str, file: Path) -> None:
    page.goto(address)
    page.wait_for_timeout(4000)  # pages keep a stream open, so that the network is never idle
    _shoot(page, file)


def _shoot(page: Page, file: Path) -> None:
    page.set_viewport_size({"width": WIDTH, "height": HEIGHTS[file.stem]})
    page.wait_for_timeout(2500)  # until the charts have their new size
    image = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    image.quantize(256, dither=Image.Dither.NONE).save(file, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images")
