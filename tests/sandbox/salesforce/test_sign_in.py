"""Tokens, sessions, versions and the daily allowance."""

from datetime import timedelta
from typing import Any

import jwt
import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from pipelint.sandbox.salesforce import SalesforceSandbox
from tests.sandbox.client import NOW
from tests.sandbox.salesforce.conftest import Api

CLIENT = {"client_id": "sandbox-client", "client_secret": "sandbox-secret"}


def ask(sandbox: SalesforceSandbox, **form: str) -> tuple[int, Any]:
    answer = requests.post(f"{sandbox.base_url}/services/oauth2/token", data=form, timeout=5)
    return answer.status_code, answer.json()


def test_client_credentials_give_a_token_and_say_where_to_use_it(sandbox):
    status, answer = ask(sandbox, grant_type="client_credentials", **CLIENT)
    assert status == 200
    assert answer["instance_url"] == sandbox.base_url
    assert answer["token_type"] == "Bearer"
    assert answer["issued_at"] == str(int(NOW.timestamp() * 1000))
    assert answer["id"].endswith(sandbox.org.user("integration@sandbox.example"))
    api = Api(sandbox.base_url, answer["access_token"])
    api.query("SELECT Id FROM User")
    assert api.status == 200


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "client_credentials", **CLIENT, "client_secret": "wrong"}, "invalid_client"),
        ({"grant_type": "client_credentials", **CLIENT, "client_id": "unknown"}, "invalid_client_id"),
        ({"grant_type": "password", **CLIENT, "username": "a", "password": "b"}, "unsupported_grant_type"),
        ({"grant_type": "refresh_token", **CLIENT, "refresh_token": "old"}, "invalid_grant"),
        (
            {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": "x.y.z"},
            "invalid_grant",
        ),
        ({}, "unsupported_grant_type"),
    ],
)
def test_a_wrong_request_for_a_token_is_answered_with_an_object(sandbox, form, error):
    status, answer = ask(sandbox, **form)
    assert (status, answer["error"]) == (400, error)
    assert answer["error_description"]


def test_a_refresh_token_gives_a_new_access_token(sandbox):
    status, answer = ask(sandbox, grant_type="refresh_token", refresh_token="sandbox-refresh-token", **CLIENT)
    assert (status, bool(answer["access_token"])) == (200, True)


@pytest.fixture(scope="module")
def private_key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def trusting(private_key):
    """A sandbox whose app knows the public half of the key."""
    pem = private_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    with SalesforceSandbox(size=0, now=NOW, certificate=pem.decode()) as running:
        yield running


CLAIMS = {
    "iss": "sandbox-client",
    "sub": "integration@sandbox.example",
    "aud": "https://login.salesforce.com",
    "exp": int(NOW.timestamp()) + 180,
}


def assert_as(sandbox: SalesforceSandbox, assertion: str) -> Any:
    return ask(sandbox, grant_type="urn:ietf:params:oauth:grant-type:jwt-bearer", assertion=assertion)[1]


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({}, (None, None)),
        ({"aud": "https://test.salesforce.com"}, (None, None)),
        ({"sub": "stranger@sandbox.example"}, ("invalid_grant", "user hasn't approved this consumer")),
        ({"aud": "https://acme.my.salesforce.com"}, ("invalid_grant", "audience is invalid")),
        ({"iss": "unknown"}, ("invalid_client_id", "client identifier invalid")),
        ({"exp": int(NOW.timestamp()) - 1}, ("invalid_grant", "expired authorization code")),
        ({"exp": int(NOW.timestamp()) + 3600}, ("invalid_grant", "expired authorization code")),
        ({"exp": None}, ("invalid_grant", "invalid assertion")),
    ],
)
def test_a_signed_assertion_speaks_for_a_user(trusting, private_key, changed, error):
    answer = assert_as(trusting, jwt.encode(CLAIMS | changed, private_key, "RS256"))
    assert (answer.get("error"), answer.get("error_description")) == error


