"""Which addresses a connector may talk to: https anywhere, plain http on this machine only."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator

from pipelint.config.values import wrong


def is_loopback(host: str | None) -> bool:
    """Whether a host name or address stays on this machine."""
    if not host:
        return False
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def base_address(text: str) -> str:
    """`text` as scheme://host[:port], or a ValueError that says what to write instead.

    >>> base_address("https://acme.my.salesforce.com/")
    'https://acme.my.salesforce.com'
    """
    parts = urlsplit(text.strip())
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("write the address with its scheme, such as https://acme.example.com")
    if parts.username or parts.password:
        raise ValueError("an address must not hold a user name or a password")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError("write https://; plain http is for this machine (127.0.0.1) only")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError(f"write {parts.scheme}://{parts.netloc} and nothing after it")
    return f"{parts.scheme}://{parts.netloc.lower()}"


def _usable(text: str) -> str:
    try:
        return base_address(text)
    except ValueError as error:
        raise wrong(f"'{text}' is not an address that can be used", str(error)) from None


Address = Annotated[str, AfterValidator(_usable)]
"""An address in pipelint.yaml."""
