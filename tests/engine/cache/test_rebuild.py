"""A past day is rebuilt as it was: equal to a copy of the tables that was taken on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelint.engine.cache.coverage import held_at
from pipelint.engine.cache.encode import microseconds
from pipelint.engine.cache.rebuild import rebuilt
from pipelint.engine.cache.sqlite import Cache
from pipelint.records import (
    Account,
    Activity,
    ActivityLink,
    Contact,
    ContactRole,
    FieldChange,
    Lead,
    LineItem,
    Opportunity,
    Owner,
    Pipeline,
    Record,
    Stage,
    StageChange,
    Stream,
)
from tests.engine.cache.crm import CRM, dump, hour, page, pulled, rows, supply

IDS = "abc"
MAKE: dict[Stream, Callable[[str, str, int], Any]] = {
    Stream.OWNERS: lambda id_, other, n: Owner(id_, hour(0), f"Owner {n}", active=bool(n)),
    Stream.PIPELINES: lambda id_, other, n: Pipeline(id_, f"Pipeline {n}"),
    Stream.STAGES: lambda id_, other, n: Stage(id_, "", f"Stage {n}", is_open=n < 2, is_won=n == 2),
    Stream.ACCOUNTS: lambda id_, other, n: Account(id_, hour(0), name=f"Account {n}", owner=other),
    Stream.CONTACTS: lambda id_, other, n: Contact(id_, hour(0), name=f"Contact {n}", account=other),
    Stream.OPPORTUNITIES: lambda id_, other, n: Opportunity(
        id_, hour(0), amount=Decimal(n) if n else None, account=other, stage=other, close_date=date(2026, 1, 1 + n),
        custom={"Need__c": f"need {n}", "Budget__c": bool(n)} if n else {},
    ),
    Stream.CONTACT_ROLES: lambda id_, other, n: ContactRole(id_, hour(0), other, IDS[n], f"role {n}"),
    Stream.ACTIVITIES: lambda id_, other, n: Activity(id_, hour(0), subject=f"subject {n}", happened_at=hour(n)),
    Stream.LEADS: lambda id_, other, n: Lead(id_, hour(0), status=f"status {n}", owner=other),
    Stream.LINE_ITEMS: lambda id_, other, n: LineItem(id_, hour(0), other, amount=Decimal(n)),
}  # fmt: skip
LINKED = ("opportunity", "account", "contact", "lead")


@dataclass
class Crm:
    """Records by stream and id, whose links hang on their activities, and the changes that it remembers.

    No CRM uses an id twice: what comes under one that was deleted comes out of the bin, with its history.
    """

    held: dict[Stream, dict[str, Record]] = field(default_factory=lambda: {stream: {} for stream in MAKE})
    bin: dict[tuple[Stream, str], Record] = field(default_factory=dict)
    links: dict[str, set[ActivityLink]] = field(default_factory=dict)
    stages: list[StageChange] = field(default_factory=list)
    changes: list[FieldChange] = field(default_factory=list)

    def put(self, stream: Stream, id_: str, other: str, number: int, at: float) -> None:
        before: Any = self.held[stream].get(id_) or self.bin.get((stream, id_))
        after = MAKE[stream](id_, other, number)
        if "modified_at" in after._fields:
            after = after._replace(modified_at=hour(at))
        if stream is Stream.ACTIVITIES:
            kinds = [kind for place, kind in enumerate(LINKED) if number >> place & 1 or place == number]
            self.links[id_] = {ActivityLink(kind, other, id_) for kind in kinds}
        if stream is Stream.OPPORTUNITIES and before and before.stage != after.stage:
            place = len(self.stages)
            self.stages.append(StageChange(f"s{place}", id_, before.stage, after.stage, hour(at)))
        if stream is Stream.LEADS and before and before.status != after.status:
            place = len(self.changes)
            change = FieldChange(f"f{place}", "lead", id_, "status", before.status, after.status, hour(at))
            self.changes.append(change)
        self.held[stream][id_] = after

    def delete(self, stream: Stream, id_: str) -> None:
        if id_ in self.held[stream]:
            self.bin[stream, id_] = self.held[stream].pop(id_)
        if stream is Stream.OPPORTUNITIES:
            for child in (Stream.CONTACT_ROLES, Stream.LINE_ITEMS):
                for other in [r.id for r in self.held[child].values() if r.opportunity == id_]:  # type: ignore[union-attr]
                    del self.held[child][other]

    def merge(self, stream: Stream, id_: str, into: str, at: float) -> None:
        """One goes, and what pointed to it points to the other."""
        self.delete(stream, id_)
        if stream is Stream.ACCOUNTS and id_ != into:
            for child in (Stream.OPPORTUNITIES, Stream.CONTACTS):
                for each in [r for r in self.held[child].values() if r.account == id_]:  # type: ignore[union-attr]
                    self.held[child][each.id] = each._replace(account=into, modified_at=hour(at))  # type: ignore[union-attr,call-arg]

    def pulled(self, cache: Cache, at: float) -> None:
        for stream, records in self.held.items():
            found: list[Record] = list(records.values())
            if stream is Stream.ACTIVITIES:
                found += [link for id_ in records for link in sorted(self.links[id_])]
            offered = supply(stream, "Need__c", "Budget__c") if stream is Stream.OPPORTUNITIES else None
            pulled(cache, page(stream, *found), at=hour(at), full=True, supplied=offered)
            if stream is Stream.ACTIVITIES:
                pulled(cache, page(Stream.ACTIVITY_LINKS), at=hour(at), full=True)
        pulled(cache, page(Stream.STAGE_CHANGES, *self.stages), at=hour(at))
        pulled(cache, page(Stream.FIELD_CHANGES, *self.changes), at=hour(at))


def past(cache: Cache, at: float) -> dict[str, list[tuple[object, ...]]]:
    """The tables as they were at an hour."""
    with rebuilt(cache, CRM, microseconds(hour(at)), held_at(cache.db, CRM, hour(at))):
        return comparable(cache)


def comparable(cache: Cache) -> dict[str, list[tuple[object, ...]]]:
    """Everything held but the stamps."""
    found = {}
    for stream in Stream:
        names = [row[1] for row in cache.db.execute(f"PRAGMA table_info({stream.value})")]
        columns = ", ".join(f'"{name}"' for name in names if name not in {"pull", "modified_at"})
        found[stream.value] = rows(cache, f"SELECT {columns} FROM {stream.value} ORDER BY {columns}")
    return found


steps = st.tuples(
    st.sampled_from(["put", "put", "put", "delete", "merge", "pull"]),
    st.sampled_from(list(MAKE)),
    st.sampled_from(IDS),
    st.sampled_from(IDS),
    st.integers(0, 2),
)


PULL = ("pull", Stream.OWNERS, "a", "a", 0)
FULL = [("put", stream, id_, other, 1) for stream in MAKE for id_, other in ("aa", "bb")]


@settings(max_examples=40, deadline=None)
@given(st.lists(steps, max_size=8), st.lists(steps, max_size=20))
def test_every_pulled_moment_is_rebuilt_as_it_was(before, after):
    crm, at = Crm(), 1.0
    taken: dict[float, dict[str, list[tuple[object, ...]]]] = {}
    with Cache.open(":memory:") as cache:
        for what, stream, id_, other, number in [*FULL, *before, PULL, *after, PULL]:
            at += 1
            match what:
                case "put":
                    crm.put(stream, id_, other, number, at)
                case "delete":
                    crm.delete(stream, id_)
                case "merge":
                    crm.merge(stream, id_, other, at)
                case _:
                    crm.pulled(cache, at)
                    taken[at] = comparable(cache)
        now = dump(cache)
        for moment, snapshot in taken.items():
            assert past(cache, moment) == snapshot, moment
        assert dump(cache) == now, "looking at the past leaves the present alone"


class TestBetweenTwoPulls:
    """We saw a change late; the CRM's own history knows better when it was."""

    @pytest.fixture
    def cache(self):
        """A deal that went a → b at hour 3 and b → c at hour 5; pulled at 2 and at 8, last touched at hour 7."""
        with Cache.open(":memory:") as opened:
            offered = supply(Stream.OPPORTUNITIES, "Need__c", "Sure__c")
            stages = [
                Stage("a", "", is_open=True),
                Stage("b", "", is_open=True),
                Stage("c", "", is_open=False),
            ]
            pulled(opened, page(Stream.STAGES, *stages), at=hour(1))
            first = Opportunity("1", hour(1), stage="a", is_open=True, next_step="call", owner="ann")
            first = first._replace(custom={"Need__c": "x", "Sure__c": False})
            last = first._replace(
                modified_at=hour(7), stage="c", is_open=False, next_step="write", owner="bob"
            )
            last = last._replace(closed_at=hour(5), custom={"Need__c": "z", "Sure__c": True})
            moves = [StageChange("s1", "1", "a", "b", hour(3)), StageChange("s2", "1", "b", "c", hour(5))]
            fields = [
                FieldChange("f1", "opportunity", "1", "next_step", "call", "write", hour(4)),
                FieldChange("f2", "opportunity", "1", "custom.Need__c", "x", "y", hour(3)),
                FieldChange("f3", "opportunity", "1", "custom.Need__c", "y", "z", hour(5)),
                FieldChange("f4", "opportunity", "1", "custom.Sure__c", "0", "1", hour(3)),
            ]
            for at, deal, moved, changed in ((2, first, [], []), (8, last, moves, fields)):
                pulled(opened, page(Stream.OPPORTUNITIES, deal), at=hour(at), supplied=offered)
                pulled(opened, page(Stream.STAGE_CHANGES, *moved), at=hour(at))
                pulled(opened, page(Stream.FIELD_CHANGES, *changed), at=hour(at))
            yield opened

    @pytest.mark.parametrize(
        ("at", "stage", "open_", "next_step", "owner", "own"),
        [
            (2, "a", 1, "call", "ann", '{"Need__c":"x","Sure__c":false}'),
            (3, "b", 1, "call", "ann", '{"Need__c":"y","Sure__c":true}'),
            (4, "b", 1, "write", "ann", '{"Need__c":"y","Sure__c":true}'),
            (6, "c", 0, "write", "ann", '{"Need__c":"z","Sure__c":true}'),
            (7, "c", 0, "write", "bob", '{"Need__c":"z","Sure__c":true}'),
        ],
    )
    def test_what_it_tells_is_taken_from_it(self, cache, at, stage, open_, next_step, owner, own):
        with rebuilt(cache, CRM, microseconds(hour(at)), held_at(cache.db, CRM, hour(at))):
            query = "SELECT stage, is_open, next_step, owner, custom FROM opportunity"
            assert rows(cache, query) == [(stage, open_, next_step, owner, own)]

    def test_changes_after_that_moment_had_not_happened(self, cache):
        with rebuilt(cache, CRM, microseconds(hour(4)), held_at(cache.db, CRM, hour(4))):
            assert rows(cache, "SELECT id FROM stage_change") == [("s1",)]
            assert rows(cache, "SELECT id FROM field_change WHERE origin = 'crm' ORDER BY 1") == [
                ("f1",),
                ("f2",),
                ("f4",),
            ]


def test_what_was_not_pulled_by_then_is_not_taken_from_today():
    with Cache.open(":memory:") as cache:
        deal = Opportunity("1", hour(0), name="A", next_step="call")
        offered = supply(Stream.OPPORTUNITIES, without=["next_step"])
        pulled(cache, page(Stream.OPPORTUNITIES, deal), at=hour(1), supplied=offered)
        pulled(cache, page(Stream.OPPORTUNITIES, deal), at=hour(2))
        pulled(cache, page(Stream.LEADS, Lead("1", hour(0))), at=hour(2))
        with rebuilt(cache, CRM, microseconds(hour(1)), held_at(cache.db, CRM, hour(1))):
            assert rows(cache, "SELECT name, next_step FROM opportunity") == [("A", None)]
            assert rows(cache, "SELECT count(*) FROM lead") == [(0,)]
