"""A small project on a HubSpot sandbox."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from pipelint.engine.provision import setup
from pipelint.sandbox.hubspot import HubSpotSandbox
from pipelint.sandbox.hubspot.auth import REFRESH_TOKEN

from .job import NOW, Job, pack

SETTINGS = """\
pipelint: 1
rules: rules/
cache: cache.db
connections:
  acme:
    crm: hubspot
    base_url: {url}
    auth: {{{auth}}}
write_back: {{mode: "on", max_share: 100%}}
"""


SERVICE_KEY = 'token: "${file:token}"'
APP = (
    'client_id: "${file:client_id}", client_secret: "${file:client_secret}", '
    'refresh_token: "${file:refresh_token}"'
)


class Account(Job[HubSpotSandbox]):
    """A project and its account."""

    name = "dealname"
    amount = "amount"

    def ours(self, name: str) -> str:
        return f"pipelint_{name}"

    def update(self, deal: int, **values: object) -> None:
        self.sandbox.clock.advance(timedelta(minutes=1))
        self.sandbox.portal.update("deals", self.deals[deal], values)

    def refuse(self, deal: int, message: str) -> None:
        self.sandbox.faults.add("VALIDATION_ERROR", record=self.deals[deal], message=message, times=0)

    def writes(self) -> int:
        return sum(request.path.endswith("/deals/batch/update") for request in self.sandbox.requests)


@contextmanager
def an_account(folder: Path) -> Iterator[Account]:
    """Set up, with six deals."""
    with HubSpotSandbox(size=0, now=NOW) as sandbox:
        deals = [
            sandbox.portal.create(
                "deals",
                {
                    "dealname": f"Deal {n}",
                    "dealstage": "appointmentscheduled",
                    "closedate": f"{'2026-11-01' if n == 1 else '2027-01-31'}T11:00:00Z",
                    **({"amount": "1000"} if n < 2 else {}),
                },
            )
            for n in range(6)
        ]
        project_in(folder, sandbox.base_url, sandbox.token())
        made = Account(folder, sandbox, deals)
        list(setup(made.project, apply=True))
        yield made


def project_in(folder: Path, base_url: str, token: str) -> None:
    """A project that signs in with the token beside it."""
    _project_in(folder, base_url, SERVICE_KEY, {"token": token})


def app_project_in(folder: Path, base_url: str) -> None:
    """A project that signs in as an app that the account has installed."""
    secrets = {"client_id": "sandbox-client", "client_secret": "sandbox-secret"}
    _project_in(folder, base_url, APP, {**secrets, "refresh_token": REFRESH_TOKEN})


def _project_in(folder: Path, base_url: str, auth: str, secrets: Mapping[str, str]) -> None:
    (folder / "rules").mkdir()
    text = pack("hubspot", "appointmentscheduled", '"186012377"')
    (folder / "rules" / "pack.yaml").write_text(text, encoding="utf-8")
    (folder / "pipelint.yaml").write_text(SETTINGS.format(url=base_url, auth=auth), encoding="utf-8")
    for name, secret in secrets.items():
        (folder / name).write_text(secret, encoding="utf-8")
