"""What a query finds, and the words in which it is refused."""

from datetime import UTC, datetime, timedelta

import pytest

from pipelint.sandbox.salesforce import SalesforceSandbox


@pytest.fixture(scope="module")
def org():
    """Four deals: Alpha and Beta belong to Acme, Gamma and Delta to nobody."""
    sandbox = SalesforceSandbox(size=0, now=datetime(2026, 11, 23, 9, 0, tzinfo=UTC))
    org = sandbox.org
    acme = org.create("Account", {"Name": "Acme"})
    lost = {"StageName": "Closed Lost", "Loss_Reason__c": "Price"}
    org.create(
        "Opportunity",
        {
            "Name": "Alpha",
            "StageName": "Prospecting",
            "CloseDate": "2026-11-23",
            "Amount": 100,
            "AccountId": acme,
            "NextStep": "it's 100% sure_",
        },
    )
    org.create(
        "Opportunity",
        {
            "Name": "Beta",
            "StageName": "Negotiation/Review",
            "CloseDate": "2026-11-30",
            "Amount": 200.5,
            "AccountId": acme,
        },
    )
    sandbox.clock.advance(timedelta(days=1))
    org.create("Opportunity", {"Name": "Gamma", "CloseDate": "2026-10-01", "Amount": 300, **lost})
    org.create("Opportunity", {"Name": "Delta", "StageName": "Prospecting", "CloseDate": "2027-02-01"})
    return org


FOUND = [
    # values
    ("Name = 'alpha'", "Alpha"),  # strings compare without case
    ("Name != 'Alpha'", "Beta Gamma Delta"),
    ("Amount = null", "Delta"),
    ("Amount != null AND Amount < 300", "Alpha Beta"),
    ("Amount >= 200.5", "Beta Gamma"),
    ("Amount != 100", "Beta Gamma Delta"),  # a null differs from every value
    ("Name IN ('Alpha', 'Delta')", "Alpha Delta"),
    ("NextStep NOT IN ('x')", "Alpha Beta Gamma Delta"),
    ("Amount IN (100, null)", "Alpha Delta"),
    ("NextStep = ''", "Beta Gamma Delta"),
    (r"NextStep = 'it\'s 100% sure_'", "Alpha"),
    ("Name LIKE '%a'", "Alpha Beta Gamma Delta"),
    ("Name LIKE 'AL_HA'", "Alpha"),
    (r"NextStep LIKE '%100\% sure\_'", "Alpha"),
    ("IsClosed = true", "Gamma"),
    ("IsWon = FALSE AND IsClosed = FALSE", "Alpha Beta Delta"),
    # joining conditions
    ("(Name = 'Alpha' OR Name = 'Beta') AND Amount > 150", "Beta"),
    ("NOT Name = 'Alpha'", "Beta Gamma Delta"),
    ("NOT (Name = 'Alpha' OR Name = 'Beta')", "Gamma Delta"),
    # parents
    ("Account.Name = 'Acme'", "Alpha Beta"),
    ("Account.Name = null", "Gamma Delta"),
    ("Owner.Username LIKE 'colleague@%'", "Alpha Beta Gamma Delta"),
    ("Account.Owner.IsActive = true", "Alpha Beta"),
    ("Opportunity.Name = 'Beta'", "Beta"),
    ("AccountId IN (SELECT Id FROM Account WHERE Name = 'Acme')", "Alpha Beta"),
    ("AccountId NOT IN (SELECT Id FROM Account)", "Gamma Delta"),
    # days: it is 24 November 2026, a Tuesday
    ("CloseDate = 2026-11-23", "Alpha"),
    ("CloseDate < TODAY", "Alpha Gamma"),
    ("CloseDate = YESTERDAY", "Alpha"),
    ("CloseDate = THIS_WEEK", "Alpha"),
    ("CloseDate = NEXT_WEEK", "Beta"),
    ("CloseDate = THIS_MONTH", "Alpha Beta"),
    ("CloseDate = LAST_MONTH", "Gamma"),
    ("CloseDate = THIS_QUARTER", "Alpha Beta Gamma"),
    ("CloseDate > THIS_YEAR", "Delta"),
    ("CloseDate != THIS_YEAR", "Delta"),
    ("CloseDate = LAST_N_DAYS:1", "Alpha"),
    ("CloseDate = NEXT_N_DAYS:6", "Beta"),
    ("CloseDate <= N_DAYS_AGO:30", "Gamma"),
    ("CreatedDate = TODAY", "Gamma Delta"),
    ("CreatedDate < TODAY", "Alpha Beta"),
    ("CreatedDate >= 2026-11-24T09:00:00Z", "Gamma Delta"),
    ("CreatedDate < 2026-11-24T10:00:00+01:00", "Alpha Beta"),
]


@pytest.mark.parametrize(("where", "names"), FOUND, ids=[where for where, _ in FOUND])
def test_a_condition_finds(org, where, names):
    records = org.query(f"SELECT Name FROM Opportunity WHERE {where} ORDER BY CreatedDate, Id")
    assert [record["Name"] for record in records] == names.split()


