"""A stand-in for the Pipedrive API on loopback, with a company behind it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from pipelint.sandbox.clock import Clock
from pipelint.sandbox.control import Control
from pipelint.sandbox.faults import Faults
from pipelint.sandbox.pipedrive.api import Api
from pipelint.sandbox.pipedrive.auth import Auth
from pipelint.sandbox.pipedrive.company import Company
from pipelint.sandbox.pipedrive.errors import native_error
from pipelint.sandbox.pipedrive.fill import fill
from pipelint.sandbox.pipedrive.limits import Limits
from pipelint.sandbox.pipedrive.setup import ADMIN, set_up
from pipelint.sandbox.pipedrive.steering import Steering
from pipelint.sandbox.pipedrive.store import Store
from pipelint.sandbox.server import Sandbox

__all__ = ["PipedriveSandbox"]


class PipedriveSandbox(Sandbox):
    """One company and the server in front of it.

    Without `state` the company is generated: `size` deals from `seed`, the same for the same `now`; `state` is
    a file that `save` wrote earlier. `plan` and `seats` set the daily token budget and the burst limit;
    `burst` replaces the latter, in requests within two seconds (0: no limit; None: the plan's while the clock runs,
    none while it stands still).
    """

    def __init__(
        self,
        *,
        size: int = 120,
        seed: int = 7,
        state: Path | None = None,
        now: datetime | None = None,
        port: int = 0,
        plan: str = "lite",
        seats: int = 1,
        burst: int | None = None,
        most_custom_fields: int = 100,
        client_id: str = "sandbox-client",
        client_secret: str = "sandbox-secret",  # noqa: S107 - published, it protects nothing
        session_seconds: int = 3600,
    ) -> None:
        clock, faults = Clock(now), Faults()
        self.client_id = client_id
        self.client_secret = client_secret
        self.illnesses: Mapping[str, list[str]] = {}
        self.company = Company(Store(state), clock, faults, most_custom=most_custom_fields)
        self.company.admin = ADMIN
        if state is None:
            set_up(self.company)
            if size:
                self.illnesses = fill(self.company, size, seed)
            self.company.store.create_indexes()
        self._holds = f"the company saved in {state}" if state else f"a generated company with {size} deals"
        self.limits = Limits(clock, plan=plan, seats=seats, burst=burst)
        self._auth = Auth(clock, client_id=client_id, client_secret=client_secret, seconds=session_seconds)
        parts = (self.company, self._auth, self.limits)
        super().__init__(Control(Api(*parts), clock, faults, native_error, Steering(*parts).actions()), port)

    def token(self, user_id: int | None = None) -> str:
        """The API token of a user; of the admin, unless said otherwise."""
        return self._auth.api_token(user_id or ADMIN)

    def refresh_token(self, *scopes: str) -> str:
        """The refresh token of an app the admin let in, with these scopes or all."""
        return self._auth.grant(ADMIN, scopes) if scopes else self._auth.grant(ADMIN)

    def expire_access_tokens(self) -> None:
        """From now on every access token handed out so far is refused."""
        self._auth.expire()

    def save(self, path: Path) -> None:
        """Write the company to a file from which `state` brings it back."""
        self.company.store.save(path)

    def banner(self) -> str:
        """What runs here and how to point a project at it."""
        return "\n".join(
            [
                f"Pipedrive sandbox at {self.base_url}",
                f"  holds      {self._holds}",
                f"  API token  {self.token()}",
                f"  plan       {self.limits.plan}, {self.limits.budget:,} tokens a day",
                f"  control    {self.control_url} (faults, clock, request log: docs/sandbox.md)",
                "",
                "To use it, put this into pipelint.yaml:",
                "",
                "connections:",
                "  sandbox:",
                "    crm: pipedrive",
                f"    base_url: {self.base_url}",
                '    auth: {token: "${env:PIPEDRIVE_TOKEN}"}',
                f"    daily_tokens: {self.limits.budget}",
                "",
                "and in the shell:",
                "",
                f"export PIPEDRIVE_TOKEN={self.token()}",
            ]
        )
