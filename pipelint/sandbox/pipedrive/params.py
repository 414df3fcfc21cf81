"""Query parameters: v2 takes those it knows in the form it knows, and refuses all others."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime

from werkzeug.datastructures import MultiDict

from pipelint.sandbox.pipedrive.errors import PipedriveError, invalid
from pipelint.sandbox.pipedrive.schema import Json

MAX_LIMIT = 500
DEFAULT_LIMIT = 100

_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(Z|[+-]\d{2}:\d{2})")


class Unfit(Exception):
    """What is wrong with a value."""


def _integer(text: str) -> int:
    if not re.fullmatch(r"-?\d+", text):
        raise Unfit("Expected a number")
    return int(text)


def _boolean(text: str) -> bool:
    if text not in {"true", "false"}:
        raise Unfit("Expected a boolean")
    return text == "true"


def instant(text: str) -> str:
    """A moment in whole seconds, with a zone."""
    try:
        if not _INSTANT.fullmatch(text):
            raise Unfit("not a valid datetime")
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Unfit("not a valid datetime") from None
    return utc_text(moment)


def utc_text(moment: datetime) -> str:
    """A moment as v2 writes it, which also sorts."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _limit(text: str) -> int:
    number = _integer(text)
    if not 1 <= number <= MAX_LIMIT:
        raise Unfit(f"Limit must be between 1 and {MAX_LIMIT}")
    return number


def _ids(text: str) -> list[int]:
    found = [_integer(it.strip()) for it in text.split(",")]
    if len(found) > 100:
        raise Unfit("Maximum 100 ids are allowed")
    return found


def _keys(text: str) -> list[str]:
    found = text.split(",")
    if len(found) > 15:
        raise Unfit("Maximum 15 custom fields are allowed")
    return found


def _one_of(text: str, allowed: tuple[str, ...]) -> str:
    if text not in allowed:
        raise Unfit(f"Expected one of {', '.join(allowed)}")
    return text


_KINDS: Mapping[str, Callable[[str], Json]] = {
    "integer": _integer,
    "boolean": _boolean,
    "string": str,
    "instant": instant,
    "limit": _limit,
    "ids": _ids,
    "keys": _keys,
}


def read(query: MultiDict[str, str], known: Mapping[str, str | Iterable[str]]) -> dict[str, Json]:
    """The parameters of a v2 request; a kind that is a tuple is a choice, one that is a list allows several.

    Raises:
        PipedriveError: 400, naming every parameter that is unknown or unfit.
    """
    found: dict[str, Json] = {}
    problems = []
    for name, values in query.lists():
        kind = known.get(name.removesuffix("[]"))
        if kind is None:
            problems.append(f"{name}: Unknown query parameter")
            continue
        try:
            found[name.removesuffix("[]")] = _value(",".join(values), kind)
        except Unfit as error:
            problems.append(f"{name}: {error}")
    if problems:
        raise invalid(*problems)
    return found


def _value(text: str, kind: str | Iterable[str]) -> Json:
    if isinstance(kind, str):
        return _KINDS[kind](text)
    if isinstance(kind, tuple):
        return _one_of(text, kind)
    allowed = tuple(kind)
    return [_one_of(it, allowed) for it in text.split(",")]


def window(query: MultiDict[str, str]) -> tuple[int, int]:
    """`start` and `limit` of a v1 list, which overlooks what it does not know.

    Raises:
        PipedriveError: 400, one of them is no number.
    """
    try:
        start, limit = _integer(query.get("start", "0")), _integer(query.get("limit", str(DEFAULT_LIMIT)))
    except Unfit as error:
        raise PipedriveError(400, f"start and limit: {error}") from None
    return max(0, start), min(max(1, limit), MAX_LIMIT)
