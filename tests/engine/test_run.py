"""The whole job against a CRM in memory: what is written, what is left alone, and what a fault leaves behind."""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal

import pytest

from pipelint.engine.run import run
from pipelint.errors import ExitCode, LimitExceeded, Unreachable, UsageError
from pipelint.records import Activity

from .conftest import RULES, Acme
from .fake_crm import START, Killed


def test_flags_are_written_and_clean_records_left_alone(acme: Acme) -> None:
    acme.crm.deal("d1", amount=None, next_step=None)
    result = acme.run()
    assert result.push is not None
    assert (result.push.written, result.flagged, result.exit_code) == (1, 1, ExitCode.OK)
    assert acme.crm.shows("d0") == {}
    assert acme.crm.shows("d1") == {
        "pipelint_flags": ("amount-missing", "next-step-missing"),
        "pipelint_severity": "error",
        "pipelint_summary": "The amount is missing; The next step is missing",
        "pipelint_details": "amount-missing (error): No amount.\nEnter one.\n\n"
        "next-step-missing (warning): No next step after 0 activities in 30 days.\nEnter it.",
        "pipelint_hygiene": Decimal(72),
        "pipelint_flagged_since": date(2026, 11, 20),
    }


def test_second_run_writes_nothing_and_reads_nothing_back(acme: Acme) -> None:
    acme.crm.deal("d1", amount=None)
    first, second, third = acme.run(), acme.run(), acme.run()
    assert len(acme.crm.writes) == 1
    assert second.plan is not None
    assert second.plan.records == []
    assert first.api_calls > second.api_calls == third.api_calls


def test_cured_record_becomes_clean_and_ill_again(acme: Acme) -> None:
    acme.crm.deal("d1", amount=None)
    acme.run()
    acme.crm.advance(days=1)
    acme.crm.deal("d1", amount=Decimal(5))
    acme.run()
    assert acme.crm.shows("d1") == {"pipelint_severity": "clean", "pipelint_hygiene": Decimal(100)}
    acme.crm.advance(days=1)
    acme.crm.deal("d1", amount=None)
    acme.run()
    assert acme.crm.shows("d1")["pipelint_flagged_since"] == date(2026, 11, 22)
    assert acme.events("record", "event", "day") == [
        ("d1", "flagged", "2026-11-20"),
        ("d1", "resolved", "2026-11-21"),
        ("d1", "flagged", "2026-11-22"),
    ]


def test_ten_quiet_days_write_only_what_a_date_demands(acme: Acme) -> None:
    acme.crm.deal("d1", next_step=None)
    acme.crm.deal("d2", close_date=START.date() + timedelta(days=2))
    acme.crm.activities["x"] = (
        Activity("x", START, "call", happened_at=START - timedelta(days=28)),
        "d1",
    )
    by_day = {}
    for day in range(12):
        before = len(acme.crm.writes)
        acme.run()
        by_day[day] = [id_ for id_, _ in acme.crm.writes[before:]]
        acme.crm.advance(days=1)
    # d2 is late from the third day on, an error a week later; that an activity of d1 grew old is no cause.
    assert {day: ids for day, ids in by_day.items() if ids} == {0: ["d1"], 3: ["d2"], 10: ["d2"]}
    assert acme.events("record", "event", "severity", "day") == [
        ("d1", "flagged", "warning", "2026-11-20"),
        ("d2", "flagged", "warning", "2026-11-23"),
        ("d2", "severity", "error", "2026-11-30"),
    ]


def test_a_text_moved_by_the_crm_is_written(acme: Acme) -> None:
    acme.crm.deal("d1", close_date=date(2026, 11, 18))
    acme.run()
    assert "amount is 1,000" in str(acme.crm.shows("d1")["pipelint_details"])
    acme.crm.deal("d1", amount=Decimal(2000))
    acme.run()
    assert list(acme.crm.writes[-1][1]) == ["pipelint_details"]
    assert "amount is 2,000" in str(acme.crm.shows("d1")["pipelint_details"])


def test_written_texts_do_not_age(acme: Acme) -> None:
    acme.crm.deal("d1", close_date=date(2026, 11, 1), next_step=None)
    acme.run()
    text = " ".join(str(value) for value in acme.crm.shows("d1").values())
    assert "1 Nov 2026" in text
    assert not re.search(r"\b(ago|today|yesterday)\b", text)


