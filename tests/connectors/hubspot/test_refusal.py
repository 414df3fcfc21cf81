"""What HubSpot's refusals mean: the table of the fact sheet (hubspot §12), body by body."""

import json

import pytest

from pipelint.connectors.http import AnswerLost
from pipelint.connectors.hubspot.refusal import RecordLocked, RequestInvalid, translated
from pipelint.errors import (
    Busy,
    ExitCode,
    Fix,
    PermissionMissing,
    PipelintError,
    QuotaExhausted,
    SessionExpired,
    SignInRefused,
    UnexpectedAnswer,
)

JSON = {"Content-Type": "application/json;charset=utf-8"}
HTML = {"content-type": "text/html"}


def error(status: int, body: object, headers: dict[str, str] | None = None) -> PipelintError:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return translated("the deals", status, text, headers or JSON)


CASES = [
    (401, {"category": "INVALID_AUTHENTICATION", "message": "bad"}, SessionExpired),
    (401, {"category": "EXPIRED_AUTHENTICATION", "message": "old"}, SessionExpired),
    (400, {"status": "BAD_REFRESH_TOKEN", "message": "missing or invalid refresh token"}, SignInRefused),
    (401, {"error": "invalid_grant", "error_description": "revoked"}, SessionExpired),
    (403, {"category": "MISSING_SCOPES", "message": "no"}, PermissionMissing),
    (403, {"message": "This hapikey doesn't have proper permissions!"}, PermissionMissing),
    (404, {"category": "OBJECT_NOT_FOUND", "message": "resource not found"}, RequestInvalid),
    (409, {"category": "CONFLICT", "message": "exists"}, RequestInvalid),
    (410, {}, Fix),
    (423, {"message": "locked"}, RecordLocked),
    (429, {"errorType": "RATE_LIMIT", "policyName": "TEN_SECONDLY_ROLLING"}, Busy),
    (429, {"category": "RATE_LIMITS", "message": "You have reached your secondly limit."}, Busy),
    (429, {"errorType": "RATE_LIMIT", "policyName": "DAILY"}, QuotaExhausted),
    (477, {"message": "migration"}, Busy),
    *((status, {}, Busy) for status in (500, 502, 503, 504, *range(520, 530))),
    (418, {}, UnexpectedAnswer),
]


@pytest.mark.parametrize(("status", "body", "kind"), CASES, ids=[f"{c[0]}-{c[2].__name__}" for c in CASES])
def test_a_refusal_says_what_the_caller_does_next(
    status: int, body: object, kind: type[PipelintError]
) -> None:
    assert type(error(status, body)) is kind


WAITS = [
    (429, {"policyName": "TEN_SECONDLY_ROLLING"}, {}, 10.0),
    (429, {"message": "You have reached your secondly limit."}, {}, 1.0),
    (429, {"policyName": "TEN_SECONDLY_ROLLING"}, {"retry-after": "3"}, 3.0),
    (429, {"message": "Slow down."}, {}, None),
    (423, {"message": "locked"}, {}, 2.0),
    (423, {"message": "locked"}, {"Retry-After": "5"}, 5.0),
    (477, {"message": "migration"}, {"Retry-After": "7200"}, 7200.0),
    (503, {}, {"Retry-After": "Sun, 22 Nov 2026 09:00:00 GMT"}, None),
]


@pytest.mark.parametrize(("status", "body", "headers", "seconds"), WAITS)
def test_the_policy_says_how_long_to_wait_where_no_header_does(
    status: int, body: object, headers: dict[str, str], seconds: float | None
) -> None:
    found = error(status, body, {**JSON, **headers})
    assert isinstance(found, Busy)
    assert found.after == seconds


def test_trouble_that_lasts_says_that_the_next_run_goes_on() -> None:
    assert error(503, {}).hint == "try again later: the next run goes on where this one stopped"
    assert error(477, {}).hint == "HubSpot is moving the account to another data centre: wait"


def test_a_wait_of_hours_is_told() -> None:
    found = error(477, {"message": "This account is being moved."}, {**JSON, "Retry-After": "7200"})
    assert "asks to come back in 120 min" in found.message


def test_missing_scopes_are_named() -> None:
    context = {"requiredGranularScopes": ["crm.objects.deals.write", "crm.schemas.deals.write"]}
    found = error(403, {"category": "MISSING_SCOPES", "errors": [{"message": "x", "context": context}]})
    assert "crm.objects.deals.write, crm.schemas.deals.write" in found.hint


def test_the_reason_of_one_value_is_quoted_rather_than_the_json_of_all() -> None:
    part = {"message": "maybe was not one of the allowed options", "code": "INVALID_OPTION"}
    part_context = {**part, "context": {"propertyName": ["pipelint_severity"]}}
    found = error(
        400,
        {
            "category": "VALIDATION_ERROR",
            "message": 'Property values: [{"isValid":false}]',
            "errors": [part_context],
        },
    )
    assert isinstance(found, RequestInvalid)
    assert "maybe was not one of the allowed options" in found.message
    assert (found.code, found.fields) == ("INVALID_OPTION", ("pipelint_severity",))
    assert found.reason == "maybe was not one of the allowed options"


def test_a_page_that_is_not_json_is_never_quoted() -> None:
    found = error(414, b"<html>Request-URI Too Long secret</html>", HTML)
    assert "secret" not in found.message
    assert isinstance(found, RequestInvalid)


def test_a_page_of_something_else_tells_nothing_of_rights() -> None:
    found = error(403, b"<html>Attention required!</html>", HTML)
    assert not isinstance(found, PermissionMissing)
    assert "(HTTP 403)" in found.message
    assert "a proxy, a firewall" in found.hint


@pytest.mark.parametrize(
    ("body", "headers"), [({}, JSON), (b"<html>not found</html>", HTML)], ids=["json", "page"]
)
def test_a_path_that_is_not_there_is_no_success(body: object, headers: dict[str, str]) -> None:
    assert error(404, body, headers).exit_code is ExitCode.UNREACHABLE


def test_a_refusal_that_is_cut_may_be_asked_for_again() -> None:
    assert type(error(400, b'{"category": "VALID')) is AnswerLost


def test_a_429_without_a_body_is_waited_for_as_it_asks() -> None:
    found = error(429, b"", {**JSON, "Retry-After": "17"})
    assert isinstance(found, Busy)
    assert found.after == 17
