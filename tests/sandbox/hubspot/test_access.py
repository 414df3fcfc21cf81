"""Tokens, scopes and limits, by the sandbox's clock."""

from datetime import UTC, datetime, timedelta

import pytest
import requests

from pipelint.sandbox.hubspot import HubSpotSandbox
from tests.sandbox.hubspot.conftest import Api

DEALS = "/crm/v3/objects/deals"
FORM = {
    "grant_type": "refresh_token",
    "client_id": "sandbox-client",
    "client_secret": "sandbox-secret",
    "refresh_token": "sandbox-refresh-token",
}


def sign_in(sandbox: HubSpotSandbox, path: str = "/oauth/2026-03/token", **changes: str) -> requests.Response:
    return requests.post(sandbox.base_url + path, data={**FORM, **changes}, timeout=5)


def test_an_oauth_token_ends_after_half_an_hour_and_a_service_key_never(sandbox, api):
    answer = sign_in(sandbox).json()
    assert (answer["token_type"], answer["expires_in"]) == ("bearer", 1800)
    user = Api(sandbox.base_url, answer["access_token"])
    user.get(DEALS)
    assert user.status == 200
    assert (
        "sales-email-read"
        in sign_in(sandbox, "/oauth/2026-03/token/introspect", token=user.token).json()["scopes"]
    )
    sandbox.clock.advance(timedelta(minutes=30))
    assert user.get(DEALS)["category"] == "EXPIRED_AUTHENTICATION"
    assert user.status == 401
    api.get(DEALS)
    assert api.status == 200


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"refresh_token": "x"}, "BAD_REFRESH_TOKEN"),
        ({"client_id": "x"}, "BAD_CLIENT_ID"),
        ({"client_secret": "x"}, "BAD_CLIENT_SECRET"),
        ({"grant_type": "password"}, "BAD_GRANT_TYPE"),
    ],
)
def test_the_token_endpoint_says_what_it_does_not_take(sandbox, changes, status):
    answer = sign_in(sandbox, **changes)
    assert (answer.status_code, answer.json()["status"]) == (400, status)


def test_the_first_version_of_the_token_endpoint_ends(sandbox):
    assert sign_in(sandbox, "/oauth/v1/token").status_code == 200
    sandbox.clock.set(datetime(2027, 2, 16, tzinfo=UTC))
    assert sign_in(sandbox, "/oauth/v1/token").status_code == 404
    assert sign_in(sandbox).status_code == 200


def test_an_unknown_token_is_refused(sandbox):
    stranger = Api(sandbox.base_url, "pat-eu1-other")
    assert stranger.get(DEALS)["category"] == "INVALID_AUTHENTICATION"
    assert stranger.status == 401


@pytest.mark.parametrize(
    ("method", "path", "missing"),
    [
        ("GET", "/crm/v3/objects/contacts", ["crm.objects.contacts.read"]),
        ("GET", "/crm/v3/objects/tasks", ["crm.objects.contacts.read"]),
        ("GET", "/crm/v3/owners", ["crm.objects.owners.read"]),
        ("GET", "/crm/v3/objects/deals?associations=companies", ["crm.objects.companies.read"]),
        ("PATCH", "/crm/v3/objects/deals/1", ["crm.objects.deals.write"]),
        ("POST", "/crm/v3/properties/deals", ["crm.schemas.deals.write"]),
    ],
)
def test_a_missing_scope_is_named(sandbox, method, path, missing):
    reader = Api(sandbox.base_url, sandbox.token("crm.objects.deals.read"))
    answer = reader.call(method, path, json={})
    assert (reader.status, answer["category"]) == (403, "MISSING_SCOPES")
    assert answer["errors"][0]["context"]["requiredGranularScopes"] == missing


def test_e_mails_need_a_scope_of_their_own(sandbox):
    reader = Api(sandbox.base_url, sandbox.token("crm.objects.contacts.read"))
    answer = reader.get("/crm/v3/objects/emails")
    assert answer["errors"][0]["context"]["requiredGranularScopes"] == ["sales-email-read"]


def test_an_account_may_have_no_leads(sandbox, api):
    sandbox.portal.leads = False
    answer = api.get("/crm/v3/objects/leads")
    assert api.status == 403
    assert "category" not in answer


def test_ten_seconds_roll(sandbox, api):
    sandbox.limits.allowance.per_ten_seconds = 2
    statuses = []
    for seconds in (0, 6, 0, 4, 0):
        sandbox.clock.advance(timedelta(seconds=seconds))
        api.get(DEALS)
        statuses.append((api.status, api.headers.get("X-HubSpot-RateLimit-Remaining")))
    assert statuses == [(200, "1"), (200, "0"), (429, None), (200, "0"), (429, None)]
    refusal = api.get(DEALS)
    assert refusal["policyName"] == "TEN_SECONDLY_ROLLING"
    assert refusal["errorType"] == "RATE_LIMIT"
    assert "Retry-After" not in api.headers


def test_searches_have_a_limit_of_their_own_and_tell_nothing_of_the_other(sandbox, api):
    sandbox.limits.allowance.searches_per_second = 5
    sandbox.limits.allowance.per_ten_seconds = 1
    for _ in range(5):
        api.search()
    assert api.status == 200
    assert "X-HubSpot-RateLimit-Remaining" not in api.headers
    assert "X-HubSpot-RateLimit-Daily-Remaining" in api.headers
    refusal = api.search()
    assert (api.status, refusal["category"]) == (429, "RATE_LIMITS")
    assert "policyName" not in refusal
    sandbox.clock.advance(timedelta(seconds=1))
    api.search()
    assert api.status == 200


def test_a_day_ends_at_midnight_in_the_accounts_time_zone(sandbox, api):
    sandbox.limits.allowance.per_day = 2
    api.get(DEALS)
    usage = api.get("/account-info/v3/api-usage/daily/private-apps")["results"][0]
    assert (usage["currentUsage"], usage["usageLimit"]) == (2, 2)
    assert usage["resetsAt"] == "2026-11-23T23:00:00Z"
    assert api.get(DEALS)["policyName"] == "DAILY"
    sandbox.clock.set(datetime(2026, 11, 23, 23, 0, tzinfo=UTC))
    api.get(DEALS)
    assert api.status == 200


def test_the_account_tells_its_time_zone_and_currency(api):
    told = api.get("/account-info/2026-09/details")
    assert (told["timeZone"], told["companyCurrency"], told["utcOffset"]) == ("Europe/Paris", "EUR", "+01:00")
