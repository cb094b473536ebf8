"""The download of data sets: failures that may pass, and proxies that cannot be used."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from service.datasets.download import DownloadFailed, DownloadUnavailable, download
from service.domain.datasets import DATASETS, Publication
from tests.datasets.publishing import PACKED, TRAIN_IMAGES, Mirror, make_definition, serving

CLOSED = "http://127.0.0.1:1/"


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    with serving() as mirror:
        yield mirror


def published(*mirrors: str) -> Publication:
    publication = make_definition().publication
    assert publication is not None
    return replace(publication, mirrors=mirrors)


def answering(mirror: Mirror, status: int) -> str:
    mirror.answers |= {f"/{status}/{name}": [(status, b"")] for name in PACKED}
    return f"{mirror.url}{status}/"


def failure(tmp_path: Path, *mirrors: str) -> DownloadFailed:
    with pytest.raises(DownloadFailed) as caught:
        download(published(*mirrors), tmp_path / "data", lambda *_: None, first_wait=0)
    return caught.value


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_download_is_unavailable_after_an_answer_that_may_pass(mirror: Mirror, tmp_path: Path, status: int) -> None:
    assert isinstance(failure(tmp_path, answering(mirror, status)), DownloadUnavailable)


@pytest.mark.parametrize("status", [400, 403, 404, 410])
def test_download_fails_after_an_answer_that_stays(mirror: Mirror, tmp_path: Path, status: int) -> None:
    assert type(failure(tmp_path, answering(mirror, status))) is DownloadFailed


def test_download_is_unavailable_where_no_mirror_can_be_reached(tmp_path: Path) -> None:
    error = failure(tmp_path, CLOSED, "http://no-such-host.invalid/")
    assert isinstance(error, DownloadUnavailable)
    assert all(part in error.reason for part in (TRAIN_IMAGES, CLOSED, "http://no-such-host.invalid/"))


def test_download_is_unavailable_behind_a_proxy_that_is_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", CLOSED)
    assert isinstance(failure(tmp_path, "http://mirror.invalid/"), DownloadUnavailable)


def test_download_fails_where_every_mirror_sends_wrong_bytes(mirror: Mirror, tmp_path: Path) -> None:
    wrong = mirror.serve("wrong", dict.fromkeys(PACKED, b"wrong"))
    assert type(failure(tmp_path, wrong, answering(mirror, 404))) is DownloadFailed


@pytest.mark.parametrize("first", [True, False])
def test_download_is_unavailable_where_one_of_the_mirrors_is(mirror: Mirror, tmp_path: Path, first: bool) -> None:
    wrong = mirror.serve("wrong", dict.fromkeys(PACKED, b"wrong"))
    mirrors = (CLOSED, answering(mirror, 404), wrong)
    assert isinstance(failure(tmp_path, *(mirrors if first else reversed(mirrors))), DownloadUnavailable)


def test_download_reports_before_each_request(mirror: Mirror, tmp_path: Path) -> None:
    """So that a cancel need not wait until every mirror has been tried."""

    def stop(*_: object) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        download(published(answering(mirror, 503)), tmp_path, stop, first_wait=0)
    assert mirror.requested == []


@pytest.mark.parametrize("value", ["socks5://127.0.0.1:1080", "ftp://127.0.0.1:9", "http://[::1"])
def test_download_names_a_proxy_that_cannot_be_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, value: str
) -> None:
    monkeypatch.setenv("ALL_PROXY", value)
    publication = DATASETS["mnist"].publication
    assert publication is not None
    with pytest.raises(DownloadUnavailable, match="ALL_PROXY cannot be used"):
        download(publication, tmp_path, lambda *_: None)
