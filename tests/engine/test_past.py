"""`check --as-of` rebuilds a past day: what it finds is what a check on that day found."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pipelint.engine.cache.sqlite import Cache
from pipelint.engine.check import CheckResult
from pipelint.engine.check import check as evaluate
from pipelint.engine.explain import explain_record
from pipelint.engine.project import Project
from pipelint.engine.pull import pull
from pipelint.engine.selection import moment_of
from pipelint.errors import UsageError
from pipelint.records import (
    Account,
    Activity,
    ActivityLink,
    Contact,
    ContactRole,
    Lead,
    LineItem,
    Owner,
    Record,
    Stage,
    StageChange,
    Stream,
)
from pipelint.render.check import text
from pipelint.render.check_documents import parts
from tests.docs.pages import ROOT, blocks_of

from .conftest import RULES, Acme
from .fake_crm import START, FakeConnector, FakeCrm

PACK = """\
pipelint: 1
pack: {name: acme, time_zone: Europe/Paris, languages: [en], activities_count: account}
stages:
  - {name: open, kind: open, group: early}
  - {name: offer, kind: open, group: late}
  - {name: won, kind: won}
pipelines:
  new-business:
    from: {acme: new}
    stages: {open: {from: {acme: Open}}, offer: {from: {acme: Offer}}, won: {from: {acme: Won}}}
facts:
  touches: {count: activities}
  people: {count: contact_roles}
  buyers: {count: contact_roles, where: {role: economic_buyer}}
  things: {sum: line_items.amount}
  moves: {count: stage_changes}
  edits: {count: field_changes}
  pushes: {count: field_changes, where: {field: close_date}}
  siblings: {count: account_opportunities}
conditions:
  known: {created_at: present}
"""
EVERYTHING = """\
pipelint: 1
rules:
  all-there-is:
    title: Everything
    flag_when: {created_at: present}
    severity: info
    message: "{name} {amount} {stage} {close_date} {next_step} {owner.name} {owner.active} {account.name}
      {account.industry} {touches} {people} {buyers} {things} {moves} {edits} {pushes} {siblings}"
    fix: Look.
  amount-missing: {title: Amount, flag_when: {amount: blank}, severity: error, message: No amount., fix: Enter one.}
  idle: {title: Idle, flag_when: {touches: {less_than: 2}}, severity: warning, message: Idle., fix: Call.}
  owner-left: {title: Owner, flag_when: {owner.active: no}, severity: warning, message: Left., fix: Change it.}
  lead-idle:
    for: lead
    title: Lead
    flag_when: {created_at: present}
    severity: info
    message: "{name} {status} {owner.name}"
    fix: Call.
"""


def written(kind: str) -> str:
    """An example of the manual's page."""
    [block] = [block for block in blocks_of(ROOT / "docs" / "looking-back.md") if block.kind == kind]
    return block.text.strip()


def look(acme: Acme, at: datetime) -> CheckResult:
    project = acme.project
    with project.cache() as cache:
        return evaluate(cache, project, at, rebuild=True)


def shown(result: CheckResult) -> dict[str, object]:
    """All that a check says, in an order that does not matter."""
    return {
        "findings": sorted(repr(finding) for finding in result.findings),
        "scores": sorted(repr(score) for score in result.scores),
        "not_synced": sorted(repr(each) for each in result.not_synced),
        "records": result.records,
        "in_grace": result.in_grace,
        "notices": [repr(notice) for notice in result.notices],
    }


