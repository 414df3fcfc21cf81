"""The same sales organisation in three CRMs is judged the same: flags, scores and grades of each opportunity."""

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
from pipelint.sandbox.pipedrive import PipedriveSandbox
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
  pipedrive:
    crm: pipedrive
    base_url: {pipedrive}
    auth: {{token: "${{file:api_token}}"}}
    daily_tokens: {tokens}
    role_field: Role
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
        from: {salesforce: Prospecting, hubspot: appointmentscheduled, pipedrive: 1}
        to_leave: {contacts: {at_least: 1}}
        max_age: 30 days
      qualification:
        from: {salesforce: Qualification, hubspot: [qualifiedtobuy, "186012401"], pipedrive: [2, 10]}
        required: [need, next_step, amount, close_date]
        to_leave: {last_two_way_touch: present}
        max_age: 30 days
      discovery:
        from:
          salesforce: [Needs Analysis, Value Proposition, Id. Decision Makers, Perception Analysis]
          hubspot: [presentationscheduled, decisionmakerboughtin, contractsent, "186012375", "186012402"]
          pipedrive: [3, 4, 5, 6, 11]
        to_leave:
          meetings_held: {at_least: 1}
          contacts: {at_least: 2}
          decision_makers_count: {at_least: 1}
        max_age: 45 days
      proposal:
        from: {salesforce: Proposal/Price Quote, hubspot: ["186012376", "186012403"], pipedrive: [7, 12]}
        required: [decision_makers, budget, deadline, risk]
        to_leave: {next_planned_at: present}
        max_age: 30 days
      negotiation:
        from: {salesforce: Negotiation/Review, hubspot: ["186012377", "186012404"], pipedrive: [8, 13]}
        to_enter: {last_two_way_touch: {within_last: 30 days}}
        max_age: 30 days
      won:
        from: {salesforce: Closed Won, hubspot: [closedwon, "186012405"], pipedrive: won}
        required: [amount, close_date]
      lost:
        from: {salesforce: Closed Lost, hubspot: [closedlost, "186012406"], pipedrive: lost}
        required: [lost_reason]
fields:
  need: {from: {salesforce: Need__c, hubspot: need, pipedrive: Need}}
  decision_makers: {from: {salesforce: Decision_Makers__c, hubspot: decision_makers, pipedrive: Decision makers}}
  budget: {from: {salesforce: Budget__c, hubspot: budget, pipedrive: Budget}}
  deadline: {from: {salesforce: Deadline__c, hubspot: deadline, pipedrive: Customer deadline}}
  risk: {from: {salesforce: Risk__c, hubspot: risk, pipedrive: Main risk}}
  lost_reason: {from: {salesforce: Loss_Reason__c, hubspot: closed_lost_reason, pipedrive: lost_reason}}
  next_step_date: {from: {salesforce: Next_Step_Date__c, hubspot: next_step_date, pipedrive: Next step date}}
  source: {from: {salesforce: LeadSource, hubspot: lead_source, pipedrive: Lead source}}
  next_step: {from: {salesforce: NextStep, hubspot: hs_next_step, pipedrive: Next step}}
  forecast_category:
    from: {salesforce: ForecastCategory, hubspot: hs_manual_forecast_category, pipedrive: Forecast category}
forecast_categories:
  upside: {from: {pipedrive: "1"}}
  best_case: {from: {pipedrive: "2"}}
  commit: {from: {pipedrive: "3"}}
  omitted: {from: {pipedrive: "4"}}