def test_unsynced_field_keeps_the_flag_and_its_day(acme: Acme) -> None:
    acme.crm.deal("d1", next_step=None)
    acme.run()
    shown = acme.crm.shows("d1")
    acme.crm.advance(days=1)
    acme.crm.withheld = {"next_step"}
    acme.run()
    acme.crm.advance(days=1)
    acme.crm.withheld = set()
    acme.run()
    assert acme.crm.shows("d1") == shown
    assert len(acme.crm.writes) == 1
    assert acme.events("event") == [("flagged",)]


def test_unsynced_field_keeps_its_flag_when_another_is_cured(acme: Acme) -> None:
    acme.crm.deal("d1", next_step=None, amount=None)
    acme.run()
    acme.crm.withheld = {"next_step"}
    acme.crm.deal("d1", amount=Decimal(1))
    acme.run()
    shows = acme.crm.shows("d1")
    assert shows["pipelint_flags"] == ("next-step-missing",)
    assert shows["pipelint_severity"] == "warning"
    assert "No next step" in str(shows["pipelint_details"])


def test_blank_field_ends_the_flag(acme: Acme) -> None:
    acme.crm.deal("d1", close_date=date(2026, 11, 1))
    acme.run()
    acme.crm.deal("d1", close_date=None)
    acme.run()
    assert acme.crm.shows("d1")["pipelint_severity"] == "clean"
    assert acme.events("event") == [("flagged",), ("resolved",)]


def test_refusal_blocks_nobody_and_waits_for_a_change(acme: Acme) -> None:
    for number in range(1, 8):
        acme.crm.deal(f"d{number}", amount=None)
    acme.crm.refuses["d3"] = "Deals need an amount."
    first = acme.run()
    assert first.push is not None
    assert (first.push.written, [r.id for r in first.push.refused]) == (6, ["d3"])
    assert first.exit_code is ExitCode.INCOMPLETE
    [told] = [finding for finding in first.findings if finding.rule == "write-refused"]
    assert (told.id, told.owner, told.severity) == ("d3", "Kim Doe", "warning")
    assert "Deals need an amount." in told.message
    quiet = acme.run()
    assert quiet.push is not None
    assert (quiet.push.written, quiet.push.newly_refused, len(quiet.push.refused)) == (0, 0, 1)
    assert quiet.exit_code is ExitCode.OK
    acme.crm.advance(minutes=15)
    acme.crm.deal("d3", name="Deal with a new name")
    acme.crm.refuses.clear()
    again = acme.run()
    assert again.push is not None
    assert (again.push.written, again.push.refused) == (1, [])
    assert not [finding for finding in again.findings if finding.rule == "write-refused"]


def test_refusal_is_lifted_when_nothing_is_wanted_any_more(acme: Acme) -> None:
    acme.crm.deal("d1", amount=None)
    acme.crm.refuses["d1"] = "No."
    acme.run()
    acme.crm.deal("d1", amount=Decimal(1))
    result = acme.run()
    assert result.push is not None
    assert result.push.refused == []


@pytest.mark.parametrize("kill_at", range(7))
def test_killed_between_sending_and_confirming(acme: Acme, kill_at: int) -> None:
    ids = [f"d{number}" for number in range(1, 8)]
    for id_ in ids:
        acme.crm.deal(id_, amount=None)
    acme.crm.kill_at = kill_at
    with pytest.raises(Killed):
        acme.run()
    acme.crm.kill_at = None
    acme.run()
    assert sorted(id_ for id_, _ in acme.crm.writes) == ids
    assert {acme.crm.shows(id_)["pipelint_severity"] for id_ in ids} == {"error"}
    assert {row[-1] for row in acme.journal()} <= {"written", "lost"}
    count = len(acme.crm.writes)
    acme.run()
    assert len(acme.crm.writes) == count


