"""HTTP for connectors: always a time-out, never a library's retry, no foreign redirects, our own errors."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from importlib.metadata import version
from typing import Final, Self
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import NameResolutionError, NewConnectionError

from pipelint.connectors.address import is_loopback
from pipelint.errors import Fix, UnexpectedAnswer, Unreachable

CONNECT_SECONDS: Final = 10.0
READ_SECONDS: Final = 150.0
"""Longer than the two minutes after which Salesforce ends a query (fact sheet salesforce §9)."""


class NotSent(Unreachable):
    """No connection came about, so the server has seen nothing of the call."""


class AnswerLost(Unreachable):
    """The call was sent and no complete answer came: the server may have done it or not."""


class BoundedAdapter(HTTPAdapter):
    """Gives every call a time-out: requests and the SDKs on it wait for ever without one.

    `local` speaks plain http where an SDK insists on https, for a server on this machine.
    """

    def __init__(self, *, local: bool = False) -> None:
        super().__init__(max_retries=0)
        self._local = local

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: float | tuple[float, float] | tuple[float, None] | None = None,
        verify: bool | str = True,
        cert: bytes | str | tuple[bytes | str, bytes | str] | None = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        url = str(request.url)
        if self._local:
            url = request.url = "http://" + url.removeprefix("https://")
        if url.startswith("http:") and not is_loopback(urlsplit(url).hostname):
            raise Fix(f"plain http to {urlsplit(url).hostname} is refused", hint="use https://")
        return super().send(
            request, stream, timeout or (CONNECT_SECONDS, READ_SECONDS), verify, cert, proxies
        )


class Session(requests.Session):
    """A requests session that stays with the host it was sent to."""

    def __init__(self, *, trust_env: bool = True) -> None:
        super().__init__()
        self.trust_env = trust_env  # proxies and company certificates come from the environment
        self.auth = _as_given
        self.headers["User-Agent"] = f"pipelint/{version('pipelint')}"
        for scheme in ("https://", "http://"):
            self.mount(scheme, BoundedAdapter())

    @classmethod
    def to(cls, base_url: str) -> Self:
        """One for this server: no proxy of the environment comes between us and this machine."""
        return cls(trust_env=not is_loopback(urlsplit(base_url).hostname))

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        target = super().get_redirect_target(resp)
        asked, sent_to = (urlsplit(str(url)) for url in (resp.url, target or resp.url))
        if sent_to.netloc and (asked.scheme, asked.netloc) != (sent_to.scheme, sent_to.netloc):
            raise UnexpectedAnswer(
                f"{asked.hostname} redirects to {sent_to.hostname}, which is not followed",
                hint="check base_url: it should be the host that answers in the end",
            )
        return target


def _as_given(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Keeps requests from putting a .netrc entry in place of our Authorization header."""
    return request


def send(
    session: requests.Session,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    params: Mapping[str, str] | None = None,
    data: bytes | Mapping[str, str] | None = None,
) -> requests.Response:
    """The answer, whatever its status, with its body read; an error of ours where there is none.

    Messages name the host alone: addresses hold queries, and queries hold customers' words. A change is not
    redirected: it would be sent again as a GET, and its answer would look as if the change had been made.
    """
    host = urlsplit(url).netloc
    follow = method == "GET"
    try:
        return session.request(method, url, headers=headers, params=params, data=data, allow_redirects=follow)
    except requests.exceptions.SSLError as error:
        if isinstance(_root(error), ssl.SSLCertVerificationError):
            hint = "behind a company proxy, point REQUESTS_CA_BUNDLE at the company's certificates"
            raise Fix(f"the certificate of {host} is not trusted", hint=hint) from None
        raise AnswerLost(f"the secure connection to {host} broke") from None
    except (requests.exceptions.ConnectTimeout, requests.exceptions.ProxyError) as error:
        raise NotSent(f"cannot reach {host}: {_reason(error)}", hint=_CHECK) from None
    except requests.exceptions.ConnectionError as error:
        if isinstance(_root(error), NewConnectionError):  # a name that is not found is one, too
            raise NotSent(f"cannot reach {host}: {_reason(error)}", hint=_CHECK) from None
        raise AnswerLost(f"{host} closed the connection before it had answered") from None
    except requests.exceptions.ReadTimeout:
        raise AnswerLost(f"{host} did not answer within {READ_SECONDS:.0f} s") from None
    except (requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError):
        raise AnswerLost(f"the answer of {host} was cut short") from None
    except (requests.exceptions.RequestException, ValueError) as error:
        raise Fix(f"the call to {host} could not be made: {type(error).__name__}") from None


_CHECK = "check base_url, the network and the proxy settings"


def _root(error: BaseException) -> BaseException:
    """The error below the wrappers of requests and urllib3."""
    inner = getattr(error, "reason", None) or (error.args[0] if error.args else None)
    return _root(inner) if isinstance(inner, BaseException) else error


def _reason(error: requests.exceptions.RequestException) -> str:
    if isinstance(error, requests.exceptions.ProxyError):
        return "the proxy refuses"
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return f"no answer within {CONNECT_SECONDS:.0f} s"
    if isinstance(_root(error), NameResolutionError):
        return "its name is not known"
    return "the connection is refused"
