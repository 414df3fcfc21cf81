"""A stand-in for the HubSpot API on loopback, with an account behind it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

from pipelint.sandbox.clock import Clock
from pipelint.sandbox.control import Control
from pipelint.sandbox.faults import Faults
from pipelint.sandbox.hubspot import exports, settings
from pipelint.sandbox.hubspot.actions import actions
from pipelint.sandbox.hubspot.api import Api, native_error
from pipelint.sandbox.hubspot.auth import SCOPES, Auth
from pipelint.sandbox.hubspot.fill import fill
from pipelint.sandbox.hubspot.limits import Allowance, Limits
from pipelint.sandbox.hubspot.portal import Portal
from pipelint.sandbox.hubspot.setup import set_up
from pipelint.sandbox.hubspot.store import Store
from pipelint.sandbox.server import Sandbox

__all__ = ["HubSpotSandbox"]


class HubSpotSandbox(Sandbox):
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
        clock, faults = Clock(now), Faults()
        self.client_id = client_id
        self.client_secret = client_secret
        self.illnesses: Mapping[str, list[str]] = {}
        self.portal = Portal(Store(state), clock, faults)
        self.portal.index_lag = timedelta(seconds=index_lag)
        self.portal.leads = leads
        self.loaded = self._open(size, seed, data, state)
        self.auth = Auth(clock, client_id=client_id, client_secret=client_secret, seconds=token_seconds)
        allowance = Allowance(per_ten_seconds, searches_per_second, daily_limit)
        self.limits = Limits(clock, allowance, self.portal.zone)
        parts = (self.portal, self.auth, self.limits)
        super().__init__(Control(Api(*parts), clock, faults, native_error, actions(*parts)), port)

    def _open(self, size: int, seed: int, data: Path | None, state: Path | None) -> list[str]:
        """Load the account; answers one line about each thing that was loaded or left out."""
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
        settings.keep(self.portal)
        self.portal.store.save(path)

    def token(self, *scopes: str) -> str:
        """A service key, with all scopes unless some are named."""
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
                f"  control        {self.control_url} (faults, clock, request log: docs/sandbox.md)",
                "",
                "To use it, put this into pipelint.yaml:",
                "",
                "connections:",
                "  sandbox:",
                "    crm: hubspot",
                f"    base_url: {self.base_url}",
                '    auth: {token: "${env:HUBSPOT_TOKEN}"}',
                "",
                "and in the shell:",
                "",
                f"export HUBSPOT_TOKEN={self.token()}",
            ]
        )
