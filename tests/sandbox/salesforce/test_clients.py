"""The sandbox as simple-salesforce sees it, a client that knows nothing of it."""

import csv
import io
from urllib.parse import urlsplit

import pytest
import requests
from requests.adapters import HTTPAdapter
from simple_salesforce import bulk2
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import SalesforceExpiredSession, SalesforceMalformedRequest


class PlainHttp(HTTPAdapter):
    """The client insists on https; the sandbox speaks http."""

    def send(self, request, *args, **kwargs):
        request.url = urlsplit(request.url)._replace(scheme="http").geturl()
        return super().send(request, *args, **kwargs)


@pytest.fixture
def client(generated):
    """Signed in as the integration user."""
    with requests.Session() as session:
        session.mount("https://", PlainHttp())
        host = generated.base_url.removeprefix("http://")
        yield Salesforce(
            session_id=generated.token(), instance_url=f"https://{host}", session=session, version="68.0"
        )


def test_it_pages_through_all_contacts(client, generated):
    contacts = list(client.query_all_iter("SELECT Id, Account.Name FROM Contact"))
    assert len(contacts) == client.query("SELECT COUNT() FROM Contact")["totalSize"]


def test_it_describes_reads_and_updates(client):
    assert client.Opportunity.describe()["name"] == "Opportunity"
    identity = client.query("SELECT Id FROM Account LIMIT 1")["records"][0]["Id"]
    assert client.Account.update(identity, {"Phone": "+33 1 99 00 00 00"}) == 204
    assert client.Account.get(identity)["Phone"] == "+33 1 99 00 00 00"


def test_its_errors_are_those_of_the_vendor(client, generated):
    with pytest.raises(SalesforceMalformedRequest) as refusal:
        client.query("SELECT Nothing FROM Opportunity")
    assert "INVALID_FIELD" in str(refusal.value.content)
    generated.expire_sessions()
    with pytest.raises(SalesforceExpiredSession):
        client.query("SELECT Id FROM Opportunity")


@pytest.fixture
def hasty(monkeypatch):
    """Its pauses between two questions about a job take no time."""
    monkeypatch.setattr(bulk2, "sleep", lambda seconds: None)


def test_its_bulk_queries_come_in_sets(client, generated, hasty):
    sets = list(client.bulk2.Contact.query("SELECT Id, Account.Name FROM Contact", max_records=50))
    assert len(sets) > 1
    rows = [row for each in sets for row in csv.DictReader(io.StringIO(each, newline=""))]
    assert {row["Id"] for row in rows} == {it["Id"] for it in generated.org.query("SELECT Id FROM Contact")}
    assert all("Account.Name" in row for row in rows)


def test_its_bulk_loads_tell_what_became_of_each_row(client, generated, hasty):
    accounts = [str(it["Id"]) for it in generated.org.query("SELECT Id FROM Account LIMIT 2")]
    rows = [{"Id": accounts[0], "Fax": "+33 1 99 00 00 01"}, {"Id": accounts[1], "Fax": "x" * 41}]
    [job] = client.bulk2.Account.update(records=rows)
    assert (job["numberRecordsProcessed"], job["numberRecordsFailed"]) == (2, 1)
    found = client.bulk2.Account.get_all_ingest_records(job["job_id"])
    assert [it["sf__Id"] for it in found["successfulRecords"]] == [accounts[0]]
    assert [it["sf__Error"].split(":")[0] for it in found["failedRecords"]] == ["STRING_TOO_LONG"]
    assert found["unprocessedRecords"] == []
    generated.org.update("Account", accounts[0], {"Fax": None})
