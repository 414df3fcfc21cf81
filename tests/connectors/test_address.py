"""Which addresses a connector may talk to."""

from __future__ import annotations

import pytest

from pipelint.connectors.address import base_address, is_loopback


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("https://acme.my.salesforce.com", "https://acme.my.salesforce.com"),
        ("https://Acme.my.salesforce.com/", "https://acme.my.salesforce.com"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://localhost:8080/", "http://localhost:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_addresses_that_can_be_used(text: str, address: str) -> None:
    assert base_address(text) == address


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("acme.my.salesforce.com", "with its scheme"),
        ("ftp://acme.com", "with its scheme"),
        ("http://acme.my.salesforce.com", "write https"),
        ("http://127.0.0.1.evil.com", "write https"),
        ("https://user:secret@acme.com", "must not hold"),
        ("https://acme.com/services/data", "nothing after it"),
    ],
)
def test_addresses_that_cannot(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says) as caught:
        base_address(text)
    assert "secret" not in str(caught.value)


def test_only_this_machine_is_loopback() -> None:
    assert is_loopback("127.8.8.8")
    assert not is_loopback("10.0.0.1")
    assert not is_loopback(None)
