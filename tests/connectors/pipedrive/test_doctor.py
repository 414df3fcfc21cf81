"""What `doctor` says of a company: what is missing, what writing does there, and how much is left."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipelint.connectors.base import OwnField, OwnFieldType
from pipelint.connectors.pipedrive import connector as connector_module
from pipelint.connectors.pipedrive import doctor
from pipelint.connectors.pipedrive.connector import PipedriveConnector
from pipelint.records import Stream
from pipelint.sandbox.pipedrive import PipedriveSandbox
from pipelint.sandbox.pipedrive.schema import STAGES

from . import test_contract

Connect = Callable[..., PipedriveConnector]
OWN = (
    *test_contract.TestPipedrive.own,
    OwnField("score", "lead", "Pipelint score", "Score", OwnFieldType.NUMBER, ""),
)
ALL = (*doctor.READING, *doctor.WRITING)


@pytest.fixture
def ready(sandbox: PipedriveSandbox, connector: PipedriveConnector) -> PipedriveConnector:
    """A connection whose company has our fields, and lets no deal rot."""
    for stage in sandbox.company.store.select(STAGES, "is_deal_rot_enabled"):
        sandbox.company.update("stages", stage["id"], {"is_deal_rot_enabled": False})
    for step in connector.plan_setup(OWN):
        connector.apply_setup(step)
    return connector


def lines(connector: PipedriveConnector, *levels: str) -> list[tuple[str, str]]:
    """What is said, and the cure, of these levels; of all but what is well unless some are named."""
    found = connector.diagnose(OWN)
    return [(it.what, it.cure) for it in found if it.level in (levels or ("warning", "problem"))]


def app(sandbox: PipedriveSandbox) -> dict[str, object]:
    """The settings of an app, whose credentials are in the environment."""
    return {
        "auth": {
            "client_id": "${env:PIPEDRIVE_CLIENT_ID}",
            "client_secret": "${env:PIPEDRIVE_CLIENT_SECRET}",
            "refresh_token": "${env:PIPEDRIVE_REFRESH_TOKEN}",
            "oauth_url": sandbox.base_url,
        }
    }


def test_nothing_is_wrong_with_a_company_that_is_set_up(ready: PipedriveConnector) -> None:
    assert lines(ready) == []
    [signed_in, *others] = [what for what, _ in lines(ready, "ok")]
    assert signed_in.endswith("as integration@sandbox.example")
    assert [what for what in others if "tokens used" not in what] == [
        "the user is a deals admin: it sees all deals and may create fields",
        "an API token: it lives until somebody makes a new one for the same user",
        "the clocks agree",
        "deals, organizations, persons, activities, leads can be read",
        "our fields are there, with all their options",
        "no stage lets deals rot, so a write hides nothing",
        "no deal field is required, so none could refuse a write",
    ]


def test_it_tells_which_fields_and_options_setup_would_create(
    sandbox: PipedriveSandbox, ready: PipedriveConnector
) -> None:
    fields = sandbox.company.fields
    fields.delete("deals", fields.by_name("deals", "Pipelint since")["field_code"])
    flags = fields.by_name("deals", "Pipelint flags")
    fields.delete_options("deals", flags["field_code"], [{"id": flags["options"][0]["id"]}])
    assert lines(ready) == [
        ("our field Pipelint since is not there", "run: pipelint setup --apply"),
        (
            "our field 'Pipelint flags': options: a-b are not there; such flags stay in the texts",
            "run: pipelint setup --apply",
        ),
    ]


def test_two_fields_of_one_name_are_a_problem(sandbox: PipedriveSandbox, ready: PipedriveConnector) -> None:
    sandbox.company.fields.create("deals", {"field_name": "Pipelint summary", "field_type": "varchar"})
    [(what, _)] = lines(ready, "problem")
    assert what.startswith("our field 'Pipelint summary': several fields bear this name (")


def test_it_says_where_deals_rot(
    sandbox: PipedriveSandbox, ready: PipedriveConnector, connect: Connect
) -> None:
    sandbox.company.update("stages", 2, {"is_deal_rot_enabled": True, "days_to_rotten": 10})
    sandbox.company.update("stages", 12, {"is_deal_rot_enabled": True, "days_to_rotten": 1})
    [(what, cure)] = lines(ready)
    where = "deals rot in New business: Qualification (10 days); Renewal: Proposal/Price Quote (1 day)"
    assert what == f"{where}. Each write of ours makes a deal look fresh"
    assert "protect_rotting" in cure
    protected = connect(sandbox, protect_rotting=True)
    assert lines(protected) == []
    assert f"{where}. Those about to are not written (protect_rotting)" in [
        it for it, _ in lines(protected, "ok")
    ]


def test_required_fields_bind_people_and_ours_would_bind_them_wrongly(
    sandbox: PipedriveSandbox, ready: PipedriveConnector
) -> None:
    fields = sandbox.company.fields
    for name in ("Budget", "Need"):
        code = fields.by_name("deals", name)["field_code"]
        fields.change("deals", code, {"required_fields": {"enabled": True, "stage_ids": [3]}})
    assert lines(ready) == []
    assert (
        "2 deal fields required in Pipedrive's pages ('Need', 'Budget'): that binds people there, and refuses no"
        " write through the API"
    ) in [what for what, _ in lines(ready, "ok")]
    code = fields.by_name("deals", "Pipelint severity")["field_code"]
    fields.change("deals", code, {"required_fields": {"enabled": True}})
    [(what, _)] = lines(ready, "problem")
    assert what.startswith("our field 'Pipelint severity' is required, so people cannot move deals")


def test_the_tokens_of_the_day_are_told(
    sandbox: PipedriveSandbox, connect: Connect, ready: PipedriveConnector
) -> None:
    used = ready.calls_left
    assert used
    [told] = [what for what, _ in lines(ready, "ok") if "API tokens used" in what]
    assert (
        "of 1,050,000 API tokens used in the last 24 hours; the company has 2,100,000 a day, 50% of" in told
    )
    tight = connect(sandbox, daily_tokens=10_000)
    tight._client.budget.spend(4500)
    [(what, cure)] = lines(tight)
    assert what.endswith("none of the rest are for writing")
    assert "when tokens come free" in cure


def test_a_regular_user_may_not_see_all_deals(
    sandbox: PipedriveSandbox, ready: PipedriveConnector, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = sandbox.token(11_000_002)
    monkeypatch.setenv("PIPEDRIVE_TOKEN", token)
    [(what, cure)] = lines(ready)
    assert what == "the user is no deals admin: deals of others may be hidden from it"
    assert "permission set" in cure


@pytest.mark.parametrize("lacking", ALL)
def test_it_names_the_scope_that_an_app_lacks(
    sandbox: PipedriveSandbox,
    ready: PipedriveConnector,
    connect: Connect,
    monkeypatch: pytest.MonkeyPatch,
    lacking: str,
) -> None:
    monkeypatch.setenv("PIPEDRIVE_CLIENT_ID", sandbox.client_id)
    monkeypatch.setenv("PIPEDRIVE_CLIENT_SECRET", sandbox.client_secret)
    covered = {lacking, lacking.replace(":read", ":full")}
    monkeypatch.setenv("PIPEDRIVE_REFRESH_TOKEN", sandbox.refresh_token(*set(ALL) - covered))
    told = [what for what, _ in lines(connect(sandbox, **app(sandbox)))]
    assert any(f"{lacking} (" in what for what in told if "the app lacks" in what)
    monkeypatch.setenv("PIPEDRIVE_REFRESH_TOKEN", sandbox.refresh_token(*ALL))
    assert lines(connect(sandbox, **app(sandbox))) == []


@pytest.mark.parametrize(
    ("lacking", "stream"),
    [
        ("leads", Stream.LEADS),
        ("activities", Stream.ACTIVITIES),
        ("recents", Stream.STAGE_CHANGES),
    ],
)
def test_without_a_scope_that_only_some_rules_need_the_rest_is_pulled(
    sandbox: PipedriveSandbox,
    connect: Connect,
    monkeypatch: pytest.MonkeyPatch,
    lacking: str,
    stream: Stream,
) -> None:
    monkeypatch.setenv("PIPEDRIVE_CLIENT_ID", sandbox.client_id)
    monkeypatch.setenv("PIPEDRIVE_CLIENT_SECRET", sandbox.client_secret)
    scopes = [scope for scope in ALL if not scope.startswith(f"{lacking}:")]
    monkeypatch.setenv("PIPEDRIVE_REFRESH_TOKEN", sandbox.refresh_token(*scopes))
    connector = connect(sandbox, **app(sandbox))
    assert {*connector_module.ORDER} - {*connector.streams()} == {stream}
    for each in connector.streams():
        assert list(connector.pull(each, None, ()))


def test_the_guide_names_every_scope() -> None:
    guide = Path(__file__).parents[3] / "docs" / "pipedrive.md"
    assert [scope for scope in ALL if f"`{scope}`" not in guide.read_text(encoding="utf-8")] == []
