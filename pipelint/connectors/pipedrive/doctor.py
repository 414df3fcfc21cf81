"""What stands between this connection and complete pulls and write-backs; each problem with its cure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from pipelint.connectors.base import Diagnosis, OwnField
from pipelint.connectors.doctor import clocks, tried
from pipelint.connectors.pipedrive import endpoints as e
from pipelint.connectors.pipedrive.client import Client
from pipelint.connectors.pipedrive.reference import Reference
from pipelint.connectors.pipedrive.settings import ApiToken
from pipelint.errors import PipelintError

LISTS: Final = (
    (e.DEALS, "deals", "deals:full"),
    (e.ORGANIZATIONS, "organizations", "contacts:read"),
    (e.PERSONS, "persons", "contacts:read"),
    (e.ACTIVITIES, "activities", "activities:read"),
    (e.LEADS, "leads", "leads:read"),
)
"""What must be readable, and the scope of an app that it takes (fact sheet §2)."""


def diagnose(
    client: Client, reference: Reference, fields: Sequence[OwnField], *, protects: bool
) -> Iterator[Diagnosis]:
    """One thing after the other; without a sign-in nothing else can be looked at."""
    try:
        me = client.get(e.ME, name="who we are").data or {}
    except PipelintError as error:
        yield Diagnosis("problem", f"sign-in: {error.message}", error.hint)
        return
    yield Diagnosis("ok", f"signed in at {client.settings.base_url} as {me.get('email', 'an unnamed user')}")
    reference.fresh()
    yield from tried(
        lambda: _rights(client, me),
        lambda: _budget(client),
        lambda: clocks(client.clock, "Pipedrive"),
        lambda: _lists(client),
        lambda: _own_fields(reference, fields),
        lambda: _rotting(reference, protects=protects),
        lambda: _required(reference),
    )


def _rights(client: Client, me: dict[str, object]) -> Iterator[Diagnosis]:
    """A regular user sees less than all deals, and may not create fields."""
    access = me.get("access")
    apps = access if isinstance(access, list) else []
    admin = any(isinstance(one, dict) and one.get("app") == "sales" and one.get("admin") for one in apps)
    if admin:
        yield Diagnosis("ok", "the user is a deals admin: it sees all deals and may create fields")
    else:
        cure = "give it a permission set with deals admin, or see to it that its visibility covers all deals"
        yield Diagnosis("warning", "the user is no deals admin: deals of others may be hidden from it", cure)
    if isinstance(client.settings.auth, ApiToken):
        yield Diagnosis("ok", "an API token: it lives until somebody makes a new one for the same user")


def _budget(client: Client) -> Iterator[Diagnosis]:
    budget = client.budget
    used, ours = budget.used(), budget.ours
    what = (
        f"{used:,} of {ours:,} API tokens used in the last 24 hours; the company has {budget.daily:,} a day, "
        f"{client.settings.share:.0%} of them are pipelint's"
    )
    if used >= ours:
        yield Diagnosis("problem", what, "they come free hour by hour; or raise share in pipelint.yaml")
    else:
        yield Diagnosis("ok", what)


def _lists(client: Client) -> Iterator[Diagnosis]:
    for endpoint, name, scope in LISTS:
        try:
            client.get(endpoint, name=f"the {name}", params={"limit": "1"})
        except PipelintError as error:
            yield Diagnosis("problem", error.message, error.hint or f"an app needs the scope {scope}")
        else:
            yield Diagnosis("ok", f"{name} can be read")


def _own_fields(reference: Reference, fields: Sequence[OwnField]) -> Iterator[Diagnosis]:
    names = dict.fromkeys(own.name for own in fields)
    missing = [name for name in names if reference.deal_fields.find(name) is None]
    if missing:
        cure = "run: pipelint setup --apply"
        yield Diagnosis("warning", f"our fields {', '.join(missing)} are not there, or not unique", cure)
    elif names:
        yield Diagnosis("ok", "our fields are there")


def _rotting(reference: Reference, *, protects: bool) -> Iterator[Diagnosis]:
    """A write moves the last update, from which rotting counts (hazards W2)."""
    rotting = [stage for stage in reference.stages.values() if stage.is_deal_rot_enabled]
    if not rotting:
        yield Diagnosis("ok", "no stage lets deals rot, so a write hides nothing")
        return
    names = ", ".join(f"{stage.name} ({stage.days_to_rotten} days)" for stage in rotting)
    if protects:
        yield Diagnosis("ok", f"deals rot in {names}; those about to are not written (protect_rotting)")
    else:
        cure = "set protect_rotting: true, or rely on pipelint's no-activity, which counts human work alone"
        yield Diagnosis("warning", f"deals rot in {names}; each write of ours makes a deal look fresh", cure)


def _required(reference: Reference) -> Iterator[Diagnosis]:
    """Required fields bind in the web interface alone; they never stop a write of ours (fact sheet §4)."""
    count = sum(1 for field in reference.deal_fields.all if field.required and field.required.enabled)
    yield Diagnosis(
        "ok",
        f"{count} deal fields are required in Pipedrive's pages; they do not stop writes through the API",
    )
