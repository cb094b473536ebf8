"""Print the tables of fields for docs/query.md: python -m service.domain.query."""

import sys
from collections.abc import Mapping

from service.domain.query.fields import DROPOUT, FIGURES, FILED, SPEC, STUDY_FIELDS, Field

SECTIONS: Mapping[str, Mapping[str, Field]] = {
    "Fields of an experiment": FILED,
    "Fields of its spec": SPEC | {"dropout": DROPOUT},
    "Figures": FIGURES,
    "Fields of a study": STUDY_FIELDS,
}


def tables() -> str:
    """Return a heading and a table of fields for each section, in Markdown."""
    return "\n\n".join(f"## {title}\n\n{_table(fields)}" for title, fields in SECTIONS.items()) + "\n"


def _table(fields: Mapping[str, Field]) -> str:
    rows = [f"| `{field.name}` | {field.kind} | {_meaning(field)} |" for field in fields.values()]
    return "\n".join(["| field | kind | meaning |", "| --- | --- | --- |", *rows])


def _meaning(field: Field) -> str:
    values = dict.fromkeys(field.choices.values())
    return field.meaning + (f" One of {', '.join(f'`{value}`' for value in values)}." if values else "")


if __name__ == "__main__":
    sys.stdout.write(tables())
