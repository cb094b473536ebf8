"""Specs that a command submits: a JSON file, standard input, and single fields."""

import json
import sys
from pathlib import Path
from typing import Any

import typer

from actlab.cli.options import name_and_value

Spec = dict[str, Any]


def read_spec(file: Path | None) -> Spec:
    """Return the JSON object of a file, or of standard input for `-`; an empty one without a file."""
    try:
        # Of bytes, json finds out the encoding: Windows writes UTF-8 or UTF-16 with a byte order mark.
        body: Any = json.loads(b"{}" if file is None else _read(file))
    except ValueError as error:
        raise typer.BadParameter(f"{file} is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise typer.BadParameter(f"{file} should hold a JSON object")
    return body


def with_fields(spec: Spec, texts: list[str] | None) -> Spec:
    """Return a spec with fields of `--set`: dotted names with JSON values, or texts where a value is no JSON."""
    for text in texts or []:
        name, value = name_and_value(text, "--set")
        _set(spec, name, json_or_text(value))
    return spec


def json_or_text(value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        return value


def _set(spec: Spec, name: str, value: Any) -> None:
    *path, last = name.split(".")
    for part in path:
        spec = spec.setdefault(part, {})
        if not isinstance(spec, dict):
            raise typer.BadParameter(f"{name}: {part} is {spec!r} and has no fields", param_hint="--set")
    spec[last] = value


def _read(file: Path) -> bytes:
    return sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
