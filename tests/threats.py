"""Print the table of docs/security.md: threats, defences, and the tests that are marked with `defends`.

python -m tests.threats
"""

import ast
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
HEAD = "| threat | defence | marked tests |\n| --- | --- | --- |"

THREATS: dict[str, tuple[str, str]] = {
    "route": (
        "A stranger calls a route, also one added later",
        "Every route has a role, and what is not public needs a key, decided before path, body and media type count",
    ),
    "guess": (
        "A key is guessed",
        "256 random bits; the whole hash is compared in constant time, also for ids of no key",
    ),
    "database": (
        "The database or a backup is read",
        "It holds SHA-256 of keys; neither the hash nor anything made from it is accepted",
    ),
    "theft": (
        "A key is stolen",
        "Lifetimes, and revocation within a second in every process, in the middle of streams and waits",
    ),
    "denial": ("Somebody changes something and denies it", "The audit, without which no change commits"),
    "share": (
        "A share link reaches more than its study",
        "The token is no key, and opens one page that reads one study",
    ),
    "leak": (
        "A key ends in a log, or in an address",
        "Log lines keep the id alone, and nothing of a share link; parameters and paths are no place for a key",
    ),
    "cross_site": (
        "Another web site sends a change",
        "403 for a foreign `Origin` or `Sec-Fetch-Site`; SameSite=Strict; bodies must be JSON",
    ),
    "rebinding": (
        "A name of another server resolves to this one (DNS rebinding)",
        "400 for hosts that are not in the list",
    ),
    "script": ("A script reads the key from a page", "The cookie is HttpOnly; a policy without inline scripts"),
    "fixation": ("A stranger fixes a session beforehand", "The cookie is the key: no other value becomes valid"),
    "flood": (
        "A key floods the service, or fills the queue",
        "429 above `ACTLAB_RATE_PER_MINUTE`, `ACTLAB_SUBMITS_PER_HOUR` and `ACTLAB_MAX_QUEUED`;"
        " processes count together in Redis where it is the broker, and otherwise grant their shares",
    ),
    "slow": (
        "Clients send slowly, or a head without an end",
        "A request has to arrive in 60 seconds, and its head in 64 KiB; idle connections are closed after 5 seconds",
    ),
    "hostile": (
        "Bodies and texts are made to break or exhaust the service",
        "Bodies of 1 MiB at most, each field named once; lengths and characters of texts are checked;"
        " errors of one shape",
    ),
    "proxy": ("A proxy extends an open service to the network", "401 for forwarded headers while there are no keys"),
    "forged": (
        "A client forges the headers of a proxy",
        "Forwarded headers count from the addresses of `ACTLAB_TRUSTED_PROXIES` alone",
    ),
    "package": (
        "A package is replaced on its way, or in the index",
        "Set-up and images check each file against the hashes of `locks/`; torch alone comes without, in the build of"
        " the machine",
    ),
    "container": (
        "A process of a container is taken over",
        "No root, no capability, no new privileges, a read-only root file system",
    ),
}
"""The threats by the argument of their tests' mark `defends`: each with its defence."""


def main() -> None:
    sys.stdout.write(table() + "\n")


def table() -> str:
    """Return the table in Markdown. Raises KeyError for a mark of no threat, ValueError for a threat without a test."""
    tests: dict[str, Counter[str]] = {threat: Counter() for threat in THREATS}
    for threat, file in marks():
        tests[threat][file] += 1
    untested = [threat for threat, files in tests.items() if not files]
    if untested:
        raise ValueError(f"no test is marked for {', '.join(untested)}")
    return "\n".join([HEAD, *(_row(*THREATS[threat], files) for threat, files in tests.items())])


def _row(threat: str, defence: str, files: Counter[str]) -> str:
    return f"| {threat} | {defence} | {', '.join(f'`{file}` ({n})' for file, n in sorted(files.items()))} |"


def marks() -> Iterator[tuple[str, str]]:
    """Yield the threat and the file of each marked test."""
    for file in sorted((ROOT / "tests").rglob("test_*.py")):
        text = file.read_text()
        if "mark.defends" in text:
            name = str(file.relative_to(ROOT))
            yield from ((threat, name) for node in ast.walk(ast.parse(text)) for threat in _threats(node))


def _threats(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        for decorator in node.decorator_list:
            match decorator:
                case ast.Call(func=ast.Attribute(attr="defends"), args=[ast.Constant(value=str(threat))]):
                    yield threat


if __name__ == "__main__":
    main()
