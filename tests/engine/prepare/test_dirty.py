"""Whatever changes, and however the clock moves: prepared again in part is prepared anew, and what may be judged
otherwise than before has been prepared again."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelint.config.problems import Problems
from pipelint.connectors.base import Page, Supply
from pipelint.engine.cache.sqlite import Cache
from pipelint.engine.check import source_of
from pipelint.engine.finding import Finding
from pipelint.engine.findings import findings
from pipelint.engine.prepare.prepared import drop
from pipelint.engine.prepare.table import CLOCK
from pipelint.engine.source import Source
from pipelint.records import (
    RECORD_TYPES,
    Account,
    Activity,
    ActivityLink,
    ContactRole,
    FieldChange,
    Lead,
    LineItem,
    Opportunity,
    Owner,
    Record,
    Stage,
    StageChange,
    Stream,
)
from pipelint.rules.catalogue import RecordKind
from pipelint.rules.load import load_pack
from pipelint.rules.pack import Pack
from pipelint.rules.supply import Delivered

from .judged import STAGES

START = datetime(2026, 10, 24, 9, tzinfo=UTC)
"""The day before clocks go back in Paris."""
PACK = """\
pack: {name: acme, time_zone: Europe/Paris, languages: [en]}
overrides: {unknown-value: {severity: warning}}
fields: {account.tier: {type: choice, from: {sales: Tier}}}
facts:
  calls_4h: {count: activities, where: {happened_at: {within_last: 4 hours}}}
  to_come: {count: activities, where: {planned_at: {within_next: 30 days}}}
  buyer_touch: {latest: activities.happened_at, where: {role: [economic_buyer]}}
  done: {count: activities, where: {happened_at: {within_last: 30 days}}}
  moves: {count: stage_changes, where: {at: {within_last: 2 hours}}}
  pushes: {count: field_changes, where: {field: close_date, new: {after: {field: old}}}}
  priced: {sum: line_items.amount}
  rich_siblings: {count: account_opportunities, where: {amount: {at_least: 100}, owner.active: yes}}
  open_days: {difference: [today, created_at]}
  lead_calls: {count: activities, for: lead, where: {happened_at: {within_last: 4 hours}}}
segments: {large: {account.employees: {at_least: 100}}, small: {account.employees: {less_than: 100}}}
rules:
  new: {flag_when: {created_at: {within_last: 5 hours}}, severity: info, message: "{name}"}
  slow: {flag_when: {created_at: {older_than: 3 working hours}}, severity: info, message: "{open_days}"}
  late: {flag_when: {close_date: {before: today}}, severity: info, message: "{close_date}",
         raise_to: {error: {stage_entered_at: {older_than: 90 minutes}}}}
  quiet: {flag_when: {done: 0}, severity: info, message: "{last_touch}"}
  busy: {flag_when: {calls_4h: {at_least: 1}}, severity: info, message: "{calls_4h}"}
  planned: {flag_when: {to_come: {at_least: 1}}, severity: info, message: "{to_come}"}
  buyer: {flag_when: {buyer_touch: {older_than: 2 hours}}, severity: info, message: "{buyer_touch}"}
  moving: {flag_when: {moves: {at_least: 1}}, severity: info, message: "{moves}"}
  pushed: {flag_when: {pushes: {at_least: 1}}, severity: info, message: "{pushes}"}
  alone: {flag_when: {contacts: {at_most: 1}}, severity: info, message: "{contacts}"}
  items: {flag_when: {priced: {more_than: 50}}, severity: info, message: "{priced}"}
  crowd: {flag_when: {rich_siblings: {at_least: 1}}, severity: info, message: "{rich_siblings}"}
  orphan: {flag_when: {owner.active: no}, severity: info, message: "{owner.name}"}
  tier: {flag_when: {account.tier: gold, account.name: present}, severity: info, message: "{account.name}"}
  likely: {flag_when: {stage_probability: {at_least: 50}}, severity: info, message: "{stage_probability}"}
  lead-busy: {for: lead, flag_when: {lead_calls: {at_least: 1}}, severity: info, message: "{owner.name}"}
  lead-new: {for: lead, flag_when: {created_at: {within_last: 2 hours}}, severity: info, message: "{name}"}
