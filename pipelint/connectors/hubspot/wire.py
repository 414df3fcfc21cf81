"""The wire: one api object of hubspot-api-client, with its traps closed (fact sheet §14).

It is held for good, because every access of the SDK's own makes a new pool of connections; it asks for
compressed answers, has a time-out on every call, tries nothing again by itself and hands out raw bytes.
"""

from __future__ import annotations

import logging
import os
import ssl
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Final, NamedTuple
from urllib.parse import urlsplit
from urllib.request import getproxies

import urllib3
from hubspot.crm.deals import ApiClient, Configuration
from hubspot.crm.deals.exceptions import ApiException
from urllib3.exceptions import (
    ConnectTimeoutError,
    DecodeError,
    HTTPError,
    IncompleteRead,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ProxyError,
    ReadTimeoutError,
    SSLError,
)

from pipelint.connectors.address import is_loopback
from pipelint.connectors.http import CONNECT_SECONDS, READ_SECONDS, AnswerLost, NotSent
from pipelint.errors import Fix

_CHECK: Final = "check base_url, the network and the proxy settings"


class Answer(NamedTuple):
    """An answer of any status, with its body as it came."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Wire:
    """Sends requests to one host."""

    def __init__(self, base_url: str) -> None:
        self._host = urlsplit(base_url).netloc
        self._api = ApiClient(configuration=_configuration(base_url))
        self._api.user_agent = f"pipelint/{version('pipelint')}"
        self._api.set_default_header("Accept-Encoding", "gzip")

    def send(
        self,
        method: str,
        path: str,
        *,
        token: str = "",
        query: Sequence[tuple[str, str]] = (),
        body: object = None,
        form: Mapping[str, str] | None = None,
    ) -> Answer:
        """The answer, whatever its status; an error of ours where there is none.

        Raises:
            NotSent: HubSpot has seen nothing of the call.
            AnswerLost: it may have seen it.
            Fix: the certificate is not trusted.
        """
        headers = {"Accept": "application/json"}
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        if token:
            headers["Authorization"] = f"Bearer {token}"
        try:
            response = self._api.call_api(
                path,
                method,
                query_params=list(query),
                header_params=headers,
                body=body,
                post_params=list(form.items()) if form is not None else None,
                _preload_content=False,
                _request_timeout=(CONNECT_SECONDS, READ_SECONDS),
            )
            return Answer(response.status, response.headers, response.data)
        except ApiException as error:
            if not error.status:
                raise self._insecure(str(error.reason)) from None
            text = error.body or ""
            return Answer(error.status, error.headers or {}, text.encode() if isinstance(text, str) else text)
        except HTTPError as error:
            raise self._trouble(error) from None

    def close(self) -> None:
        self._api.rest_client.pool_manager.clear()
        self._api.close()

    def _insecure(self, reason: str) -> Fix | AnswerLost:
        """The SDK turns every trouble with TLS into an error without a status."""
        if "CERTIFICATE_VERIFY_FAILED" in reason or ssl.SSLCertVerificationError.__name__ in reason:
            hint = "behind a company proxy, point REQUESTS_CA_BUNDLE at the company's certificates"
            return Fix(f"the certificate of {self._host} is not trusted", hint=hint)
        return AnswerLost(f"the secure connection to {self._host} broke")

    def _trouble(self, error: HTTPError) -> NotSent | AnswerLost | Fix:
        cause = error.reason if isinstance(error, MaxRetryError) and error.reason else error
        if isinstance(cause, SSLError):
            return self._insecure(str(cause))
        if isinstance(cause, ProxyError):
            return NotSent(f"cannot reach {self._host}: the proxy refuses", hint=_CHECK)
        if isinstance(cause, NameResolutionError):
            return NotSent(f"cannot reach {self._host}: its name is not known", hint=_CHECK)
        if isinstance(cause, NewConnectionError):  # which urllib3 counts among the time-outs
            return NotSent(f"cannot reach {self._host}: the connection is refused", hint=_CHECK)
        if isinstance(cause, ConnectTimeoutError):
            seconds = f"{CONNECT_SECONDS:.0f} s"
            return NotSent(f"cannot reach {self._host}: no answer within {seconds}", hint=_CHECK)
        if isinstance(cause, ReadTimeoutError):
            return AnswerLost(f"{self._host} did not answer within {READ_SECONDS:.0f} s")
        if isinstance(cause, IncompleteRead | DecodeError):
            return AnswerLost(f"the answer of {self._host} was cut short")
        if isinstance(cause, ProtocolError):
            return AnswerLost(f"{self._host} closed the connection before it had answered")
        return AnswerLost(f"the call to {self._host} failed: {type(cause).__name__}")


def _configuration(base_url: str) -> Configuration:
    configuration = Configuration(host=base_url)
    # One policy tries again, and no redirect takes the token to another host.
    configuration.retries = urllib3.Retry(0, redirect=0, raise_on_redirect=False)
    configuration.client_side_validation = False
    for logger in configuration.logger.values():
        logger.setLevel(logging.NOTSET)  # it sets levels of its own, which would outshout --quiet
    configuration.ssl_ca_cert = os.environ.get("REQUESTS_CA_BUNDLE") or None
    parts = urlsplit(base_url)
    if not is_loopback(parts.hostname):
        configuration.proxy = getproxies().get(parts.scheme)
    return configuration
