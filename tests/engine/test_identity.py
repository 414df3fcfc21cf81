"""Naming a record that is not in the cache is told by what the cache knows of pulls."""

from __future__ import annotations

import pytest

from pipelint.engine.identity import find
from pipelint.errors import UsageError

from .conftest import Acme

GONE = "it was deleted or merged in the CRM, or never seen by a pull"


def told(acme: Acme, given: str) -> str:
    with acme.project.cache() as cache, pytest.raises(UsageError) as caught:
        find(cache, given)
    return f"{caught.value.message} = {caught.value.hint}"


def test_before_any_pull_it_says_to_pull_first(acme: Acme) -> None:
    assert told(acme, "d1") == "there is no record 'd1' in the cache = pull first, and check the id"


@pytest.mark.parametrize("given", ["d1", "acme:opportunity/d1", "https://crm.example/deals/d1"])
def test_of_a_record_that_is_gone_it_says_so(acme: Acme, given: str) -> None:
    acme.crm.deal("d1")
    acme.run()
    acme.crm.delete("d1")
    acme.run()
    assert told(acme, given).startswith(f"there is no record '{given}' in the cache: {GONE} = check the id")


def test_of_a_connection_that_was_not_pulled_it_says_to_pull_first(acme: Acme) -> None:
    acme.crm.deal("d1")
    acme.run()
    assert told(acme, "other:opportunity/d1").endswith(" = pull first, and check the id")
