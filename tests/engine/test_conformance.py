"""The same sales organisation in two CRMs is judged the same: flags, scores and grades of each opportunity."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipelint.engine.check import check
from pipelint.engine.commands import pull_all
from pipelint.engine.project import open_project
from pipelint.engine.scores import Score
from pipelint.sandbox.hubspot import HubSpotSandbox
from pipelint.sandbox.salesforce import SalesforceSandbox

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
SIZE = 300

PROJECT = """\
pipelint: 1
rules: rules/
cache: cache.db
connections:
  salesforce:
    crm: salesforce
    base_url: {salesforce}
    auth: {{flow: client_credentials, client_id: "${{file:client}}", client_secret: "${{file:secret}}"}}
  hubspot:
    crm: hubspot
    base_url: {hubspot}
    auth: {{token: "${{file:token}}"}}
"""

PACK = """\
pipelint: 1
pack: {name: acme, time_zone: Europe/Paris}
uses: [default@1]
stages:
  - {name: prospecting, kind: open, group: early}
  - {name: qualification, kind: open, group: early}
  - {name: discovery, kind: open, group: mid}
  - {name: proposal, kind: open, group: late}
  - {name: negotiation, kind: open, group: late}
  - {name: won, kind: won}
  - {name: lost, kind: lost}
facts:
  meetings_held:
    label: how many meetings were held
    count: activities
    where: {type: meeting, happened_at: present}
pipelines:
  sales:
    stages:
      prospecting:
        from: {salesforce: Prospecting, hubspot: appointmentscheduled}
        to_leave: {contacts: {at_least: 1}}
        max_age: 30 days
      qualification:
        from: {salesforce: Qualification, hubspot: [qualifiedtobuy, "186012401"]}
        required: [need, next_step, amount, close_date]
        to_leave: {last_two_way_touch: present}
        max_age: 30 days
      discovery:
        from:
          salesforce: [Needs Analysis, Value Proposition, Id. Decision Makers, Perception Analysis]
          hubspot: [presentationscheduled, decisionmakerboughtin, contractsent, "186012375", "186012402"]
        to_leave:
          meetings_held: {at_least: 1}
          contacts: {at_least: 2}
          decision_makers_count: {at_least: 1}
        max_age: 45 days
      proposal:
        from: {salesforce: Proposal/Price Quote, hubspot: ["186012376", "186012403"]}
        required: [decision_makers, budget, deadline, risk]
        to_leave: {next_planned_at: present}
        max_age: 30 days
      negotiation:
        from: {salesforce: Negotiation/Review, hubspot: ["186012377", "186012404"]}
        to_enter: {last_two_way_touch: {within_last: 30 days}}
        max_age: 30 days
      won: {from: {salesforce: Closed Won, hubspot: [closedwon, "186012405"]}, required: [amount, close_date]}
      lost: {from: {salesforce: Closed Lost, hubspot: [closedlost, "186012406"]}, required: [lost_reason]}
fields:
  need: {from: {salesforce: Need__c, hubspot: need}}
  decision_makers: {from: {salesforce: Decision_Makers__c, hubspot: decision_makers}}
  budget: {from: {salesforce: Budget__c, hubspot: budget}}
  deadline: {from: {salesforce: Deadline__c, hubspot: deadline}}
  risk: {from: {salesforce: Risk__c, hubspot: risk}}
  lost_reason: {from: {salesforce: Loss_Reason__c, hubspot: closed_lost_reason}}
  next_step_date: {from: {salesforce: Next_Step_Date__c, hubspot: next_step_date}}
  source: {from: {salesforce: LeadSource, hubspot: lead_source}}