ORDERED = [
    ("ORDER BY Amount", "Delta Alpha Beta Gamma"),  # nulls come first
    ("ORDER BY Amount DESC", "Delta Gamma Beta Alpha"),
    ("ORDER BY Amount DESC NULLS LAST", "Gamma Beta Alpha Delta"),
    ("ORDER BY StageName, Name DESC", "Gamma Beta Delta Alpha"),
    ("ORDER BY Account.Name NULLS LAST, Name", "Alpha Beta Delta Gamma"),
    ("ORDER BY Name LIMIT 2", "Alpha Beta"),
    ("ORDER BY Name LIMIT 2 OFFSET 1", "Beta Delta"),
]


@pytest.mark.parametrize(("clause", "names"), ORDERED, ids=[clause for clause, _ in ORDERED])
def test_an_order_holds(org, clause, names):
    assert [it["Name"] for it in org.query(f"SELECT Name FROM Opportunity {clause}")] == names.split()


REFUSED = [
    (
        "SELECT Foo FROM Opportunity",
        "INVALID_FIELD",
        "No such column 'Foo' on entity 'Opportunity'. If you are",
    ),
    (
        "SELECT Id FROM Opportunity WHERE X__c = 1",
        "INVALID_FIELD",
        "No such column 'X__c' on entity 'Opportunity'",
    ),
    ("SELECT Id FROM Opportunity ORDER BY X__c", "INVALID_FIELD", "ERROR at Row:1:Column:37"),
    (
        "SELECT Nobody.Name FROM Opportunity",
        "INVALID_FIELD",
        "Didn't understand relationship 'Nobody' in field path",
    ),
    ("SELECT Id, Name, id FROM Opportunity", "INVALID_FIELD", "duplicate field selected: Id"),
    ("SELECT Id FROM Opportunities", "INVALID_TYPE", "sObject type 'Opportunities' is not supported"),
    ("SELECT Id FROM CustomField", "INVALID_TYPE", "sObject type 'CustomField' is not supported"),
    (
        "SELECT Id, (SELECT Id FROM Things) FROM Account",
        "INVALID_TYPE",
        "Didn't understand relationship 'Things'",
    ),
    (
        "SELECT Id FROM Opportunity WHERE Description = 'x'",
        "INVALID_FIELD",
        "'Description' can not be filtered",
    ),
    ("SELECT Id FROM Opportunity ORDER BY Need__c", "INVALID_FIELD", "field 'Need__c' can not be sorted"),
    (
        "SELECT Id FROM Opportunity WHERE Name = 'a' AND Name = 'b' OR Name = 'c'",
        "MALFORMED_QUERY",
        "unexpected token: 'OR'",
    ),
    ("SELECT Id FROM Opportunity WHERE", "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
    ("SELECT Id", "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
    ("SELECT FROM Opportunity", "MALFORMED_QUERY", "unexpected token: 'FROM'"),
    ("SELECT Id FROM Opportunity LIMIT ten", "MALFORMED_QUERY", "unexpected token: 'ten'"),
    (
        "SELECT Id FROM Opportunity WHERE Name = :name",
        "MALFORMED_QUERY",
        "Bind variables only allowed in Apex code",
    ),
    (
        "SELECT Id FROM Opportunity WHERE Name = 'open",
        "MALFORMED_QUERY",
        "no viable alternative at character '''",
    ),
    (r"SELECT Id FROM Opportunity WHERE Name = '\x'", "MALFORMED_QUERY", r"Illegal escape sequence '\x'"),
    (
        "SELECT Id FROM Opportunity WHERE CreatedDate > 2026-11-23T09:00:00 00:00",
        "MALFORMED_QUERY",
        "unexpected token",
    ),
    ("SELECT Id FROM Opportunity HAVING Name = 'x' GROUP", "MALFORMED_QUERY", "unexpected token: 'Name'"),
    ("SELECT FIELDS(ALL) FROM Opportunity", "MALFORMED_QUERY", "must have a LIMIT of at most 200"),
    (
        "SELECT FIELDS(CUSTOM) FROM Opportunity LIMIT 201",
        "MALFORMED_QUERY",
        "must have a LIMIT of at most 200",
    ),
    (
        "SELECT Name, COUNT(Id) FROM Opportunity GROUP BY StageName",
        "MALFORMED_QUERY",
        "Field must be grouped or aggregated: Name",
    ),
    ("SELECT SUM(Name) FROM Opportunity", "MALFORMED_QUERY", "does not support aggregate operator SUM"),
    (
        "SELECT Id FROM Opportunity OFFSET 2001",
        "NUMBER_OUTSIDE_VALID_RANGE",
        "Maximum SOQL offset allowed is 2000",
    ),
    (
        "SELECT Id FROM Opportunity WHERE CloseDate = '2026-11-23'",
        "INVALID_FIELD",
        "value of filter criterion for field 'CloseDate' must be of type date and should not be enclosed in quotes",
    ),
    (
        "SELECT Id FROM Opportunity WHERE CreatedDate > 2026-11-23",
        "INVALID_FIELD",
        "must be of type dateTime",
    ),
    ("SELECT Id FROM Opportunity WHERE Amount = 'x'", "INVALID_FIELD", "must be of type double"),
    (
        "SELECT Id FROM Opportunity WHERE Name = 5",
        "INVALID_FIELD",
        "must be of type string and should be enclosed",
    ),
    ("SELECT Id FROM Opportunity WHERE IsWon = 1", "INVALID_FIELD", "must be of type boolean"),
    ("SELECT Id FROM Opportunity WHERE Id = '123'", "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: 123"),
    (
        "SELECT Id FROM Opportunity WHERE Id LIKE '006%'",
        "INVALID_QUERY_FILTER_OPERATOR",
        "invalid operator on id",
    ),
    (
        "SELECT Id FROM Opportunity WHERE Name INCLUDES ('a')",
        "INVALID_QUERY_FILTER_OPERATOR",
        "invalid operator",
    ),
]


@pytest.mark.parametrize(("soql", "code", "text"), REFUSED, ids=[soql for soql, _, _ in REFUSED])
def test_a_statement_is_refused(org, soql, code, text):
    with pytest.raises(Exception, match=code) as refusal:
        org.query(soql)
    assert text in str(refusal.value)


def test_records_carry_their_type_and_nest_their_parents(org):
    [alpha] = org.query(
        "SELECT id, name, account.name, Account.Owner.Name FROM opportunity WHERE name = 'Alpha'"
    )
    assert alpha["attributes"]["type"] == "Opportunity"
    assert alpha["attributes"]["url"].endswith(f"/sobjects/Opportunity/{alpha['Id']}")
    assert alpha["Name"] == "Alpha"
    assert alpha["Account"]["attributes"]["type"] == "Account"
    assert alpha["Account"]["Name"] == "Acme"
    assert alpha["Account"]["Owner"]["Name"] == "Odile Ravel"


def test_an_empty_lookup_is_null_not_an_empty_record(org):
    [delta] = org.query("SELECT Account.Name, RecordType.DeveloperName FROM Opportunity WHERE Name = 'Delta'")
    assert delta["Account"] is None
    assert delta["RecordType"] is None


def test_a_polymorphic_parent_offers_only_the_name_fields(org):
    [deal] = org.query("SELECT Id FROM Opportunity WHERE Name = 'Beta'")
    org.create("Task", {"Subject": "Call", "WhatId": deal["Id"]})
    [task] = org.query("SELECT What.Name, What.Type, Who.Name FROM Task")
    assert task["What"]["attributes"]["type"] == "Opportunity"
    assert (task["What"]["Name"], task["What"]["Type"], task["Who"]) == ("Beta", "Opportunity", None)
    with pytest.raises(Exception, match="No such column 'StageName' on entity 'Name'"):
        org.query("SELECT What.StageName FROM Task")


def test_children_come_as_an_answer_of_their_own_and_null_without_rows(org):
    org.create("Account", {"Name": "Childless"})
    accounts = org.query(
        "SELECT Name, (SELECT Name FROM Opportunities ORDER BY Name DESC LIMIT 1) FROM Account ORDER BY Name"
    )
    assert [it["Name"] for it in accounts] == ["Acme", "Childless"]
    [child] = accounts[0]["Opportunities"]["records"]
    assert child["Name"] == "Beta"
    assert accounts[0]["Opportunities"]["done"] is True
    assert accounts[1]["Opportunities"] is None


def test_aggregates_name_what_has_no_alias(org):
    groups = org.query(
        "SELECT StageName, COUNT(Id) deals, MAX(Amount), SUM(Amount) FROM Opportunity GROUP BY StageName"
    )
    prospecting = next(it for it in groups if it["StageName"] == "Prospecting")
    assert prospecting["attributes"] == {"type": "AggregateResult"}
    assert (prospecting["deals"], prospecting["expr0"], prospecting["expr1"]) == (2, 100.0, 100.0)


def test_fields_standard_and_custom_select_whole_groups(org):
    [standard] = org.query("SELECT FIELDS(STANDARD) FROM Opportunity WHERE Name = 'Alpha'")
    [custom] = org.query("SELECT FIELDS(CUSTOM) FROM Opportunity WHERE Name = 'Alpha' LIMIT 1")
    assert "StageName" in standard
    assert "Need__c" not in standard
    assert set(custom) - {"attributes"} == {
        "Need__c",
        "Decision_Makers__c",
        "Budget__c",
        "Deadline__c",
        "Risk__c",
        "Loss_Reason__c",
        "Next_Step_Date__c",
    }


def test_ids_match_in_either_length(org):
    [deal] = org.query("SELECT Id FROM Opportunity WHERE Name = 'Beta'")
    assert len(deal["Id"]) == 18
    assert org.query(f"SELECT Name FROM Opportunity WHERE Id = '{deal['Id'][:15]}'")[0]["Name"] == "Beta"
