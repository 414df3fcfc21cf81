"""Tests of rules, run: what a failure says, what each key does, and that many tests take little time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipelint.config.nodes import Problems
from pipelint.engine.given import Batch, Key
from pipelint.engine.rule_tests import Report, _batches, run_tests
from pipelint.engine.tested import run_shipped_tests
from pipelint.errors import UsageError
from pipelint.rules.cases import Case
from pipelint.rules.load import load_tests
from pipelint.rules.pack import Pack
from pipelint.rules.sections import SHIPPED

PACK = """\
pipelint: 1
pack: {name: acme, time_zone: Europe/Paris, blank_words: [tbd]}
stages:
  - {name: discovery, kind: open, group: mid}
  - {name: proposal, kind: open, group: late}
  - {name: won, kind: won}
pipelines:
  sales:
    from: {salesforce: Sales}
    stages:
      discovery: {from: {salesforce: Needs Analysis}}
      proposal: {from: {salesforce: Offer}, required: [budget, champion], severity: error}
      won: {from: {salesforce: Closed Won}}
fields:
  champion: {type: text, from: {salesforce: Champion__c}}
  account.tier: {type: choice, values: [gold, silver], from: {salesforce: Tier__c}}
  competitors: {type: choices, from: {salesforce: Competitors__c}}
facts:
  buyer_calls: {count: activities, where: {role: economic_buyer}}
  answers: {count: activities, where: {direction: inbound}}
  cuts: {count: field_changes, where: {field: amount, new: {less_than: {field: old}}}}
  offers: {count: stage_changes, where: {to_stage: proposal}}
  units: {sum: line_items.quantity}
conditions: {open: {stage_kind: open}}
rules:
  short: {title: Short, applies_to: open, flag_when: {next_step: {shorter_than: 12}}, severity: info, grace: 3 days}
  late:
    applies_to: open
    flag_when: {close_date: {before: today}}
    severity: warning
    raise_to: {error: {close_date: {older_than: 7 days}}}
    message: "Was due {close_date:ago}."
  early:
    applies_to: open
    flag_when: {close_date: {before: {field: created_at}}}
    severity: error
    hides: [late]
  gold-small: {flag_when: {account.tier: gold, amount: {less_than: 1000}}, severity: info, status: trial}
  no-buyer: {flag_when: {buyer_calls: 0}, severity: info}
  no-answer: {flag_when: {answers: 0}, severity: info}
  cut: {flag_when: {cuts: {at_least: 2}}, severity: info}
  no-offer: {flag_when: {offers: 0}, severity: info}
  few-units: {flag_when: {units: {less_than: 10}}, severity: info}
  sleeping: {flag_when: {amount: blank}, severity: info, status: off}
  lonely-rival: {flag_when: {competitors: [initech]}, severity: info}
  quiet-lead: {for: lead, flag_when: {last_touch: blank}, severity: info}
scores:
  fit:
    applies_to: open
    categories: {size: {max: 40}, tier: {max: 20}}
    points:
      - {name: large, category: size, points: 12.5, when: {amount: {at_least: 1000}}, because: large}
      - {name: gold, category: tier, points: 20, when: {account.tier: gold}, because: gold}
    grades: {A: 30, B: 0}
"""


@pytest.fixture
def load(tmp_path: Path) -> Callable[[str], tuple[Pack, tuple[Case, ...]]]:
    def load(tests: str) -> tuple[Pack, tuple[Case, ...]]:
        (tmp_path / "pack.yaml").write_text(PACK, encoding="utf-8")
        (tmp_path / "tests.yaml").write_text(f"pipelint: 1\ntests:\n{tests}", encoding="utf-8")
        problems = Problems()
        pack, cases = load_tests(tmp_path, "rules", problems)
        assert [f"{p.place}: {p.what} = {p.hint}" for p in problems.errors] == []
        assert pack is not None
        return pack, cases

    return load


@pytest.fixture
def run(load: Callable[[str], tuple[Pack, tuple[Case, ...]]]) -> Callable[[str], Report]:
    return lambda tests: run_tests(*load(tests))


def told(report: Report) -> list[str]:
    return [f"{f.place.line}: {f.expected}: {f.came}" for f in report.failures]


MET = {
    "flags with severity, item and item's severity": """
  - name: it
    as_of: 2026-11-20 10:00
    opportunity: {stage: proposal, close_date: 2026-11-01, champion: Kim}
    expect:
      flags: [{late: error}, stage-required, {stage-required/budget: error}]
      no_flags: [stage-required/champion]
""",
    "a blank word is blank, and a blank leaves a rule open": """
  - name: it
    as_of: 2026-11-20 10:00
    opportunity: {stage: proposal, champion: " TBD "}
    expect: {flags: [stage-required/champion], could_not_check: [late], no_flags: [late]}
