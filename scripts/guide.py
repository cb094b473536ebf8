"""Build the guide: `python scripts/guide.py`, with the Python that has Zensical (`make docs`)."""

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
CHANGELOG = ROOT / "docs" / "changelog.md"
"""A copy of CHANGELOG.md for the build, since a site has the pages of its folder only. Git ignores it."""
UNUSED = ("404.html", "sitemap.xml")
"""Files that need the address of the site, which is another one at each place where ActLab runs."""


def main() -> None:
    site = ROOT / tomllib.loads((ROOT / "zensical.toml").read_text())["project"]["site_dir"]
    CHANGELOG.write_text((ROOT / "CHANGELOG.md").read_text().replace("](docs/", "]("))
    try:
        subprocess.run([sys.executable, "-m", "zensical", "build", "--clean"], cwd=ROOT, check=True)
    finally:
        CHANGELOG.unlink()
    for name in UNUSED:
        (site / name).unlink()


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as failed:
        sys.exit(failed.returncode)
