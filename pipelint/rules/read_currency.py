"""Reads `currency:`, and the file of exchange rates that it names."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path

from pipelint.config.nodes import Node, Problems, Text, did_you_mean
from pipelint.errors import Place
from pipelint.rules.currency import Currency, Rate
from pipelint.rules.form import Form
from pipelint.rules.zones import FIRST_DAY, day_number

_COLUMNS = ("currency", "from", "rate")
_EXAMPLE = "its columns are currency, from and rate, e.g. EUR, 2026-01-01, 1.08"


def read_currency(node: Node | None, home: Path, problems: Problems) -> Currency | None:
    """The section; a file of rates lies where its path says, from the project's folder on."""
    if node is None:
        return None
    form = Form(node, "currency", ("to", "rates"), problems)
    to = form.required("to", "write the currency that amounts are counted in, e.g. to: EUR")
    rates = form.required("rates", "write rates: crm, or a file, e.g. rates: rates.csv")
    code = None if to is None else _code(to.value)
    if to is not None and code is None:
        problems.error(to.place, f"'{to.value}' is not a currency", "write its three letters, e.g. EUR")
    if code is None or rates is None:
        return None
    if rates.value == "crm":
        return Currency(code, {}, from_crm=True, place=form.place)
    found: dict[str, list[Rate]] = {}
    for currency, rate in _rows(rates, home, problems):
        found.setdefault(currency, []).append(rate)
    newest_first = {
        currency: tuple(sorted(each, key=_start, reverse=True)) for currency, each in found.items()
    }
    return Currency(code, newest_first, from_crm=False, place=form.place)


def _code(text: str) -> str | None:
    return text.strip().upper() if re.fullmatch(r"\s*[A-Za-z]{3}\s*", text) else None


def _rows(written: Text, home: Path, problems: Problems) -> Iterator[tuple[str, Rate]]:
    try:
        text = (home / written.value).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        near = did_you_mean(written.value, [path.name for path in home.glob("*.csv")] + ["crm"])
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        hint = near or "give its path from the project's folder on, or write: crm"
        problems.error(written.place, f"the rates in '{written.value}' cannot be read: {reason}", hint)
        return
    reader = csv.DictReader(text.splitlines())
    if not set(_COLUMNS) <= set(reader.fieldnames or ()):
        problems.error(Place(written.value, 1, 1), "this is no file of exchange rates", _EXAMPLE)
        return
    seen: dict[tuple[str, int | None], int] = {}
    for row in reader:
        place = Place(written.value, reader.line_num, 1)
        read = _row(row, place, problems)
        if read is None:
            continue
        key = (read[0], read[1].start)
        if key in seen:
            problems.error(
                place, f"{read[0]} has two rates from the same day", f"see line {seen[key]}; keep one"
            )
        seen[key] = reader.line_num
        yield read


def _start(rate: Rate) -> int:
    return FIRST_DAY - 1 if rate.start is None else rate.start


def _row(row: dict[str, str | None], place: Place, problems: Problems) -> tuple[str, Rate] | None:
    currency, start, rate = ((row[name] or "").strip() for name in _COLUMNS)
    code = _code(currency)
    if code is None:
        problems.error(place, f"'{currency}' is not a currency", "write its three letters, e.g. EUR")
        return None
    try:
        day = day_number(date.fromisoformat(start)) if start else None
    except ValueError:
        problems.error(place, f"'{start}' is not a date", "write 2026-12-31, or leave it blank for ever")
        return None
    try:
        number = Decimal(rate)
    except InvalidOperation:
        number = Decimal(0)
    if not number.is_finite() or number <= 0:
        hint = "write what one unit of the currency is worth, e.g. 1.08"
        problems.error(place, f"'{rate}' is not a rate", hint)
        return None
    return code, Rate(day, number)
