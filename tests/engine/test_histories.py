"""Random histories: people edit, the network fails, the process dies; in the end the CRM shows what it should."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .conftest import Acme, make_acme
from .fake_crm import START, FakeCrm, Killed

IDS = tuple(f"d{number}" for number in range(3))


@dataclass(frozen=True)
class Step:
    """One thing that happens between two runs, or to one of them."""

    what: str
    id: str = "d0"
    number: int = 0

    def edit(self, crm: FakeCrm, **values: object) -> None:
        """As a person does; no CRM gives an id twice."""
        if self.id not in crm.deleted:
            crm.deal(self.id, **values)

    def __call__(self, acme: Acme) -> None:
        crm = acme.crm
        crm.kill_at = crm.lose_at = None
        match self.what:
            case "amount":
                self.edit(crm, amount=Decimal(self.number) if self.number else None)
            case "next step":
                self.edit(crm, next_step="x" if self.number else None)
            case "date":
                self.edit(crm, close_date=START.date() + timedelta(days=self.number))
            case "delete":
                if self.id in crm.deals:
                    crm.delete(self.id)
            case "refuse":
                crm.refuses = {self.id: "No."} if self.number else {}
            case "days":
                crm.advance(days=self.number)
            case "unsynced":
                crm.withheld = {"next_step"} if self.number else set()
            case "kill":
                crm.kill_at = len(crm.writes) + self.number
                try:
                    acme.run()
                except Killed:
                    crm.kill_at = None
            case "lose":
                crm.lose_at, crm.lost_is_done = len(crm.writes) + self.number, bool(self.number % 2)
                acme.run()
            case _:
                acme.run()
        crm.advance(minutes=1)


STEPS = st.builds(
    Step,
    st.sampled_from(
        (
            "amount",
            "amount",
            "next step",
            "date",
            "delete",
            "refuse",
            "days",
            "unsynced",
            "kill",
            "lose",
            "run",
        )
    ),
    st.sampled_from(IDS),
    st.integers(0, 2),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(STEPS, max_size=14))
def test_whatever_happened_the_crm_shows_what_is_true(
    monkeypatch: pytest.MonkeyPatch, steps: list[Step]
) -> None:
    with tempfile.TemporaryDirectory() as folder, monkeypatch.context() as patch:
        acme = make_acme(Path(folder), patch)
        for step in steps:
            step(acme)
        crm = acme.crm
        crm.kill_at = crm.lose_at = None
        crm.refuses, crm.withheld = {}, set()
        crm.advance(minutes=1)
        for id_ in crm.deals:
            crm.deal(id_)  # touched by a person, so that what was refused is tried again
        acme.run()
        for id_, deal in crm.deals.items():
            late = deal.close_date is not None and deal.close_date < crm.now.date()
            flags = {
                "amount-missing": deal.amount is None,
                "close-date-past": late,
                "next-step-missing": deal.next_step is None,
            }
            wanted = tuple(name for name, holds in flags.items() if holds)
            shows = crm.shows(id_)
            assert shows.get("pipelint_flags", ()) == wanted, id_
            if shows:
                assert (shows["pipelint_severity"] == "clean") == (not wanted)
                assert isinstance(shows.get("pipelint_flagged_since"), date) == bool(wanted)
        writes = len(crm.writes)
        acme.run()
        assert len(crm.writes) == writes, "a run after a run writes nothing"
        assert {row[-1] for row in acme.journal()} <= {"written", "refused", "gone", "lost"}
