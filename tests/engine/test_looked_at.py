"""Runs that look only at what may have moved come to what a run comes to that looks at everything."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import TypeAlias, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelint.engine.run_result import ConnectionResult
from pipelint.records import Activity, Owner

from .conftest import RULES, Acme, make_acme
from .fake_crm import FakeCrm, FakePackage

IDS = ("d0", "d1", "d2", "d3")
MORE = """\
  just-made:
    title: It was just made
    applies_to: still-open
    flag_when: {created_at: {within_last: 3 hours}}
    severity: info
    message: "Made by {owner.name}."
  owner-gone:
    title: The owner has gone
    flag_when: {owner.active: no}
    severity: error
    hides: [next-step-missing]
    message: "{owner.name} has gone."
  crowded:
    title: Another large deal
    flag_when: {others: {at_least: 1}}
    severity: info
    grace: 2 days
    message: "{others} others."
  silent:
    title: No call
    flag_when: {calls: 0}
    severity: info
    grace: 1 day
    message: No call in two hours.
scores:
  heat:
    applies_to: still-open
    categories: {all: {max: 100}}
    points: [{name: calls, category: all, points: 60, for_each: activities, fades_over: 4 days}]
    grades: {A: 40, B: 0}
waivers:
  - {rules: [amount-missing], opportunities: [d1], reason: Known to everybody, approved_by: dana@acme.example,
     until: 2026-11-21}
"""
FACTS = """\
  others: {count: account_opportunities, where: {amount: {at_least: 1000}}}
  calls: {count: activities, where: {happened_at: {within_last: 2 hours}}}
"""


def deal(crm: FakeCrm, key: str, n: int) -> None:
    crm.deal(key, amount=None if n % 3 == 0 else Decimal(999 + n))


def step(crm: FakeCrm, key: str, n: int) -> None:
    crm.deal(key, next_step="call" if n % 2 else None, account=f"a{n % 3}")


def made(crm: FakeCrm, key: str, n: int) -> None:
    crm.deal(key, created_at=crm.now - timedelta(hours=n % 4), owner=f"u{n % 2 + 1}")


def dated(crm: FakeCrm, key: str, n: int) -> None:
    crm.deal(key, close_date=date(2026, 11, 12) + timedelta(days=n))


def moved(crm: FakeCrm, key: str, n: int) -> None:
    crm.deal(key, stage=("open", "won")[n % 2], pipeline=("new", "renewal", "other")[n % 3])


def owner(crm: FakeCrm, key: str, n: int) -> None:
    name = f"u{n % 2 + 1}"
    crm.owners[name] = Owner(name, crm.now, f"Owner {n}", f"{name}@acme.example", active=n % 3 > 0)


def call(crm: FakeCrm, key: str, n: int) -> None:
    name = f"t{n % 3}"
    crm.activities[name] = (
        Activity(name, crm.now, "call", happened_at=crm.now - timedelta(minutes=20 * n)),
        key,
    )


def deleted(crm: FakeCrm, key: str, n: int) -> None:
    if key in crm.deals:
        crm.delete(key)


def withheld(crm: FakeCrm, key: str, n: int) -> None:
    crm.withheld = {"next_step"} if n % 2 else set()


def refused(crm: FakeCrm, key: str, n: int) -> None:
    crm.refuses = {key: "No."} if n % 2 else {}


def minutes(crm: FakeCrm, key: str, n: int) -> None:
    crm.advance(minutes=25 * n)


def hours(crm: FakeCrm, key: str, n: int) -> None:
    crm.advance(hours=3 * n)


Event: TypeAlias = Callable[[FakeCrm, str, int], None]
EVENTS: tuple[Event, ...] = (
    deal,
    step,
    made,
    dated,
    moved,
    owner,
    call,
    deleted,
    withheld,
    refused,
    minutes,
    minutes,
    hours,
)
STEP = st.tuples(st.sampled_from(EVENTS), st.sampled_from(IDS), st.integers(0, 11))
HISTORIES = st.lists(st.lists(STEP, max_size=3), min_size=2, max_size=6)
"""What happens between one run and the next."""


@dataclass
class Pair:
    """Two projects on two CRMs to which the same happens: one of them looks at everything in every run."""

    patch: pytest.MonkeyPatch
    usual: Acme
    thorough: Acme

    def run_one(self, acme: Acme) -> ConnectionResult:
        self.patch.setitem(sys.modules, "fake_crm_package", cast("ModuleType", FakePackage(acme.crm)))
        return acme.run()

    def run(self) -> Iterator[tuple[object, object]]:
        with self.thorough.project.cache() as cache, cache.transaction() as db:
            db.execute("DELETE FROM judged")
            for (name,) in db.execute("SELECT name FROM prepared").fetchall():
                db.execute(f'DROP TABLE "{name}"')
            db.execute("DELETE FROM prepared")
        one, other = (self.run_one(each) for each in (self.usual, self.thorough))
        yield _told(one), _told(other)
        for state in (_events, _shown, _writes):
            yield state(self.usual), state(self.thorough)


def _told(result: ConnectionResult) -> tuple[object, ...]:
    assert result.plan is not None
    refusals = sorted(each.id for each in result.refused)
    plan = result.plan
    return (
        result.flagged_by,
        plan.unchanged,
        plan.deferred,
        plan.written_before,
        plan.differing,
        refusals,
        plan.trouble,
    )


def _events(acme: Acme) -> object:
    told = acme.events("record", "rule", "event", "severity", "day", "at", "evidence")
    return sorted(told, key=repr)


def _shown(acme: Acme) -> object:
    return {key: acme.crm.shows(key) for key in acme.crm.deals}


def _writes(acme: Acme) -> object:
    return sorted(acme.crm.writes, key=repr)


def pair(folder: Path, patch: pytest.MonkeyPatch) -> Pair:
    made_ = []
    for name in ("usual", "thorough"):
        home = folder / name
        home.mkdir()
        acme = make_acme(home, patch)
        pack = (home / "rules" / "pack.yaml").read_text(encoding="utf-8")
        text = pack.replace("facts:\n", f"facts:\n{FACTS}")
        (home / "rules" / "pack.yaml").write_text(text, encoding="utf-8")
        acme.pack(RULES + MORE)
        acme.setup()
        made_.append(acme)
    return Pair(patch, *made_)


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(HISTORIES, st.booleans())
def test_looking_at_what_moved_comes_to_the_same(
    monkeypatch: pytest.MonkeyPatch, history: list[list[tuple[Event, str, int]]], writes: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder, monkeypatch.context() as patch:
        both = pair(Path(folder), patch)
        for acme in (both.usual, both.thorough):
            acme.settings(f"{{mode: {'on' if writes else 'preview'}, max_share: 100%}}")
        first: list[tuple[Event, str, int]] = [(deal, key, number) for number, key in enumerate(IDS)]
        for steps in (first, *history):
            for event, key, number in steps:
                for acme in (both.usual, both.thorough):
                    event(acme.crm, key, number)
            for held, wanted in both.run():
                assert held == wanted
