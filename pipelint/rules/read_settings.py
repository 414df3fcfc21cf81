"""Reads `pack:`, and the lists that map each CRM's words to ours."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, time
from typing import Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pipelint.config.nodes import Map, Node, Problems, Text, did_you_mean, kind_of
from pipelint.rules.calendar import Calendar
from pipelint.rules.form import Form, entries, texts_of
from pipelint.rules.pack import NativeNames, PackSettings, Words
from pipelint.rules.sections import Entry
from pipelint.rules.text import clean, fold

_KEYS = (
    "name", "title", "time_zone", "fiscal_year_starts", "week_starts", "working_days", "working_hours", "holidays",
    "languages", "blank_words", "activities_count", "show_at_most",
)  # fmt: skip
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_Counted = Literal["direct", "contacts", "account"]


def read_settings(node: Node | None, problems: Problems) -> PackSettings:
    """The `pack:` section; what is left out has its default."""
    if node is None:
        return PackSettings()
    form = Form(node, "pack", _KEYS, problems)
    plain = PackSettings()
    name = form.text("name")
    words = form.texts("blank_words")
    counted = form.choice("activities_count", get_args(_Counted))
    return PackSettings(
        name=name.value if name else plain.name,
        calendar=_calendar(form, problems),
        languages=tuple(text.value for text in form.texts("languages")) or plain.languages,
        blank_words=frozenset(fold(word) for text in words if (word := clean(text.value))),
        activities_count=counted or plain.activities_count,
        show_at_most=_number(form, "show_at_most", problems) or plain.show_at_most,
    )


def _calendar(form: Form, problems: Problems) -> Calendar:
    plain = Calendar()
    starts = form.text("fiscal_year_starts")
    month = _one_of(starts, _MONTHS, "a month", problems)
    week = _one_of(form.text("week_starts"), _DAYS, "a day", problems)
    days = [_one_of(text, _DAYS, "a day", problems) for text in form.texts("working_days")]
    return Calendar(
        zone=_zone(form.text("time_zone"), problems) or plain.zone,
        fiscal_year_starts=plain.fiscal_year_starts if month is None else month + 1,
        week_starts=plain.week_starts if week is None else week,
        working_days=frozenset(day for day in days if day is not None) or plain.working_days,
        working_hours=_hours(form.text("working_hours"), problems) or plain.working_hours,
        holidays=frozenset(day for text in form.texts("holidays") if (day := _date(text, problems))),
    )


def _zone(text: Text | None, problems: Problems) -> str | None:
    if text is None:
        return None
    try:
        return ZoneInfo(text.value).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        hint = did_you_mean(text.value, available_timezones()) or "write it as Europe/Paris"
        problems.error(text.place, f"'{text.value}' is not a time zone", hint)
        return None


def _one_of(text: Text | None, words: Sequence[str], what: str, problems: Problems) -> int | None:
    """The place of a day or month, whose first three letters are enough."""
    if text is None:
        return None
    written = text.value.casefold()
    found = next((n for n, word in enumerate(words) if written in {word, word[:3]}), None)
    if found is None:
        problems.error(text.place, f"'{text.value}' is not {what}", did_you_mean(written, words))
    return found


def _hours(text: Text | None, problems: Problems) -> tuple[time, time] | None:
    if text is None:
        return None
    found = re.fullmatch(r"(\d{1,2}:\d\d)\s*-\s*(\d{1,2}:\d\d)", text.value)
    try:
        if found:
            start, end = (time.fromisoformat(part.zfill(5)) for part in found.groups())
            return start, end
    except ValueError:
        pass
    problems.error(text.place, f"'{text.value}' are no working hours", "write 09:00-18:00")
    return None


def _date(text: Text, problems: Problems) -> date | None:
    try:
        return date.fromisoformat(text.value)
    except ValueError:
        problems.error(text.place, f"'{text.value}' is not a date", "write 2026-12-25")
        return None


def _number(form: Form, key: str, problems: Problems) -> int | None:
    text = form.text(key)
    if text is None or (text.value.isdecimal() and int(text.value) > 0):
        return int(text.value) if text else None
    problems.error(text.place, f"'{text.value}' is not a whole number above 0")
    return None


def read_names(node: Node | None, systems: Sequence[str], problems: Problems) -> NativeNames:
    """A `from:` map: CRM or connection name → the CRM's own names; empty `systems` are not known ones."""
    if node is None:
        return {}
    found: dict[str, tuple[str, ...]] = {}
    for key, value in entries(node, "CRMs", problems):
        if systems and key.value not in systems:
            hint = did_you_mean(key.value, systems) or f"known are: {', '.join(systems)}"
            problems.error(
                key.place, f"'{key.value}' is neither a CRM nor a connection of this project", hint
            )
        found[key.value] = tuple(text.value for text in texts_of(value, f"'{key.value}'", problems))
    return found


def read_words(
    section: Mapping[str, Entry], known: Sequence[str], what: str, systems: Sequence[str], problems: Problems
) -> Words:
    """`roles`, `activity_types` or `forecast_categories`: our words, and what each CRM calls them."""
    names: dict[str, NativeNames] = {}
    for word, entry in section.items():
        if word not in known:
            hint = did_you_mean(word, known) or f"known are: {', '.join(known)}"
            problems.error(entry.key.place, f"'{word}' is not one of our {what}", hint)
            continue
        form = Form(entry.node, what, ("from",), problems)
        names[word] = read_names(form.node("from"), systems, problems)
    return Words(names)


def read_crm_fields(
    section: Mapping[str, Entry], known: Sequence[str], systems: Sequence[str], problems: Problems
) -> Mapping[str, NativeNames]:
    """`crm_fields`: what our own fields are called in each CRM."""
    found: dict[str, NativeNames] = {}
    for key, entry in section.items():
        if key not in known:
            hint = did_you_mean(key, known) or f"known are: {', '.join(known)}"
            problems.error(entry.key.place, f"'{key}' is not a field that pipelint writes", hint)
        elif not isinstance(entry.node, Map):
            problems.error(entry.node.place, f"{kind_of(entry.node)} stands where names by CRM are expected")
        else:
            found[key] = read_names(entry.node, systems, problems)
    return found
