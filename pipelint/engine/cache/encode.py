"""Records to rows: column by column, which is several times faster than value by value."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import repeat
from typing import Any

import msgspec

from pipelint.engine.cache.tables import ColumnType, Table
from pipelint.records import Custom, CustomValue, Record

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_MICROSECOND = timedelta(microseconds=1)
_BOOLEAN = {True: 1, False: 0, None: None}
_TEXT_ONLY = {str}
_json = msgspec.json.Encoder(order="deterministic")


def microseconds(instant: datetime) -> int:
    """Microseconds since 1970 UTC; a datetime without a zone is refused rather than guessed at."""
    return (instant - EPOCH) // _MICROSECOND


def instant(microseconds: int) -> datetime:
    """The datetime in UTC."""
    return EPOCH + timedelta(microseconds=microseconds)


def plain(number: Decimal) -> str:
    """Exact, without exponent or idle zeros: equal numbers have equal texts, so texts can be compared."""
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def custom_json(custom: Custom) -> str:
    """The pack's own fields as JSON; a field without a value is left out."""
    if not custom:
        return "{}"
    if set(map(type, custom.values())) == _TEXT_ONLY:  # the usual case, and twice as fast
        return _json.encode(dict(custom)).decode()
    held = {name: _custom_value(value) for name, value in custom.items() if value is not None}
    return _json.encode(held).decode()


def _custom_value(value: CustomValue) -> object:
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, datetime):
        return microseconds(value)
    return value.isoformat() if isinstance(value, date) else value


_ENCODERS: Mapping[ColumnType, Callable[[Any], Any]] = {
    ColumnType.DECIMAL: plain,
    ColumnType.DATE: date.isoformat,
    ColumnType.INSTANT: microseconds,
    ColumnType.CUSTOM: custom_json,
}


def rows(
    table: Table, connection: str, records: Sequence[Record], added: Mapping[str, object], pull: int
) -> Iterator[tuple[object, ...]]:
    """The rows of records of one kind, in the order of the table's columns."""
    columns = zip(table.fields.values(), zip(*records, strict=True), strict=True)
    return zip(
        repeat(connection),
        *(_encoded(kind, values) for kind, values in columns),
        *(repeat(added.get(name)) for name in table.added),
        repeat(pull),
        strict=False,  # the repeated values never end
    )


def _encoded(kind: ColumnType, values: Sequence[Any]) -> Iterable[object]:
    if kind is ColumnType.BOOLEAN:
        # sqlite3 takes a slow path for bool.
        return map(_BOOLEAN.__getitem__, values)
    encode = _ENCODERS.get(kind)
    if encode is None:
        return values
    return [None if value is None else encode(value) for value in values]
