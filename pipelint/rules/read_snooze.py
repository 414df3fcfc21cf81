"""Reads the two of `crm_fields:` that people own: until when a record is snoozed, and why (rules.md §4.9)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipelint.config.nodes import Problems
from pipelint.rules.fields import Field, FieldType, Origin
from pipelint.rules.pack import MappedField
from pipelint.rules.read_settings import read_names
from pipelint.rules.sections import Entry

UNTIL = Field(
    "snooze_until",
    FieldType.DATE,
    "until when people have put its flags aside",
    Origin.CUSTOM,
    "snooze_until",
)
REASON = Field(
    "snooze_reason", FieldType.TEXT, "why people have put its flags aside", Origin.CUSTOM, "snooze_reason"
)
SNOOZE = (UNTIL.name, REASON.name)


def read_snooze(
    section: Mapping[str, Entry],
    mapped: Mapping[str, MappedField],
    systems: Sequence[str],
    problems: Problems,
) -> dict[str, MappedField]:
    """Both fields of opportunities, or none: a day without a reason waives nothing."""
    given = {name: section[name] for name in SNOOZE if name in section}
    for name, entry in given.items():
        if name in mapped:
            hint = "take it out of 'fields:', a rule can use it by this name"
            problems.error(mapped[name].place, f"'{name}' is one of crm_fields already", hint)
        other = next(each for each in SNOOZE if each != name)
        if other not in given:
            hint = f"name the field for '{other}', too: a date and a reason together snooze a record"
            problems.error(entry.key.place, f"'{name}' is of no use without '{other}'", hint)
    return {
        field.name: MappedField(
            field,
            read_names(given[field.name].node, systems, Problems()),
            False,
            {},
            {},
            given[field.name].key.place,
        )
        for field in (UNTIL, REASON)
        if field.name in given
    }