@dataclass(frozen=True)
class Step:
    """One thing that people do between two pulls, or a pull."""

    what: str
    id: str
    other: str
    number: int

    def __call__(self, crm: FakeCrm) -> None:
        getattr(self, self.what.replace(" ", "_"))(crm)

    @property
    def deal(self) -> str:
        return f"d{self.id}"

    def amount(self, crm: FakeCrm) -> None:
        crm.deal(self.deal, amount=Decimal(self.number * 100) if self.number else None)

    def date(self, crm: FakeCrm) -> None:
        crm.deal(self.deal, close_date=START.date() + timedelta(days=self.number))

    def owner(self, crm: FakeCrm) -> None:
        crm.deal(self.deal, owner=f"u{self.number}")

    def account(self, crm: FakeCrm) -> None:
        crm.deal(self.deal, account=self.other)

    def stage(self, crm: FakeCrm) -> None:
        stage = ("open", "offer", "won")[self.number]
        before = crm.deals[self.deal].stage if self.deal in crm.deals else "open"
        crm.deal(self.deal, stage=stage, is_open=stage != "won", is_won=stage == "won")
        if before != stage:
            moves = crm.others[Stream.STAGE_CHANGES]
            key = f"m{len(moves)}"
            moves[key] = StageChange(key, self.deal, before, stage, crm.now)

    def delete(self, crm: FakeCrm) -> None:
        for stream in (Stream.CONTACT_ROLES, Stream.LINE_ITEMS):
            held = crm.others[stream]
            for key in [key for key, each in held.items() if each.opportunity == self.deal]:  # type: ignore[union-attr]
                del held[key]
        crm.deals.pop(self.deal, None)

    def merge(self, crm: FakeCrm) -> None:
        crm.others[Stream.ACCOUNTS].pop(self.id, None)
        for key, held in list(crm.deals.items()):
            if held.account == self.id:
                crm.deal(key, account=self.other)

    def company(self, crm: FakeCrm) -> None:
        self.toggle(crm, Stream.ACCOUNTS, Account(self.id, crm.now, name=f"Company {self.number}"))

    def role(self, crm: FakeCrm) -> None:
        role = ("Economic Buyer", "User", None)[self.number]
        self.toggle(
            crm, Stream.CONTACT_ROLES, ContactRole(self.id, crm.now, f"d{self.other}", self.other, role)
        )

    def item(self, crm: FakeCrm) -> None:
        item = LineItem(self.id, crm.now, f"d{self.other}", amount=Decimal(self.number))
        self.toggle(crm, Stream.LINE_ITEMS, item)

    def lead(self, crm: FakeCrm) -> None:
        lead = Lead(self.id, crm.now, name="Lead", status=f"s{self.number}", owner="u1", created_at=START)
        self.toggle(crm, Stream.LEADS, lead)

    def toggle(self, crm: FakeCrm, stream: Stream, record: Record) -> None:
        """There from now on, or as it is now; away if it was just so."""
        before = crm.others[stream].pop(self.id, None)
        if before is None or before[2:] != record[2:]:
            crm.others[stream][self.id] = record

    def user(self, crm: FakeCrm) -> None:
        id_ = f"u{self.number}"
        crm.owners[id_] = Owner(id_, crm.now, f"User {self.id}", active=self.other == "1")

    def call(self, crm: FakeCrm) -> None:
        call = Activity(f"call {self.id}", crm.now, happened_at=crm.now)
        crm.activities[call.id] = (call, self.deal)

    def link(self, crm: FakeCrm) -> None:
        kind = ("contact", "account", "opportunity")[self.number]
        record = f"d{self.other}" if kind == "opportunity" else self.other
        link = ActivityLink(kind, record, f"call {self.id}")
        crm.links = [each for each in crm.links if each != link] or [link]

    def touch(self, crm: FakeCrm) -> None:
        crm.deal(self.deal)

    def pull(self, crm: FakeCrm) -> None:
        """Done by the project."""


WHAT = (
    "amount", "date", "owner", "account", "stage", "delete", "merge", "role", "item", "company", "user",
    "lead", "call", "link", "touch", "pull", "pull",
)  # fmt: skip
STEPS = st.builds(
    Step, st.sampled_from(WHAT), st.sampled_from("123"), st.sampled_from("123"), st.integers(0, 2)
)
PULL = Step("pull", "1", "1", 0)
AT_FIRST = [
    Step(what, id_, id_, 1)
    for id_ in "12"
    for what in ("amount", "account", "role", "item", "company", "lead", "call", "link")
]


class Beginning:
    """What all examples begin with: reading rules and making a cache takes longer than all the rest.

    No dataclass: hypothesis would print all of the project with an example that fails.
    """

    def __init__(self, project: Project, crm: FakeCrm, cache: Cache) -> None:
        self.project = project
        self.org = crm
        self.cache = cache

    def crm(self) -> FakeCrm:
        """The CRM for one example, which changes it."""
        org = self.org
        return replace(
            org,
            deals={**org.deals},
            owners={**org.owners},
            activities={**org.activities},
            links=[*org.links],
            others={stream: {**held} for stream, held in org.others.items()},
        )


