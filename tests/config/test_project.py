"""What pipelint.yaml says, and what people are told when it is wrong."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Literal

import pytest

from pipelint.config.problems import Problems
from pipelint.config.project import ProjectFile, load_project_file
from pipelint.config.schema import project_schema
from pipelint.config.secrets import SecretRef
from pipelint.config.settings import Settings
from pipelint.errors import ProblemsFound, UsageError
from pipelint.render.errors import render_error

CRMS = ["salesforce", "hubspot", "files"]

GOOD = """\
pipelint: 1
cache: .pipelint/cache.db
rules: rules/
connections:
  acme-sales:
    crm: salesforce
    base_url: https://acme.my.salesforce.com
    auth: {flow: client_credentials, client_id: acme, client_secret: "${env:SF_CLIENT_SECRET}"}
  acme-eu: {crm: hubspot, write_back: off, auth: {token: "${env:HUBSPOT_TOKEN}"}}
write_back:
  mode: on
  max_changes: 500
  max_share: 12.5%
  first_push: {pipelines: [new-business], owners: [], max_changes: 20}
schedule: 2h
"""


class Auth(Settings):
    flow: Literal["client_credentials"]
    client_id: str
    client_secret: SecretRef


class SalesforceSettings(Settings):
    crm: Literal["salesforce"]
    base_url: str
    auth: Auth


class TokenAuth(Settings):
    token: SecretRef


class HubspotSettings(Settings):
    crm: Literal["hubspot"]
    auth: TokenAuth


MODELS: dict[str, type[Settings]] = {"salesforce": SalesforceSettings, "hubspot": HubspotSettings}


def read(folder: Path, text: str) -> ProjectFile:
    """The project file, its connections' own settings checked as the engine does it."""
    (folder / "pipelint.yaml").write_text(text, encoding="utf-8")
    problems = Problems()
    project = load_project_file(folder, problems, known_crms=CRMS)
    for connection in project.connections.values() if project else ():
        if model := MODELS.get(connection.crm):
            connection.settings(model, problems)
    problems.raise_if_any()
    assert project is not None
    return project


def test_a_full_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "pipelint.yaml").write_text(GOOD, encoding="utf-8")
    problems = Problems()
    project = load_project_file(tmp_path, problems, known_crms=CRMS)
    assert project is not None
    assert not problems.found
    assert project.rules == tmp_path / "rules"
    assert project.schedule == timedelta(hours=2)
    assert project.write_back.mode == "on"
    assert project.write_back.max_share == Decimal("0.125")
    assert project.write_back.first_push is not None
    assert project.write_back.first_push.pipelines == ("new-business",)
    assert {name: (one.crm, one.writes) for name, one in project.connections.items()} == {
        "acme-sales": ("salesforce", True),
        "acme-eu": ("hubspot", False),
    }
    assert project.connections["acme-eu"].node.names() == ("crm", "auth")


def test_what_is_left_out_has_the_defaults_of_the_manual(tmp_path: Path) -> None:
    project = read(tmp_path, "pipelint: 1\nconnections:\n  acme: {crm: files}\n")
    assert project.cache == ".pipelint/cache.db"
    assert project.rules == tmp_path / "rules"
    assert project.schedule == timedelta(minutes=15)
    assert project.connections["acme"].writes
    assert project.write_back.model_dump() == {
        "mode": "preview",
        "max_changes": 2000,
        "max_share": Decimal("0.4"),
        "first_push": None,
    }


def test_a_folder_without_a_project_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        load_project_file(tmp_path, Problems(), known_crms=CRMS)
    assert str(tmp_path) in caught.value.message
    assert "pipelint init" in caught.value.hint
    assert "-C" in caught.value.hint


WRONG = {
    "unknown key": GOOD.replace("schedule", "shedule"),
    "key of another level": GOOD.replace("rules: rules/", "max_changes: 3"),
    "wrong crm": GOOD.replace("crm: salesforce", "crm: slaesforce"),
    "literal secret": GOOD.replace('"${env:SF_CLIENT_SECRET}"', "hunter2hunter2"),
    "secret with a default": GOOD.replace("SF_CLIENT_SECRET}", "SF_CLIENT_SECRET:-hunter2}"),
    "secret under a misspelt key": GOOD.replace(
        'client_secret: "${env:SF_CLIENT_SECRET}"', "client_secrt: hunter2"
    ),
    "secret in a broken line": GOOD + "token: hunter2: and more\n",
    "password in the cache": GOOD.replace(".pipelint/cache.db", "postgresql://me:hunter2@db/sales"),
    "reference without quotes in braces": GOOD.replace('"${env:HUBSPOT_TOKEN}"', "${env:HUBSPOT_TOKEN}"),
    "bad percentage": GOOD.replace("12.5%", "140%"),
    "bad schedule": GOOD.replace("2h", "every 2 hours"),
    "tab": GOOD.replace("  mode", "\tmode"),
    "duplicate key": GOOD + "cache: other.db\n",
    "colon in text": GOOD.replace("rules/", "my rules: the good ones"),
    "nothing but a connection": "connections:\n  acme:\n    base_url: https://acme.example\n",
    "format of the future": GOOD.replace("pipelint: 1", "pipelint: 2"),
    "not a map": "- acme\n",
    "empty": "# soon\n",
    "several at once": """\
pipelint: one
conections: {}
cache: [a.db]
rules:
connections:
  Acme: {crm: hubspot}
  acme: hubspot
write_back:
  mode: onn
  max_changes: 2,000
  max_share: 40
  first_push: {pipelines: all, max_changes: 0}
schedule: 15 min
""",
}


@pytest.mark.parametrize("case", WRONG, ids=lambda case: case.replace(" ", "-"))
def test_a_wrong_file_is_explained(case: str, tmp_path: Path, snapshot) -> None:
    with pytest.raises(ProblemsFound) as caught:
        read(tmp_path, WRONG[case])
    text = render_error(caught.value, color=False)
    assert "hunter2" not in text
    snapshot(text)


def test_the_schema_offers_what_the_file_may_hold() -> None:
    schema = project_schema(CRMS)
    assert set(schema["properties"]) == {
        "pipelint",
        "cache",
        "rules",
        "connections",
        "write_back",
        "schedule",
        "metrics",
    }
    assert schema["required"] == ["pipelint", "connections"]
    assert schema["additionalProperties"] is False
    assert schema["properties"]["schedule"]["default"] == "15m"
    assert schema["$defs"]["ConnectionHead"]["properties"]["crm"]["enum"] == CRMS
    assert schema["$defs"]["WriteBack"]["properties"]["max_share"]["default"] == "40%"
