"""Waivers as rules.md §4.9 states them: what they need, whom they concern, and when they are over."""

# ruff: noqa: E501 - a table of cases has one case a line
from __future__ import annotations

import tempfile
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from pipelint.config.nodes import Problems
from pipelint.engine.cache.sqlite import Cache
from pipelint.engine.check import source_of
from pipelint.engine.finding import Finding
from pipelint.engine.findings import findings
from pipelint.engine.waivers import notices
from pipelint.rules.load import load_pack
from pipelint.rules.pack import Pack
from tests.rules.ground import given_of, store
from tests.rules.test_scores import node_of

TODAY = date(2026, 11, 20)
PACK = """
pipelint: 1
pack: {time_zone: America/New_York}
stages: [{name: discovery, kind: open, group: early}, {name: won, kind: won}]
pipelines: {sales: {stages: {discovery: {required: [amount, next_step]}, won: {}}}}
conditions: {open: {stage_kind: open}}
rules:
  late: {title: late, applies_to: open, flag_when: {close_date: {before: today}}, severity: error, message: x,
         formerly: [tardy], hides: [unnamed]}
  unnamed: {title: unnamed, applies_to: open, flag_when: {name: blank}, severity: info, message: x}
  stale: {status: retired, replaced_by: late}
  lead-late: {title: late, for: lead, flag_when: {company: blank}, severity: error, message: x}
waivers:
"""
END = "reason: Public tender, approved_by: dana@acme.example, until: 2027-01-31"


def read(*waivers: str) -> tuple[Pack | None, Problems]:
    with tempfile.TemporaryDirectory() as folder:
        lines = "\n".join(f"  - {{{waiver}}}" for waiver in waivers)
        Path(folder, "pack.yaml").write_text(PACK.lstrip() + lines + "\n", encoding="utf-8")
        problems = Problems()
        return load_pack(Path(folder), "rules", problems, today=TODAY), problems


def found(records: Sequence[str], *waivers: str, as_of: date = TODAY) -> tuple[list[Finding], list[str]]:
    pack, problems = read(*waivers)
    assert pack is not None, problems.found
    givens = [given_of(pack, f"d{n}", node_of(record)) for n, record in enumerate(records)]
    with Cache.open(":memory:") as cache:
        delivered = store(cache, pack, "acme", givens)
        moment = datetime(as_of.year, as_of.month, as_of.day, 15, tzinfo=UTC)
        source = source_of(cache, pack, "opportunity", delivered, moment)
        told = notices(cache, pack.waivers, {source.table: source.compiled}, as_of)
        said = [notice.what for notice in told]
        return list(findings(cache, source, language="en", ages=False)), said


LATE = "{name: Globex Ltd, stage: discovery, close_date: 2026-10-01, amount: 1, next_step: Call them}"


@pytest.mark.parametrize(
    ("waiver", "status"),
    [
        ("rules: [late], opportunities: [d0]", "waived"),
        ("rules: [late], opportunities: ['acme:opportunity/d0']", "waived"),
        ("rules: [late], opportunities: ['other:opportunity/d0']", "flagged"),
        ("rules: [late], opportunities: [d9]", "flagged"),
        ("rules: [unnamed], opportunities: [d0]", "flagged"),
        ("rules: [tardy], opportunities: [d0]", "waived"),  # its former name
        ("rules: [late], when: {name: {starts_with: Globex}}", "waived"),
        ("rules: [late], when: {name: {starts_with: Initech}}", "flagged"),
        ("rules: [late], when: {amount: {at_least: 5}}", "flagged"),
        ("rules: [late], when: {owner.name: {is_not: Kim}}", "flagged"),  # unknown is no yes
    ],
)
def test_whom_a_waiver_concerns(waiver: str, status: str) -> None:
    (finding,), _ = found([LATE], f"{waiver}, {END}")
    assert (finding.status, finding.written) == (status, status == "flagged")
    assert (finding.waiver is not None) is (status == "waived")


@pytest.mark.parametrize(("as_of", "status"), [(date(2027, 1, 31), "waived"), (date(2027, 2, 1), "flagged")])
def test_the_last_day_is_part_of_it(as_of: date, status: str) -> None:
    (finding,), said = found([LATE], f"rules: [late], opportunities: [d0], {END}", as_of=as_of)
    assert finding.status == status
    over = ["this waiver ended on 31 January 2027 and no longer has an effect"]
    assert said == ([] if status == "waived" else over)


def test_an_item_is_waived_by_itself() -> None:
    bare = "{name: x, stage: discovery, close_date: 2026-12-31}"
    waiver = f"rules: [stage-required/amount], opportunities: [d0], {END}"
    (finding,), _ = found([bare], waiver)
    assert (finding.status, finding.items) == ("flagged", ("next_step",))
    (finding,), _ = found([bare], waiver.replace("/amount", "/amount, stage-required/next_step"))
    assert (finding.status, finding.items) == ("waived", ("amount", "next_step"))