@pytest.fixture
def beginning(acme: Acme) -> Iterator[Beginning]:
    (acme.folder / "rules" / "pack.yaml").write_text(PACK, encoding="utf-8")
    acme.pack(EVERYTHING)
    crm = acme.crm
    crm.stages = [Stage(name.lower(), "new", name) for name in ("Open", "Offer", "Won")]
    contacts: dict[str, Record] = {name: Contact(name, START, name=f"Person {name}") for name in "123"}
    empty = (Stream.ACCOUNTS, Stream.CONTACT_ROLES, Stream.LINE_ITEMS, Stream.LEADS, Stream.STAGE_CHANGES)
    crm.others = {**{stream: {} for stream in empty}, Stream.CONTACTS: contacts}
    for step in AT_FIRST:
        step(crm)
        crm.advance(hours=1)
    with Cache.open(":memory:") as cache:
        yield Beginning(acme.project, crm, cache)


@contextmanager
def copied(source: Cache) -> Iterator[Cache]:
    with Cache.open(":memory:") as cache:
        source.db.backup(cache.db)
        yield cache


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example([Step("amount", "1", "1", 2), PULL, Step("amount", "1", "1", 0)])
@given(st.lists(STEPS, max_size=12))
def test_what_is_found_in_a_rebuilt_day_is_what_was_found_on_it(
    beginning: Beginning, steps: list[Step]
) -> None:
    crm = beginning.crm()
    project = replace(beginning.project, clock=crm.clock)
    taken: dict[datetime, dict[str, object]] = {}
    with copied(beginning.cache) as cache:
        for step in [PULL, *steps, PULL]:
            crm.advance(hours=7)
            step(crm)
            if step.what == "pull":
                pull(cache, FakeConnector("acme", crm), {}, clock=crm.clock, stopping=project.stopping)
                taken[crm.now] = shown(evaluate(cache, project, crm.now))
        crm.advance(days=3)
        with copied(cache) as later:
            for moment, snapshot in taken.items():
                assert shown(evaluate(later, project, moment, rebuild=True)) == snapshot, moment


class TestADay:
    """What a day means, and which one can be looked at."""

    @pytest.mark.parametrize(
        ("given", "moment"),
        [
            ("2026-11-10", datetime(2026, 11, 10, 22, 59, 59, 999999, UTC)),
            ("2026-11-20", START),
            ("2026-11-21", datetime(2026, 11, 21, 11, tzinfo=UTC)),
            ("2026-11-10 10:00", datetime(2026, 11, 10, 9, tzinfo=UTC)),
            ("2026-11-10T10:00:00Z", datetime(2026, 11, 10, 10, tzinfo=UTC)),
        ],
    )
    def test_a_past_one_means_its_end_today_means_now(self, acme: Acme, given: str, moment: datetime) -> None:
        assert moment_of(acme.project, given) == moment

    def test_one_before_the_first_pull_is_refused(self, acme: Acme) -> None:
        acme.pull()
        acme.crm.advance(days=9)
        with pytest.raises(UsageError) as caught:
            look(acme, START - timedelta(days=1))
        assert str(caught.value) == written("refused")
        assert (
            caught.value.hint
            == "look at 2026-11-20 or a later day, or name other connections with --connection"
        )

    def test_one_of_a_connection_that_was_never_pulled_is_not(self, acme: Acme) -> None:
        assert look(acme, START - timedelta(days=1)).not_pulled == ["acme"]


def found(result: CheckResult) -> set[tuple[str, str, object]]:
    return {(each.id, each.rule, each.since) for each in result.findings if each.status == "flagged"}


def test_records_edited_created_and_deleted_since_are_as_they_were(acme: Acme) -> None:
    acme.crm.deal("d0", amount=None)
    acme.crm.deal("d1", amount=None)
    acme.run()
    acme.crm.advance(days=1)
    acme.crm.deal("d0", amount=Decimal(5), next_step=None)
    acme.crm.deal("d2", amount=None)
    acme.crm.delete("d1")
    acme.run()
    acme.crm.advance(days=1)
    first, second = START.date(), START.date() + timedelta(days=1)
    assert found(look(acme, START)) == {("d0", "amount-missing", first), ("d1", "amount-missing", first)}
    now = {("d0", "next-step-missing", second), ("d2", "amount-missing", second)}
    assert found(look(acme, acme.crm.now)) == now
    with acme.project.cache() as cache:
        assert found(evaluate(cache, acme.project, acme.crm.now)) == now, "the present is untouched"


