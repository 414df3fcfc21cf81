"""The CRM's words become ours: fields of leads, roles, types of activities, forecast categories."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from pipelint.engine.cache.sqlite import Cache
from pipelint.records import Account, Activity, ActivityLink, ContactRole, Lead, Opportunity, Stream

from .judged import AS_OF, judged, outcomes, read, sound, stored

OPPORTUNITIES = Stream.OPPORTUNITIES


@pytest.fixture
def cache() -> Iterator[Cache]:
    with Cache.open(":memory:") as opened:
        yield opened


# Fields of leads

LEADS = """\
fields:
  visits: {for: lead, label: Visits, type: number, from: {files: Total Visits}}
  channel:
    for: lead
    type: choice
    values: {search: {from: {files: [Organic Search, Google]}}, referral: {from: {sales: Referral Sites}}, direct: }
    from: {files: Lead Origin, sales: Lead Source}
  visited: {for: lead, type: yes_no, from: {salesforce: Visited__c}, unmapped: blank}
  tier: {type: text, from: {files: Tier}}
rules:
  busy: {for: lead, flag_when: {visits: {at_least: 3.5}}, severity: info, message: "{visits} visits by {channel}"}
  found: {for: lead, flag_when: {channel: search}, severity: info, message: Found.}
  unvisited: {for: lead, flag_when: {visited: blank}, severity: info, message: No.}
"""
VALUES = [
    # visits and channel as the CRM says them, the message of busy, whether it was found, whether it is unknown
    (Decimal("3.5"), "Organic Search", "3.5 visits by search", True, False),
    (Decimal(4), " google ", "4 visits by search", True, False),
    (Decimal(4), "direct", "4 visits by direct", False, False),
    (Decimal(4), "Referral Sites", "4 visits by referral", False, False),
    (Decimal(4), "Trade fair", "4 visits by (blank)", False, True),
    (Decimal(3), None, None, False, False),
]


@pytest.mark.parametrize(("visits", "channel", "busy", "found", "unknown"), VALUES)
def test_fields_of_a_lead(
    tmp_path: Path, cache: Cache, visits: Decimal, channel: str, busy: str | None, found: bool, unknown: bool
) -> None:
    pack = sound(tmp_path, LEADS)
    lead = Lead("l", AS_OF, custom={"Total Visits": visits, "Lead Source": channel, "Lead Origin": "Google"})
    said = stored(
        cache, {Stream.LEADS: [lead]}, {Stream.LEADS: ("Total Visits", "Lead Source", "Lead Origin")}
    )
    rules = judged(cache, pack, said, "lead")["l"]
    assert (rules["busy"].message if "busy" in rules and rules["busy"].status == "flagged" else None) == busy
    assert ("found" in rules and rules["found"].status == "flagged") is found
    assert ("found" in rules and rules["found"].status == "could_not_check") is (unknown or channel is None)
    assert (
        rules["unvisited"].status == "flagged"
    )  # this connection has no such field, and that counts as blank


def test_a_field_of_leads_is_none_of_opportunities(tmp_path: Path) -> None:
    rule = "  wrong: {flag_when: {visits: blank}, severity: info, message: None.}\n"
    _, problems = read(tmp_path, LEADS + rule)
    assert problems == ["rules/pack.yaml:15:23: 'visits' is not known in a condition on opportunity"]
    rule = "  wrong: {for: lead, flag_when: {tier: blank}, severity: info, message: None.}\n"
    assert read(tmp_path, LEADS + rule)[1] == [
        "rules/pack.yaml:15:34: 'tier' is not known in a condition on lead"
    ]


ELSEWHERE = """\
fields:
  next_step: {from: {pipedrive: fa7b0d2c4191ce3f44b0c7ce2e7d34a9a0b52c11}}
  account.industry: {from: {pipedrive: Branch}}
rules: {shown: {flag_when: {stage_kind: open}, severity: info, message: "{next_step}, {account.industry}"}}
"""


def test_a_field_that_is_mapped_for_another_crm_stays_what_it_is_here(tmp_path: Path, cache: Cache) -> None:
    deal = Opportunity("a", AS_OF, stage="early", next_step="Call them", account="acme")
    said = stored(cache, {OPPORTUNITIES: [deal], Stream.ACCOUNTS: [Account("acme", AS_OF, industry="Steel")]})
    found = judged(cache, sound(tmp_path, ELSEWHERE), said)
    assert found["a"]["shown"].message == "Call them, Steel"


# Words: ours, the usual ones, and the pack's

ROLES = [
    ("economic_buyer", "economic_buyer"),
    ("Economic Buyer", "economic_buyer"),
    ("BUDGET_HOLDER", "economic_buyer"),
    ("Executive Sponsor", "decision_maker"),
    ("Evaluator", "influencer"),
    ("Budget Owner", "economic_buyer"),  # of the pack
    (" budget owner ", "economic_buyer"),
    ("Sponsor", "champion"),  # of the pack, for this connection alone
    ("Godfather", None),  # of the pack, for this CRM on other connections
    ("Accountant", None),
    (None, None),
]
ROLE_PACK = """\
roles:
  economic_buyer: {from: {files: Budget Owner}}
  champion: {from: {files: Godfather, sales: [Sponsor, Patron]}}
