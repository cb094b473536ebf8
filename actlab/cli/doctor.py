"""`actlab doctor`: checks of this installation and of the service."""

from dataclasses import asdict

import typer
from rich.table import Table
from rich.text import Text

from actlab.cli.options import ENDED_BADLY, AsJson, service_url
from actlab.cli.output import coloured, console, write_json
from actlab.doctor import checks
from actlab.doctor.findings import Finding


def doctor(json: AsJson = False) -> None:
    """Check Python, versions, the service with its workers and clock, device, database, broker, data sets, disk and
    port, and print a remedy for each problem."""
    findings = list(checks.run(service_url()))
    if json:
        write_json({"checks": [asdict(finding) for finding in findings]})
    else:
        console().print(_picture(findings))
    if any(finding.state == "problem" for finding in findings):
        raise typer.Exit(ENDED_BADLY)


def _picture(findings: list[Finding]) -> Table:
    made = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    made.add_column(no_wrap=True)
    made.add_column(no_wrap=True)
    made.add_column(overflow="fold")
    for finding in findings:
        remedy = "" if finding.remedy is None else f"\n→ {finding.remedy}"
        words = Text.assemble(finding.finding, (remedy, "bold" if finding.state == "problem" else "dim"))
        made.add_row(finding.name, coloured(finding.state), words)
    return made