def test_killed_and_cured_before_the_next_run(acme: Acme) -> None:
    """The value wanted next is the one we last knew: only reading shows that the CRM holds another."""
    acme.crm.deal("d1", amount=None)
    acme.crm.deal("d1", amount=Decimal(1))
    acme.run()
    acme.crm.deal("d1", amount=None)
    acme.crm.kill_at = 0
    with pytest.raises(Killed):
        acme.run()
    acme.crm.kill_at = None
    assert acme.crm.shows("d1")["pipelint_severity"] == "error"
    acme.crm.deal("d1", amount=Decimal(1))
    acme.run()
    assert acme.crm.shows("d1") == {"pipelint_severity": "clean", "pipelint_hygiene": Decimal(100)}


@pytest.mark.parametrize("done", [True, False])
def test_lost_answer_is_read_back(acme: Acme, done: bool) -> None:
    acme.crm.deal("d1", amount=None)
    acme.crm.lose_at, acme.crm.lost_is_done = 0, done
    result = acme.run()
    assert result.push is not None
    assert (result.push.written, result.push.unknown) == (1, 0)
    assert acme.crm.shows("d1")["pipelint_severity"] == "error"
    assert len(acme.crm.writes) == (1 if done else 2)
    assert {row[-1] for row in acme.journal()} == {"written"}


def test_value_that_returns_is_written_again(acme: Acme) -> None:
    for amount in (None, Decimal(1), None, Decimal(1), None):
        acme.crm.deal("d1", amount=amount)
        acme.run()
    assert len(acme.crm.writes) == 5
    assert acme.crm.shows("d1")["pipelint_severity"] == "error"


def test_a_plan_over_a_limit_is_refused_whole(acme: Acme) -> None:
    for number in range(1, 6):
        acme.crm.deal(f"d{number}", amount=None)
    acme.settings("{mode: on, max_changes: 4}")
    result = acme.run()
    assert isinstance(result.error, LimitExceeded)
    assert result.error.message == (
        "the plan changes 5 records, and write_back.max_changes allows 4: it is refused whole, and nothing is written"
    )
    assert "set write_back.max_changes to 5" in result.error.hint
    assert result.exit_code is ExitCode.INCOMPLETE
    assert acme.crm.writes == []


def test_a_refused_plan_is_written_once_the_limit_is_raised(acme: Acme) -> None:
    for number in range(1, 6):
        acme.crm.deal(f"d{number}", amount=None)
    acme.settings("{mode: on, max_changes: 4}")
    acme.run()
    acme.crm.advance(minutes=15)
    acme.run()
    acme.settings("{mode: on, max_changes: 5}")
    acme.crm.advance(minutes=15)
    acme.run()
    assert sorted(id_ for id_, _ in acme.crm.writes) == ["d1", "d2", "d3", "d4", "d5"]


def test_a_plan_that_rewrites_too_large_a_share_is_refused(acme: Acme) -> None:
    for number in range(1, 25):
        acme.crm.deal(f"d{number}", amount=None)
    acme.run()
    for number in range(1, 13):
        acme.crm.deal(f"d{number}", amount=Decimal(1))
    result = acme.run()
    assert isinstance(result.error, LimitExceeded)
    assert "changes 12 of the 24 records written before (50%), and write_back.max_share allows 40%" in (
        result.error.message
    )
    assert len(acme.crm.writes) == 24


def test_a_new_day_looks_at_everything_though_no_fact_depends_on_it(acme: Acme) -> None:
    acme.pack(RULES.partition("  next-step-missing:")[0].replace("{close_date:ago}", "{close_date}"))
    acme.crm.deal("d1", close_date=START.date() + timedelta(days=1))
    acme.run()
    acme.crm.advance(days=2)
    acme.run()
    assert acme.crm.shows("d1")["pipelint_flags"] == ("close-date-past",)


def test_pilot_limits_who_is_written_to(acme: Acme) -> None:
    acme.crm.deal("d1", amount=None)
    acme.crm.deal("d2", amount=None, pipeline="renewal")
    acme.crm.deal("d3", amount=None, owner="u2")
    acme.settings(
        "{mode: on, first_push: {pipelines: [new-business], owners: [Kim@acme.example], max_changes: 1}}"
    )
    acme.run()
    assert [id_ for id_, _ in acme.crm.writes] == ["d1"]


