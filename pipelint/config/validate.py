"""Checks a node tree against a pydantic model and reports every mistake in plain English where it stands."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from pipelint.config.mistakes import Mistake, located, one_each
from pipelint.config.nodes import List, Map, Node, Text
from pipelint.config.problems import Problems, did_you_mean, nearest
from pipelint.config.secrets import NotHere, Origin, Unresolved, is_reference, resolve
from pipelint.config.settings import Settings as Settings
from pipelint.config.shape import Shape, fields_of, keeps_secrets, under
from pipelint.config.values import Word
from pipelint.errors import Place

M = TypeVar("M", bound=BaseModel)


def read_model(node: Node, model: type[M], problems: Problems, origin: Origin | None = None) -> M | None:
    """The model that a node tree describes; None where it has mistakes, all of which `problems` then holds.

    Scalars are text until the model's field type speaks. Where `origin` says whose settings these are, text
    that is no secret may refer to what stands elsewhere, as in `${env:NAME}`.
    """
    data = _Data(problems, origin)
    plain = data.of(node, (model,))
    try:
        read = model.model_validate(plain, context=origin)
    except ValidationError as error:
        found = [located(details, node, model) for details in error.errors(include_url=False)]
        for mistake in one_each(found):
            if mistake.node.place not in data.unresolved:
                message = _WORDING.get(mistake.kind, _mismatch)(mistake, origin or Origin())
                _conceal(message.hidden, problems)
                problems.error(message.place, message.what, message.hint)
        return None
    return None if data.unresolved else read


class _Data:
    """Makes of nodes what pydantic reads, and reports the references that lead nowhere."""

    def __init__(self, problems: Problems, origin: Origin | None) -> None:
        self.problems = problems
        self.origin = origin
        self.unresolved: set[Place] = set()

    def of(self, node: Node, shape: Shape) -> object:
        if isinstance(node, Text):
            return None if node.is_empty else self.word(node, shape)
        if isinstance(node, List):
            return [self.of(item, under(shape, index)) for index, item in enumerate(node.items)]
        return {name.value: self.of(value, under(shape, name.value)) for name, value in node.entries}

    def word(self, node: Text, shape: Shape) -> Word:
        text = node.value
        known = shape and not keeps_secrets(
            shape
        )  # what belongs to a connector is resolved with its settings
        if self.origin and known and "${" in text:
            try:
                text = resolve(text, self.origin.folder)
            except Unresolved as error:
                self.unresolved.add(node.place)
                if not (self.origin.elsewhere and isinstance(error, NotHere)):
                    self.problems.error(node.place, error.what, error.hint)
        return Word(text, node.place, self.problems.line_at(node.place))


@dataclass(frozen=True, slots=True)
class _Message:
    place: Place
    what: str
    hint: str = ""
    hidden: Sequence[Node] = ()
    """What the line must not show, because it is or may be a secret."""


def _conceal(nodes: Sequence[Node], problems: Problems) -> None:
    for node in nodes:
        if isinstance(node, List):
            _conceal(node.items, problems)
        elif isinstance(node, Map):
            _conceal([value for _, value in node.entries], problems)
        elif not is_reference(node.value):
            problems.conceal(node.place)


def _mismatch(mistake: Mistake, _: Origin) -> _Message:
    """Something else than the model's type stands there."""
    node = mistake.node
    hidden = (node,) if mistake.is_secret else ()
    if not mistake.expected:
        own = mistake.facts.get("error", f"{mistake.name} does not fit here")
        return _Message(node.place, str(own), hidden=hidden)
    hint = did_you_mean(node.value, mistake.choices) if isinstance(node, Text) and not hidden else ""
    what = f"{mistake.name} is {mistake.found}, expected {either(mistake.expected)}"
    return _Message(node.place, what, hint, hidden)


def _unknown(mistake: Mistake, _: Origin) -> _Message:
    name, place = (mistake.key.value, mistake.key.place) if mistake.key else ("", mistake.node.place)
    known = fields_of(mistake.shape)
    meant = nearest(name, known)
    secret = keeps_secrets(under(mistake.shape, meant)) if meant else mistake.is_secret
    hint = did_you_mean(name, known) or f"known here: {', '.join(known)}"
    return _Message(place, f"'{name}' is not known here", hint, (mistake.node,) if secret else ())


def _missing(mistake: Mistake, _: Origin) -> _Message:
    place = mistake.key.place if mistake.key else mistake.node.place
    name = str(mistake.facts.get("discriminator", mistake.facts["missing"])).strip("'")
    info = fields_of(mistake.shape).get(name)
    hint = f"for example {name}: {info.examples[0]}" if info and info.examples else ""
    return _Message(place, f"'{name}' is missing", hint)


def _wrong_tag(mistake: Mistake, _: Origin) -> _Message:
    """The key that decides between several forms holds none of them."""
    name, tag = str(mistake.facts["discriminator"]).strip("'"), str(mistake.facts["tag"])
    entries = mistake.node.entries if isinstance(mistake.node, Map) else ()
    place = next((value.place for key, value in entries if key.value == name), mistake.node.place)
    hidden = [value for key, value in entries if key.value != name] if mistake.is_secret else []
    what = f"'{name}' is '{tag}', expected {either(mistake.choices)}"
    return _Message(place, what, did_you_mean(tag, mistake.choices), hidden)


def _plain_secret(mistake: Mistake, origin: Origin) -> _Message:
    key = mistake.key.value if mistake.key else "secret"
    made = re.sub(r"\W+", "_", f"{origin.connection} {key}".strip()).upper()
    hint = f"write ${{env:{mistake.facts['name'] or made}}} and set that variable"
    return _Message(mistake.node.place, "a secret stands here in plain text", hint, (mistake.node,))


def _own_words(mistake: Mistake, _: Origin) -> _Message:
    hidden = (mistake.node,) if mistake.is_secret or mistake.facts.get("secret") else ()
    return _Message(mistake.node.place, str(mistake.facts["what"]), str(mistake.facts["hint"]), hidden)


def _beyond(mistake: Mistake, _: Origin) -> _Message:
    found, limit = _LIMITS[mistake.kind]
    subject = mistake.found if isinstance(mistake.node, Text) else mistake.name
    hidden = (mistake.node,) if mistake.is_secret else ()
    return _Message(mistake.node.place, f"{subject} {found}", limit.format(**mistake.facts), hidden)


_LIMITS = {
    "greater_than_equal": ("is too small", "the least is {ge}"),
    "greater_than": ("is too small", "it must be more than {gt}"),
    "less_than_equal": ("is too large", "the most is {le}"),
    "less_than": ("is too large", "it must be less than {lt}"),
    "too_short": ("has too few entries", "it needs at least {min_length}"),
    "too_long": ("has too many entries", "it takes at most {max_length}"),
    "string_too_short": ("is too short", "it needs at least {min_length} characters"),
    "string_too_long": ("is too long", "it takes at most {max_length} characters"),
}

_WORDING: dict[str, Callable[[Mistake, Origin], _Message]] = {
    "extra_forbidden": _unknown,
    "missing": _missing,
    "union_tag_not_found": _missing,
    "union_tag_invalid": _wrong_tag,
    "plain_secret": _plain_secret,
    "wrong": _own_words,
    **dict.fromkeys(_LIMITS, _beyond),
}


def either(words: Sequence[str]) -> str:
    """A choice in a sentence: 'a, b or c'."""
    return " or ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))
