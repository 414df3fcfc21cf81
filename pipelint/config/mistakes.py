"""Brings what pydantic found back to the node it is about: one mistake for each thing that a person did."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from pipelint.config.nodes import List, Map, Node, Text, kind_of
from pipelint.config.problems import nearest
from pipelint.config.shape import Shape, fields_of, keeps_secrets, narrowed, under

_EXPECTED = {
    **dict.fromkeys(["string_type", "path_type", "url_type"], "text"),
    **dict.fromkeys(["int_type", "int_parsing", "int_from_float", "int_parsing_size"], "a whole number"),
    **dict.fromkeys(["float_type", "float_parsing", "finite_number"], "a number"),
    **dict.fromkeys(["decimal_type", "decimal_parsing"], "a number"),
    **dict.fromkeys(["bool_type", "bool_parsing"], "yes or no"),
    **dict.fromkeys(["date_type", "date_parsing", "date_from_datetime_parsing"], "a date such as 2026-12-31"),
    **dict.fromkeys(["list_type", "tuple_type", "set_type", "frozen_set_type"], "a list"),
    **dict.fromkeys(["dict_type", "mapping_type", "model_type", "model_attributes_type"], "a map"),
    "url_parsing": "a web address",
}


@dataclass(frozen=True)
class Mistake:
    """One error of pydantic's, at its place in the file."""

    kind: str
    facts: Mapping[str, object]
    path: tuple[str | int, ...]
    node: Node
    key: Text | None
    """The name under which the node stands."""
    shape: Shape
    """The types that the node may have; for an unknown key, those of the map around it."""
    expected: tuple[str, ...] = ()
    """What should have stood here instead; empty where the mistake is of another sort."""
    choices: tuple[str, ...] = ()

    @property
    def is_secret(self) -> bool:
        return keeps_secrets(self.shape)

    @property
    def name(self) -> str:
        return f"'{self.key.value}'" if self.key else "this"

    @property
    def found(self) -> str:
        """What stands there, in words that tell no secret."""
        if isinstance(self.node, Text) and self.node.is_empty:
            return "empty"
        return "text" if self.is_secret and isinstance(self.node, Text) else kind_of(self.node)


def located(details: ErrorDetails, root: Node, model: type[BaseModel]) -> Mistake:
    """Walk the location of an error through nodes and types at once, past the tags of unions."""
    kind, steps = details["type"], list(details["loc"])
    last = str(steps[-1]) if steps else ""
    if kind in {"missing", "extra_forbidden"} or last == "[key]":
        steps.pop()  # what it is about stands in the map, or should
    node, key = root, None
    shape: Shape = (model,)
    path: list[str | int] = []
    tag_is_next = False
    for step in steps:
        if tag_is_next:  # pydantic names the member of the union that it looked at
            shape, tag_is_next = narrowed(shape, str(step)), False
            continue
        node, key = _child(node, step)
        shape = under(shape, step)
        path.append(step)
        tag_is_next = len(shape) > 1
    if last == "[key]" and key:
        node = key
    elif kind == "extra_forbidden":
        node, key = _child(node, last)
        path.append(last)
    if kind == "union_tag_not_found" and not isinstance(node, Map):
        kind = "model_type"
    facts = {"missing": last, **details.get("ctx", {})}
    choices = facts.get("choices") or _quoted(facts.get("expected_tags") or facts.get("expected"))
    wanted = {"expected": (str(facts.get("what")),), "literal_error": choices, "enum": choices}
    return Mistake(
        kind,
        facts,
        tuple(path),
        node,
        key,
        shape,
        wanted.get(kind) or ((_EXPECTED[kind],) if kind in _EXPECTED else ()),
        choices,
    )


def one_each(mistakes: Sequence[Mistake]) -> list[Mistake]:
    """Join what the members of a union say about one node; a member that got further knows better.

    A key that is misspelt is not also reported as missing.
    """
    joined: dict[object, Mistake] = {}
    meant = {(other.path[:-1], _meant(other)) for other in mistakes if other.kind == "extra_forbidden"}
    for mistake in mistakes:
        if mistake.kind == "missing" and (mistake.path, mistake.facts["missing"]) in meant:
            continue
        if not mistake.expected:
            joined[mistake.path, mistake.kind, mistake.facts["missing"]] = mistake
        elif not any(_goes_further(other, mistake) for other in mistakes):
            before = joined.get(mistake.path, mistake)
            joined[mistake.path] = dataclasses.replace(
                mistake,
                expected=tuple(dict.fromkeys((*before.expected, *mistake.expected))),
                choices=tuple(dict.fromkeys((*before.choices, *mistake.choices))),
            )
    return list(joined.values())


def _meant(unknown: Mistake) -> str:
    return nearest(unknown.key.value, fields_of(unknown.shape)) if unknown.key else ""


def _goes_further(other: Mistake, mistake: Mistake) -> bool:
    below = other.path[: len(mistake.path)] == mistake.path
    return below and (len(other.path) > len(mistake.path) or not other.expected)


def _child(node: Node, step: str | int) -> tuple[Node, Text | None]:
    if isinstance(node, Map):
        return node.get(str(step)) or node, node.key(str(step))
    if isinstance(node, List) and isinstance(step, int):
        return node.items[step], None
    return node, None


def _quoted(text: object) -> tuple[str, ...]:
    return tuple(re.findall(r"'([^']*)'", str(text)))
