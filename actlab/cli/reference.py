"""Write docs/command.md, the reference of the command: `python -m actlab.cli.reference > docs/command.md`.

Typer derives the page from the options and docstrings of the commands; a test holds it current.
"""

import html
import subprocess
import sys

PROGRAM = [sys.executable, "-m", "typer", "actlab.cli.main", "utils", "docs", "--name", "actlab"]

PREFACE = """\
# The command

`python -m actlab.cli.reference` generates this page from the command itself.

* Results are printed on stdout, as tables for people. With `--json`, before the command or at its end, stdout has the
  API's answer as one JSON document, and for `watch` and `log -f` a document on each line. Words about what happens are
  printed on stderr.
* The service is that of `--url`, or else of `ACTLAB_URL`, of `actlab login`, or of this machine
  ([settings](settings.md)).
* `actlab --install-completion` lets the shell complete commands, options, ids and names. Ids and names come from the
  service, which has less than a second to answer.

| exit code | meaning |
| --- | --- |
| 0 | The command has done what it says. |
| 1 | The service refused, failed or cannot be reached; one line on stderr says why. |
| 2 | The words of the command are wrong. |
| 3 | What was waited for or checked ended badly; see below. |

The exit code is 3 where an experiment did not succeed, where a study was cancelled or has experiments that failed and
were not retried, and where `doctor` found a problem.

"""


def page() -> str:
    """Return the text of the page."""
    done = subprocess.run(PROGRAM, capture_output=True, encoding="utf-8", check=True)
    # The usage lines are no commands to run, which a console block would say.
    described = html.unescape(done.stdout).replace("```console\n$ ", "```text\n")
    described = described.replace("# `actlab`\n", "## `actlab`\n", 1)
    return f"{PREFACE}{described.strip()}\n"


if __name__ == "__main__":
    sys.stdout.write(page())
