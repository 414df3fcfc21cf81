"""What becomes of a rule on a record: in scope or not, flagged, clean or could not check, and how severe."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo

import pytest

from pipelint.config.nodes import Map, Problems, read_text
from pipelint.engine.cache.sqlite import Cache
from pipelint.engine.evaluate import Outcome, evaluate
from pipelint.engine.findings import findings
from pipelint.rules.compile import SEVERITY_NAME
from pipelint.rules.pack import Pack
from tests.rules.ground import given_of, pack_of, prepared_source, store

AS_OF = datetime(2026, 11, 20, 10, tzinfo=ZoneInfo("UTC"))
PACK = """
stages:
  - {name: discovery, kind: open, group: early}
  - {name: evaluation, kind: open, group: mid}
  - {name: proposal, kind: open, group: late}
  - {name: won, kind: won}
  - {name: lost, kind: lost}
pipelines:
  sales:
    stages:
      discovery: {to_leave: {need: present, contacts: {at_least: 1, at_most: 2}}, max_age: 30 days}
      evaluation: {required: [amount], settings: {big: {limit: 500}}}
      proposal: {required: [next_step, amount], to_enter: {amount: {more_than: 0}}, severity: error}
      won: {}
      lost: {required: [lost_reason]}
fields:
  need: {from: {files: Need}}
  tier: {type: choice, values: [gold, silver], from: {files: Tier}}
conditions:
  open: {stage_kind: open}
  committed: {forecast_category: commit}
segments:
  gold: {tier: gold}
  small: {amount: {less_than: 100}}
rules:
  plain: {title: A, flag_when: {amount: {more_than: 100}}, severity: info}
  scoped: {title: B, applies_to: open, flag_when: {amount: {more_than: 100}}, severity: warning}
  both: {title: C, applies_to: [open, committed], flag_when: {amount: {more_than: 100}}, severity: warning}
  wanted: {title: D, applies_to: open, require: {next_step: {longer_than: 3}}, severity: error}
  raised:
    title: E
    flag_when: {close_date: {before: today}}
    severity: info
    raise_to: {warning: {close_date: {older_than: 7 days}}, error: {amount: {at_least: 1000}}}
  never-lower: {title: F, flag_when: {amount: present}, severity: error, raise_to: {warning: {amount: present}}}
  big:
    title: G
    settings: {limit: 1000}
    flag_when: {amount: {at_least: $limit}}
    severity: warning
    per_stage_group: {early: {limit: 100}, late: off}
    per_segment: {gold: {limit: 5000, severity: error}, small: off}
  recent: {title: H, flag_when: {amount: present}, severity: info, since: 2026-11-01}
  retired: {status: retired, replaced_by: plain}
  sleeping: {title: I, flag_when: {amount: present}, severity: info, status: "off"}
