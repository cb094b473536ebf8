"""The code blocks of documents, and how each kind of them is run against a service."""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2 as httpx

from actlab.client import Client

FENCE = re.compile(
    r"^(?:<!-- (?P<comment>.*?) -->\n)?(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)
RUN = ("bash", "console", "python", "json")
"""Languages of blocks that are run, unless the comment before a block says why not."""
SHOWN = ("text", "tower", "nginx", "toml")
"""Languages of blocks that only show something."""
URL = "http://127.0.0.1:8000"
"""The service in documents."""
NOT_RUN = "not run: "
BODY = re.compile(r"body of (?P<method>POST|PUT) (?P<path>/\S+)")


@dataclass(frozen=True)
class Snippet:
    """A code block. `comment` is the text of the HTML comment on the line before it."""

    place: str
    language: str
    text: str
    comment: str

    @property
    def reason(self) -> str:
        """Return why it is not run, or an empty text."""
        return self.comment.removeprefix(NOT_RUN) if self.comment.startswith(NOT_RUN) else ""

    @property
    def fault(self) -> str:
        """Return what is wrong with its language or its comment, or an empty text."""
        if self.language not in RUN + SHOWN:
            return f"{self.place}: the language must be one of {', '.join(RUN + SHOWN)}"
        if self.comment and not BODY.fullmatch(self.comment) and len(self.reason) < 10:
            return f"{self.place}: the comment says neither why it is not run nor what it is the body of"
        return ""


def snippets(file: Path, name: str = "") -> list[Snippet]:
    """Return the code blocks of a document in their order."""
    text = file.read_text()
    return [
        Snippet(
            f"{name or file.name}:{text.count(chr(10), 0, match.start()) + 1}",
            match["language"],
            re.sub(rf"^{match['indent']}", "", match["text"], flags=re.MULTILINE),
            match["comment"] or "",
        )
        for match in FENCE.finditer(text)
    ]


@dataclass
class Runner:
    """Runs the blocks of one document in their order, in a folder.

    The variables ID and EXPERIMENT of the shell and the names of Python last until the end of the document.
    """

    url: str
    folder: Path
    variables: dict[str, str]
    names: dict[str, Any] = field(default_factory=lambda: {"__name__": "__main__"})
    printed: str = ""
    clients: list[Client] = field(default_factory=list)
    """Clients that the blocks made. Documents leave it to the end of the program to close them."""

    def run(self, snippet: Snippet) -> None:
        """Run a block. AssertionError: it failed, or a JSON block does not show what the block before it prints."""
        text = snippet.text.replace(URL, self.url)
        try:
            getattr(self, f"_{snippet.language}")(text, snippet)
        except Exception as error:
            raise AssertionError(f"{snippet.place}: {error}") from error

    def _bash(self, text: str, _: Snippet) -> None:
        state = self.folder / ".state"
        script = f"set -euo pipefail\n[ -e {state} ] && . {state}\n{text}\ndeclare -p ID EXPERIMENT > {state}\n"
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self.folder,
            env=self._environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        if done.returncode:
            raise RuntimeError(f"status {done.returncode}\n{done.stdout}\n{done.stderr}")
        self.printed = done.stdout

    def _console(self, text: str, snippet: Snippet) -> None:
        """Run the commands, which follow the prompt, and leave out the output that is shown."""
        joined = text.replace("\\\n", " ")
        self._bash("\n".join(line[2:] for line in joined.splitlines() if line.startswith("$ ")), snippet)

    def _python(self, text: str, snippet: Snippet) -> None:
        previous = Path.cwd()
        os.chdir(self.folder)
        try:
            exec(compile(text, snippet.place, "exec"), self.names)
        finally:
            os.chdir(previous)
            self.clients += [value for value in self.names.values() if isinstance(value, Client)]

    def close(self) -> None:
        for client in self.clients:
            client.close()

    def _json(self, text: str, snippet: Snippet) -> None:
        shown = json.loads(text)
        if body := BODY.fullmatch(snippet.comment):
            answer = httpx.request(body["method"], f"{self.url}{body['path']}", json=shown, trust_env=False)
            assert answer.is_success, answer.text
        else:
            assert_same_shape(json.loads(self.printed), shown)

    def _environment(self) -> dict[str, str]:
        """Return the variables of a shell in which `actlab` is the command of this source."""
        command = self.folder / ".bin" / "actlab"
        command.parent.mkdir(exist_ok=True)
        command.write_text(f'#!/bin/sh\nexec {sys.executable} -m actlab "$@"\n')
        command.chmod(0o755)
        path = f"{command.parent}:{os.environ['PATH']}"
        return {**os.environ, "ACTLAB_URL": self.url, "PATH": path, **self.variables}


def assert_same_shape(answer: Any, shown: Any) -> None:
    """Fail if a document shows a field that an answer does not have, or one of another kind."""
    if isinstance(shown, dict):
        for name, value in shown.items():
            assert_same_shape(answer[name], value)
    else:
        assert type(answer) is type(shown), f"{answer!r} is shown as {shown!r}"
