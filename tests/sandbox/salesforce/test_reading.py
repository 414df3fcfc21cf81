"""Pages, deleted and archived rows, single records, and what changed between two moments."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.sandbox.salesforce.conftest import Api


@pytest.fixture
def many(sandbox):
    """450 accounts, named in order."""
    return [sandbox.org.create("Account", {"Name": f"Account {number:03}"}) for number in range(450)]


def pages(api: Api, soql: str, size: int) -> Iterator[Any]:
    """All pages of an answer, following its links as a client should."""
    page = api.query(soql, headers={"Sforce-Query-Options": f"batchSize={size}"})
    yield page
    while not page["done"]:
        page = api.get(page["nextRecordsUrl"])
        yield page


def test_a_long_answer_comes_in_pages(api, many):
    got = list(pages(api, "SELECT Name FROM Account ORDER BY Name", 200))
    assert [len(page["records"]) for page in got] == [200, 200, 50]
    assert [page["totalSize"] for page in got] == [450] * 3
    assert [it["Name"] for page in got for it in page["records"]] == [f"Account {n:03}" for n in range(450)]
    assert "nextRecordsUrl" not in got[-1]


@pytest.mark.parametrize(("asked", "given"), [(1, 200), (200, 200), (300, 300), (5000, 450)])
def test_a_page_has_between_200_and_2000_rows(api, many, asked, given):
    first = next(pages(api, "SELECT Id FROM Account", asked))
    assert len(first["records"]) == given


def test_sub_queries_shorten_pages(api, many):
    first = next(pages(api, "SELECT Id, (SELECT Id FROM Contacts) FROM Account", 200))
    assert len(first["records"]) == 100


def test_many_children_have_pages_of_their_own(sandbox, api):
    account = sandbox.org.create("Account", {"Name": "Parent"})
    for number in range(230):
        sandbox.org.create("Contact", {"LastName": f"Child {number:03}", "AccountId": account})
    [record] = api.query("SELECT Id, (SELECT LastName FROM Contacts ORDER BY LastName) FROM Account")[
        "records"
    ]
    children = record["Contacts"]
    assert (children["totalSize"], children["done"], len(children["records"])) == (230, False, 200)
    rest = api.get(children["nextRecordsUrl"])
    assert (rest["done"], [it["LastName"] for it in rest["records"]][-1]) == (True, "Child 229")


def test_a_row_deleted_meanwhile_is_still_in_its_page(sandbox, api, many):
    got = pages(api, "SELECT Id, IsDeleted FROM Account ORDER BY Name", 200)
    next(got)
    sandbox.org.delete("Account", many[210])
    assert [it["IsDeleted"] for it in next(got)["records"]].count(True) == 1


@pytest.mark.parametrize("locator", ["01g000000000000-200", "nonsense"])
def test_an_unknown_cursor_is_refused(api, locator):
    assert api.get(f"/query/{locator}")[0]["errorCode"] == "INVALID_QUERY_LOCATOR"


def test_a_cursor_lives_two_days(sandbox, api, many):
    first = api.query("SELECT Id FROM Account", headers={"Sforce-Query-Options": "batchSize=200"})
    for _ in range(25):  # a session needs some use to live as long
        sandbox.clock.advance(timedelta(hours=1, minutes=59))
        api.get("/limits")
    assert api.get(first["nextRecordsUrl"])[0]["errorCode"] == "INVALID_QUERY_LOCATOR"


def test_a_long_address_gets_a_page_in_html(api):
    text = api.query("SELECT Id FROM Account WHERE Name = '" + "x" * 16_384 + "'")
    assert api.status == 414
    assert text.startswith("<html>")
    assert api.headers["Content-Type"].startswith("text/html")


def test_a_missing_statement_is_malformed(api):
    assert api.get("/query")[0]["errorCode"] == "MALFORMED_QUERY"


def test_deleted_rows_show_in_query_all_only(sandbox, api, deal):
    gone = deal("Gone")
    deal("Here")
    sandbox.clock.advance(timedelta(minutes=5))
    sandbox.org.delete("Opportunity", gone)
    soql = "SELECT Name, IsDeleted, SystemModstamp FROM Opportunity ORDER BY Name"
    assert [it["Name"] for it in api.query(soql)["records"]] == ["Here"]
    rows = api.query(soql, kind="queryAll")["records"]
    assert [(it["Name"], it["IsDeleted"]) for it in rows] == [("Gone", True), ("Here", False)]
    assert rows[0]["SystemModstamp"] == "2026-11-23T09:05:00.000+0000"


def test_archived_activities_show_in_query_all_only(generated):
    api = Api(generated.base_url, generated.token())
    count = "SELECT COUNT() FROM Task WHERE IsArchived = true"
    assert api.query(count)["totalSize"] == 0
    assert api.query(count, kind="queryAll")["totalSize"] > 0


def test_one_record_by_either_id(api, deal):
    identity = deal("One", Amount=12.5)
    for spelling in (identity, identity[:15]):
        record = api.get(f"/sobjects/Opportunity/{spelling}", fields="Name,amount,IsWon")
        assert {k: v for k, v in record.items() if k != "attributes"} == {
            "Name": "One",
            "Amount": 12.5,
            "IsWon": False,
            "Id": identity,
        }


def test_a_record_that_is_not_there_differs_from_one_that_was_deleted(sandbox, api, deal):
    identity = deal()
    assert api.get("/sobjects/Opportunity/006000000000000AAA")[0]["errorCode"] == "NOT_FOUND"
    sandbox.org.delete("Opportunity", identity)
    assert api.get(f"/sobjects/Opportunity/{identity}")[0]["errorCode"] == "ENTITY_IS_DELETED"
    assert api.status == 404


def test_records_by_their_ids_keep_the_order_with_null_for_the_missing(api, deal):
    first, second = deal("First"), deal("Second")
    wanted = {"ids": [second, "006000000000000AAA", first], "fields": ["Name"]}
    got = api.post("/composite/sobjects/Opportunity", wanted)
    assert [it and it["Name"] for it in got] == ["Second", None, "First"]


def test_deletions_and_updates_of_a_window(sandbox, api, deal):
    kept, gone = deal("Kept"), deal("Gone")
    sandbox.clock.advance(timedelta(hours=1))
    sandbox.org.delete("Opportunity", gone)
    window = {"start": "2026-11-23T08:00:00+00:00", "end": "2026-11-23T11:00:00+00:00"}
    deleted = api.get("/sobjects/Opportunity/deleted/", **window)
    assert deleted == {
        "deletedRecords": [{"id": gone, "deletedDate": "2026-11-23T10:00:00.000+0000"}],
        "earliestDateAvailable": "2026-11-08T10:00:00.000+0000",
        "latestDateCovered": "2026-11-23T10:00:00.000+0000",
    }
    updated = api.get("/sobjects/Opportunity/updated/", **window)
    assert updated == {"ids": [kept], "latestDateCovered": "2026-11-23T10:00:00.000+0000"}


@pytest.mark.parametrize(
    ("kind", "start", "end"),
    [
        ("deleted", "2026-11-01T00:00:00Z", "2026-11-23T00:00:00Z"),  # more than 15 days back
        ("updated", "2026-10-01T00:00:00Z", "2026-11-23T00:00:00Z"),  # more than 30
        ("updated", "2026-11-23T08:00:05Z", "2026-11-23T08:00:55Z"),  # seconds do not count
        ("updated", "yesterday", "2026-11-23T08:00:55Z"),
    ],
)
def test_a_window_has_its_limits(api, kind, start, end):
    refusal = api.get(f"/sobjects/Opportunity/{kind}/", start=start, end=end)
    assert refusal[0]["errorCode"] == "INVALID_REPLICATION_DATE"


def test_describe_says_what_a_connector_asks(api):
    description = api.get("/sobjects/Opportunity/describe")
    fields = {it["name"]: it for it in description["fields"]}
    assert fields["StageName"]["picklistValues"][0] | {"validFor": None} == {
        "value": "Prospecting",
        "label": "Prospecting",
        "active": True,
        "defaultValue": False,
        "validFor": None,
    }
    assert (fields["Name"]["nillable"], fields["Name"]["length"]) == (False, 120)
    assert (fields["Amount"]["type"], fields["Amount"]["precision"], fields["Amount"]["scale"]) == (
        "currency",
        18,
        2,
    )
    assert (fields["Description"]["filterable"], fields["Description"]["sortable"]) == (False, False)
    assert (fields["IsWon"]["updateable"], fields["NextStep"]["updateable"]) == (False, True)
    assert (fields["AccountId"]["referenceTo"], fields["AccountId"]["relationshipName"]) == (
        ["Account"],
        "Account",
    )
    assert fields["Loss_Reason__c"]["restrictedPicklist"] is True
    names = {it["developerName"] for it in description["recordTypeInfos"]}
    assert names == {"New_Business", "Renewal", "Master"}
    assert "OpportunityContactRoles" in {it["relationshipName"] for it in description["childRelationships"]}


def test_describe_answers_304_until_something_changed(sandbox, api):
    api.get("/sobjects/Opportunity/describe")
    since = {"If-Modified-Since": api.headers["Last-Modified"]}
    api.call("GET", "/sobjects/Opportunity/describe", headers=since)
    assert api.status == 304
    sandbox.clock.advance(timedelta(minutes=1))
    field = {"FullName": "Opportunity.New__c", "Metadata": {"type": "Date", "label": "New"}}
    api.post("/tooling/sobjects/CustomField", field)
    api.call("GET", "/sobjects/Opportunity/describe", headers=since)
    assert api.status == 200


def test_a_record_type_has_its_own_stages(api):
    [renewal] = api.query("SELECT Id FROM RecordType WHERE DeveloperName = 'Renewal'")["records"]
    path = "/ui-api/object-info/Opportunity/picklist-values/{}/StageName"
    stages = [it["value"] for it in api.get(path.format(renewal["Id"]))["values"]]
    assert stages == [
        "Qualification",
        "Value Proposition",
        "Proposal/Price Quote",
        "Negotiation/Review",
        "Closed Won",
        "Closed Lost",
    ]
    master = api.get(path.format("012000000000000AAA"))["values"]
    assert len(master) == 10
    assert master[-1]["attributes"]["closed"] is True