"""
FLAGGED, CLEAN, BLANK, UNSYNCED = Outcome.FLAGGED, Outcome.CLEAN, Outcome.BLANK, Outcome.UNSYNCED

# rule or rule/item, record, outcome, severity
CASES = [
    ("plain", "{amount: 101}", FLAGGED, "info"),
    ("plain", "{amount: 100}", CLEAN, ""),
    ("plain", "{}", BLANK, ""),
    ("plain", "{amount: not synced}", UNSYNCED, ""),
    ("scoped", "{stage: discovery, amount: 101}", FLAGGED, "warning"),
    ("scoped", "{stage: won, amount: 101}", CLEAN, ""),
    # A blank takes a record out of scope; what was not synced, or not mapped, does not.
    ("scoped", "{amount: 101}", CLEAN, ""),
    ("scoped", "{stage: not synced, amount: 101}", UNSYNCED, ""),
    ("scoped", "{stage: '?', amount: 101}", UNSYNCED, ""),
    ("scoped", "{stage: '?', amount: 99}", CLEAN, ""),
    ("scoped", "{stage: discovery}", BLANK, ""),
    ("both", "{stage: discovery, forecast_category: commit, amount: 101}", FLAGGED, "warning"),
    ("both", "{stage: discovery, amount: 101}", CLEAN, ""),
    ("both", "{stage: discovery, forecast_category: not synced, amount: 101}", UNSYNCED, ""),
    ("both", "{stage: won, forecast_category: not synced, amount: 101}", CLEAN, ""),
    ("both", "{stage: discovery, forecast_category: hopeful, amount: 101}", UNSYNCED, ""),
    # require flags where the good case is false, and not where it is unknown.
    ("wanted", "{stage: discovery, next_step: Go}", FLAGGED, "error"),
    ("wanted", "{stage: discovery, next_step: Call them}", CLEAN, ""),
    ("wanted", "{stage: discovery}", BLANK, ""),
    ("wanted", "{stage: discovery, next_step: not synced}", UNSYNCED, ""),
    # raise_to needs a definite yes; the highest wins; it never lowers.
    ("raised", "{close_date: 2026-11-19}", FLAGGED, "info"),
    ("raised", "{close_date: 2026-11-12}", FLAGGED, "warning"),
    ("raised", "{close_date: 2026-11-12, amount: 1000}", FLAGGED, "error"),
    ("raised", "{close_date: 2026-11-19, amount: 999}", FLAGGED, "info"),
    ("raised", "{close_date: 2026-11-19, amount: not synced}", FLAGGED, "info"),
    ("never-lower", "{amount: 1}", FLAGGED, "error"),
    # The more specific wins, setting by setting: rule, stage group, stage, segment.
    ("big", "{amount: 999}", CLEAN, ""),
    ("big", "{amount: 1000}", FLAGGED, "warning"),
    ("big", "{stage: discovery, amount: 150}", FLAGGED, "warning"),
    ("big", "{stage: evaluation, amount: 499}", CLEAN, ""),
    ("big", "{stage: evaluation, amount: 500}", FLAGGED, "warning"),
    ("big", "{stage: proposal, amount: 9000}", CLEAN, ""),
    ("big", "{stage: evaluation, amount: 4999, tier: gold}", CLEAN, ""),
    ("big", "{stage: evaluation, amount: 5000, tier: gold}", FLAGGED, "error"),
    ("big", "{stage: discovery, amount: 99}", CLEAN, ""),
    ("big", "{stage: proposal, amount: 9000, tier: gold}", CLEAN, ""),
    ("big", "{amount: 1000, tier: not synced}", FLAGGED, "warning"),
    ("recent", "{amount: 1, created_at: 2026-11-01 00:00}", FLAGGED, "info"),
    ("recent", "{amount: 1, created_at: 2026-10-31 23:59}", CLEAN, ""),
    ("recent", "{amount: 1}", CLEAN, ""),
    # What stages ask for.
    ("stage-required/amount", "{stage: evaluation}", FLAGGED, "warning"),
    ("stage-required/amount", "{stage: proposal}", FLAGGED, "error"),
    ("stage-required/amount", "{stage: discovery}", CLEAN, ""),
    ("stage-required/amount", "{stage: won}", CLEAN, ""),
    ("stage-required/amount", "{stage: evaluation, amount: 0}", CLEAN, ""),
    ("stage-required/amount", "{stage: evaluation, amount: not synced}", UNSYNCED, ""),
    ("stage-required/amount", "{stage: '?'}", UNSYNCED, ""),
    ("stage-required/next_step", "{stage: proposal}", FLAGGED, "error"),
    ("stage-required/lost_reason", "{stage: lost}", FLAGGED, "warning"),
    ("stage-required/lost_reason", "{stage: proposal}", CLEAN, ""),
    ("stage-entry-unmet/proposal", "{stage: proposal, amount: 0}", FLAGGED, "error"),
    ("stage-entry-unmet/proposal", "{stage: proposal}", BLANK, ""),
    ("stage-entry-unmet/proposal", "{stage: evaluation, amount: 0}", CLEAN, ""),
    ("stage-exit-skipped/discovery", "{stage: evaluation, need: x}", FLAGGED, "warning"),
    ("stage-exit-skipped/discovery", "{stage: discovery}", CLEAN, ""),
    ("stage-exit-skipped/discovery", "{stage: won}", CLEAN, ""),
    ("stage-exit-open/need", "{stage: discovery}", FLAGGED, "info"),
    ("stage-exit-open/need", "{stage: evaluation}", CLEAN, ""),
    ("stage-exit-open/contacts", "{stage: discovery, contact_roles: [{role: user}]}", CLEAN, ""),
    ("stage-exit-open/contacts", "{stage: discovery, contact_roles: not synced}", UNSYNCED, ""),
    ("stage-exit-open/contacts", "{stage: discovery}", FLAGGED, "info"),
    (
        "stage-exit-open/contacts",
        "{stage: discovery, contact_roles: [{role: user}, {role: user}, {role: user}]}",
        FLAGGED,
        "info",
    ),
    ("stage-age-limit", "{stage: discovery, stage_entered_at: 2026-10-20 09:00}", FLAGGED, "warning"),
    ("stage-age-limit", "{stage: discovery, stage_entered_at: 2026-10-21 09:00}", CLEAN, ""),
    ("stage-age-limit", "{stage: evaluation, stage_entered_at: 2026-01-01 09:00}", CLEAN, ""),
    ("unknown-value/stage", "{stage: '?'}", FLAGGED, "error"),
    ("unknown-value/stage", "{}", CLEAN, ""),
    ("unknown-value/tier", "{tier: bronze}", FLAGGED, "error"),
    ("unknown-value/forecast_category", "{forecast_category: hopeful}", FLAGGED, "error"),
]


@cache
def pack() -> Pack:
    made, problems = pack_of(PACK)
    assert made is not None, problems.found
    return made


@pytest.mark.parametrize(("check", "record", "outcome", "severity"), CASES)
def test_a_rule_on_a_record(check: str, record: str, outcome: Outcome, severity: str) -> None:
    node = read_text(record, "record", Problems())
    given = (
        given_of(pack(), "a", node)
        if isinstance(node, Map)
        else given_of(pack(), "a", Map((), node.place))
        if node
        else None
    )
    assert given is not None
    with Cache.open(":memory:") as cache:
        delivered = store(cache, pack(), "c", [given])
        source = prepared_source(cache, pack(), "opportunity", delivered, AS_OF)
        names = [each.name for each in source.compiled.checks]
        verdicts = list(evaluate(cache, source.compiled, source.table))
        said = verdicts[0].outcomes if verdicts else {}
        assert said.get(names.index(check), CLEAN) is outcome
        if outcome is FLAGGED:
            assert SEVERITY_NAME[verdicts[0].severities[names.index(check)]] == severity
        found = {each.rule: each for each in findings(cache, source, language="en", ages=False)}
        rule = check.partition("/")[0]
        if outcome is not CLEAN:
            assert found[rule].status in {"flagged", "hidden"} or found[rule].status == "could_not_check"
        if found.get(rule) and found[rule].status == "could_not_check":
            assert found[rule].evidence, "it names the field that was blank"


def test_rules_that_are_off_or_retired_are_not_evaluated() -> None:
    assert {rule.name for rule in pack().live_rules("opportunity")}.isdisjoint({"sleeping", "retired"})
