"""Cells of an export read strictly as the types of the canonical records; what cannot be read says why."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from functools import cache
from typing import Literal, TypeAlias

Cell: TypeAlias = str | Decimal | int | bool | list[object] | dict[str, object] | None
DateOrder: TypeAlias = Literal["iso", "day_first", "month_first"]
Value: TypeAlias = str | Decimal | int | bool | date | datetime | tuple[str, ...] | None
Reader: TypeAlias = Callable[[Cell], Value]

_YES_NO = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
_SPACES = "[ \u00a0\u202f]"
_TIME = (
    r"(?:(?:T| |, )\s*(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?"
    r"\s*([AaPp][Mm])?\s*(Z|[+-]\d{2}:?\d{2})?)?"
)
_SHAPES: dict[DateOrder, re.Pattern[str]] = {
    "iso": re.compile(r"(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})" + _TIME, re.ASCII),
    "day_first": re.compile(r"(?P<day>\d{1,2})[./-](?P<month>\d{1,2})[./-](?P<year>\d{4})" + _TIME, re.ASCII),
    "month_first": re.compile(
        r"(?P<month>\d{1,2})[./-](?P<day>\d{1,2})[./-](?P<year>\d{4})" + _TIME, re.ASCII
    ),
}


class Unreadable(ValueError):
    """A cell that cannot be read as its type; `hint` says what would make it readable."""

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Formats:
    """How one file writes dates and numbers."""

    zone: tzinfo
    dates: DateOrder = "iso"
    decimal: Literal[".", ","] = "."
    thousands: Literal["", ",", ".", " ", "'"] = ""

    def reader(self, type_name: str) -> Reader:
        """The function that reads a cell as this type; an empty cell is None in every type."""
        readers: dict[str, Reader] = {
            "text": self.text,
            "choice": self.text,
            "choices": self.choices,
            "number": self.number,
            "money": self.number,
            "whole": self.whole,
            "date": self.day,
            "datetime": self.instant,
            "yes_no": self.yes_no,
        }
        return readers[type_name]

    def text(self, cell: Cell) -> str | None:
        if isinstance(cell, str):
            return cell or None
        if isinstance(cell, bool):
            return "true" if cell else "false"
        if isinstance(cell, list | dict):
            raise Unreadable("a single value", "the file holds a list or an object here")
        return None if cell is None else str(cell)

    def choices(self, cell: Cell) -> tuple[str, ...] | None:
        if isinstance(cell, list):
            return tuple(text for item in cell if (text := self.text(item))) or None  # type: ignore[arg-type]  # items are cells
        parts = (part.strip() for part in (self.text(cell) or "").split(";"))
        return tuple(part for part in parts if part) or None

    def yes_no(self, cell: Cell) -> bool | None:
        if isinstance(cell, bool):
            return cell
        text = (self.text(cell) or "").strip()
        if not text:
            return None
        if text.casefold() not in _YES_NO:
            raise Unreadable("yes or no", "write yes or no, or translate the word under 'values:'")
        return _YES_NO[text.casefold()]

    def number(self, cell: Cell) -> Decimal | None:
        if isinstance(cell, Decimal | int) and not isinstance(cell, bool):
            return Decimal(cell)
        text = (self.text(cell) or "").strip()
        if not text:
            return None
        if not _number_shape(self.decimal, self.thousands).fullmatch(text):
            raise Unreadable("a number", _number_hint(text))
        plain = re.sub(_SPACES, "", text) if self.thousands == " " else text.replace(self.thousands, "")
        return Decimal(plain.replace(self.decimal, "."))

    def whole(self, cell: Cell) -> int | None:
        number = self.number(cell)
        if number is not None and number != int(number):
            raise Unreadable("a whole number", "write it without decimals")
        return None if number is None else int(number)

    def day(self, cell: Cell) -> date | None:
        """A date as it stands; an instant counts as its day in the file's zone."""
        found = self._moment(cell)
        return found.astimezone(self.zone).date() if isinstance(found, datetime) else found

    def instant(self, cell: Cell) -> datetime | None:
        """An instant in UTC; a date alone is its midnight in the file's zone."""
        found = self._moment(cell)
        if found is None or isinstance(found, datetime):
            return found
        return _in_utc(datetime(found.year, found.month, found.day, tzinfo=self.zone))

    def _moment(self, cell: Cell) -> datetime | date | None:
        text = (self.text(cell) or "").strip()
        if not text:
            return None
        found = _SHAPES[self.dates].fullmatch(text)
        if found is None:
            raise Unreadable("a date", _date_hint(text, self.dates))
        hour, minute, second, fraction, half, offset = found.groups()[-6:]
        try:
            day = date(int(found["year"]), int(found["month"]), int(found["day"]))
            if hour is None:
                return day
            clock = int(hour) % 12 + 12 * (half.lower() == "pm") if half else int(hour)
            micro = (fraction or "0").ljust(6, "0")[:6]
            iso = f"{day}T{clock:02}:{minute}:{second or '00'}.{micro}{offset or ''}"
            instant = datetime.fromisoformat(iso)
        except ValueError as error:
            raise Unreadable("a date", str(error)) from None
        return _in_utc(instant if instant.tzinfo else instant.replace(tzinfo=self.zone))


@cache
def _number_shape(decimal: str, thousands: str) -> re.Pattern[str]:
    mark = _SPACES if thousands == " " else re.escape(thousands)
    whole = rf"[0-9]+|[0-9]{{1,3}}(?:{mark}[0-9]{{3}})+" if mark else "[0-9]+"
    return re.compile(rf"[+-]?(?:{whole})(?:{re.escape(decimal)}[0-9]+)?")


def _in_utc(instant: datetime) -> datetime:
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        raise Unreadable("a date", "the year is out of range") from None


def _number_hint(text: str) -> str:
    """The setting that would make sense of a number written the way of some country."""
    if re.fullmatch(r"[+-]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?", text):
        return 'write it without commas, or set thousands: "," for this stream'
    if re.fullmatch(rf"[+-]?[0-9]{{1,3}}({_SPACES}[0-9]{{3}})+(,[0-9]+)?", text):
        return 'write 1234.50, or set decimal: "," and thousands: " " for this stream'
    if re.fullmatch(r"[+-]?[0-9]{1,3}(\.[0-9]{3})+,[0-9]+", text):
        return 'write 1234.50, or set decimal: "," and thousands: "." for this stream'
    if re.fullmatch(r"[+-]?[0-9]+,[0-9]+", text):
        return 'write 1234.50, or set decimal: "," for this stream'
    return "write digits only, with a point before the decimals"


def _date_hint(text: str, order: DateOrder) -> str:
    if order != "iso" or not re.match(r"\d{1,2}[./-]\d{1,2}[./-]\d{4}", text):
        return (
            "write 2026-12-31 or 2026-12-31 17:30" if order == "iso" else f"this stream says dates: {order}"
        )
    return "write 2026-12-31, or set dates: day_first or dates: month_first for this stream"
