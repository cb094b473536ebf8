"""The service behind nginx, with the `server` block of docs/production.md."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from service.settings import Settings
from tests.api.serving import listening
from tests.conftest import ROOT, do_without
from tests.servers import NginxServer, missing

ROOT_PATH = "/actlab"


@contextmanager
def proxied(settings: Settings, folder: Path, *, removed: bool) -> Iterator[NginxServer]:
    """Serve below /actlab/ behind nginx, which removes the path or keeps it."""
    absent = missing(*NginxServer.PROGRAMS)
    if absent:
        do_without(f"nginx is not installed ({', '.join(absent)})")
    own = settings.model_copy(update={"root_path": ROOT_PATH, "trusted_proxies": "127.0.0.1"})
    with listening(own) as url:
        nginx = NginxServer(folder, _block(str(urlsplit(url).port), "/" if removed else "")).start()
        yield nginx
        nginx.stop()


def _block(port: str, path: str) -> str:
    (block,) = re.findall(
        r"^```nginx\n(.*?)^```", (ROOT / "docs" / "production.md").read_text(), re.MULTILINE | re.DOTALL
    )
    changes = {
        "listen 443 ssl": "listen 127.0.0.1:{port} ssl",
        "/etc/ssl/certs/lab.example.crt": "{certificate}",
        "/etc/ssl/private/lab.example.key": "{key}",
        "server_name lab.example": "server_name 127.0.0.1",
        "http://127.0.0.1:8000;": f"http://127.0.0.1:{port}{path};",
    }
    for old, new in changes.items():
        assert block.count(old) == 1, old
        block = block.replace(old, new)
    return str(block)