def test_preview_records_and_plans_but_writes_nothing(acme: Acme) -> None:
    acme.crm.deal("d1", amount=None)
    acme.settings("{mode: preview}")
    acme.crm.own.clear()
    result = acme.run()
    assert result.plan is not None
    assert {change.field for change in result.plan.changes} == {
        "pipelint_flags",
        "pipelint_severity",
        "pipelint_summary",
        "pipelint_details",
        "pipelint_hygiene",
        "pipelint_flagged_since",
    }
    assert result.push is None
    assert acme.crm.writes == []
    assert acme.events("event") == [("flagged",)]
    with pytest.raises(UsageError, match="preview"):
        acme.push()


def test_dry_run_records_nothing(acme: Acme) -> None:
    acme.crm.deal("d1", amount=None)
    result = acme.run(dry_run=True)
    assert result.plan is not None
    assert len(result.plan.records) == 1
    assert acme.crm.writes == []
    assert acme.events("event") == []
    pushed = acme.push(dry_run=True)
    assert pushed.pulled is None
    assert pushed.plan is not None
    assert len(pushed.plan.records) == 1


def test_missing_field_and_option_are_told_and_the_rest_is_written(acme: Acme) -> None:
    acme.crm.deal("d1", amount=None, next_step=None)
    del acme.crm.own["pipelint_hygiene"]
    del acme.crm.own["pipelint_flags"].choices["next-step-missing"]  # type: ignore[attr-defined]
    result = acme.run()
    assert result.plan is not None
    assert result.plan.trouble == [
        "opportunity: pipelint_hygiene: not there, or not visible (run: pipelint setup --apply)",
        "opportunity: next-step-missing: not an option of pipelint_flags (run: pipelint setup --apply)",
    ]
    shows = acme.crm.shows("d1")
    assert shows["pipelint_flags"] == ("amount-missing",)
    assert "next step" in str(shows["pipelint_summary"])
    acme.setup()
    acme.run()
    assert acme.crm.shows("d1")["pipelint_hygiene"] == Decimal(72)
    assert acme.crm.shows("d1")["pipelint_flags"] == ("amount-missing", "next-step-missing")


def test_a_field_that_was_deleted_and_made_anew_from_elsewhere_is_filled_again(acme: Acme) -> None:
    acme.crm.deal("d1", amount=None)
    acme.run()
    field = acme.crm.own.pop("pipelint_summary")
    summary = acme.crm.values["d1"].pop("pipelint_summary")
    acme.run()
    acme.crm.own["pipelint_summary"] = field
    acme.run()
    assert acme.crm.shows("d1")["pipelint_summary"] == summary


def test_a_flag_is_told_as_soon_as_its_option_is_there(acme: Acme) -> None:
    acme.crm.deal("d1", amount=None, next_step=None)
    del acme.crm.own["pipelint_flags"].choices["next-step-missing"]  # type: ignore[attr-defined]
    acme.run()
    acme.setup()
    acme.run()
    assert acme.crm.shows("d1")["pipelint_flags"] == ("amount-missing", "next-step-missing")


def test_deleted_record_is_gone_from_everything(acme: Acme) -> None:
    acme.crm.deal("d1", amount=None)
    acme.run()
    acme.crm.delete("d1")
    acme.run()
    assert acme.events("event") == [("flagged",), ("gone",)]
    acme.crm.deal("d1", amount=None)
    acme.run()
    assert acme.crm.shows("d1")["pipelint_severity"] == "error"


def test_a_pull_that_fails_resolves_nothing(acme: Acme) -> None:
    acme.crm.deal("d1", amount=None)
    acme.run()
    acme.crm.offline = True
    result = acme.run()
    assert isinstance(result.error, Unreachable)
    assert result.exit_code is ExitCode.UNREACHABLE
    assert acme.events("event") == [("flagged",)]


def test_values_of_an_earlier_cache_are_cleaned(acme: Acme) -> None:
    acme.crm.deal("d1", amount=None)
    acme.run()
    (acme.folder / ".pipelint" / "cache.db").unlink()
    acme.crm.deal("d1", amount=Decimal(1))
    acme.run()
    assert acme.crm.shows("d1") == {"pipelint_severity": "clean", "pipelint_hygiene": Decimal(100)}
    assert len(acme.crm.writes) == 2


def lose_the_cache(acme: Acme) -> None:
    for file in (acme.folder / ".pipelint").glob("cache.db*"):
        file.unlink()


