"""A large HubSpot account: pulled whole, soon and a day later, after some changes, and written back to.

    python -m benchmarks.hubspot [DEALS]

The account is the sandbox in a process of its own, so that memory is that of pipelint alone; it should depend on the
size of a page, not on that of the account. After the seconds that passed stand those of the processor, ours and the
sandbox's. After the requests stands the fewest that could bring the same; what HubSpot's limits would make of them
is reckoned, not waited for.

One run with 200,000 deals on two cores that others kept busy (2,670,277 records and their histories in the account):

    pulled whole      5,196,445 records  641 s (208 + 186)  31,753 requests (1.00 x 31,738, 1,671 s by the limits)
    nothing changed           0 records    1 s (0.1 + 0.2)      29 requests (2.23 x 13, 3 s)
    1,000 changed        13,163 records    6 s (0.5 + 0.5)      55 requests (1.41 x 39, 5 s)
    5,000 written back    5,000 records   15 s (0.2 + 2.8)      52 requests (1.04 x 50, 3 s)

8,101 records/s in the first line; memory peaked at 80 MB, as against 78 MB with 5,000 deals, whose daily look took 101
requests (1.22 x 83).

What goes beyond the fewest in each pull: nine types may be hidden from the token (one look each), four may have other
properties than yesterday, calls and meetings are planned until their time has come, and the account has a clock. A
first pull reads deals twice, with their links and with their histories; one reading would save 2,200 requests, once.
"""

from __future__ import annotations

import multiprocessing
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path

from pipelint.connectors.base import Change
from pipelint.engine.commands import pull_all
from pipelint.engine.project import Project, open_project
from pipelint.engine.provision import setup
from pipelint.engine.pull import PullResult
from pipelint.engine.stopping import Stopping
from pipelint.records import Stream

CHANGED, WRITTEN = 1_000, 5_000
LISTED, WITH_HISTORY, FOUND, LINKED, UPDATED = 100, 50, 200, 1_000, 100
"""How many records one request can bring or take at most (fact sheet hubspot §12)."""

A_SECOND, SEARCHES_A_SECOND = 19, 5
"""How many requests HubSpot allows an account of the Professional plan."""

FIELD = "pipelint_hygiene"

PROJECT = """\
pipelint: 1
rules: rules/
cache: cache.db
connections:
  account:
    crm: hubspot
    base_url: {url}
    auth: {{token: "${{file:token}}"}}
    stop_at: 100%
"""

PACK = """\
pipelint: 1
pack: {name: benchmark, time_zone: Europe/Paris}
rules:
  amount-missing:
    {title: The amount is missing, flag_when: {amount: blank}, severity: error, message: No amount., fix: Enter one.}
"""

ACTIVITIES = ("calls", "meetings", "tasks", "notes", "emails")


@dataclass(frozen=True)
class Used:
    """What the sandbox saw since it was asked last; `seconds` are those of its own work."""

    requests: Counter[str]
    seconds: float

    @property
    def searches(self) -> int:
        return sum(count for path, count in self.requests.items() if path.endswith("/search"))


@dataclass
class Account:
    """The sandbox in its own process: where it is, how many records of each type it holds."""

    url: str
    token: str
    held: Mapping[str, int]
    pipe: Connection

    def change(self, deals: Sequence[str]) -> None:
        """Edit deals as a colleague, one each second."""
        self.pipe.send(deals)
        self.pipe.recv()

    def wait(self, how_long: timedelta) -> None:
        """Let time pass; pulls go by the server's clock."""
        self.pipe.send(how_long)
        self.pipe.recv()

    def used(self) -> Used:
        self.pipe.send(None)
        used: Used = self.pipe.recv()
        return used


def serve(size: int, pipe: Connection) -> None:
    """A sandbox without limits, steered through a pipe; what limits would cost is reckoned afterwards."""
    from pipelint.sandbox.hubspot import HubSpotSandbox
    from pipelint.sandbox.hubspot.object_types import OBJECT_TYPES

    with HubSpotSandbox(size=size, per_ten_seconds=0, searches_per_second=0, daily_limit=0) as sandbox:
        held = {kind.name: len(sandbox.portal.ids(kind.name)) for kind in OBJECT_TYPES}
        held["owners"] = len(sandbox.portal.owners)
        pipe.send((sandbox.base_url, sandbox.token(), held))
        requests: Counter[str] = Counter()
        begun = time.process_time()
        while True:
            asked = pipe.poll(1)
            # Bodies of a large account's requests are not to pile up.
            seen = sandbox.requests[:]
            del sandbox.requests[: len(seen)]
            requests.update(each.path for each in seen)
            if not asked:
                continue
            try:
                message = pipe.recv()
            except EOFError:
                return
            if message is None:
                pipe.send(Used(requests, time.process_time() - begun))
                requests, begun = Counter(), time.process_time()
                continue
            if isinstance(message, timedelta):
                sandbox.clock.advance(message)
            else:
                for deal in message:
                    sandbox.clock.advance(timedelta(seconds=1))
                    sandbox.portal.update("deals", deal, {"hs_next_step": "Changed"})
            pipe.send(None)


