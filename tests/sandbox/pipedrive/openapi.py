"""Pipedrive's OpenAPI files as judges: what they do not allow in a request, and in an answer to it.

The files are no part of the product; where they are missing, tests that need them are skipped.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qsl

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML
from werkzeug.wrappers import Request, Response

from pipelint.sandbox.pipedrive import PipedriveSandbox

SPECS = Path(__file__).parents[4] / "shared" / "specs" / "pipedrive"

needs_specs = pytest.mark.skipif(not SPECS.exists(), reason="Pipedrive's OpenAPI files are not here")

_CUSTOM = {"^[0-9a-f]{40}(_[a-z_]+)?$": True}
"""Custom fields stand beside the others in API v1, under their keys."""


@dataclass(frozen=True)
class Operation:
    """One operation as the files describe it."""

    method: str
    path: str
    document: Any

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def tokens(self) -> int:
        return int(self.document["x-token-cost"])

    @property
    def scopes(self) -> set[str]:
        """Those of which an app needs one."""
        return {scope for way in self.document["security"] for scope in way.get("oauth2", ())}

    @property
    def query(self) -> dict[str, Any]:
        """The schemas of the parameters behind the question mark."""
        return {it["name"]: it["schema"] for it in self.document.get("parameters", ()) if it["in"] == "query"}

    @property
    def body(self) -> Any:
        """The schema of the body, with nothing beside what it names; None where there is none."""
        given = self.document.get("requestBody")
        beside = {} if self.path.startswith("/v2/") else _CUSTOM
        return given and strict(nullable(given["content"]["application/json"]["schema"], said=True), beside)

    @property
    def answer(self) -> Any:
        """The schema of a good answer."""
        [content] = [it for status, it in self.document["responses"].items() if int(status) == 200]
        return nullable(content["content"]["application/json"]["schema"])

    def wrong_in_request(self, query: str, body: str) -> Iterator[str]:
        """What is wrong with a request of this operation."""
        for name, text in parse_qsl(query, keep_blank_values=True):
            if (schema := self.query.get(name)) is None:
                yield f"?{name}: not a parameter"
            else:
                yield from (f"?{name}: {problem}" for problem in _wrong_in_parameter(schema, text))
        if body or self.body is not None:
            yield from wrong(self.body or False, json.loads(body or "null"))

    def wrong_in_answer(self, body: str) -> Iterator[str]:
        """What is wrong with a good answer of this operation."""
        yield from wrong(self.answer, json.loads(body))


def wrong(schema: Any, document: Any) -> Iterator[str]:
    """The differences of a document from a schema, a line each."""
    for error in Draft202012Validator(schema).iter_errors(document):
        yield f"{error.json_path}: {error.message[:160]}"


def _wrong_in_parameter(schema: Any, text: str) -> Iterator[str]:
    """Several values are given with commas, be the type a list or a text with a choice of words."""
    kind = schema.get("type")
    values = text.split(",") if kind == "array" or "enum" in schema else [text]
    item = schema.get("items", schema)
    for value in values:
        read = json.loads(value) if item.get("type") in {"integer", "number", "boolean"} else value
        yield from wrong({key: item[key] for key in ("type", "enum") if key in item}, read)


def nullable(part: Any, *, said: bool = False) -> Any:
    """The schema with null where it is `said` to fit; without that, wherever live answers have it: anywhere."""
    if isinstance(part, list):
        return [nullable(it, said=said) for it in part]
    if not isinstance(part, dict):
        return part
    found = {name: nullable(it, said=said) for name, it in part.items()}
    if said and part.get("nullable") is not True:
        return found
    if isinstance(found.get("type"), str):
        found["type"] = [found["type"], "null"]
    if isinstance(found.get("enum"), list):
        found["enum"] = [*found["enum"], None]
    return found


def strict(part: Any, beside: Mapping[str, bool], *, whole: bool = True) -> Any:
    """The schema with no room for keys but those that it names, and those of the patterns `beside`."""
    if isinstance(part, list):
        return [strict(it, beside, whole=whole) for it in part]
    if not isinstance(part, dict):
        return part
    found = {
        name: {key: strict(it, beside) for key, it in value.items()}
        if name == "properties"
        else strict(value, beside, whole=name not in {"allOf", "anyOf", "oneOf"})
        for name, value in part.items()
    }
    if whole and {"properties", "allOf"} & set(part) and "additionalProperties" not in part:
        found |= {"unevaluatedProperties": False, "patternProperties": beside}
    return found


def operation(method: str, path: str) -> Operation:
    """The operation of a request's path, which may be one with ids or with their names in braces.

    Raises:
        LookupError: there is none.
    """
    version, _, rest = path.removeprefix("/api").removeprefix("/").partition("/")
    for known, template in _templates(version):
        if template.fullmatch(f"/{rest}") and (text := _below(_lines(version), f"  {known}:")):
            return _read(version, known, method, "\n".join(text))
    raise LookupError(f"{method} {path}")


@cache
def _read(version: str, path: str, method: str, text: str) -> Operation:
    lines = _below(text.splitlines(), f"    {method.lower()}:")
    if not lines:
        raise LookupError(f"{method} /{version}{path}")
    return Operation(method, f"/{version}{path}", YAML(typ="safe").load("\n".join(lines)))


@cache
def _lines(version: str) -> list[str]:
    return (SPECS / f"openapi-{version}.yaml").read_text(encoding="utf-8").splitlines()


@cache
def _templates(version: str) -> list[tuple[str, re.Pattern[str]]]:
    """The paths, those without parameters first: `/deals/archived` is no deal."""
    paths = [it[1] for line in _lines(version) if (it := re.fullmatch(r"  '?(/[^:']*)'?:", line))]
    return [
        (path, re.compile(re.sub(r"\{\w+\}", "[^/]+", path)))
        for path in sorted(paths, key=lambda it: it.count("{"))
    ]


def _below(found: list[str], header: str) -> list[str]:
    """The lines of one entry, cut out of the text: a YAML parser takes half a minute for these files."""
    indent = len(header) - len(header.lstrip())
    start = next((number for number, line in enumerate(found, 1) if line.replace("'", "") == header), None)
    if start is None:
        return []
    for end in range(start, len(found)):
        if len(found[end]) - len(found[end].lstrip()) <= indent and found[end].strip():
            return found[start:end]
    return found[start:]


class Witness:
    """Holds every request to a sandbox, and every good answer, against the files.

    What it met are operations as the files name them; refusals are not described there.
    """

    def __init__(self, sandbox: PipedriveSandbox) -> None:
        self.met: set[str] = set()
        self.problems: list[str] = []
        self._control = sandbox._control
        self._work = self._control._work

    def __enter__(self) -> Self:
        self._control._work = self._answer  # type: ignore[method-assign]
        return self

    def __exit__(self, *_: object) -> None:
        self._control._work = self._work  # type: ignore[method-assign]

    def _answer(self, request: Request) -> Response:
        body = request.get_data(as_text=True)
        response = self._work(request)
        if request.path == "/oauth/token":
            return response
        asked = operation(request.method, request.path)
        self.met.add(asked.name)
        wrong = [*asked.wrong_in_request(request.query_string.decode(), body)]
        if response.status_code < 300:
            wrong += asked.wrong_in_answer(response.get_data(as_text=True))
        self.problems += [f"{asked.name}: {problem}" for problem in dict.fromkeys(wrong)]
        return response
