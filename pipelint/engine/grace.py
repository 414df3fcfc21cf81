"""A rule's time of grace: how long what it finds stays pending, counted from when it was first seen (rules.md §4.7)."""

from __future__ import annotations

from datetime import date

from pipelint.engine.cache.encode import instant
from pipelint.engine.events import Standing
from pipelint.rules.compile_condition import Moment
from pipelint.rules.pack import Rule
from pipelint.rules.zones import date_of


def pending_until(rule: Rule, standing: Standing | None, moment: Moment) -> date | None:
    """The local day on which the flag comes; None where it stands already, or nothing holds it back."""
    if rule.grace is None or (standing is not None and standing.state != "pending"):
        return None
    first_seen = moment.as_of if standing is None else instant(standing.first_seen)
    due = moment.calendar.shift(first_seen, rule.grace, 1)
    if due <= (moment.now if rule.grace.is_clock else moment.today):
        return None
    day = moment.calendar.day_of(instant(due)) if rule.grace.is_clock else due
    return date_of(day)