""",
    "what hides and what is hidden": """
  - name: it
    as_of: 2026-11-20 10:00
    opportunity: {stage: proposal, created_at: 2026-11-10 09:00, close_date: 2026-11-01}
    expect: {flags: [early], hidden: [late], no_flags: [late]}
""",
    "messages as written, which do not age": """
  - name: it
    as_of: 2026-11-20 10:00
    opportunity: {stage: proposal, close_date: 2026-11-01}
    expect: {messages: {late: Was due 1 Nov 2026.}}
""",
    "rules on trial": """
  - name: it
    as_of: 2026-11-20 10:00
    opportunity: {stage: won, account.tier: Gold, amount: 999.99}
    expect: {flags: [gold-small]}
""",
    "time of grace": """
  - name: over
    as_of: 2026-11-20 10:00
    opportunity: {stage: discovery, next_step: Call}
    flagged_since: {short: 2026-11-17}
    expect: {flags: [short]}
  - name: not over
    as_of: 2026-11-20 10:00
    opportunity: {stage: discovery, next_step: Call}
    flagged_since: {short: 2026-11-18}
    expect: {no_flags: [short]}
  - name: only just seen
    as_of: 2026-11-20 10:00
    opportunity: {stage: discovery, next_step: Call}
    expect: {no_flags: [short]}
""",
    "related rows of every kind": """
  - name: it
    as_of: 2026-11-20 10:00
    opportunity: {stage: discovery}
    activities: [{type: call, happened_at: 2026-11-01 09:00, role: economic_buyer, direction: inbound}]
    stage_changes: [{from_stage: discovery, to_stage: proposal, at: 2026-10-01 09:00}]
    field_changes:
      - {field: amount, old: 1000.5, new: 900, at: 2026-10-01 09:00}
      - {field: amount, old: 900, new: 800, at: 2026-10-02 09:00}
    line_items: [{quantity: 4}, {quantity: 6}]
    expect: {flags: [cut], no_flags: [no-buyer, no-answer, no-offer, few-units]}
""",
    "a contact with the role is not counted twice": """
  - name: it
    as_of: 2026-11-20 10:00
    opportunity: {stage: discovery}
    contact_roles: [{contact: kim, role: economic_buyer}]
    activities: [{type: call, happened_at: 2026-11-01 09:00, role: economic_buyer}]
    expect: {no_flags: [no-buyer]}
""",
    "not synced: a field, an entity, a column of an entity": """
  - name: it
    as_of: 2026-11-20 10:00
    opportunity: {stage: proposal, budget: not synced, account.tier: not synced, amount: 5}
    activities: not synced
    expect: {could_not_check: [stage-required/budget, no-buyer, no-answer, gold-small]}
  - name: only the direction
    as_of: 2026-11-20 10:00
    opportunity: {stage: proposal}
    activities: [{type: call, happened_at: 2026-11-01 09:00, direction: not synced, role: user}]
    expect: {could_not_check: [no-answer], flags: [no-buyer]}
""",
    "a history that begins late": """
  - name: it
    as_of: 2026-11-20 10:00
    opportunity: {stage: proposal, created_at: 2026-01-10 09:00}
    field_changes: {complete_since: 2026-06-01, rows: [{field: amount, old: 9, new: 8, at: 2026-10-01 09:00}]}
    expect: {could_not_check: [cut]}
""",
    "a word that nobody mapped": """
  - name: it
    as_of: 2026-11-20 10:00
    opportunity: {stage: legal review, close_date: 2026-11-01}
    expect: {flags: [{unknown-value/stage: error}], could_not_check: [late]}
""",
    "several choices": """
  - name: it
    as_of: 2026-11-20 10:00
    opportunity: {stage: proposal, competitors: [Globex, Initech]}
    expect: {flags: [lonely-rival]}
""",
    "a score and its parts": """
  - name: known
    as_of: 2026-11-20 10:00
    opportunity: {stage: proposal, amount: 1000, account.tier: gold}
    expect: {scores: {fit: {total: 33, grade: A, size: 12.5, tier: 20, not_known: []}}}
  - name: not known
    as_of: 2026-11-20 10:00
    opportunity: {stage: proposal, amount: 1000}
    expect: {scores: {fit: {total: 13, grade: B, not_known: gold}}}
""",
    "a lead": """
  - name: it
    as_of: 2026-11-20 10:00
    lead: {is_open: yes}
    activities: []
    expect: {flags: [quiet-lead]}
""",
    "the same ids in several tests, and one account described differently": """
  - name: one
    as_of: 2026-11-20 10:00
    opportunities:
      - {id: a, stage: proposal, account.id: globex, account.tier: gold, amount: 1}
      - {id: b, stage: proposal, account.id: globex, amount: 1}
    expect: {a: {flags: [gold-small]}, b: {flags: [gold-small]}}
  - name: other
    as_of: 2026-11-20 10:00
    opportunities: [{id: a, stage: proposal, account.id: globex, account.tier: silver, amount: 1}]
    expect: {a: {no_flags: [gold-small]}}
