"""Download the files of a data set from public mirrors.

Each request is retried, each file is checked, and a file is put in place whole or not at all.
"""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import httpx2
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_exponential

from service.datasets.published import WrongContent, content_of, is_intact
from service.domain.datasets import Publication, PublishedFile
from service.domain.errors import InvalidData

ReportProgress = Callable[[str, int, int | None], None]
"""A function of a file's name, the bytes received so far, and the bytes expected where the mirror says."""

ATTEMPTS = 3  # at each mirror
FIRST_WAIT = 0.5  # seconds before the second attempt; doubles
TIMEOUT = httpx2.Timeout(10.0, read=30.0)  # seconds


class DownloadFailed(InvalidData):
    """No mirror has the file. The message names each mirror with its reason."""


class DownloadUnavailable(DownloadFailed):
    """No mirror has sent the file, but one may later: it could not be reached, or its answer was 429 or 5xx.

    `reason` is the message without the folders in which files were looked for.
    """

    def __init__(self, detail: str, reason: str | None = None) -> None:
        super().__init__(detail)
        self.reason = reason or detail


def download(publication: Publication, folder: Path, report: ReportProgress, first_wait: float = FIRST_WAIT) -> None:
    """Complete `folder` by fetching the files that are missing or damaged.

    `first_wait` (seconds) paces the attempts at each mirror. Raises DownloadFailed where no mirror has a file,
    DownloadUnavailable where one may send it later, InvalidData where the folder cannot be written (full, read-only).
    """
    with _client() as client:
        for file in publication.files:
            if not is_intact(folder, file):
                _from_any_mirror(client, publication, file, folder, report, first_wait)


def _client() -> httpx2.Client:
    """Return a client that uses the proxies of the environment. Raises DownloadUnavailable where one cannot be used."""
    # identity: a server that packed the packed file once more would change its checksum.
    headers = {"Accept-Encoding": "identity"}
    try:
        return httpx2.Client(timeout=TIMEOUT, follow_redirects=True, headers=headers)
    except (ImportError, ValueError, httpx2.InvalidURL) as problem:
        reason = "SOCKS needs the package `socksio`" if isinstance(problem, ImportError) else str(problem).rstrip(".")
        raise DownloadUnavailable(
            f"The proxy of HTTP_PROXY, HTTPS_PROXY or ALL_PROXY cannot be used: {reason}. Correct or unset it."
        ) from problem


def _from_any_mirror(
    client: httpx2.Client,
    publication: Publication,
    file: PublishedFile,
    folder: Path,
    report: ReportProgress,
    first_wait: float,
) -> None:
    failures = []
    may_pass = False
    for mirror in publication.mirrors:
        retrying = Retrying(
            stop=stop_after_attempt(ATTEMPTS),
            wait=wait_exponential(first_wait),
            retry=retry_if_exception(_may_pass),
            before=lambda _: report(file.name, 0, None),  # a mirror that sends nothing must not delay a cancel
            reraise=True,
        )
        try:
            return retrying(_fetch, client, mirror + file.name, file, publication.largest_file, folder, report)
        except (httpx2.HTTPError, WrongContent) as problem:
            failures.append(f"{mirror} ({problem})")
            may_pass = may_pass or _may_pass(problem)
    tried = f"tried {', '.join(failures)}"
    if may_pass:
        raise DownloadUnavailable(f"No mirror sends {file.name} now; {tried}.")
    raise DownloadFailed(f"No mirror has {file.name}; {tried}.")


def _may_pass(problem: BaseException) -> bool:
    """Return whether another attempt at the same mirror may succeed."""
    if isinstance(problem, httpx2.HTTPStatusError):
        return problem.response.status_code == 429 or problem.response.status_code >= 500
    return isinstance(problem, httpx2.TransportError)


def _fetch(
    client: httpx2.Client, url: str, file: PublishedFile, limit: int, folder: Path, report: ReportProgress
) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=folder)
        temporary = Path(name)
        try:
            _write(client, url, file, limit, descriptor, report)
            temporary.chmod(0o644)
            temporary.replace(folder / file.name)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as problem:
        raise InvalidData(
            f"{file.name} cannot be written to {folder}: {problem.strerror}. Nothing was left behind; make room or"
            " choose another folder, then run `actlab data fetch`."
        ) from problem


def _write(
    client: httpx2.Client, url: str, file: PublishedFile, limit: int, descriptor: int, report: ReportProgress
) -> None:
    """Write a file and check it. Raises WrongContent for more than `limit` bytes or another content."""
    received = 0
    with os.fdopen(descriptor, "w+b") as output, client.stream("GET", url) as response:
        response.raise_for_status()
        expected = int(response.headers["content-length"]) if "content-length" in response.headers else None
        for piece in response.iter_raw():
            output.write(piece)
            received += len(piece)
            if received > limit:
                raise WrongContent(f"sent more than {limit:,} bytes")
            report(file.name, received, expected)
        output.flush()
        os.fsync(output.fileno())
        output.seek(0)
        content_of(output.read(), file)
