"""Ask the advisory database about the versions of a lock, and fail where it knows a vulnerability of one.

python scripts/audit.py PIP_AUDIT LOCK
"""

import json
import subprocess
import sys
from typing import Any

SECONDS = 60
OFFLINE = ("ConnectionError", "Could not connect", "Max retries exceeded", "ConnectTimeout", "ReadTimeout", "timed out")
"""Parts of what pip-audit prints where it does not reach the database."""


def main(pip_audit: str, lock: str) -> str | None:
    """Return the vulnerabilities in words, or None. Says so where nothing could be asked."""
    command = [pip_audit, "--requirement", lock, "--require-hashes", "--disable-pip", "--format=json"]
    options = ["--progress-spinner=off", "--timeout=3"]
    try:
        run = subprocess.run([*command, *options], capture_output=True, text=True, check=False, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return _not_asked("no answer within a minute")
    if not run.stdout.strip():
        reason = run.stderr.strip().splitlines()[-1:] or ["no output"]
        return _not_asked(reason[0]) if any(text in run.stderr for text in OFFLINE) else "\n".join(reason)
    packages = json.loads(run.stdout)["dependencies"]
    if skipped := [one for one in packages if "skip_reason" in one]:
        _not_asked(f"{len(skipped)} of {len(packages)}, such as: {skipped[0]['skip_reason']}")
    return "\n".join(_known(one, advisory) for one in packages for advisory in one.get("vulns", [])) or None


def _known(package: dict[str, Any], advisory: dict[str, Any]) -> str:
    mended = ", ".join(advisory["fix_versions"]) or "no version"
    return f"{package['name']} {package['version']}: {advisory['id']}, mended in {mended}"


def _not_asked(reason: str) -> None:
    sys.stderr.write(f"Not all versions of the lock were audited: {reason[:200]}\n")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