scores:
  heat:
    categories: {all: {max: 100}}
    points:
      - {name: calls, category: all, points: 50, for_each: activities, fades_over: 10 days}
      - {name: fresh, category: all, points: 20, when: {created_at: {within_last: 6 hours}}}
waivers:
  - {rules: [new], when: {stage_entered_at: {within_last: 1 hours}}, reason: A young deal,
     approved_by: dana@acme.example,
     until: 2026-12-31}
  - {rules: [quiet], opportunities: [d1], reason: Known to all, approved_by: dana@acme.example, until: 2026-12-31}
"""
KINDS: tuple[RecordKind, ...] = ("opportunity", "lead")
DEALS, LEADS = ("d0", "d1", "d2", "d3"), ("l0", "l1")
NATIVE = ("early", "late", "won", "else")
CUSTOM = {Stream.ACCOUNTS: frozenset({"Tier"})}


@cache
def pack() -> Pack:
    problems = Problems()
    with tempfile.TemporaryDirectory() as home:
        (Path(home) / "stages.yaml").write_text(STAGES, encoding="utf-8")
        (Path(home) / "pack.yaml").write_text(f"pipelint: 1\n{PACK}", encoding="utf-8")
        made = load_pack(Path(home), "rules", problems, ("sales",), today=START.date())
    assert problems.found == []
    assert made is not None
    return made


@dataclass
class Crm:
    """What a CRM holds, and the cache that follows it."""

    cache: Cache
    now: datetime = START
    held: dict[Stream, dict[str, Record]] = field(default_factory=lambda: {stream: {} for stream in Stream})
    links: dict[str, list[ActivityLink]] = field(default_factory=dict)
    complete_since: datetime | None = None
    pulls: int = 0

    @property
    def delivered(self) -> Delivered:
        fields = {stream: frozenset(kind._fields) for stream, kind in RECORD_TYPES.items()}
        fields[Stream.OPPORTUNITIES] -= {"stage_probability"}
        since = {Stream.STAGE_CHANGES: int(START.timestamp() * 10**6)} if self.complete_since else {}
        return Delivered("sales", "fake", fields, CUSTOM, since)

    def put(self, stream: Stream, record: Record, *links: ActivityLink) -> None:
        """A record appears or changes; the next pull brings it alone."""
        self.held[stream][_id(record)] = record
        if stream is Stream.ACTIVITIES:
            self.links[_id(record)] = list(links)
        self.store(stream, [_id(record)])

    def edit(self, stream: Stream, key: str, **values: object) -> None:
        if key in self.held[stream]:
            record = self.held[stream][key]
            self.put(stream, record._replace(**values), *self.links.get(key, ()))  # type: ignore[arg-type]

    def store(
        self, stream: Stream, keys: Sequence[str], *, gone: Sequence[str] = (), full: bool = False
    ) -> None:
        self.pulls += 1
        records: list[Record] = [self.held[stream][key] for key in keys]
        if stream is Stream.ACTIVITIES:
            records += [link for key in keys for link in self.links[key]]
        supply = Supply(stream, frozenset(RECORD_TYPES[stream]._fields), CUSTOM.get(stream, frozenset()))
        self.cache.begin_stream("sales", supply, self.pulls, full=full)
        page = Page(stream, records, "end", begins_full=full, ends_full=full, deleted=gone)
        self.cache.store("sales", page, supply, self.pulls, self.now)
        self.cache.finish_stream("sales", supply, self.now)

    def source(self, kind: RecordKind) -> Source:
        return source_of(self.cache, pack(), kind, self.delivered, self.now)


def _id(record: Record) -> str:
    assert not isinstance(record, ActivityLink)
    return record.id


# What happens: each takes the CRM, the name of something, and a number.


def deal(crm: Crm, key: str, n: int) -> None:
    crm.put(
        Stream.OPPORTUNITIES,
        Opportunity(
            key,
            crm.now,
            name=key,
            amount=Decimal(95 + n),
            stage=NATIVE[n % 4],
            pipeline=(None, "p")[n // 4 % 2],
            account=("a0", "a1", None)[n % 3],
            owner=f"u{n % 2}",
            close_date=START.date() + timedelta(days=n - 3),
            created_at=START - timedelta(days=n),
        ),
    )


def stage(crm: Crm, key: str, n: int) -> None:
    if n % 2:
        crm.edit(Stream.OPPORTUNITIES, key, stage=NATIVE[n % 4], stage_entered_at=crm.now)
    crm.put(Stream.STAGE_CHANGES, StageChange(f"m{n}", key, "early", NATIVE[n % 4], crm.now))


def account(crm: Crm, key: str, n: int) -> None:
    crm.edit(Stream.OPPORTUNITIES, key, account=("a0", "a1", None)[n % 3])


def amount(crm: Crm, key: str, n: int) -> None:
    crm.edit(Stream.OPPORTUNITIES, key, amount=Decimal(95 + n))


def created(crm: Crm, key: str, n: int) -> None:
    crm.edit(Stream.OPPORTUNITIES, key, created_at=crm.now - timedelta(hours=n - 2))


def of_account(crm: Crm, key: str, n: int) -> None:
    tier = {"Tier": ("gold", "silver")[n % 2]}
    crm.put(Stream.ACCOUNTS, Account(f"a{n % 2}", crm.now, name=key, employees=Decimal(98 + n), custom=tier))


def of_owner(crm: Crm, key: str, n: int) -> None:
    crm.put(Stream.OWNERS, Owner(f"u{n % 2}", crm.now, key, active=n % 3 > 0))


def of_stage(crm: Crm, key: str, n: int) -> None:
    crm.put(Stream.STAGES, Stage(NATIVE[n % 4], "", probability=Decimal(n * 10)))


def role(crm: Crm, key: str, n: int) -> None:
    word = ("economic buyer", "user")[n % 2]
    crm.put(Stream.CONTACT_ROLES, ContactRole(f"r{n % 3}", crm.now, key, f"c{n % 2}", word))


def recast(crm: Crm, key: str, n: int) -> None:
    crm.edit(Stream.CONTACT_ROLES, f"r{n % 3}", role=("economic buyer", "user")[n // 3 % 2])


def item(crm: Crm, key: str, n: int) -> None:
    crm.put(Stream.LINE_ITEMS, LineItem(f"i{n % 2}", crm.now, key, amount=Decimal(45 + n)))


def pushed(crm: Crm, key: str, n: int) -> None:
    old, new = (str(date(2026, 11, 1) + timedelta(days=days)) for days in (0, n - 4))
    crm.put(Stream.FIELD_CHANGES, FieldChange(f"f{n}", "opportunity", key, "close_date", old, new, crm.now))


def call(crm: Crm, key: str, n: int) -> None:
    kind, target = (
        ("lead", LEADS[n % 2]) if n % 4 == 3 else
        (("opportunity", key), ("account", f"a{n % 2}"), ("contact", f"c{n % 2}"))[n % 4]
    )  # fmt: skip
    name = f"t{n % 3}"
    made = Activity(
        name, crm.now, "call", happened_at=crm.now - timedelta(hours=n - 3), planned_at=crm.now + timedelta(hours=n)
    )  # fmt: skip
    crm.put(Stream.ACTIVITIES, made, ActivityLink(kind, target, name), ActivityLink("contact", "c0", name))


def moved(crm: Crm, key: str, n: int) -> None:
    crm.edit(Stream.ACTIVITIES, f"t{n % 3}", happened_at=crm.now - timedelta(hours=n))


def relinked(crm: Crm, key: str, n: int) -> None:
    name = f"t{n % 3}"
    if name in crm.links:
        crm.links[name] = [ActivityLink("opportunity", key, name)]
        crm.store(Stream.ACTIVITIES, [name])


def lead(crm: Crm, key: str, n: int) -> None:
    made = Lead(
        LEADS[n % 2], crm.now, name=key, created_at=crm.now - timedelta(minutes=30 * n), owner=f"u{n % 2}"
    )
    crm.put(Stream.LEADS, made)


def deleted(crm: Crm, key: str, n: int) -> None:
    streams = [stream for stream, rows in crm.held.items() if rows]
    if streams:
        stream = streams[n % len(streams)]
        gone = sorted(crm.held[stream])[n % len(crm.held[stream])]
        del crm.held[stream][gone]
        crm.store(stream, [], gone=[gone])


def all_again(crm: Crm, key: str, n: int) -> None:
    streams = [stream for stream, rows in crm.held.items() if rows]
    if streams:
        stream = streams[n % len(streams)]
        crm.store(stream, sorted(crm.held[stream]), full=True)


def history_begins(crm: Crm, key: str, n: int) -> None:
    crm.complete_since = START if n % 2 else None


def minutes(crm: Crm, key: str, n: int) -> None:
    crm.now += timedelta(minutes=37 * n)


def hours(crm: Crm, key: str, n: int) -> None:
    crm.now += timedelta(hours=n)


Event: TypeAlias = Callable[[Crm, str, int], None]
EVENTS: tuple[Event, ...] = (
    deal, deal, stage, account, amount, created, of_account, of_owner, of_stage, role, recast, item, pushed, call, call,
    moved, relinked, lead, deleted, deleted, all_again, history_begins, minutes, minutes, hours,
)  # fmt: skip
STEP = st.tuples(st.sampled_from(EVENTS), st.sampled_from(DEALS), st.integers(0, 11))
HISTORIES = st.lists(st.lists(STEP, min_size=1, max_size=4), min_size=2, max_size=6)
"""What happens between one look and the next."""


def rows(db: sqlite3.Connection, table: str) -> dict[str, Mapping[str, object]]:
    cursor = db.execute(f'SELECT * FROM "{table}"')
    names = [column[0] for column in cursor.description]
    made = [dict(zip(names, row, strict=True)) for row in cursor]
    return {str(row["id"]): {name: value for name, value in row.items() if name not in CLOCK} for row in made}


def anew(crm: Crm) -> Cache:
    """The same data with nothing prepared."""
    db = sqlite3.connect(":memory:", isolation_level=None)
    crm.cache.db.backup(db)
    for (name,) in db.execute("SELECT name FROM prepared").fetchall():
        drop(db, name)
    return Cache(db, ":memory:")


def found(source: Source, cache_: Cache) -> dict[str, list[Finding]]:
    made: dict[str, list[Finding]] = {}
    for each in findings(cache_, source, language="en", ages=False):
        made.setdefault(each.id, []).append(each)
    return made


@dataclass
class Seen:
    """What a run that looks only at what was prepared again believes about one kind of record."""

    table: str = ""
    version: int = 0
    found: dict[str, list[Finding]] = field(default_factory=dict)

    def look(self, crm: Crm, kind: RecordKind) -> Source:
        source = crm.source(kind)
        db = crm.cache.db
        query = "SELECT version, built FROM prepared WHERE name = ?"
        version, built = db.execute(query, (source.table,)).fetchone()
        now = found(source, crm.cache)
        if source.table != self.table or built > self.version:
            self.found = now
        else:
            query = "SELECT record FROM refreshed WHERE name = ? AND version > ?"
            for (record,) in db.execute(query, (source.table, self.version)).fetchall():
                self.found.pop(record, None)
                self.found |= {record: now[record]} if record in now else {}
        self.table, self.version = source.table, version
        return source


def compared(crm: Crm, seen: Mapping[RecordKind, Seen]) -> Iterator[tuple[object, object]]:
    """What is, and what it would be from scratch."""
    with anew(crm) as fresh:
        for kind in KINDS:
            source = seen[kind].look(crm, kind)
            whole = source_of(fresh, pack(), kind, crm.delivered, crm.now)
            assert whole.table == source.table
            yield rows(crm.cache.db, source.table), rows(fresh.db, whole.table)
            yield seen[kind].found, found(whole, fresh)


def follow(history: list[list[tuple[Event, str, int]]]) -> None:
    with Cache.open(":memory:") as opened:
        crm = Crm(opened)
        for number, key in enumerate(DEALS):
            deal(crm, key, 6 + number)
            of_owner(crm, key, 7 + number)
            of_account(crm, key, number)
            call(crm, key, 4 * number)
            role(crm, key, number)
        seen = {kind: Seen() for kind in KINDS}
        for steps in [[], *history]:
            for event, key, number in steps:
                event(crm, key, number)
            for held, wanted in compared(crm, seen):
                assert held == wanted


@settings(max_examples=20, deadline=None)
@given(HISTORIES)
def test_prepared_in_part_is_prepared_anew(history: list[list[tuple[Event, str, int]]]) -> None:
    follow(history)


@pytest.mark.slow
@settings(max_examples=600, deadline=None)
@given(HISTORIES)
def test_prepared_in_part_is_prepared_anew_at_length(history: list[list[tuple[Event, str, int]]]) -> None:
    follow(history)