def test_what_is_waived_hides_nothing() -> None:
    nameless = LATE.replace("name: Globex Ltd, ", "")
    free, _ = found([nameless], f"rules: [late], opportunities: [d9], {END}")
    assert {f.rule: f.status for f in free} == {"late": "flagged", "unnamed": "hidden"}
    waived, _ = found([nameless], f"rules: [late], opportunities: [d0], {END}")
    assert {f.rule: f.status for f in waived} == {"late": "waived", "unnamed": "flagged"}


def test_a_waiver_that_fits_nothing_is_told() -> None:
    _, said = found(
        [LATE], f"rules: [late], opportunities: [d9], {END}", f"rules: [late], when: {{name: y}}, {END}"
    )
    assert said == [
        "this waiver names 'd9', which is no record that was pulled",
        "this waiver fits no record",
    ]


USUAL = "a waiver without an end is forgotten and hides what is wrong for ever; write until: 2027-02-18"


@pytest.mark.parametrize(
    ("waiver", "what", "hint"),
    [
        ("rules: [late], opportunities: [d0], reason: Public tender, approved_by: d", "'until' is missing in a waiver", USUAL),
        ("rules: [late], opportunities: [d0], reason: Public tender, approved_by: d, until: 2027-11-21", "a waiver lasts for a year at most", "write 2027-11-20 at the latest, and look at it again then"),
        ("rules: [late], opportunities: [d0], reason: Public tender, approved_by: d, until: soon", "'soon' is not a date", "write 2027-02-18"),
        ("rules: [late], opportunities: [d0], reason: because, approved_by: d, until: 2027-01-31", "'because' is too short for a reason", "10 characters or more: say why"),
        ("rules: [late], opportunities: [d0], reason: Public tender, until: 2027-01-31", "'approved_by' is missing in a waiver", "name who answers for it"),
        (f"rules: [lat], opportunities: [d0], {END}", "there is no rule named 'lat' to waive", "did you mean 'late'?"),
        (f"rules: [stage-required/amuont], opportunities: [d0], {END}", "the rule stage-required has no item 'amuont'", "did you mean 'amount'?"),
        (f"rules: [late], leads: [d0], {END}", "late is a rule for opportunities, and this waiver names leads", "write a waiver of its own for it"),
        (f"rules: [late], {END}", "a waiver has exactly one of 'opportunities', 'leads' and 'when'; here is none", ""),
        (f"rules: [late], when: {{nam: x}}, {END}", "'nam' is not known in a condition on opportunity", "did you mean 'name'?"),
    ],
)  # fmt: skip
def test_a_mistake_is_said_once(waiver: str, what: str, hint: str) -> None:
    _, problems = read(waiver)
    assert [(p.what, p.hint) for p in problems.errors] == [(what, hint)]


@pytest.mark.parametrize(
    ("waiver", "what", "hint"),
    [
        (f"rules: [stale], opportunities: [d0], {END}", "the rule 'stale' is retired, so nothing is waived", "'late' has taken its place"),
        (f"rules: [tardy], opportunities: [d0], {END}", "'tardy' is called 'late' now", "rename it here"),
        (f"rules: [late], opportunities: [d0], {END.replace('2027-01-31', '2026-11-19')}", "this waiver ended on 19 November 2026 and no longer has an effect", ""),
    ],
)  # fmt: skip
def test_what_is_only_a_warning(waiver: str, what: str, hint: str) -> None:
    pack, problems = read(waiver)
    assert pack is not None
    assert [(p.what, p.hint) for p in problems.found if p.level == "warning"] == [(what, hint)]


REST = "reason: Public tender, approved_by: dana@acme.example"
MISSPELT = {
    "rules": f"rule: late, opportunities: [a], {REST}, until: 2027-01-31",
    "opportunities": f"rules: late, opportunity: [a], {REST}, until: 2027-01-31",
    "approved_by": "rules: late, opportunities: [a], reason: Public tender, approved: dana, until: 2027-01-31",
    "until": f"rules: late, opportunities: [a], {REST}, untill: 2027-01-31",
}


@pytest.mark.parametrize("waiver", MISSPELT.values(), ids=MISSPELT.keys())
def test_a_misspelt_key_is_one_mistake_not_two(waiver: str) -> None:
    _, problems = read(waiver)
    assert len([each for each in problems.errors if "is not known in" in each.what]) == 1
    assert [
        each.what for each in problems.errors if "missing" in each.what or "here is none" in each.what
    ] == []