@contextmanager
def account(size: int) -> Iterator[Account]:
    """A sandbox with so many deals."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=serve, args=(size, theirs), daemon=True)
    process.start()
    theirs.close()
    url, token, held = ours.recv()
    yield Account(url, token, held, ours)
    ours.close()
    process.join()


def calls(records: int, at_once: int) -> int:
    """How many requests so many records take; that there is none takes one, too."""
    return max(1, -(-records // at_once))


def least(held: Mapping[str, int]) -> dict[Stream, int]:
    """The fewest requests in which each stream can be had whole."""
    return {
        Stream.OWNERS: 2,  # those who have left are a list of their own
        Stream.PIPELINES: 1,
        Stream.STAGES: 0,  # come with their pipelines
        Stream.ACCOUNTS: calls(held["companies"], LISTED),
        Stream.CONTACTS: calls(held["contacts"], LISTED) + calls(held["contacts"], LINKED),
        Stream.OPPORTUNITIES: calls(held["deals"], LISTED) + calls(held["deals"], LINKED),
        Stream.STAGE_CHANGES: calls(held["deals"], WITH_HISTORY),
        Stream.FIELD_CHANGES: 0,  # come with the stage changes
        Stream.CONTACT_ROLES: calls(held["deals"], LINKED),
        Stream.LINE_ITEMS: calls(held["line_items"], LISTED),
        Stream.ACTIVITIES: sum(calls(held[kind], LISTED) for kind in ACTIVITIES),
        Stream.LEADS: calls(held["leads"], LISTED),
    }


def least_after(changed: int) -> int:
    """The fewest requests after so many deals changed: what others did can only be searched for, type by type."""
    others = 4 + len(ACTIVITIES)  # companies, contacts, line items and leads
    lists = 2 + 1  # owners and pipelines
    deals = calls(changed, FOUND)
    details = calls(changed, LINKED) * 2 + calls(changed, WITH_HISTORY) if changed else 0
    return others + lists + deals + details


def least_next_day(held: Mapping[str, int], open_deals: int) -> int:
    """The fewest requests once a day: only lists tell of archived deals and leads, and of changed links."""
    whole = least(held)
    lists = whole[Stream.OPPORTUNITIES] + whole[Stream.LEADS] + calls(open_deals, LINKED)
    return lists + least_after(0) - 2  # these two are not searched for


def pulled(project: Project) -> PullResult:
    [result] = pull_all(project)
    if result.error:
        raise result.error
    return result


def written(project: Project) -> tuple[Counter[str], int]:
    """Outcomes and requests of so many changes."""
    connection = project.file.connections["account"]
    with project.cache() as cache:
        rows = cache.db.execute("SELECT id FROM opportunity ORDER BY id LIMIT ?", [WRITTEN]).fetchall()
    changes = [Change("opportunity", row[0], {FIELD: 50}) for row in rows]
    with project.connect(connection) as connector:
        outcomes = Counter(str(outcome.status) for outcome in connector.write(changes))
        return outcomes, connector.api_calls


class Step:
    """Measures one step: its time, our share of the processors' and the sandbox's, requests, memory."""

    def __init__(self, crm: Account) -> None:
        crm.used()
        self._crm = crm
        self._begun = time.perf_counter()
        self._cpu = time.process_time()

    def report(self, what: str, records: int, requests: int, fewest: int) -> None:
        seconds, ours = time.perf_counter() - self._begun, time.process_time() - self._cpu
        used = self._crm.used()
        allowed = (requests - used.searches) / A_SECOND + used.searches / SEARCHES_A_SECOND
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"{what:<24} {records:>10,} records {seconds:>8.1f} s ({ours:.1f} + {used.seconds:.1f})"
            f" {records / seconds:>7,.0f} records/s {requests:>7,} requests ({requests / fewest:.2f} x {fewest:,},"
            f" {allowed:,.0f} s by the limits)   peak {peak:,.0f} MB",
            flush=True,
        )


def main(size: int = 200_000) -> None:
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as name, account(size) as crm:
        records, seconds = sum(crm.held.values()), time.perf_counter() - begun
        print(f"{size:,} deals, {records:,} records in all, made in {seconds:.0f} s", flush=True)
        folder = Path(name)
        (folder / "rules").mkdir()
        (folder / "rules" / "pack.yaml").write_text(PACK, encoding="utf-8")
        (folder / "pipelint.yaml").write_text(PROJECT.format(url=crm.url), encoding="utf-8")
        (folder / "token").write_text(crm.token, encoding="utf-8")
        project = open_project(folder, stopping=Stopping(sleep=lambda _: None))
        step = Step(crm)
        whole = pulled(project)
        fewest = least(crm.held)
        step.report("pulled whole", whole.stored, whole.api_calls, sum(fewest.values()))
        for each in whole.streams:
            print(
                f"    {each.stream.value:<20} {each.stored:>10,} records {each.seconds:>8.1f} s"
                f" {each.api_calls:>7,} requests / {fewest[each.stream]:,}",
                flush=True,
            )
        with project.cache() as cache:
            rows = cache.db.execute("SELECT id FROM opportunity WHERE is_open ORDER BY id").fetchall()
        open_deals = [row[0] for row in rows]
        changed = open_deals[:CHANGED]
        steps: tuple[tuple[str, timedelta, list[str], int], ...] = (
            ("nothing changed", timedelta(), [], least_after(0)),
            ("a day later", timedelta(days=1), [], least_next_day(crm.held, len(open_deals))),
            (f"{len(changed):,} changed", timedelta(), changed, least_after(len(changed))),
        )
        for what, pause, deals, fewest_now in steps:
            crm.wait(pause)
            crm.change(deals)
            step = Step(crm)
            again = pulled(project)
            step.report(what, again.stored, again.api_calls, fewest_now)
        list(setup(project, apply=True))
        step = Step(crm)
        outcomes, requests = written(project)
        total = outcomes.total()
        step.report(f"{outcomes['written']:,} written back", total, requests, calls(total, UPDATED))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
