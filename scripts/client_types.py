"""Write the typed fields of the client's records from the components of the OpenAPI document.

python scripts/client_types.py
"""

import json
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
FIELDS = ROOT / "actlab" / "objects" / "fields.py"
RECORDS = {
    "ActivationView": "ActivationFields",
    "Comparison": "ComparisonFields",
    "CurveView": "ActivationCurveFields",
    "Curves": "CurvesFields",
    "DiagnosticsView": "DiagnosticsFields",
    "ExperimentView": "ExperimentFields",
    "MetricsView": "MetricsFields",
    "ResultView": "ResultFields",
    "StudyPlan": "StudyPlanFields",
    "StudyView": "StudyFields",
}
"""The components that are records, whose fields are attributes. The components in them are dicts with typed keys."""

PARTIAL = {"LayerView"}
"""Components of which an answer may leave out fields."""

HEAD = '''"""The fields of answers, from the OpenAPI document.

Written by `make types`; a test fails when it is not current.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from actlab.objects.record import Record

if TYPE_CHECKING:  # making them takes longer than any module of the client
    from typing import Any, Literal, TypedDict

'''
PRIMITIVES = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}

Schema = dict[str, Any]


def main() -> None:
    sys.path.insert(0, str(ROOT))  # a script sees its own folder first, and not the project
    from service.api.app import create_app
    from service.settings import Settings

    FIELDS.write_text(declarations(create_app(Settings()).openapi()))


def declarations(document: Schema) -> str:
    """Return the module: a record for each of RECORDS, and a TypedDict or an alias for each component in them."""
    from scripts.api_types import reachable

    components: dict[str, Schema] = document["components"]["schemas"]
    records = [{"$ref": f"#/components/schemas/{name}"} for name in RECORDS]
    names = sorted(reachable(records, components) - RECORDS.keys())
    inner = sorted(names, key=lambda name: "enum" not in components[name])  # aliases come first
    types = "\n\n".join("\n".join(declaration(name, components[name])) for name in inner)
    classes = "\n\n".join("\n".join(declaration(name, components[name])) for name in RECORDS)
    return formatted(HEAD + textwrap.indent(types, "    ") + "\n\n" + classes)


def formatted(text: str) -> str:
    """Return Python in the project's format."""
    command = [sys.executable, "-m", "ruff", "format", "--stdin-filename", str(FIELDS), "-"]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True, cwd=ROOT).stdout


def declaration(name: str, schema: Schema) -> Iterator[str]:
    """Yield the lines of one component."""
    if "enum" in schema:
        yield f"{name} = {type_of(schema)}"
        return
    if name in RECORDS:
        yield f"class {RECORDS[name]}(Record):"
    else:
        yield f"class {name}(TypedDict{', total=False' if name in PARTIAL else ''}):"
    yield from described(schema.get("description"))
    for field, inner in schema["properties"].items():
        if name not in RECORDS or field not in dir(dict):
            yield f"    {field}: {type_of(inner)}"
            yield from described(inner.get("description"))
    yield ""


def described(text: str | None) -> Iterator[str]:
    """Yield the lines of a docstring."""
    if text:
        words = " ".join(text.split()).replace("\\", "\\\\")
        yield from textwrap.wrap(f'"""{words}"""', 112, initial_indent="    ", subsequent_indent="    ")


def type_of(schema: Schema) -> str:
    """Return a schema as a type of Python, as JSON is read."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return RECORDS.get(name, name)
    if "const" in schema:
        return f"Literal[{json.dumps(schema['const'])}]" if not isinstance(schema["const"], bool) else "bool"
    if "enum" in schema:
        return f"Literal[{', '.join(map(json.dumps, schema['enum']))}]"
    if "type" in schema:
        return _of_type(schema, schema["type"])
    branches = schema.get("anyOf") or schema.get("oneOf") or []
    return " | ".join(dict.fromkeys(type_of(branch) for branch in branches)) or "Any"


def _of_type(schema: Schema, kind: str) -> str:
    if kind == "array":
        inner = schema.get("items") or (schema.get("prefixItems") or [{}])[0]
        return f"list[{type_of(inner)}]"
    if kind == "object":
        values = schema.get("additionalProperties", True)
        return f"dict[str, {type_of(values) if isinstance(values, dict) else 'Any'}]"
    return PRIMITIVES[kind]


if __name__ == "__main__":
    main()
