"""Whatever is found, in whatever order: the events that were recorded replay to what is true now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelint.config.problems import Problems
from pipelint.engine.cache.sqlite import Cache
from pipelint.engine.events import Standing, standing, transitions
from pipelint.engine.finding import Finding
from pipelint.engine.record import Recorder
from pipelint.engine.recorded import Recorded
from pipelint.engine.source import Source
from pipelint.rules.compile import CompiledPack
from pipelint.rules.compile_condition import Inputs, Moment
from pipelint.rules.ir import UNKNOWN
from pipelint.rules.load import load_pack
from pipelint.rules.pack import Pack, Severity
from pipelint.rules.waivers import Waiver

from .conftest import PACK, RULES
from .fake_crm import START

What = Literal["clean", "flagged", "trial", "pending", "waived", "hidden", "blank", "unsynced", "gone"]
WHATS: tuple[What, ...] = (
    "clean", "flagged", "trial", "pending", "waived", "hidden", "blank", "unsynced", "gone",
)  # fmt: skip
RECORDS = ("d1", "d2")
NAMES = ("amount-missing", "next-step-missing")


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    folder: Path = tmp_path_factory.mktemp("rules")
    (folder / "pack.yaml").write_text(PACK, encoding="utf-8")
    (folder / "rules.yaml").write_text(RULES, encoding="utf-8")
    loaded = load_pack(folder, "rules", Problems(), ("acme",))
    assert loaded is not None
    return loaded


@dataclass(frozen=True)
class Outcome:
    """What one run finds of one rule on one record."""

    what: What = "clean"
    severity: Severity = "error"

    def finding(self, record: str, rule: str, pack: Pack) -> Finding | None:
        if self.what in {"clean", "gone"}:
            return None
        unchecked = self.what in {"blank", "unsynced"}
        place = pack.rules[rule].place
        waiver = Waiver((rule,), ("opportunity",), "Agreed with them", "Ann", START.date(), place)
        told: dict[str, Any] = dict.fromkeys(
            ("crm", "name", "url", "owner", "pipeline", "stage", "message", "fix"), ""
        )
        return Finding(
            **told,
            connection="acme",
            kind="opportunity",
            id=record,
            rule=rule,
            severity=self.severity,
            status="could_not_check" if unchecked else self.what,  # type: ignore[arg-type]
            items=(),
            evidence=(),
            amount=None,
            written=False,
            keeps=self.what == "unsynced",
            waiver=waiver if self.what == "waived" else None,
        )


class Ledger:
    """Runs that record, one a day."""

    def __init__(self, cache: Cache, pack: Pack) -> None:
        self.cache, self.pack, self.day = cache, pack, 0

    def run(self, found: dict[tuple[str, str], Outcome]) -> list[Finding]:
        db = self.cache.db
        db.execute("DELETE FROM opportunity")
        for id_ in RECORDS:
            if all(found[id_, rule].what != "gone" for rule in NAMES):
                db.execute("INSERT INTO opportunity (connection, id, pull) VALUES ('acme', ?, 1)", (id_,))
        moment = Moment(self.pack.settings.calendar, START + timedelta(days=self.day))
        compiled = CompiledPack("opportunity", (), UNKNOWN, Inputs(), moment)
        made = [outcome.finding(*key, self.pack) for key, outcome in found.items()]
        findings = [finding for finding in made if finding is not None]
        source = Source("acme", "fake", self.pack, compiled, "")
        with self.cache.transaction() as db:
            db.execute("CREATE TEMP TABLE IF NOT EXISTS chosen (record TEXT PRIMARY KEY)")
            db.executemany("INSERT OR IGNORE INTO temp.chosen VALUES (?)", ((name,) for name in RECORDS))
            recorder = Recorder(db, source, f"run-{self.day}")
            for name in RECORDS:
                if of_record := [finding for finding in findings if finding.id == name]:
                    recorder.take(name, of_record)
            recorder.finish()
        self.day += 1
        return findings

    def standing(self, id_: str) -> dict[str, Standing]:
        return standing(transitions(self.cache.db, "acme", "opportunity", id_))

    @property
    def events(self) -> int:
        return int(self.cache.db.execute("SELECT count(*) FROM finding_event").fetchone()[0])


def oracle(history: Sequence[Outcome]) -> tuple[str, date | None] | None:
    """State and first day of one rule on one record, a run a day."""
    state = since = None
    for day, outcome in enumerate(history):
        if outcome.what in {"clean", "blank", "gone"}:
            state = since = None
        elif outcome.what != "unsynced":
            state = "flagged" if outcome.what == "trial" else outcome.what
            if outcome.what != "pending":
                since = since or START.date() + timedelta(days=day)
    return None if state is None else (state, since)


def _possible(history: Sequence[Outcome]) -> Iterator[Outcome]:
    """Grace comes before the flag, never after it."""
    open_ = False
    for outcome in history:
        if outcome.what == "pending" and open_:
            outcome = replace(outcome, what="flagged")
        if outcome.what not in {"pending", "unsynced"}:
            open_ = outcome.what in {"flagged", "trial", "waived", "hidden"}
        yield outcome


OUTCOMES = st.builds(Outcome, st.sampled_from(WHATS), st.sampled_from(("error", "warning", "info")))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(OUTCOMES, min_size=4, max_size=4), max_size=12))
def test_the_events_of_any_history_replay_to_what_is_true(pack: Pack, days: list[list[Outcome]]) -> None:
    keys = [(id_, rule) for id_ in RECORDS for rule in NAMES]
    columns = [list(_possible(column)) for column in zip(*days, strict=True)] or [[] for _ in keys]
    histories = dict(zip(keys, columns, strict=True))
    with Cache.open(":memory:") as cache:
        ledger = Ledger(cache, pack)
        for day in range(len(days)):
            now = {key: history[day] for key, history in histories.items()}
            found = ledger.run(now)
            for id_, rule in keys:
                stood = ledger.standing(id_).get(rule)
                wanted = oracle(histories[id_, rule][: day + 1])
                assert (stood and (stood.state, stood.since)) == wanted
                if stood and now[id_, rule].what == "flagged":
                    assert stood.severity == now[id_, rule].severity
            recorded = Recorded(cache, pack)
            assert all(recorded.has(finding) for finding in found), "nothing is new after it was recorded"
        written = ledger.events
        if days:
            ledger.run({key: history[-1] for key, history in histories.items()})
        assert ledger.events == written, "a run that finds the same records nothing"
