"""Editing a text in the user's editor."""

import os
import shlex
import subprocess
import tempfile
from pathlib import Path

import typer

DEFAULT = "notepad" if os.name == "nt" else "vi"


def edit(text: str) -> str:
    """Return a text after the user has edited it with VISUAL or EDITOR. Raises typer.BadParameter where the editor
    cannot be started or ends with an error."""
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or DEFAULT
    descriptor, name = tempfile.mkstemp(suffix=".md", text=True)
    file = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
        subprocess.run([*shlex.split(editor), name], check=True)
        return file.read_text(encoding="utf-8").strip()
    except (OSError, subprocess.CalledProcessError, ValueError) as error:
        raise typer.BadParameter(f"The editor {editor!r} failed: {error}. Set EDITOR.", param_hint="--edit") from error
    finally:
        file.unlink(missing_ok=True)