def test_an_assertion_of_another_key_is_refused(trusting, private_key):
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    for assertion in (
        jwt.encode(CLAIMS, other, "RS256"),
        jwt.encode(CLAIMS, "a secret that both know, and long enough for its purpose", "HS256"),
        jwt.encode(CLAIMS, "", "none"),
        jwt.encode(CLAIMS, private_key, "RS256")[:-4],
    ):
        assert assert_as(trusting, assertion)["error_description"] == "invalid assertion"


def test_an_app_without_a_certificate_takes_no_assertion(sandbox, private_key):
    assert assert_as(sandbox, jwt.encode(CLAIMS, private_key, "RS256"))["error"] == "invalid_grant"


def test_a_certificate_carries_the_key(private_key):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sandbox")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name)
    builder = builder.public_key(private_key.public_key()).serial_number(1)
    builder = builder.not_valid_before(NOW).not_valid_after(NOW + timedelta(days=1))
    pem = builder.sign(private_key, SHA256()).public_bytes(Encoding.PEM).decode()
    with SalesforceSandbox(size=0, now=NOW, certificate=pem) as sandbox:
        assert assert_as(sandbox, jwt.encode(CLAIMS, private_key, "RS256"))["access_token"]


def test_an_inactive_user_gets_no_token(sandbox):
    sandbox.org.update("User", sandbox.org.user("integration@sandbox.example"), {"IsActive": False})
    assert ask(sandbox, grant_type="client_credentials", **CLIENT)[1]["error"] == "inactive_user"


def test_a_session_ends_after_idle_time_not_before(sandbox, api):
    sandbox.clock.advance(timedelta(seconds=7199))
    api.get("/limits")
    assert api.status == 200
    sandbox.clock.advance(timedelta(seconds=7200))
    assert api.get("/limits") == [
        {"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}
    ]
    assert api.status == 401


def test_all_sessions_can_be_ended_at_once(sandbox, api):
    requests.post(f"{sandbox.base_url}/_sandbox/expire-sessions", json={}, timeout=5)
    api.get("/limits")
    assert api.status == 401
    assert Api(sandbox.base_url, sandbox.token()).token != api.token


def test_jobs_of_one_user_share_a_session(sandbox):
    assert sandbox.token() == sandbox.token()
    assert sandbox.token() != sandbox.token("manager@sandbox.example")


def test_versions_are_listed_without_signing_in(sandbox):
    versions = Api(sandbox.base_url, "").get("/services/data")
    assert versions[0]["version"] == "31.0"
    assert versions[-1] == {"label": "Winter '27", "url": "/services/data/v68.0", "version": "68.0"}


@pytest.mark.parametrize(("version", "status"), [("30.0", 410), ("31.0", 200), ("68.0", 200), ("69.0", 404)])
def test_only_living_versions_answer(api, version, status):
    api.get(f"/services/data/v{version}/limits")
    assert api.status == status


def test_every_answer_tells_what_is_left_of_the_day_and_the_time(sandbox, api):
    api.get("/limits")
    assert api.headers["Sforce-Limit-Info"] == "api-usage=1/15000"
    assert api.headers["Date"] == "Mon, 23 Nov 2026 09:00:00 GMT"
    api.query("SELECT Nothing FROM Opportunity")
    assert api.headers["Sforce-Limit-Info"] == "api-usage=2/15000"


def test_the_daily_allowance_ends_and_comes_back_a_day_later():
    with SalesforceSandbox(size=0, now=NOW, daily_limit=2, session_seconds=10**6) as sandbox:
        api = Api(sandbox.base_url, sandbox.token())
        api.get("/limits")
        assert api.get("/limits")["DailyApiRequests"] == {"Max": 2, "Remaining": 0}
        assert api.get("/limits")[0]["errorCode"] == "REQUEST_LIMIT_EXCEEDED"
        assert api.status == 403
        sandbox.clock.advance(timedelta(days=1))
        api.get("/limits")
        assert api.status == 200


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "NOT_FOUND"),
        ("GET", "/sobjects/Nothing/describe", 404, "NOT_FOUND"),
        ("PUT", "/sobjects/Account", 405, "METHOD_NOT_ALLOWED"),
    ],
)
def test_a_path_that_is_not_served_is_refused(api, method, path, status, code):
    assert api.call(method, path)[0]["errorCode"] == code
    assert api.status == status
