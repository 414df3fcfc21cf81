"""What a page costs depends on what is on it, not on how much the cache holds already.

Counted are the steps of SQLite's machine, triggers included: they do not depend on the mood of a computer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

import pytest

from pipelint.engine.cache.sqlite import Cache
from pipelint.engine.cache.touched import watch
from pipelint.engine.cache.undo_log import LOGGED
from pipelint.records import (
    Account,
    Activity,
    ActivityLink,
    Contact,
    ContactRole,
    FieldChange,
    LineItem,
    Opportunity,
    Owner,
    Record,
    StageChange,
    Stream,
)
from tests.engine.cache.crm import START, page, pulled

FEW, MANY = 200, 3000
EACH = 100


def records(stream: Stream, numbers: range, mark: str) -> list[Record]:
    """Each opportunity has its own account, contact, owner and history; `mark` tells versions apart."""
    return [record for i in numbers for record in _OF[stream](f"{i:06}", mark)]


_OF: Mapping[Stream, Callable[[str, str], list[Record]]] = {
    Stream.OWNERS: lambda i, mark: [Owner(i, START, mark)],
    Stream.ACCOUNTS: lambda i, mark: [Account(i, START, name=mark)],
    Stream.CONTACTS: lambda i, mark: [Contact(i, START, name=mark, account=i)],
    Stream.OPPORTUNITIES: lambda i, mark: [
        Opportunity(i, START, name=mark, account=i, owner=i, stage="open", pipeline="new", custom={"a": mark})
    ],
    Stream.CONTACT_ROLES: lambda i, mark: [ContactRole(i, START, i, i, mark)],
    Stream.LINE_ITEMS: lambda i, mark: [LineItem(i, START, i, name=mark)],
    Stream.STAGE_CHANGES: lambda i, mark: [StageChange(f"{i} {mark}", i, "new", "open", START)],
    Stream.FIELD_CHANGES: lambda i, mark: [
        FieldChange(f"{i} {mark}", "opportunity", i, "amount", None, mark, START, "crm")
    ],
    Stream.ACTIVITIES: lambda i, mark: [
        Activity(i, START, subject=mark),
        *(ActivityLink(kind, i, i) for kind in ("account", "contact", "opportunity", "lead")),
    ],
}


def steps(cache: Cache, stream: Stream, *delivered: Record, deleted: tuple[str, ...] = ()) -> int:
    """How many hundred steps a pull of one page takes."""
    count = 0

    def tick() -> int:
        nonlocal count
        count += 1
        return 0

    cache.db.set_progress_handler(tick, 100)
    pulled(cache, page(stream, *delivered, deleted=deleted))
    cache.db.set_progress_handler(None, 0)
    return count


def note_what_is_touched(cache: Cache) -> None:
    """As once something is prepared."""
    watch(cache.db)
    cache.db.execute("INSERT INTO prepared (name, connection) VALUES ('all', 'acme')")


@cache
def filled(held: int, prepared: bool) -> Cache:
    """A cache with so many records of each stream, the first pull over."""
    made = Cache.open(":memory:")
    if prepared:
        note_what_is_touched(made)
    for each in _OF:
        pulled(made, page(each, *records(each, range(held), "first")))
    return made


def costs(stream: Stream, held: int, prepared: bool) -> dict[str, int]:
    """What pages of the same size cost in it."""
    with Cache.open(":memory:") as held_already:
        filled(held, prepared).db.backup(held_already.db)
        some = range(EACH)
        found = {
            "new": steps(held_already, stream, *records(stream, range(held, held + EACH), "first")),
            "as before": steps(held_already, stream, *records(stream, some, "first")),
            "changed": steps(held_already, stream, *records(stream, some, "second")),
        }
        if stream in LOGGED:  # no CRM deletes a part of a history
            found["deleted"] = steps(held_already, stream, deleted=tuple(f"{i:06}" for i in some))
        return found


@pytest.mark.parametrize("prepared", [False, True], ids=["nothing prepared", "prepared"])
@pytest.mark.parametrize("stream", _OF)
def test_a_page_costs_no_more_in_a_cache_fifteen_times_as_large(stream: Stream, prepared: bool) -> None:
    few, many = (costs(stream, held, prepared) for held in (FEW, MANY))
    dearer = {what: (few[what], many[what]) for what in few if many[what] > 1.3 * few[what] + 20}
    assert not dearer, "hundreds of steps"


@pytest.mark.parametrize("stream", _OF)
def test_a_page_five_times_as_long_costs_five_times_as_much(stream: Stream) -> None:
    def cost(length: int) -> int:
        with Cache.open(":memory:") as cache:
            note_what_is_touched(cache)
            first = steps(cache, stream, *records(stream, range(length), "first"))
            return first + steps(cache, stream, *records(stream, range(length), "second"))

    assert cost(5 * FEW) <= 1.3 * 5 * cost(FEW)


def test_a_first_pull_fires_no_trigger() -> None:
    db = filled.__wrapped__(FEW, prepared=False).db
    assert db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall() == []
    watch(db)
    watch(db)
    assert db.execute("SELECT count(*) FROM sqlite_master WHERE type = 'trigger'").fetchone()[0] > 0