"""


LATE = "stages and fields have a history from the first pull on: asking for it costs twenty tokens a deal"
UNTOLD = "of e-mails the last in each direction alone are told, so how many were sent is not known"
LACKING = {
    ("hubspot", "activity-without-progress"): "a link has no stamp, so when a contact was added is not known",
    ("salesforce", "next-step-stale"): "whether a field's history has been kept all along is not told",
    ("pipedrive", "activity-without-progress"): LATE,
    ("pipedrive", "stage-bounce"): LATE,
    ("pipedrive", "stage-moved-back"): LATE,
    ("pipedrive", "stage-skipped"): LATE,
    ("pipedrive", "amount-dropped"): LATE,
    ("pipedrive", "next-step-stale"): LATE,
    ("pipedrive", "pushed-repeatedly"): LATE,
    ("pipedrive", "slipped-period"): LATE,
    ("pipedrive", "buyer-silent"): UNTOLD,
}
"""What a CRM does not hold: there the rule could not be checked, or says nothing on that connection at all."""

NOT_SYNCED = {
    "salesforce": set[str](),
    "hubspot": {"activity-without-progress"},
    "pipedrive": set[str](),
}
"""The rules, or parts of them, that a connection cannot answer at all: told once."""

LOWER = ("salesforce", "deal-quality", "engagement")
"""Salesforce tells no direction of e-mails: those of the customer cannot add to this part of the score."""

NOT_TOLD = {"engagement": "two-way-engagement", "momentum": "push-penalty"}
"""The parts of deal-quality that Pipedrive cannot tell, and the line that is named as not known there."""


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
    """Load the same organisation into all, pull it, and check it with one pack."""
    with (
        SalesforceSandbox(size=size, now=NOW) as salesforce,
        HubSpotSandbox(size=size, now=NOW) as hubspot,
        PipedriveSandbox(size=size, now=NOW, plan="ultimate", seats=10) as pipedrive,
    ):
        (folder / "rules").mkdir()
        (folder / "rules" / "pack.yaml").write_text(PACK, encoding="utf-8")
        text = PROJECT.format(
            salesforce=salesforce.base_url,
            hubspot=hubspot.base_url,
            pipedrive=pipedrive.base_url,
            tokens=pipedrive.limits.budget,
        )
        (folder / "pipelint.yaml").write_text(text, encoding="utf-8")
        (folder / "client").write_text(salesforce.client_id, encoding="utf-8")
        (folder / "secret").write_text(salesforce.client_secret, encoding="utf-8")
        (folder / "token").write_text(hubspot.token(), encoding="utf-8")
        (folder / "api_token").write_text(pipedrive.token(), encoding="utf-8")
        project = open_project(folder, clock=lambda: NOW)
        pull_all(project)
        made = {
            "salesforce": [
                str(row["Id"]) for row in salesforce.org.query("SELECT Id FROM Opportunity ORDER BY Id")
            ],
            "hubspot": hubspot.portal.ids("deals"),
            "pipedrive": [
                str(row["id"]) for row in pipedrive.company.store.rows("SELECT id FROM deals ORDER BY id")
            ],
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
    return judged(tmp_path_factory.mktemp("all"), SIZE)


def pairs(judgement: Judgement) -> Iterator[tuple[int, Mapping[str, Judged]]]:
    """Each opportunity, by its place, as all CRMs have it."""
    crms = judgement.opportunities
    for place, each in enumerate(zip(*crms.values(), strict=True)):
        yield place, dict(zip(crms, each, strict=True))


def is_silent(judgement: Judgement, crm: str, rule: str, status: str | None) -> bool:
    """It could not be checked, or that it cannot be on this connection was told once, of all or part of it."""
    told = any(of == crm and name.partition("/")[0] == rule for of, name in judgement.not_synced)
    return status == "could_not_check" or (status is None and told)


def is_nothing_given(rule: str, all_: Mapping[str, Judged]) -> bool:
    """Pipedrive keeps 0 where nobody gave a value, so a 0 that was meant counts as missing; all flag both."""
    return rule == "stage-required" and all(
        one.findings.get("amount-missing") == "flagged" and one.findings.get(rule) in {None, "hidden"}
        for one in all_.values()
    )


def test_the_flags_are_the_same_wherever_the_crms_hold_the_facts(judgement: Judgement) -> None:
    different = []
    excused = set()
    for place, all_ in pairs(judgement):
        for rule in {rule for one in all_.values() for rule in one.findings}:
            statuses = {crm: one.findings.get(rule) for crm, one in all_.items()}
            if len(set(statuses.values())) == 1 or is_nothing_given(rule, all_):
                continue
            lacking = {
                (crm, rule)
                for crm, status in statuses.items()
                if (crm, rule) in LACKING and is_silent(judgement, crm, rule, status)
            }
            excused |= lacking
            if len({status for crm, status in statuses.items() if (crm, rule) not in lacking}) > 1:
                different.append((place, rule, statuses))
    assert different == []
    assert excused == LACKING.keys(), "nothing is excused without need"


def test_most_rules_find_something_so_that_being_the_same_means_something(judgement: Judgement) -> None:
    flagged = {
        rule
        for _, both in pairs(judgement)
        for rule, status in both["hubspot"].findings.items()
        if status == "flagged"
    }
    assert len(flagged) >= 20, sorted(flagged)


def test_the_rules_that_a_crm_cannot_answer_at_all_are_told(judgement: Judgement) -> None:
    told = {crm: {rule for of, rule in judgement.not_synced if of == crm} for crm in NOT_SYNCED}
    assert told == NOT_SYNCED


def test_scores_and_grades_are_the_same_up_to_what_salesforce_cannot_tell(judgement: Judgement) -> None:
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


def test_scores_of_pipedrive_are_the_same_and_name_the_parts_that_it_cannot_tell(
    judgement: Judgement,
) -> None:
    whole = 0
    for place, all_ in pairs(judgement):
        one, other = all_["pipedrive"].scores, all_["hubspot"].scores
        assert one.keys() == other.keys(), place
        for score, told in one.items():
            assert told.name == other[score].name, "the same opportunity"
            unknown = set(told.not_known) - set(other[score].not_known)
            assert set(other[score].not_known) <= set(told.not_known), (place, score)
            assert unknown <= set(NOT_TOLD.values()), (place, score)
            differing = {
                key for key in told.categories if told.categories[key] != other[score].categories[key]
            }
            assert {NOT_TOLD.get(key) for key in differing} <= set(told.not_known), (place, score)
            if not differing:
                assert (told.total, told.grade) == (other[score].total, other[score].grade), (place, score)
                whole += 1
    assert whole > 0
