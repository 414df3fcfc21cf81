"""A stand-in for the Salesforce API on loopback, with an organisation behind it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from pipelint.sandbox.clock import Clock
from pipelint.sandbox.control import Control
from pipelint.sandbox.faults import Faults
from pipelint.sandbox.salesforce import currencies, metadata, trees
from pipelint.sandbox.salesforce.api import Api, native_error
from pipelint.sandbox.salesforce.auth import Auth
from pipelint.sandbox.salesforce.custom_fields import CustomFields
from pipelint.sandbox.salesforce.fill import fill
from pipelint.sandbox.salesforce.org import Org
from pipelint.sandbox.salesforce.schema import Schema
from pipelint.sandbox.salesforce.schema_activities import ACTIVITY_OBJECTS
from pipelint.sandbox.salesforce.schema_products import PRODUCT_OBJECTS
from pipelint.sandbox.salesforce.schema_sales import SALES_OBJECTS
from pipelint.sandbox.salesforce.schema_setup import SETUP_OBJECTS
from pipelint.sandbox.salesforce.setup import set_up
from pipelint.sandbox.salesforce.store import Store
from pipelint.sandbox.server import Sandbox

__all__ = ["SalesforceSandbox"]


class SalesforceSandbox(Sandbox):
    """One organisation and the server in front of it.

    Without `data` and `state` the organisation is generated: `size` opportunities from `seed`, the same for
    the same `now`; with `multi_currency` its amounts are in several currencies. `data` is a folder of sObject
    trees, `state` a file that `save` wrote earlier. `certificate` (PEM, or a bare public key) lets assertions
    signed with its private key in, by the JWT bearer flow.
    """

    def __init__(
        self,
        *,
        size: int = 120,
        seed: int = 7,
        data: Path | None = None,
        state: Path | None = None,
        multi_currency: bool = False,
        now: datetime | None = None,
        port: int = 0,
        client_id: str = "sandbox-client",
        client_secret: str = "sandbox-secret",  # noqa: S107 - published, it protects nothing
        certificate: str = "",
        session_seconds: int = 7200,
        daily_limit: int = 15_000,
    ) -> None:
        clock, faults = Clock(now), Faults()
        self.client_id = client_id
        self.client_secret = client_secret
        self.illnesses: Mapping[str, list[str]] = {}
        several = multi_currency or (state is not None and currencies.switched_on(state))
        self.org = Org(Store(_schema(multi_currency=several), saved=state), clock, faults)
        self.loaded = self._open(size, seed, data, state)
        self._auth = Auth(
            self.org,
            clock,
            client_id=client_id,
            client_secret=client_secret,
            certificate=certificate,
            seconds=session_seconds,
        )
        api = Api(self.org, self._auth, daily_limit=daily_limit)
        actions = {
            "expire-sessions": lambda _: {"expired": self._auth.expire()},
            "purge-deleted": lambda _: {"purged": self.org.purge_deleted()},
            "token": self._mint,
            "rename-field": self._rename,
        }
        super().__init__(Control(api, clock, faults, native_error, actions), port)

    def _open(self, size: int, seed: int, data: Path | None, state: Path | None) -> list[str]:
        """Load the organisation; answers one line about each thing that was loaded or left out."""
        store, clock = self.org.store, self.org.clock
        if state is not None:
            metadata.load(store)
            store.metadata_changed_at = clock.now()
            return [f"the organisation saved in {state}"]
        setup = set_up(store, clock, validation_rules=data is None)
        if data is not None:
            found = trees.load(self.org, data)
            store.create_indexes()
            return [*(f"{count} {name}" for name, count in found.counts.items()), *found.problems]
        if size:
            self.illnesses = fill(setup, size, seed)
        store.create_indexes()
        return [f"a generated organisation with {size} opportunities (seed {seed})"]

    def token(self, username: str = "integration@sandbox.example") -> str:
        """An access token for this user; `manager@sandbox.example` may read but not write."""
        return self._auth.open(self.org.user(username))

    def expire_sessions(self) -> None:
        """From now on every token handed out so far is refused."""
        self._auth.expire()

    def _mint(self, document: object) -> object:
        if not isinstance(document, dict) or "username" not in document:
            raise ValueError("the control token takes a username")
        return {"access_token": self.token(str(document["username"])), "instance_url": self.base_url}

    def _rename(self, document: object) -> object:
        match document:
            case {"field": str(full_name), "to": str(name)}:
                self.rename_field(full_name, name)
                return {"renamed": full_name, "to": name}
        raise ValueError("the control rename-field takes a field, such as Opportunity.Need__c, and to")

    def rename_field(self, full_name: str, name: str) -> None:
        """Give a custom field, such as `Opportunity.Need__c`, another API name, as an administrator does in Setup."""
        CustomFields(self.org.store, self.clock).rename(full_name, name)

    def save(self, path: Path) -> None:
        """Write the organisation to a file from which `state` brings it back."""
        self.org.store.save(path)

    def banner(self) -> str:
        """What runs here and how to point a project at it."""
        return "\n".join(
            [
                f"Salesforce sandbox at {self.base_url}",
                f"  holds          {self.loaded[0] if self.loaded else 'nothing'}",
                *(f"                 {line}" for line in self.loaded[1:]),
                f"  client id      {self.client_id}",
                f"  client secret  {self.client_secret}",
                f"  control        {self.control_url} (faults, clock, request log: docs/sandbox.md)",
                "",
                "To use it, put this into pipelint.yaml:",
                "",
                "connections:",
                "  sandbox:",
                "    crm: salesforce",
                f"    base_url: {self.base_url}",
                "    auth: {flow: client_credentials, client_id: "
                '"${env:SF_CLIENT_ID}", client_secret: "${env:SF_CLIENT_SECRET}"}',
                "",
                "and in the shell:",
                "",
                f"export SF_CLIENT_ID={self.client_id} SF_CLIENT_SECRET={self.client_secret}",
            ]
        )


def _schema(*, multi_currency: bool) -> Schema:
    objects = [*SALES_OBJECTS, *PRODUCT_OBJECTS, *ACTIVITY_OBJECTS, *SETUP_OBJECTS]
    return Schema(currencies.with_currencies(objects) if multi_currency else objects)
