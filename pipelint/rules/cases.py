"""A test of the rules as it was read: when it is, which records there are, and what is expected of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, TypeAlias

from pipelint.errors import Place
from pipelint.rules.catalogue import RecordKind
from pipelint.rules.pack import Severity

Value: TypeAlias = str | Decimal | bool | date | datetime | tuple[str, ...] | None
Row: TypeAlias = Mapping[str, Value]
What: TypeAlias = Literal["flags", "no_flags", "could_not_check", "hidden", "messages", "scores"]


@dataclass(frozen=True, slots=True)
class Expectation:
    """What must have become of one rule, or of one item of it, on one record.

    Of a score, `rule` is its name, `item` what of it is asked (`total`, `grade`, `not_known` or a category)
    and `text` the value.
    """

    what: What
    rule: str
    item: str
    place: Place
    severity: Severity | None = None
    text: str = ""

    @property
    def name(self) -> str:
        return f"{self.rule}/{self.item}" if self.item else self.rule


@dataclass(frozen=True, slots=True)
class Given:
    """One record of a test.

    `values` holds what is not blank, by our names; `rows` the related rows by entity; `unsynced` the fields,
    the entities and the columns of entities (`activities.direction`) that the connection does not supply.
    """

    id: str
    kind: RecordKind
    place: Place
    values: Row
    rows: Mapping[str, tuple[Row, ...]]
    unsynced: frozenset[str]
    complete_since: Mapping[str, datetime]
    flagged_since: Mapping[str, date]
    expected: tuple[Expectation, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """One entry of `tests:`."""

    name: str
    place: Place
    as_of: datetime
    records: tuple[Given, ...] = field(default=())
