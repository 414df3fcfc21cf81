"""The sandbox as simple-salesforce sees it, a client that knows nothing of it."""

from urllib.parse import urlsplit

import pytest
import requests
from requests.adapters import HTTPAdapter
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