facts: {role: {first: contact_roles.role}}
rules: {shown: {flag_when: {stage_kind: open}, severity: info, message: "{role}"}}
"""


@pytest.mark.parametrize(("word", "ours"), ROLES)
def test_roles(tmp_path: Path, cache: Cache, word: str | None, ours: str | None) -> None:
    deal = Opportunity("a", AS_OF, stage="early")
    said = stored(
        cache, {OPPORTUNITIES: [deal], Stream.CONTACT_ROLES: [ContactRole("r", AS_OF, "a", "c", word)]}
    )
    found = judged(cache, sound(tmp_path, ROLE_PACK), said)
    assert found["a"]["shown"].message == (ours or "(blank)")


TYPES = [("call", "call"), ("Meeting", "meeting"), ("demo", "meeting"), ("LUNCH", "meeting"), ("Fax", None)]


@pytest.mark.parametrize(("word", "ours"), TYPES)
def test_types_of_activities(tmp_path: Path, cache: Cache, word: str, ours: str | None) -> None:
    pack = sound(
        tmp_path,
        """\
activity_types: {meeting: {from: {files: [lunch, demo]}}}
facts:
  kind: {last: activities.type}
  meetings: {count: activities, where: {type: meeting}}
rules: {shown: {flag_when: {stage_kind: open}, severity: info, message: "{kind}, {meetings}"}}
""",
    )
    said = stored(
        cache,
        {
            OPPORTUNITIES: [Opportunity("a", AS_OF, stage="early")],
            Stream.ACTIVITIES: [Activity("t", AS_OF, type=word, happened_at=AS_OF)],
            Stream.ACTIVITY_LINKS: [ActivityLink("opportunity", "a", "t")],
        },
    )
    message = judged(cache, pack, said)["a"]["shown"].message
    assert message == f"{ours or '(blank)'}, {int(ours == 'meeting')}"


CATEGORIES = [
    ("Commit", "commit"),
    ("Forecast", "commit"),
    ("BestCase", "best_case"),
    ("Best Case", "best_case"),
    ("Pipeline", "upside"),
    ("Most Likely", "most_likely"),
    ("Omitted", "omitted"),
    ("Closed", "closed"),
    ("In the bag", "commit"),  # of the pack
    ("Hope", None),
]


@pytest.mark.parametrize(("word", "ours"), CATEGORIES)
def test_forecast_categories(tmp_path: Path, cache: Cache, word: str, ours: str | None) -> None:
    pack = sound(
        tmp_path,
        """\
forecast_categories: {commit: {from: {files: In the bag}}}
rules:
  shown: {flag_when: {forecast_category: present}, severity: info, message: "{forecast_category}"}
  sure: {flag_when: {forecast_category: {at_or_after: commit}}, severity: info, message: Sure.}
""",
    )
    said = stored(cache, {OPPORTUNITIES: [Opportunity("a", AS_OF, stage="early", forecast_category=word)]})
    found = judged(cache, pack, said)["a"]
    if ours is None:
        assert found["unknown-value"].items == ("forecast_category",)
        assert {found["shown"].status, found["sure"].status} == {"could_not_check"}
        return
    assert found["shown"].message == ours
    assert ("sure" in found) is (ours in {"commit", "closed"})
    assert "unknown-value" not in found


MISTAKES = [
    ("roles: {champoin: {from: {files: Sponsor}}}", "rules/pack.yaml:2:9: 'champoin' is not one of our roles"),
    ("roles: {champion: {frm: {files: Sponsor}}}", "rules/pack.yaml:2:20: 'frm' is not known in roles"),
    ("activity_types: {lunch: {from: {files: Lunch}}}",
     "rules/pack.yaml:2:18: 'lunch' is not one of our activity types"),
    ("forecast_categories: {commit: {from: {sale: Sure}}}",
     "rules/pack.yaml:2:39: 'sale' is neither a CRM nor a connection of this project"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), MISTAKES)
def test_a_mistake_in_a_list_of_words_is_one_message(tmp_path: Path, text: str, message: str) -> None:
    assert read(tmp_path, text)[1] == [message]


def test_the_words_of_one_connection_do_not_reach_another(tmp_path: Path, cache: Cache) -> None:
    pack = sound(tmp_path, "forecast_categories: {commit: {from: {salesforce: In the bag}}}\n")
    said = stored(
        cache, {OPPORTUNITIES: [Opportunity("a", AS_OF, stage="early", forecast_category="In the bag")]}
    )
    assert outcomes(cache, pack, said, "unknown-value") == {"a": "flagged"}
