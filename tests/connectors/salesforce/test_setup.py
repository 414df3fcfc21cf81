"""Our fields in the org: planned, made, extended, and looked at by doctor."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from pipelint.connectors.base import Diagnosis, OwnField, OwnFieldType, SetupStep
from pipelint.connectors.clock import ServerClock
from pipelint.connectors.salesforce.connector import SalesforceConnector
from pipelint.errors import PermissionMissing
from pipelint.sandbox.salesforce import SalesforceSandbox
from pipelint.sandbox.salesforce.custom_fields import CustomFields

Connect = Callable[..., SalesforceConnector]


def apply(connector: SalesforceConnector, own: tuple[OwnField, ...]) -> list[SetupStep]:
    steps = list(connector.plan_setup(own))
    for step in steps:
        connector.apply_setup(step)
    return steps


def actions(steps: list[SetupStep]) -> Counter[str]:
    return Counter(step.action for step in steps)


def test_the_first_plan_creates_everything(connector: SalesforceConnector, own: tuple[OwnField, ...]) -> None:
    assert actions(apply(connector, own)) == {"create": len(own) + 2, "grant": 2 * len(own), "assign": 1}
    assert actions(list(connector.plan_setup(own))) == {"ready": 3 * len(own) + 3}


def test_others_may_read_our_fields_and_not_edit_them(
    sandbox: SalesforceSandbox, connector: SalesforceConnector, own: tuple[OwnField, ...]
) -> None:
    apply(connector, own)
    soql = "SELECT Parent.Name, PermissionsEdit FROM FieldPermissions WHERE Field = 'Opportunity.Pipelint_Flags__c'"
    rights = {row["Parent"]["Name"]: row["PermissionsEdit"] for row in sandbox.org.query(soql)}  # type: ignore[index]
    assert rights == {"Pipelint": True, "Pipelint_Read": False}


def test_a_plan_changes_nothing(
    sandbox: SalesforceSandbox, connector: SalesforceConnector, own: tuple[OwnField, ...]
) -> None:
    connector.plan_setup(own)
    assert {request.method for request in sandbox.requests} == {"GET", "POST"}
    assert [r.path for r in sandbox.requests if r.method == "POST"] == ["/services/oauth2/token"]


def test_no_fields_need_no_setup(connector: SalesforceConnector) -> None:
    assert connector.plan_setup(()) == ()
    assert connector.clicks(()) == []


def test_new_flags_become_options_beside_the_old(
    connector: SalesforceConnector, own: tuple[OwnField, ...]
) -> None:
    apply(connector, own)
    more = (replace(own[0], choices=("amount-missing", *own[0].choices)), *own[1:])
    steps = apply(connector, more)
    assert [step.detail for step in steps if step.action == "extend"] == ["options: amount-missing"]
    flags = next(info for info in connector.fields("opportunity") if info.name == own[0].name)
    assert set(flags.choices) == set(more[0].choices)
    assert list(flags.choices)[:3] == list(own[0].choices)
    assert set(actions(list(connector.plan_setup(more)))) == {"ready"}


def test_a_field_of_another_type_is_a_conflict(
    connector: SalesforceConnector, own: tuple[OwnField, ...]
) -> None:
    apply(connector, own)
    other = (replace(own[2], type=OwnFieldType.NUMBER),)
    step = connector.plan_setup(other)[0]
    assert step.action == "conflict"
    assert "Text" in step.detail
    connector.apply_setup(step)


def test_a_lost_answer_to_a_creation_is_no_second_field(
    sandbox: SalesforceSandbox, connector: SalesforceConnector, own: tuple[OwnField, ...]
) -> None:
    sandbox.faults.add("drop_after", method="POST", path="/tooling/sobjects/CustomField")
    sandbox.faults.add("drop_after", method="POST", path="/sobjects/PermissionSetAssignment")
    apply(connector, own)
    assert set(actions(list(connector.plan_setup(own)))) == {"ready"}


def test_somebody_without_the_right_is_told(
    sandbox: SalesforceSandbox,
    connect: Connect,
    own: tuple[OwnField, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SF_TOKEN", sandbox.token("manager@sandbox.example"))
    reader = connect(sandbox, auth={"flow": "access_token", "token": "${env:SF_TOKEN}"})
    with pytest.raises(PermissionMissing) as caught:
        apply(reader, own)
    assert caught.value.hint


def test_the_admin_is_told_what_to_click(connector: SalesforceConnector, own: tuple[OwnField, ...]) -> None:
    clicks = connector.clicks(own)
    assert "Pipelint severity" in " ".join(clicks)
    assert any("List View" in click for click in clicks)


def levels(found: list[Diagnosis]) -> Counter[str]:
    return Counter(line.level for line in found)


def diagnose(connector: SalesforceConnector, own: tuple[OwnField, ...]) -> list[Diagnosis]:
    found = list(connector.diagnose(own))
    assert all(line.cure for line in found if line.level != "ok")
    return found


def test_doctor_before_and_after_setup(connector: SalesforceConnector, own: tuple[OwnField, ...]) -> None:
    before = diagnose(connector, own)
    assert any("our fields" in line.what and line.level == "warning" for line in before)
    apply(connector, own)
    after = diagnose(connector, own)
    assert any("our fields are there" in line.what for line in after)
    assert levels(after)["problem"] == 0
    assert any("validation rules" in line.what for line in after)


def test_doctor_ends_with_a_failed_sign_in(
    sandbox: SalesforceSandbox, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    connector = connect(sandbox)
    monkeypatch.setenv("SF_CLIENT_SECRET", "a-wrong-secret")
    found = diagnose(connector, ())
    assert [line.level for line in found] == ["problem"]
    assert "a-wrong-secret" not in str(found)


@pytest.mark.parametrize(
    ("version", "level"), [("68.0", "ok"), ("40.0", "warning"), ("31.0", "warning"), ("99.0", "problem")]
)
def test_doctor_looks_at_the_version(
    sandbox: SalesforceSandbox, connect: Connect, version: str, level: str
) -> None:
    found = list(connect(sandbox, api_version=version).diagnose(()))
    assert any(line.level == level and f"API version {version}" in line.what for line in found)


def test_in_a_version_that_is_not_spoken_doctor_looks_at_nothing_else(
    sandbox: SalesforceSandbox, connect: Connect
) -> None:
    found = list(connect(sandbox, api_version="29.0").diagnose(()))
    assert [line.level for line in found] == ["ok", "problem"]
    assert found[-1].what == "API version 29.0 is retired: this org speaks 31.0 to 68.0"


def test_doctor_sees_a_wrong_clock(sandbox: SalesforceSandbox, connect: Connect) -> None:
    connector = connect(sandbox)
    now = sandbox.clock.now
    connector._client.clock = ServerClock(lambda: now() + timedelta(minutes=10))
    found = diagnose(connector, ())
    assert any("clocks" in line.what and "600 s" in line.what for line in found)


def test_doctor_sees_what_is_left_of_the_quota(sandbox: SalesforceSandbox, connect: Connect) -> None:
    found = list(connect(sandbox, stop_at="100%").diagnose(()))
    assert any("of 15,000 API calls" in line.what and "stop at 100%" in line.what for line in found)
    sandbox.faults.add(
        "respond", path="/limits", status=200, body='{"DailyApiRequests": {"Max": 10, "Remaining": 1}}'
    )
    found = list(connect(sandbox).diagnose(()))
    assert any(line.level == "problem" and "9 of 10" in line.what for line in found)


def test_doctor_goes_on_where_one_look_is_refused(
    sandbox: SalesforceSandbox, connector: SalesforceConnector
) -> None:
    sandbox.faults.add("error", path="/limits", code="API_DISABLED_FOR_ORG", status=403, times=0)
    sandbox.faults.add("error", path="/Lead/describe", code="NOT_FOUND", status=404, times=0)
    found = list(connector.diagnose(()))
    assert any("API_DISABLED_FOR_ORG" in line.what for line in found)
    assert any(line.level == "warning" and "Lead is not visible" in line.what for line in found)
    assert any("User is visible" in line.what for line in found)


@pytest.fixture
def as_user(
    sandbox: SalesforceSandbox, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], SalesforceConnector]:
    """Connects as somebody else."""

    def as_user(username: str) -> SalesforceConnector:
        monkeypatch.setenv("SF_TOKEN", sandbox.token(username))
        return connect(sandbox, auth={"flow": "access_token", "token": "${env:SF_TOKEN}"})

    return as_user


def make_user(sandbox: SalesforceSandbox, profile: str) -> str:
    """Somebody new with this profile; the name to sign in with."""
    org = sandbox.org
    found = org.query(f"SELECT Id FROM Profile WHERE Name = '{profile}'")[0]["Id"]
    name = "limited@sandbox.example"
    zone = {"TimeZoneSidKey": "Europe/Paris", "LocaleSidKey": "fr_FR", "LanguageLocaleKey": "en_US"}
    values = {"Username": name, "Email": name, "LastName": "Limited", "Alias": "limited", "ProfileId": found}
    user = org.create("User", values | zone)
    owned = org.query(f"SELECT Id FROM PermissionSet WHERE Name = '{profile}'")[0]["Id"]
    org.create("PermissionSetAssignment", {"AssigneeId": user, "PermissionSetId": owned})
    return name


def shown(found: list[Diagnosis]) -> str:
    return "\n".join(
        f"{line.level}: {line.what}" + (f"\n  = {line.cure}" if line.cure else "") for line in found
    )


def test_doctor_reads_as_text_that_helps(
    sandbox: SalesforceSandbox,
    as_user: Callable[[str], SalesforceConnector],
    own: tuple[OwnField, ...],
    snapshot: Callable[..., None],
) -> None:
    found = diagnose(as_user(make_user(sandbox, "Standard User")), own)
    snapshot(shown(found).replace(sandbox.base_url, "https://acme.my.salesforce.com"))


def test_doctor_names_the_objects_of_which_records_may_be_hidden(
    sandbox: SalesforceSandbox, as_user: Callable[[str], SalesforceConnector], connector: SalesforceConnector
) -> None:
    assert "may view all data" in shown(diagnose(connector, ()))
    limited = as_user(make_user(sandbox, "Standard User"))
    assert "records of Account, Contact, Opportunity, Lead that are not shared" in shown(
        diagnose(limited, ())
    )
    org = sandbox.org
    extra = org.create("PermissionSet", {"Name": "Whole", "Label": "Whole"})
    assignee = org.user("limited@sandbox.example")
    org.create("PermissionSetAssignment", {"AssigneeId": assignee, "PermissionSetId": extra})
    rights = {"ParentId": extra, "PermissionsRead": True, "PermissionsViewAllRecords": True}
    for name in ("Account", "Contact", "Opportunity"):
        org.create("ObjectPermissions", {"SobjectType": name, **rights})
    assert "records of Lead that are not shared" in shown(diagnose(limited, ()))
    org.create("ObjectPermissions", {"SobjectType": "Lead", **rights})
    assert "may view all of Account" in shown(diagnose(limited, ()))


def test_doctor_says_when_rights_cannot_be_looked_at(
    sandbox: SalesforceSandbox, connector: SalesforceConnector
) -> None:
    sandbox.faults.add("INSUFFICIENT_ACCESS", path="PermissionsViewAllData", times=0)
    assert "could not be looked at" in shown(diagnose(connector, ()))


def test_doctor_sees_who_may_not_edit(
    as_user: Callable[[str], SalesforceConnector], own: tuple[OwnField, ...]
) -> None:
    found = diagnose(as_user("manager@sandbox.example"), own)
    assert "problem: Opportunity: the integration user may not edit records" in shown(found)


def test_doctor_counts_records_that_lack_a_required_field(
    sandbox: SalesforceSandbox, connector: SalesforceConnector, own: tuple[OwnField, ...]
) -> None:
    assert "no custom field is required" in shown(diagnose(connector, own))
    metadata = {"type": "Text", "label": "Region", "length": 20, "required": True}
    fields = CustomFields(sandbox.org.store, sandbox.clock)
    fields.create("Opportunity.Region__c", metadata, sandbox.org.user("colleague@sandbox.example"))
    connector._client.forget_descriptions()
    found = shown(diagnose(connector, own))
    assert "230 records lack the required field Region__c" in found
    assert "fill in Region" in found
