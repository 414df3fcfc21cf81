"""How fast pages of records get into the cache, as a ratio to two floors: plain inserts of ready rows.

    python benchmarks/ingest.py [RECORDS]

The best of five runs counts. All figures of one call share the machine's mood: compare ratios, not seconds.
"""

from __future__ import annotations

import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from pipelint.connectors.base import Page, Supply
from pipelint.engine.cache.encode import rows
from pipelint.engine.cache.sqlite import Cache
from pipelint.engine.cache.tables import table
from pipelint.records import RECORD_TYPES, Activity, ActivityLink, ContactRole, Opportunity, Record, Stream

START = datetime(2026, 1, 1, tzinfo=UTC)
PAGE = 2000
CUSTOM = tuple(f"Field_{number}__c" for number in range(12))


FLOORS = {"floor: plain insert, no journal": "OFF", "plain insert, WAL": "WAL"}


def opportunities(number: int, changed: str = "") -> Iterator[Record]:
    """Records of about 1.6 KB, one field in five empty."""
    dice = random.Random(7)
    for i in range(number):
        at = START + timedelta(seconds=dice.randrange(10**7))
        custom = {name: f"{name} {i} " + "words " * 12 for name in CUSTOM if dice.random() < 0.8}
        yield Opportunity(
            id=f"006{i:015}",
            modified_at=at,
            url=f"https://acme.my.salesforce.com/006{i:015}",
            name=f"Opportunity {i} {'lorem ipsum ' * 3}{changed}",
            amount=Decimal(dice.randrange(10**7)) / 100,
            currency="EUR",
            pipeline="new-business",
            stage=dice.choice(("qualify", "propose", "negotiate")),
            is_open=True,
            is_won=False,
            stage_entered_at=at - timedelta(days=3),
            probability=Decimal(dice.randrange(100)),
            forecast_category="Pipeline",
            close_date=(at + timedelta(days=40)).date(),
            created_at=at - timedelta(days=90),
            next_step="Call the buyer and agree on the dates " * 2 + changed,
            type="New",
            source="Web",
            owner=f"005{i % 100:015}",
            account=f"001{i % 5000:015}",
            custom=custom,
        )


def roles(number: int) -> Iterator[Record]:
    for i in range(number):
        yield ContactRole(f"00K{i:015}", START, f"006{i:015}", f"003{i:015}", "Decision Maker", i % 2 == 0)


def activities(number: int) -> Iterator[Record]:
    """Each with a link to a contact that has a role, so that one more row is derived."""
    for i in range(number):
        yield Activity(f"00T{i:015}", START, "call", "outbound", f"Call {i}", happened_at=START, owner="005")
        yield ActivityLink("contact", f"003{i:015}", f"00T{i:015}")


def pages(stream: Stream, records: list[Record], full: bool) -> list[Page]:
    starts = range(0, len(records), PAGE)
    return [
        Page(
            stream,
            records[at : at + PAGE],
            str(at),
            begins_full=full and at == 0,
            ends_full=full and at == starts[-1],
        )
        for at in starts
    ]


def floor(folder: Path, records: list[Record], journal: str) -> float:
    """Rows made beforehand and inserted a page per transaction; without a journal, nothing is ever synced."""
    spec = table(Stream.OPPORTUNITIES)
    ready = list(rows(spec, "acme", records, {}, 1))
    with closing(sqlite3.connect(folder / f"{journal}.db", isolation_level=None)) as db:
        db.execute(f"PRAGMA journal_mode = {journal}")
        db.execute(f"PRAGMA synchronous = {'NORMAL' if journal == 'WAL' else 'OFF'}")
        for statement in spec.create():
            db.execute(statement)
        insert = f"INSERT INTO {spec.name} VALUES ({', '.join('?' * len(spec.columns))})"

        def work() -> None:
            for at in range(0, len(ready), PAGE):
                db.execute("BEGIN")
                db.executemany(insert, ready[at : at + PAGE])
                db.execute("COMMIT")

        return timed(work)


def timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def stored(cache: Cache, stream: Stream, records: list[Record], hour: int) -> float:
    """One pull of a stream, complete."""
    names = frozenset(RECORD_TYPES[stream]._fields)
    supply = Supply(stream, names, frozenset(CUSTOM))
    now = START + timedelta(days=365, hours=hour)
    prepared = pages(stream, records, full=stream not in cache.supply("acme"))

    def work() -> None:
        pull = cache.begin_pull("acme")
        cache.begin_stream("acme", supply, pull)
        for page in prepared:
            cache.store("acme", page, supply, pull, now)
        cache.finish_stream("acme", supply, now)

    return timed(work)


def once(number: int) -> dict[str, tuple[int, float]]:
    first, again = list(opportunities(number)), list(opportunities(number, "!"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        seconds = {name: (number, floor(folder, first, journal)) for name, journal in FLOORS.items()}
        with Cache.open(folder / "cache.db") as cache:
            store = {
                "opportunities, first pull": (Stream.OPPORTUNITIES, first),
                "opportunities, nothing changed": (Stream.OPPORTUNITIES, first),
                "opportunities, two fields changed": (Stream.OPPORTUNITIES, again),
                "1,000 changed": (Stream.OPPORTUNITIES, first[:1000]),
                "contact roles": (Stream.CONTACT_ROLES, list(roles(number))),
                "activities, one derived link each": (Stream.ACTIVITIES, list(activities(number))),
            }
            for hour, (what, (stream, records)) in enumerate(store.items()):
                count = sum(type(record) is RECORD_TYPES[stream] for record in records)
                seconds[what] = (count, stored(cache, stream, records, hour))
    return seconds


def main() -> None:
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
    runs = [once(number) for _ in range(5)]
    print(f"{'':36} {'':>10}             " + "   ".join(f"x {journal}" for journal in FLOORS.values()))
    for what in runs[0]:
        count = runs[0][what][0]
        each = min(run[what][1] for run in runs) / count
        ratios = [each / min(run[floor_][1] / number for run in runs) for floor_ in FLOORS]
        print(f"{what:36} {1 / each:10,.0f} records/s   " + "   ".join(f"{r:5.2f}" for r in ratios))


if __name__ == "__main__":
    main()
