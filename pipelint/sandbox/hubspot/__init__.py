"""A stand-in for the HubSpot API on loopback, with an account behind it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from pipelint.sandbox.clock import Clock
from pipelint.sandbox.faults import Faults

if TYPE_CHECKING:
    from pipelint.sandbox.control import LoggedRequest

__all__ = ["HubSpotSandbox"]


class HubSpotSandbox:
    """One account and the server in front of it.

    Without `data` (a folder of answers of the list endpoints) and `state` (a file that `save` wrote earlier)
    the account is generated: `size` deals from `seed`,
    the same as the opportunities of the Salesforce sandbox for the same `now`. `leads` says whether its plan
    has the leads object. `per_ten_seconds`, `searches_per_second` and `daily_limit` bound the calls (0: not at
    all; None: as HubSpot does while the clock runs, not at all while it stands still). `index_lag` seconds
    pass until a change is found by search.
    """

    def __init__(
        self,
        *,
        size: int = 120,
        seed: int = 7,
        data: Path | None = None,
        state: Path | None = None,
        now: datetime | None = None,
        port: int = 0,
        client_id: str = "sandbox-client",
        client_secret: str = "sandbox-secret",  # noqa: S107 - published, it protects nothing
        token_seconds: int = 1800,
        per_ten_seconds: int | None = None,
        searches_per_second: int | None = None,
        daily_limit: int = 650_000,
        index_lag: float = 0,
        leads: bool = True,
    ) -> None:
        from pipelint.sandbox.control import Control
        from pipelint.sandbox.hubspot.actions import actions
        from pipelint.sandbox.hubspot.api import Api, native_error
        from pipelint.sandbox.hubspot.auth import Auth
        from pipelint.sandbox.hubspot.limits import Allowance, Limits
        from pipelint.sandbox.hubspot.portal import Portal
        from pipelint.sandbox.hubspot.store import Store
        from pipelint.sandbox.server import Server

        self.client_id = client_id
        self.client_secret = client_secret
        self.clock = Clock(now)
        self.faults = Faults()
        self.illnesses: Mapping[str, list[str]] = {}
        self.portal = Portal(Store(state), self.clock, self.faults)
        self.portal.index_lag = timedelta(seconds=index_lag)
        self.portal.leads = leads
        self.loaded = self._open(size, seed, data, state)
        self.auth = Auth(self.clock, client_id=client_id, client_secret=client_secret, seconds=token_seconds)
        self.limits = Limits(
            self.clock, Allowance(per_ten_seconds, searches_per_second, daily_limit), self.portal.zone
        )
        self._control = Control(
            Api(self.portal, self.auth, self.limits),
            self.clock,
            self.faults,
            native_error,
            actions(self.portal, self.auth, self.limits),
        )
        self._server = Server(self._control, port)

    def _open(self, size: int, seed: int, data: Path | None, state: Path | None) -> list[str]:
        """Load the account; answers one line about each thing that was loaded or left out."""
        from pipelint.sandbox.hubspot import exports, settings
        from pipelint.sandbox.hubspot.fill import fill
        from pipelint.sandbox.hubspot.setup import set_up

        if state is not None:
            settings.bring_back(self.portal)
            return [f"the account saved in {state}"]
        set_up(self.portal)
        self.portal.store.create_tables()
        if data is not None:
            found = exports.load(self.portal, data)
            self.portal.store.create_indexes()
            return [*(f"{count} {name}" for name, count in found.counts.items()), *found.problems]
        if size:
            self.illnesses = fill(self.portal, size, seed)
        self.portal.store.create_indexes()
        return [f"a generated account with {size} deals (seed {seed})"]

    def save(self, path: Path) -> None:
        """Write the account to a file from which `state` brings it back."""
        from pipelint.sandbox.hubspot import settings

        settings.keep(self.portal)
        self.portal.store.save(path)

    @property
    def base_url(self) -> str:
        return self._server.url

    @property
    def requests(self) -> list[LoggedRequest]:
        """Every API request so far, in order."""
        return self._control.requests

    def token(self, *scopes: str) -> str:
        """A service key, with all scopes unless some are named."""
        from pipelint.sandbox.hubspot.auth import SCOPES

        return self.auth.key(scopes or SCOPES)

    def expire_tokens(self) -> None:
        """From now on every OAuth token handed out so far is refused."""
        self.auth.expire()

    def banner(self) -> str:
        """What runs here and how to point a project at it."""
        return "\n".join(
            [
                f"HubSpot sandbox at {self.base_url}",
                f"  holds          {self.loaded[0] if self.loaded else 'nothing'}",
                *(f"                 {line}" for line in self.loaded[1:]),
                f"  service key    {self.token()}",
                f"  client id      {self.client_id}",
                f"  client secret  {self.client_secret}",
                "",
                "To look into it:",
                "",
                f"curl -H 'Authorization: Bearer {self.token()}' {self.base_url}/crm/v3/objects/deals",
            ]
        )

    def start(self) -> None:
        """Serve; `base_url` is known from here on."""
        self._server.start()

    def stop(self) -> None:
        """Stop serving; the account stays usable through `portal`."""
        self._server.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