def test_a_lost_cache_costs_nothing_on_the_same_day(acme: Acme) -> None:
    acme.crm.deal("d1", amount=None)
    acme.crm.deal("d2", next_step=None)
    acme.run()
    lose_the_cache(acme)
    acme.run()
    assert len(acme.crm.writes) == 2


def test_a_lost_cache_costs_the_days_of_the_flags_and_nothing_else(acme: Acme) -> None:
    acme.crm.deal("d1", amount=None)
    acme.crm.deal("d2", next_step=None)
    acme.run()
    acme.crm.advance(days=3)
    lose_the_cache(acme)
    acme.run()
    begins_anew = {"pipelint_flagged_since": date(2026, 11, 23)}
    assert acme.crm.writes[2:] == [("d1", begins_anew), ("d2", begins_anew)]


def test_a_lost_cache_clears_flags_that_were_kept_for_want_of_data(acme: Acme) -> None:
    acme.crm.deal("d1", next_step=None)
    acme.run()
    acme.crm.withheld = {"next_step"}
    lose_the_cache(acme)
    acme.run()
    assert acme.crm.shows("d1") == {"pipelint_severity": "clean", "pipelint_hygiene": Decimal(100)}
    acme.crm.withheld = set()
    acme.run()
    assert acme.crm.shows("d1")["pipelint_flags"] == ("next-step-missing",)


def test_renamed_rule_keeps_its_day(acme: Acme) -> None:
    acme.crm.deal("d1", amount=None)
    acme.run()
    acme.crm.advance(days=3)
    acme.pack(RULES.replace("  amount-missing:\n", "  no-amount:\n    formerly: amount-missing\n"))
    acme.setup()
    acme.run()
    shows = acme.crm.shows("d1")
    assert shows["pipelint_flags"] == ("no-amount",)
    assert shows["pipelint_flagged_since"] == date(2026, 11, 20)
    assert acme.events("rule", "event") == [
        ("amount-missing", "flagged"),
        ("amount-missing", "renamed"),
        ("no-amount", "flagged"),
    ]


def test_removed_rule_resolves_and_its_bit_is_not_reused(acme: Acme) -> None:
    acme.crm.deal("d1", amount=None)
    acme.run()
    acme.pack(
        RULES.replace("  amount-missing:\n", "  other-rule:\n").replace("{amount: blank}", "{amount: 77}")
    )
    acme.setup()
    acme.run()
    assert acme.events("rule", "event") == [("amount-missing", "flagged"), ("amount-missing", "resolved")]
    assert acme.crm.shows("d1")["pipelint_severity"] == "clean"
    with acme.project.cache() as cache:
        bits: dict[str, int] = dict(cache.db.execute("SELECT name, bit FROM bit"))
    assert len(set(bits.values())) == len(bits)


def test_grace_holds_a_flag_back(acme: Acme) -> None:
    acme.pack(RULES.replace("    severity: error\n", "    severity: error\n    grace: 3 days\n"))
    acme.crm.deal("d1", amount=None)
    seen = []
    for _ in range(5):
        result = acme.run()
        seen.append((result.flagged, "pipelint_flags" in acme.crm.shows("d1")))
        acme.crm.advance(days=1)
    assert seen == [(0, False)] * 3 + [(1, True)] * 2
    assert acme.events("event", "day") == [("pending", "2026-11-20"), ("flagged", "2026-11-23")]


@pytest.mark.parametrize("status", ["report", "trial"])
def test_report_and_trial_are_never_written(acme: Acme, status: str) -> None:
    acme.pack(RULES.replace("    severity: error\n", f"    severity: error\n    status: {status}\n"))
    acme.crm.deal("d1", amount=None)
    result = acme.run()
    assert result.flagged == int(status == "report")
    assert acme.events("rule", "event") == [("amount-missing", "flagged")]
    assert acme.crm.writes == []


def test_a_run_leaves_a_row_with_its_summary(acme: Acme) -> None:
    acme.crm.deal("d1", amount=None)
    result = run(acme.project)
    with acme.project.cache() as cache:
        row = cache.db.execute("SELECT id, mode, finished_at IS NOT NULL, summary FROM run").fetchone()
    assert row[:3] == (result.run, "on", 1) == ("20261120-090000", "on", 1)
    assert '"written":1' in row[3]
