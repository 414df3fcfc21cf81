"""Which connectors there are, and how a missing one is explained."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import EntryPoint

import pytest

from pipelint.connectors import registry
from pipelint.errors import UsageError


@pytest.mark.parametrize("crm", registry.BUILT_IN)
def test_a_built_in_offers_settings_and_connect(crm: str) -> None:
    package = registry.load(crm)
    fields = package.Settings.model_fields
    assert fields["crm"].annotation is not None
    assert package.Settings.model_config["extra"] == "forbid"
    assert callable(package.connect)


def test_a_misspelt_crm_is_explained() -> None:
    with pytest.raises(UsageError, match="no connector for 'Salesfroce'") as caught:
        registry.load("Salesfroce")
    assert caught.value.hint == "did you mean 'salesforce'?"


def test_others_are_found_by_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [
        EntryPoint("acme", "pipelint.connectors.files", registry.GROUP),
        EntryPoint("salesforce", "somewhere.else", registry.GROUP),
    ]
    monkeypatch.setattr(registry, "entry_points", lambda group: points)
    assert "acme" in registry.known()
    assert registry.load("acme").Settings is registry.load("files").Settings
    assert registry.load("salesforce").__name__ == "pipelint.connectors.salesforce"  # type: ignore[attr-defined]


def test_reading_settings_imports_no_sdk() -> None:
    code = (
        "import sys; from pipelint.connectors import registry; registry.load('salesforce');"
        "print(sorted({'simple_salesforce', 'requests', 'msgspec'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
