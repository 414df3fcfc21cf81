"""Moments as HubSpot tells them: milliseconds since 1970 inside, ISO 8601 in UTC outside."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY = 86_400_000
"""A day in milliseconds."""


def millis(moment: datetime) -> int:
    """Milliseconds since 1970."""
    return (moment - EPOCH) // timedelta(milliseconds=1)


def midnight(day: date) -> int:
    """The beginning of a day in UTC."""
    return millis(datetime.combine(day, time(), UTC))


def iso(at: int) -> str:
    """`2026-11-23T09:00:00Z`, with milliseconds only where there are some: both forms occur (§13)."""
    moment = EPOCH + timedelta(milliseconds=at)
    return moment.isoformat(timespec="milliseconds" if at % 1000 else "seconds").replace("+00:00", "Z")


def parse(text: str) -> int:
    """A moment written as ISO 8601 or as milliseconds; a ValueError otherwise."""
    if text.lstrip("-").isdigit():
        return int(text)
    moment = datetime.fromisoformat(text)
    return millis(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