""",
}


@pytest.mark.parametrize("tests", MET.values(), ids=MET.keys())
def test_what_is_expected_is_met(run: Callable[[str], Report], tests: str) -> None:
    assert told(run(tests)) == []


def test_a_failure_says_what_came_and_what_decided(run: Callable[[str], Report]) -> None:
    report = run("""
  - name: everything is wrong
    as_of: 2026-11-20 10:00
    opportunity: {stage: proposal, close_date: 2026-11-15, champion: Kim}
    expect:
      flags:
        - {late: error}
        - early
        - short
        - sleeping
        - stage-required/champion
      no_flags: [late]
      could_not_check: [late]
      hidden: [late]
      messages: {late: Too late.}
  - name: out of scope
    as_of: 2026-11-20 10:00
    opportunity: {stage: won, close_date: 2026-11-15}
    expect: {flags: [late]}
  - name: not yet
    as_of: 2026-11-20 10:00
    opportunity: {stage: proposal, next_step: Call}
    expect: {flags: [short]}
""")
    assert told(report) == [
        "9: late flagged as error: flagged as warning",
        "10: early flagged: could not check",
        "11: short flagged: could not check",
        "12: sleeping flagged: off",
        "13: stage-required/champion flagged: clean",
        "14: late not flagged: flagged as warning",
        "15: late could not check: flagged as warning",
        "16: late hidden: flagged as warning",
        '17: late says "Too late.": it says "Was due 15 Nov 2026."',
        "21: late flagged: not in its scope",
        "25: short flagged: pending, for its grace of 3 days is not over",
    ]
    decided = {f.place.line: [(d.field, d.value, d.test) for d in f.decided] for f in report.failures}
    assert decided[9] == [("close_date", "15 Nov 2026", "is before today")]
    assert decided[10] == [("close_date", "15 Nov 2026", "is before created_at")]
    assert decided[21] == [("stage_kind", "won", "not: is open")]


def test_a_score_that_differs(run: Callable[[str], Report]) -> None:
    report = run("""
  - name: it
    as_of: 2026-11-20 10:00
    opportunity: {stage: proposal, amount: 1000}
    expect: {scores: {fit: {total: 14, grade: A, size: 12, not_known: []}}}
  - name: out of scope
    as_of: 2026-11-20 10:00
    opportunity: {stage: won}
    expect: {scores: {fit: {total: 0}}}
""")
    assert told(report) == [
        "7: fit: total 14: 13",
        "7: fit: grade A: B",
        "7: fit: size 12: 12.5",
        "7: fit: not known (nothing): gold",
        "11: fit: total 0: no score: not in its scope, or not known",
    ]


def test_rules_that_no_test_names_are_listed(run: Callable[[str], Report]) -> None:
    report = run("""
  - name: it
    as_of: 2026-11-20 10:00
    opportunity: {stage: proposal, close_date: 2026-11-01}
    expect: {flags: [late], no_flags: [early]}
""")
    never_flagged = [rule.name for rule in report.never_flagged]
    never_clean = [rule.name for rule in report.never_clean]
    assert "late" not in never_flagged
    assert "early" not in never_clean
    assert {"early", "quiet-lead", "gold-small"} <= set(never_flagged)
    assert "sleeping" not in never_flagged  # off
    assert "stage-required" not in never_flagged  # not a rule of these files


def test_tests_share_a_connection_where_they_can(load: Callable[..., tuple[Pack, tuple[Case, ...]]]) -> None:
    test = """
  - name: number {n}
    as_of: 2026-11-20 10:00
    opportunities: [{{id: a, stage: proposal, owner.id: kim, owner.active: yes}}]
    expect: {{a: {{no_flags: [late]}}}}
"""
    _, cases = load("".join(test.format(n=n) for n in range(200)))
    batches: list[Batch] = _batches(cases)
    assert len(batches) == 1
    assert isinstance(batches[0].key, Key)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_pack_passes_its_own_tests_in_every_language(name: str) -> None:
    results = list(run_shipped_tests(name))
    assert len(results) == 2
    for result in results:
        failures = [(f.test, f.record, f.expected, f.came, f.decided) for f in result.report.failures]
        assert failures == [], result.title
        assert [rule.name for rule in result.report.never_flagged] == []
        assert [rule.name for rule in result.report.never_clean] == []


def test_a_pack_that_is_not_shipped_is_refused() -> None:
    with pytest.raises(UsageError, match="there is no shipped pack named 'defualt'"):
        list(run_shipped_tests("defualt"))