"""


LACKING = {
    # HubSpot: a link has no stamp, so when a contact was added is not known.
    ("hubspot", "activity-without-progress"),
    # Salesforce: whether a field's history has been kept all along is not told, so no change is not known.
    ("salesforce", "next-step-stale"),
}
"""What a CRM does not hold: there the rule could not be checked, or says nothing on that connection at all."""

LOWER = ("salesforce", "deal-quality", "engagement")
"""Salesforce tells no direction of e-mails: those of the customer cannot add to this part of the score."""


@dataclass
class Judged:
    """One opportunity in one CRM: the status of each rule that is not clean, and its scores."""

    findings: dict[str, str] = field(default_factory=dict)
    scores: dict[str, Score] = field(default_factory=dict)


@dataclass
class Judgement:
    """The opportunities of each CRM in the order in which the organisation was made, and what was told once."""

    opportunities: dict[str, list[Judged]]
    not_synced: set[tuple[str, str]]


def judged(folder: Path, size: int) -> Judgement:
    """Load the same organisation into both, pull it, and check it with one pack."""
    with SalesforceSandbox(size=size, now=NOW) as salesforce, HubSpotSandbox(size=size, now=NOW) as hubspot:
        (folder / "rules").mkdir()
        (folder / "rules" / "pack.yaml").write_text(PACK, encoding="utf-8")
        text = PROJECT.format(salesforce=salesforce.base_url, hubspot=hubspot.base_url)
        (folder / "pipelint.yaml").write_text(text, encoding="utf-8")
        (folder / "client").write_text(salesforce.client_id, encoding="utf-8")
        (folder / "secret").write_text(salesforce.client_secret, encoding="utf-8")
        (folder / "token").write_text(hubspot.token(), encoding="utf-8")
        project = open_project(folder, clock=lambda: NOW)
        pull_all(project)
        made = {
            "salesforce": [
                str(row["Id"]) for row in salesforce.org.query("SELECT Id FROM Opportunity ORDER BY Id")
            ],
            "hubspot": hubspot.portal.ids("deals"),
        }
        with project.cache() as cache:
            result = check(cache, project, NOW)
    found = {crm: {id_: Judged() for id_ in ids} for crm, ids in made.items()}
    for finding in result.findings:
        if finding.kind == "opportunity":
            found[finding.connection][finding.id].findings[finding.rule] = finding.status
    for score in result.scores:
        if score.kind == "opportunity":
            found[score.connection][score.id].scores[score.score] = score
    return Judgement(
        {crm: [each[id_] for id_ in made[crm]] for crm, each in found.items()},
        {(each.connection, each.rule) for each in result.not_synced},
    )


@pytest.fixture(scope="module")
def judgement(tmp_path_factory: pytest.TempPathFactory) -> Judgement:
    return judged(tmp_path_factory.mktemp("both"), SIZE)


def pairs(judgement: Judgement) -> Iterator[tuple[int, Mapping[str, Judged]]]:
    """Each opportunity, by its place, as both CRMs have it."""
    crms = judgement.opportunities
    for place, both in enumerate(zip(*crms.values(), strict=True)):
        yield place, dict(zip(crms, both, strict=True))


def test_the_flags_are_the_same_wherever_both_crms_hold_the_facts(judgement: Judgement) -> None:
    different = []
    for place, both in pairs(judgement):
        for rule in {rule for one in both.values() for rule in one.findings}:
            statuses = {crm: one.findings.get(rule) for crm, one in both.items()}
            silent = {
                crm
                for crm, status in statuses.items()
                if status == "could_not_check" or (crm, rule) in judgement.not_synced
            }
            excused = any((crm, rule) in LACKING for crm in silent)
            if len(set(statuses.values())) > 1 and not excused:
                different.append((place, rule, statuses))
    assert different == []


def test_most_rules_find_something_so_that_being_the_same_means_something(judgement: Judgement) -> None:
    flagged = {
        rule
        for _, both in pairs(judgement)
        for rule, status in both["hubspot"].findings.items()
        if status == "flagged"
    }
    assert len(flagged) >= 20, sorted(flagged)


def test_the_rules_that_a_crm_cannot_answer_at_all_are_told(judgement: Judgement) -> None:
    assert {rule for crm, rule in judgement.not_synced if crm == "hubspot"} == {"activity-without-progress"}


def test_scores_and_grades_are_the_same_up_to_what_a_crm_cannot_tell(judgement: Judgement) -> None:
    crm, name, part = LOWER
    lower = 0
    for place, both in pairs(judgement):
        one, other = both["salesforce"].scores, both["hubspot"].scores
        assert one.keys() == other.keys(), place
        for score, told in one.items():
            assert told.name == other[score].name, "the same opportunity"
            assert told.grade == other[score].grade, (place, score)
            assert told.not_known == other[score].not_known, (place, score)
            differing = {
                key for key in told.categories if told.categories[key] != other[score].categories[key]
            }
            assert differing <= ({part} if score == name else set()), (place, score)
            if differing:
                assert both[crm].scores[score].total <= other[score].total, (place, score)
                lower += 1
    assert lower <= SIZE // 20, "few"
