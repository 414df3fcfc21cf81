"""Counting findings as they come says the same as counting them all at the end."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from pipelint.engine.evidence import UNSYNCED, Evidence
from pipelint.engine.finding import Finding, worst_first
from pipelint.engine.scores import Score
from pipelint.engine.tally import EXTREMES, WORST, ScoreTally, Tally
from pipelint.render.documents import as_text, encoded, streamed

FINDING = Finding(
    connection="acme",
    crm="files",
    kind="opportunity",
    id="d1",
    name="Deal",
    url=None,
    owner="Ann Roe",
    pipeline="sales",
    stage="proposal",
    rule="late",
    severity="error",
    status="flagged",
    message="It is late.",
    fix="",
    items=(),
    evidence=(),
    amount=None,
    written=True,
    keeps=False,
)
SCORE = Score("acme", "opportunity", "d1", "Deal", "health", 0, None, {"all": Decimal(0)}, (), ())

found = st.builds(
    lambda record, rule, severity, status, amount: replace(
        FINDING, id=record, name=record, rule=rule, severity=severity, status=status, amount=amount
    ),
    st.integers(0, 2000).map(lambda n: f"d{n:04}"),
    st.sampled_from(["late", "vague", "stale"]),
    st.sampled_from(["error", "warning", "info"]),
    st.sampled_from(["flagged", "trial", "hidden"]),
    st.none() | st.integers(0, 5),
)


@given(st.lists(found, max_size=40), st.integers(1, 60))
def test_a_tally_of_findings_is_that_of_the_whole_list(some: list[Finding], times: int) -> None:
    findings = sorted(some * times, key=lambda each: each.id)
    tally = Tally()
    for each in findings:
        tally.take(each)
    flagged = [each for each in findings if each.status == "flagged"]
    assert tally.worst == worst_first(flagged)[:WORST]
    assert tally.flagged == Counter(each.rule for each in flagged)
    assert tally.severities == {each.rule: each.severity for each in reversed(worst_first(flagged))}
    assert {rule: value for rule, value in tally.at_stake.items() if value} == {
        rule: value
        for rule in tally.flagged
        if (value := sum(each.amount or 0 for each in flagged if each.rule == rule))
    }
    for status in ("flagged", "trial", "hidden"):
        assert tally.records[status] == len({each.id for each in findings if each.status == status})


def test_a_tally_keeps_a_bounded_number_of_findings() -> None:
    tally = Tally()
    for number in range(20 * WORST * 40):
        tally.take(replace(FINDING, id=str(number)))
        assert len(tally._worst) <= WORST * 40
    assert tally.flagged["late"] == 20 * WORST * 40


def test_a_field_counts_once_for_each_finding_that_lacks_it() -> None:
    tests = (
        Evidence("owner", "", "a", UNSYNCED),
        Evidence("owner", "", "b", UNSYNCED),
        Evidence("amount", "", "c"),
    )
    tally = Tally()
    for record in ("d1", "d2"):
        tally.take(replace(FINDING, id=record, status="could_not_check", evidence=tests))
    assert tally.unknown == {UNSYNCED: {"owner": 2}, "": {"amount": 2}}


@given(st.lists(st.integers(-5, 5), max_size=300))
def test_a_tally_of_scores_is_that_of_the_whole_list(totals: list[int]) -> None:
    scores = [
        replace(SCORE, id=f"d{number:03}", total=total, grade="A" if total > 2 else "B")
        for number, total in enumerate(totals)
    ]
    tally = ScoreTally()
    for each in scores:
        tally.take(each)
    ranked = sorted(scores, key=lambda each: (-each.total, each.name, each.id))
    assert tally.records == len(scores)
    assert tally.best == ranked[:EXTREMES]
    assert tally.worst == ranked[EXTREMES:][-EXTREMES:]
    assert list(tally.by_grade.items()) == list(Counter(each.grade for each in ranked).items())


@given(st.lists(st.dictionaries(st.text(), st.text() | st.integers() | st.lists(st.text()))))
def test_a_document_in_pieces_is_the_document(items: list[dict[str, object]]) -> None:
    whole = {"schema": "a/1", "items": items, "counts": {"all": len(items)}, "notices": []}
    parts = {**whole, "items": (encoded(each) for each in items)}
    text = "".join(streamed(parts.items()))
    assert text == as_text(whole)
    assert json.loads(text) == whole
