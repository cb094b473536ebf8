"""The start of a process of the API."""

import gc

import pytest
from fastapi import FastAPI

from service.api.server import Server, serve

IMPORTED = 50_000
"""Fewer objects than FastAPI and SQLAlchemy alone leave."""


def test_serve_freezes_imported_objects(monkeypatch: pytest.MonkeyPatch) -> None:
    frozen: list[int] = []

    def run(server: Server, sockets: object) -> None:
        frozen.append(gc.get_freeze_count())
        server.started = True

    monkeypatch.setattr(Server, "run", run)
    try:
        serve(FastAPI(), [])
    finally:
        gc.unfreeze()
    assert frozen[0] > IMPORTED
