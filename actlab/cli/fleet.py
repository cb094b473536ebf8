"""Commands about workers, the queue and the audit: `actlab worker list`, `queue` and `audit`."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from actlab.cli.common import service_client
from actlab.cli.options import AsJson
from actlab.cli.output import Json, clipped, coloured, duration, fields, moment, say, show, table

TIMES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]


def list_workers(json: AsJson = False) -> None:
    """List the workers: the device, memory and experiments of each, and whether it is alive."""
    with service_client() as client:
        workers = client.workers()
    picture = _workers_table(workers) if workers else Text("No worker has reported. Start one with `actlab worker`.")
    show({"items": workers}, picture, as_json=json)


def queue(json: AsJson = False) -> None:
    """Print the length of the queue, the longest wait and the estimated time until it is empty."""
    with service_client() as client:
        answer = client.queue()
    priorities = ", ".join(f"{count} of priority {priority}" for priority, count in answer["by_priority"].items())
    rows = [
        ("queued", str(answer["queued"])),
        ("running", str(answer["running"])),
        ("by priority", priorities),
        ("oldest waits", duration(answer["oldest_queued_seconds"])),
        ("empty in", _time_left(answer)),
    ]
    show(answer, fields(rows), as_json=json)


def audit(
    principal: Annotated[list[str] | None, typer.Option(help="Only changes by the key with this id.")] = None,
    action: Annotated[list[str] | None, typer.Option(help="Only this operation, such as cancel_study.")] = None,
    since: Annotated[datetime | None, typer.Option(formats=TIMES, help="The earliest time, in UTC.")] = None,
    until: Annotated[datetime | None, typer.Option(formats=TIMES, help="The latest time, in UTC.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="The most that are listed.")] = 50,
    cursor: Annotated[str | None, typer.Option(help="Go on after another list, which says how.")] = None,
    json: AsJson = False,
) -> None:
    """List who changed what, the newest first. It needs the key of an admin where the service has keys."""
    query: dict[str, Any] = {"principal": principal or None, "action": action or None, "limit": limit, "cursor": cursor}
    with service_client() as client:
        page = client.audit_page(at_min=_in_utc(since), at_max=_in_utc(until), **query)
    show(page, _audit_table(page["items"]), as_json=json)
    if not json and page["next_cursor"]:
        say(f"There are more: --cursor {page['next_cursor']}")


def _time_left(queue: Json) -> str:
    if not queue["queued"] and not queue["running"]:
        return ""
    return duration(queue["eta_seconds"]) or "unknown"


def _in_utc(time: datetime | None) -> str | None:
    return None if time is None else time.replace(tzinfo=UTC).isoformat()


def _workers_table(workers: Sequence[Json]) -> Table:
    made = table("worker", "host", "device", "memory", "status", "experiments", "seen", right=["memory", "experiments"],
                 cut=["worker", "host", "device"])  # fmt: skip
    for worker in workers:
        made.add_row(
            clipped(worker["id"]),
            clipped(worker["hostname"]),
            clipped(f"{worker['device']} {worker['device_name']}"),
            _memory(worker["memory"]),
            coloured(worker["status"] if worker["alive"] or worker["problem"] else "lost"),
            str(len(worker["experiments"])),
            moment(worker["last_seen"])[11:],
        )
    problems = [f"{worker['id']}: {worker['problem']}" for worker in workers if worker["problem"]]
    made.caption = Text("\n".join(problems)) if problems else None
    return made


def _memory(memory: Json) -> str:
    total, used = memory["total"], memory["used"]
    if total is None:
        return ""
    return f"{total / 2**30:.0f} GiB" if used is None else f"{used / 2**30:.1f}/{total / 2**30:.0f} GiB"


def _audit_table(entries: Sequence[Json]) -> Table:
    made = table("time (UTC)", "by", "from", "action", "what", cut=["by", "what"])
    for entry in entries:
        made.add_row(
            moment(entry["at"]),
            clipped(
                f"{entry['name']} ({entry['principal']})" if entry["name"] != entry["principal"] else entry["name"]
            ),
            entry["address"] or "",
            entry["action"],
            clipped((entry["path"] or "").removeprefix("/api/v1") or entry["details"]),
        )
    return made
