"""The download of data sets: proxies that cannot be used."""

from pathlib import Path

import pytest

from service.datasets.download import DownloadFailed, download
from service.domain.datasets import DATASETS


@pytest.mark.parametrize("value", ["socks5://127.0.0.1:1080", "ftp://127.0.0.1:9", "http://[::1"])
def test_download_names_a_proxy_that_cannot_be_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, value: str
) -> None:
    monkeypatch.setenv("ALL_PROXY", value)
    publication = DATASETS["mnist"].publication
    assert publication is not None
    with pytest.raises(DownloadFailed, match="ALL_PROXY cannot be used"):
        download(publication, tmp_path, lambda *_: None)
