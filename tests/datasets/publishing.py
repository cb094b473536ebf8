"""A published data set for tests, and a mirror that serves it."""

import gzip
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.datasets.idx import encode
from service.datasets.published import md5
from service.domain.datasets import DatasetDefinition, Publication, PublishedFile

NAMES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
TRAIN_IMAGES = f"{NAMES[0]}.gz"


def arrays() -> list[NDArray[np.uint8]]:
    random = np.random.RandomState(0)
    shapes = ((20, 28, 28), (20,), (10, 28, 28), (10,))
    return [random.randint(0, 10, shape).astype(np.uint8) for shape in shapes]


UNPACKED = {name: encode(array) for name, array in zip(NAMES, arrays(), strict=True)}
PACKED = {f"{name}.gz": gzip.compress(content, mtime=0) for name, content in UNPACKED.items()}


def make_definition(*mirrors: str, largest_file: int = 100_000) -> DatasetDefinition:
    """A published data set of 20 + 10 images."""
    files = [PublishedFile(f"{name}.gz", md5(UNPACKED[name])) for name in NAMES]
    publication = Publication(
        files=(files[0], files[1], files[2], files[3]),
        mirrors=mirrors,
        largest_file=largest_file,
        torchvision="MNIST",
        keras="mnist.npz",
    )
    return DatasetDefinition("mnist", (1, 28, 28), 10, training_images=20, test_images=10, publication=publication)


class Mirror:
    """An HTTP server on the loopback. `answers`: per path (status, content), one after the other, the last for ever."""

    def __init__(self) -> None:
        self.answers: dict[str, list[tuple[int, bytes]]] = {}
        self.requested: list[str] = []
        mirror = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                mirror.requested.append(self.path)
                waiting = mirror.answers.get(self.path, [(404, b"")])
                status, content = waiting.pop(0) if len(waiting) > 1 else waiting[0]
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"

    def serve(self, folder: str, contents: Mapping[str, bytes] = PACKED) -> str:
        """The mirror's URL of a folder with these files."""
        self.answers |= {f"/{folder}/{name}": [(200, content)] for name, content in contents.items()}
        return f"{self.url}{folder}/"


@contextmanager
def serving() -> Iterator[Mirror]:
    server = Mirror()
    thread = Thread(target=server.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.server.shutdown()
    server.server.server_close()
    thread.join()