def test_the_clock_stands_there_too(acme: Acme) -> None:
    acme.crm.deal("d0", close_date=date(2026, 11, 24))
    acme.pull()
    acme.crm.advance(days=9)
    acme.pull()
    assert found(look(acme, START)) == set()
    assert {rule for _, rule, _ in found(look(acme, acme.crm.now))} == {"close-date-past"}


def test_a_record_that_is_gone_is_explained_as_of_a_day_when_it_was_there(acme: Acme) -> None:
    acme.crm.deal("d1", amount=None)
    acme.pull()
    acme.crm.advance(days=1)
    acme.crm.delete("d1")
    acme.pull()
    with acme.project.cache() as cache:
        explained = explain_record(cache, acme.project, "d1", None, as_of=START)
        assert [each.rule for each in explained.rules] == ["amount-missing"]
        acme.crm.advance(days=1)
        with pytest.raises(UsageError, match="no record 'd1' in the cache as of 2026-11-21"):
            explain_record(cache, acme.project, "d1", None, as_of=START + timedelta(days=1))


class TestCoverage:
    """What was not pulled by then is told as not synced, with the day from which on it is known."""

    @pytest.fixture
    def late(self, acme: Acme) -> Acme:
        """A deal without an amount or next step; next steps are pulled from the second day on."""
        acme.crm.withheld = {"next_step"}
        acme.crm.deal("d0", amount=None, next_step=None)
        acme.pull()
        acme.crm.advance(days=1)
        acme.crm.withheld = set()
        acme.pull()
        acme.crm.advance(days=1)
        return acme

    def test_a_field_that_was_not_pulled_yet_is_not_taken_from_today(self, late: Acme) -> None:
        before, after = look(late, START), look(late, START + timedelta(days=1))
        assert {rule for _, rule, _ in found(before)} == {"amount-missing"}
        assert [(each.rule, each.fields) for each in before.not_synced] == [
            ("next-step-missing", ("next_step",))
        ]
        assert {rule for _, rule, _ in found(after)} == {"amount-missing", "next-step-missing"}
        assert after.not_synced == []

    def test_it_is_named_with_the_day_from_which_on_it_is_known(self, late: Acme) -> None:
        before = look(late, START)
        assert written("late") in text(before, color=False).splitlines()
        [entry] = dict(parts(before, [], []))["not_synced"]
        assert entry["fields"] == ["next_step"]
        assert entry["known_from"] == {"next_step": "2026-11-21T09:00:00Z"}

    def test_a_kind_of_record_that_was_not_pulled_yet_leaves_its_facts_open(self, acme: Acme) -> None:
        acme.pack(
            RULES
            + """\
  alone: {title: Alone, flag_when: {people: 0}, severity: warning, message: Nobody., fix: Add somebody.}
"""
        )
        pack = acme.folder / "rules" / "pack.yaml"
        pack.write_text(
            pack.read_text(encoding="utf-8").replace("facts:", "facts:\n  people: {count: contact_roles}"),
            encoding="utf-8",
        )
        acme.pull()
        acme.crm.advance(days=1)
        acme.crm.others = {Stream.CONTACT_ROLES: {}}
        acme.pull()
        acme.crm.advance(days=1)
        before = look(acme, START)
        assert found(before) == set()
        assert [(each.rule, each.fields) for each in before.not_synced] == [("alone", ("people",))]
        assert before.known_from["acme"]["people"] == START + timedelta(days=1)
        assert {rule for _, rule, _ in found(look(acme, START + timedelta(days=1)))} == {"alone"}

    def test_a_field_that_is_withheld_since_is_known_of_the_days_before(self, acme: Acme) -> None:
        acme.crm.deal("d0", next_step=None)
        acme.pull()
        acme.crm.withheld = {"next_step"}
        acme.crm.advance(days=1)
        acme.pull()
        acme.crm.advance(days=1)
        assert {rule for _, rule, _ in found(look(acme, START))} == {"next-step-missing"}
        assert found(look(acme, START + timedelta(days=1))) == set()
