"""The error table: each answer that Salesforce may give, and what the caller does next."""

from __future__ import annotations

import json

import pytest

from pipelint import errors
from pipelint.connectors.answers import brief
from pipelint.connectors.salesforce.refusal import QueryTimedOut, RequestInvalid, meaning, translated
from pipelint.errors import (
    Busy,
    Fix,
    PermissionMissing,
    PipelintError,
    QuotaExhausted,
    RecordGone,
    RecordRefused,
    SessionExpired,
    SignInRefused,
    UnexpectedAnswer,
)

TOTAL = "TotalRequests Limit exceeded."
CONCURRENT = "ConcurrentPerOrgLongTxn Limit exceeded."

CASES: list[tuple[int, str, str, type[PipelintError]]] = [
    (401, "INVALID_SESSION_ID", "Session expired or invalid", SessionExpired),
    (401, "INVALID_AUTH_HEADER", "", SessionExpired),
    (403, "REQUEST_LIMIT_EXCEEDED", TOTAL, QuotaExhausted),
    (403, "REQUEST_LIMIT_EXCEEDED", CONCURRENT, Busy),
    (503, "SERVER_UNAVAILABLE", "", Busy),
    (500, "UNKNOWN_EXCEPTION", "", Busy),
    (502, "", "", Busy),
    (504, "", "", Busy),
    (400, "QUERY_TIMEOUT", "", QueryTimedOut),
    (400, "REQUEST_RUNNING_TOO_LONG", "", Busy),
    (400, "UNABLE_TO_LOCK_ROW", "", Busy),
    (403, "API_CURRENTLY_DISABLED", "", Busy),
    (403, "API_DISABLED_FOR_ORG", "", PermissionMissing),
    (403, "FUNCTIONALITY_NOT_ENABLED", "", PermissionMissing),
    (403, "INSUFFICIENT_ACCESS", "", PermissionMissing),
    (403, "SOMETHING_ELSE", "", PermissionMissing),
    (410, "GONE", "retired", Fix),
    (400, "UNSUPPORTED_API_VERSION", "", Fix),
    (400, "INVALID_FIELD", "No such column 'X__c'", RequestInvalid),
    (400, "INVALID_TYPE", "", RequestInvalid),
    (400, "MALFORMED_QUERY", "", RequestInvalid),
    (400, "JSON_PARSER_ERROR", "", RequestInvalid),
    (400, "INVALID_QUERY_LOCATOR", "", UnexpectedAnswer),
    (404, "NOT_FOUND", "", PermissionMissing),
    (404, "", "", PermissionMissing),
    (400, "ENTITY_IS_DELETED", "", RecordGone),
    (400, "INVALID_CROSS_REFERENCE_KEY", "", RecordGone),
    (400, "MALFORMED_ID", "", RecordGone),
    (400, "FIELD_CUSTOM_VALIDATION_EXCEPTION", "", RecordRefused),
    (400, "REQUIRED_FIELD_MISSING", "", RecordRefused),
    (400, "INVALID_FIELD_FOR_INSERT_UPDATE", "", RecordRefused),
    (403, "INSUFFICIENT_ACCESS_OR_READONLY", "", RecordRefused),
    (400, "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", "", RecordRefused),
    (400, "FIELD_INTEGRITY_EXCEPTION", "", RecordRefused),
    (400, "STRING_TOO_LONG", "", RecordRefused),
    (400, "NUMBER_OUTSIDE_VALID_RANGE", "", RecordRefused),
    (400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "", RecordRefused),
    (400, "INACTIVE_OWNER_OR_USER", "", RecordRefused),
    (400, "ENTITY_IS_LOCKED", "", RecordRefused),
    (400, "CANNOT_UPDATE_CONVERTED_LEAD", "", RecordRefused),
    (400, "DUPLICATE_VALUE", "", RecordRefused),
    (400, "DUPLICATES_DETECTED", "", RecordRefused),
    (400, "CANNOT_EXECUTE_FLOW_TRIGGER", "", RecordRefused),
    (400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "", RecordRefused),
    (400, "SOMETHING_NEW", "", UnexpectedAnswer),
    (414, "", "", UnexpectedAnswer),
]


@pytest.mark.parametrize(("status", "code", "message", "expected"), CASES)
def test_a_refusal_means(status: int, code: str, message: str, expected: type[PipelintError]) -> None:
    body = json.dumps([{"errorCode": code, "message": message}]).encode()
    error = translated("query Opportunity", status, "application/json;charset=UTF-8", body, {})
    assert type(error) is expected
    assert "query Opportunity" in error.message
    assert code in error.message


@pytest.mark.parametrize(
    ("code", "description"),
    [
        ("invalid_grant", "authentication failure"),
        ("invalid_client_id", "client identifier invalid"),
        ("invalid_client", "invalid client credentials"),
        ("inactive_user", "user is inactive"),
        ("unsupported_grant_type", "grant type not supported"),
    ],
)
def test_the_token_endpoint_refuses_in_a_form_of_its_own(code: str, description: str) -> None:
    body = json.dumps({"error": code, "error_description": description}).encode()
    error = translated("sign-in", 400, "application/json", body, {})
    assert type(error) is SignInRefused
    assert description in error.message
    assert error.hint


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"<html>token 00Dxx!secret</html>", "text/html"),
        (b"{broken 00Dxx!secret", "application/json"),
        (b'"00Dxx!secret"', "application/json"),
        (b"[]", "application/json"),
        (b"", ""),
    ],
)
def test_bodies_that_are_not_errors_are_not_quoted(body: bytes, content_type: str) -> None:
    error = translated("query", 503, content_type, body, {})
    assert type(error) is Busy
    assert error.message == "Salesforce refuses query (HTTP 503)"
    assert error.hint == "try again later: the next run goes on where this one stopped"


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("content_type", ["", "application/json"])
def test_retry_after_is_handed_on(status: int, content_type: str) -> None:
    error = translated("query", status, content_type, b"", {"Retry-After": "17"})
    assert isinstance(error, errors.Retry)
    assert error.after == 17


def test_what_is_said_of_a_record_goes_by_its_code_alone() -> None:
    assert meaning(None, "UNABLE_TO_LOCK_ROW", "").raises is Busy
    assert meaning(None, "ENTITY_IS_DELETED", "").raises is RecordGone
    assert meaning(None, "NOT_FOUND", "").raises is RecordGone


def test_long_messages_are_shortened() -> None:
    assert brief("a\n  b") == "a b"
    assert len(brief("x" * 500)) == 300
