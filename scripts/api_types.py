"""Write what is derived from the OpenAPI document: the types of what the API sends, for the pages, and docs/api.md.

python scripts/api_types.py
"""

import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
TYPES = ROOT / "service" / "dashboard" / "types" / "api.d.ts"
REFERENCE = ROOT / "docs" / "api.md"
HEAD = "/** Components of the OpenAPI document. Written by `make types`; a test fails when it is not current. */"
PRIMITIVES = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}

Schema = dict[str, Any]


def main() -> None:
    sys.path.insert(0, str(ROOT))  # a script sees its own folder first, and not the project
    from service.api.app import create_app
    from service.settings import Settings

    document = create_app(Settings()).openapi()
    TYPES.write_text(declarations(document))
    REFERENCE.write_text(reference(document))


INTRODUCTION = """\
# API

This page lists the routes. `make types` writes it from the OpenAPI document. A running service describes each with its
parameters, bodies, answers and errors, and examples that are ready to send: at `/docs` to try out, at `/redoc` to read,
and at `/openapi.json` for programs.

Bodies and answers are JSON. An error is a problem (RFC 9457) with a `code` and a `detail`. Lists have pages with a
cursor. The role is that of [security](security.md#access); a dry run needs `viewer`.
"""
NEEDS = re.compile(r"Needs the role `(\w+)`")


def reference(document: Schema) -> str:
    """The page of the routes: a table for each tag, with the first sentence of each description."""
    lines = [INTRODUCTION]
    for tag in document["tags"]:
        lines += [f"## {tag['name'].capitalize()}", "", tag["description"], ""]
        lines += ["| route | description | role |", "| --- | --- | --- |"]
        lines += [_row(*named) for named in _operations(document, tag["name"])]
        lines.append("")
    return "\n".join(lines)


def _operations(document: Schema, tag: str) -> Iterator[tuple[str, str, Schema]]:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if operation["tags"] == [tag]:
                yield method.upper(), path, operation


def _row(method: str, path: str, operation: Schema) -> str:
    described = " ".join(str(operation["description"]).split())
    first = re.split(r"(?<=\.)\s", described, maxsplit=1)[0].replace("|", "\\|")
    role = NEEDS.search(described)
    return f"| `{method} {path}` | {first} | {role[1] if role else ''} |"


def declarations(document: Schema) -> str:
    """The declarations of all components, as one namespace `Api`."""
    components: dict[str, Schema] = document["components"]["schemas"]
    answered = reachable(_json_answers(document), components)
    lines = [
        f"  {line}"
        for name, schema in sorted(components.items())
        for line in declaration(name, schema, is_whole=name in answered)
    ]
    return "\n".join([HEAD, "declare namespace Api {", *lines, "}"]) + "\n"


def _json_answers(document: Schema) -> Iterator[Schema]:
    """The schemas of what the API answers as application/json; problems leave out what they do not have."""
    for operations in document["paths"].values():
        for operation in operations.values():
            for response in operation["responses"].values():
                yield response.get("content", {}).get("application/json", {}).get("schema", {})


def reachable(schemas: Iterable[Schema], components: Mapping[str, Schema]) -> set[str]:
    """The names of the components that schemas refer to, directly or through others."""
    names: set[str] = set()
    waiting = list(schemas)
    while waiting:
        for name in re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(waiting.pop())):
            if name not in names:
                names.add(name)
                waiting.append(components[name])
    return names


def declaration(name: str, schema: Schema, *, is_whole: bool) -> Iterator[str]:
    """One component; `is_whole` where the API sends every field, also those that have a default."""
    if "properties" not in schema:
        yield f"type {identifier(name)} = {type_of(schema)};"
        return
    required = schema.get("required", [])
    yield f"interface {identifier(name)} {{"
    for field, inner in schema["properties"].items():
        yield f"  {key(field)}{'' if is_whole or field in required else '?'}: {type_of(inner)};"
    yield "}"


def type_of(schema: Schema) -> str:
    """A schema as a type; what it does not constrain is `any`, since the pages check no data again."""
    if "$ref" in schema:
        return identifier(schema["$ref"].rpartition("/")[2])
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return " | ".join(json.dumps(value) for value in schema["enum"])
    if "type" in schema:
        return _of_type(schema, schema["type"])
    branches = schema.get("anyOf") or schema.get("oneOf") or []
    return " | ".join(dict.fromkeys(type_of(branch) for branch in branches)) or "any"


def _of_type(schema: Schema, kind: str) -> str:
    if kind == "array":
        if "prefixItems" in schema:
            return f"[{', '.join(type_of(item) for item in schema['prefixItems'])}]"
        return f"Array<{type_of(schema.get('items', {}))}>"
    if kind == "object":
        values = schema.get("additionalProperties", True)
        return f"Record<string, {type_of(values) if isinstance(values, dict) else 'any'}>"
    return PRIMITIVES[kind]


def identifier(name: str) -> str:
    return re.sub(r"\W", "_", name)


def key(field: str) -> str:
    return field if field.isidentifier() else json.dumps(field)


if __name__ == "__main__":
    main()
