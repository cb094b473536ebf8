"""Pictures of the API's answers about studies for people."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from actlab.cli.charts import sparkline
from actlab.cli.output import Json, clipped, coloured, duration, fields, moment, number, table


def plan(plan: Json) -> Text:
    """Return the size of a study, its duration and the differences that it detects, in sentences."""
    time = "unknown" if plan["seconds"] is None else f"{plan['seconds']:.0f} s"
    lines = [f"{plan['cells']} cells, {plan['experiments']} experiments, time {time}. {plan['basis']}"]
    for detectable in plan["detectable"]:
        grid = "" if detectable["grid"] is None else f"{detectable['grid']}: "
        lines.append(f"{grid}{detectable['text']}")
    return Text("\n".join(lines))


def studies_table(studies: Sequence[Json]) -> Table:
    """Return a row for each study, with its whole id, which other commands take."""
    made = table("id", "name", "ended", "failed", "state", right=["ended", "failed"], cut=["name"])
    for study in studies:
        made.add_row(
            study["id"],
            clipped(study["name"] or study["question"]),
            f"{_ended(study)}/{study['experiments']}",
            str(study["progress"]["failed"]),
            coloured(_state(study)),
        )
    return made


def study_fields(study: Json) -> Group:
    """Return what a person asks about a study: state, progress, what it varies."""
    rows = [
        ("id", study["id"]),
        ("name", study["name"]),
        ("question", study["question"]),
        ("preset", study["preset"]),
        ("state", coloured(_state(study))),
        ("experiments", f"{study['experiments']}: {_counts(study['progress'])}"),
        ("left", None if study["finished"] else duration(study["eta_seconds"])),
        ("to retry", study["retryable"] or None),
        ("seeds", ", ".join(map(str, study["seeds"]))),
        ("reference", _named(study["reference"])),
        ("base", _named(study["base"])),
        ("created", moment(study["created_at"])),
    ]
    factors = [(name, ", ".join(map(_named, values))) for name, values in study["factors"].items()]
    grids = [(f"grid {grid['name']}", _named(grid["factors"])) for grid in study["grids"]]
    varied: list[RenderableType] = [Text(), fields([*factors, *grids])] if factors or grids else []
    return Group(fields(rows), *varied)


def curves_table(curves: Json) -> Table:
    """Return a row for each group: a sparkline of its mean curve, and the mean of the last epoch with its interval."""
    made = table("group", "n", str(curves["title"]), "epochs", "last mean", "95% interval", right=["n", "epochs"],
                 cut=["group"])  # fmt: skip
    for group in curves["groups"]:
        made.add_row(
            clipped(_names(group["factors"])),
            str(group["n"][-1] if group["n"] else 0),
            Text(sparkline(group["mean"], 20), "cyan"),
            str(len(group["epochs"])),
            number(group["mean"][-1] if group["mean"] else None),
            _last_interval(group),
        )
    return made


def claims_table(claims: Sequence[Json]) -> Table:
    """Return a row for each claim: its verdict, its words and what is missing for a decision."""
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    made.add_column(justify="right")
    made.add_column(no_wrap=True)
    made.add_column(overflow="fold")
    for claim in claims:
        missing = "".join(f"\nmissing: {reason}" for reason in claim["missing"])
        words = Text.assemble(claim["claim"], (missing, "dim"))
        made.add_row(str(claim["number"]), coloured(claim["verdict"]), words)
    return made


def shares_table(links: Sequence[Json]) -> Table:
    """Return a row for each link to a study, with its end and the number of its views."""
    made = table("id", "made", "ends", "views", "revoked", right=["views"])
    for link in links:
        ends = moment(link["expires_at"])[:10] or "never"
        revoked = moment(link["revoked_at"])[:10]
        made.add_row(link["id"], moment(link["created_at"])[:10], ends, str(link["views"]), revoked)
    return made


def _ended(study: Json) -> int:
    return sum(study["progress"][status] for status in ("succeeded", "failed", "cancelled"))


def _state(study: Json) -> str:
    if study["cancelled_at"]:
        return "cancelled"
    return "finished" if study["finished"] else "running" if study["progress"]["running"] else "queued"


def _counts(progress: Json) -> str:
    return ", ".join(f"{count} {status}" for status, count in progress.items() if count) or "none"


def _named(value: object) -> str:
    """Return a value of a spec in short: `relu`, `swish (beta 2)`, `batch_size 64, epochs 5`."""
    if isinstance(value, dict):
        if "name" in value and len(value) == 1:
            return str(value["name"])
        return ", ".join(f"{name} {_named(part)}" for name, part in value.items())
    return ", ".join(map(_named, value)) if isinstance(value, list) else "" if value is None else str(value)


def _names(factors: Json) -> str:
    return ", ".join(str(value) for value in factors.values()) or "all"


def _last_interval(group: Json) -> str:
    low, high = (group[end][-1] if group[end] else None for end in ("low", "high"))
    return "" if low is None or high is None else f"{low:.4f} to {high:.4f}"
