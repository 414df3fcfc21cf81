"""The words in which it is declared what an object of Salesforce feeds; `streams` speaks in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipelint.connectors.base import Kind
from pipelint.connectors.salesforce import normalise as n
from pipelint.records import Record


@dataclass(frozen=True, slots=True)
class Source:
    """Where a canonical field comes from; `timed` ones also depend on when they are read."""

    api: tuple[str, ...]
    read: Callable[..., Any]
    or_none: frozenset[str] = frozenset()
    one_of: frozenset[str] = frozenset()
    timed: bool = False


def from_(
    *api: str,
    read: Callable[..., Any] = n.text,
    or_none: Sequence[str] = (),
    one_of: Sequence[str] = (),
    timed: bool = False,
) -> Source:
    """A source; as text where nothing else is said."""
    return Source(api, read, frozenset(or_none), frozenset(one_of), timed)


@dataclass(frozen=True, slots=True)
class Companion:
    """Rows of another object that belong to some rows of a page (see `companions`).

    `key` is their lookup to the row, `column` what they say; `wanted` tells from the row's value of
    `asked_if` whether there may be any. `link`: the column is a lookup that makes an activity link.
    """

    name: str
    key: str
    column: str
    asked_if: str
    wanted: Callable[[Any], bool]
    link: bool = False


@dataclass(frozen=True, slots=True)
class SObject:
    """An object that is followed by its stamp.

    `where` keeps rows of one sort. `links` are lookups that make activity links. `drop` names a checkbox
    that marks rows we leave out. `archived`: old rows come through queryAll only. `passing` names an instant
    that changes what a row means when it passes, without moving the stamp.
    """

    name: str
    record: Callable[..., Record | None]
    fields: Mapping[str, Source]
    kind: Kind | None = None
    links: tuple[str, ...] = ()
    drop: str = ""
    archived: bool = False
    passing: str = ""
    where: str = ""
    companions: tuple[Companion, ...] = ()
    stamp: str = "SystemModstamp"

    @property
    def parents(self) -> frozenset[str]:
        """The relationships whose fields are read through this object."""
        paths = (api for source in self.fields.values() for api in source.api)
        return frozenset(path.partition(".")[0] for path in paths if "." in path)
