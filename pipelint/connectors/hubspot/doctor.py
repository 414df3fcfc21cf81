"""What stands between this connection and complete pulls and write-backs; each problem with its cure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from pipelint.connectors.base import Diagnosis, Kind, Level, OwnField
from pipelint.connectors.doctor import clocks, tried
from pipelint.connectors.hubspot.client import Client
from pipelint.connectors.hubspot.schema import Portal
from pipelint.connectors.hubspot.streams import stage_times
from pipelint.errors import PermissionMissing, PipelintError

READ: Final = (
    "deals",
    "companies",
    "contacts",
    "calls",
    "meetings",
    "tasks",
    "notes",
    "emails",
    "line_items",
)
MAY_BE_MISSING: Final = frozenset({"emails", "line_items", "leads"})

ENDS: Final = "v3 and v4 end during 2027 (fact sheet hubspot §1)"


def diagnose(
    client: Client, portal: Portal, objects: Callable[[], Mapping[Kind, str]], fields: Sequence[OwnField]
) -> Iterator[Diagnosis]:
    """One thing after the other; without a sign-in nothing else can be looked at."""
    try:
        account = client.account()
    except PipelintError as error:
        yield Diagnosis("problem", f"sign-in: {error.message}", error.hint)
        return
    where = f"{account.accountType} account {account.portalId}".strip()
    yield Diagnosis("ok", f"signed in to {where}; its time zone is {account.timeZone}")
    portal.forget()
    yield from tried(
        lambda: _versions(client),
        lambda: _quota(client),
        lambda: clocks(client.clock, "HubSpot"),
        lambda: _objects(client),
        lambda: _stage_times(portal),
        lambda: _own_fields(portal, objects(), fields),
        lambda: _validations(client, objects(), fields),
    )


def _versions(client: Client) -> Iterator[Diagnosis]:
    reading, writing = client.reading.version, client.writing.version
    if "v3" in {reading, writing}:
        cure = "leave read_version and write_version out of pipelint.yaml"
        yield Diagnosis(
            "warning", f"reads by {reading} and writes by {writing}: v3 ends in September 2027", cure
        )
    elif writing >= "2026-09":
        what = f"writes by {writing}: the portal's required and conditional properties bind our writes, too"
        yield Diagnosis("warning", what, "leave write_version out, unless you want them to")
    else:
        yield Diagnosis("ok", f"reads by {reading} and writes by {writing}")


def _quota(client: Client) -> Iterator[Diagnosis]:
    used, allowed = client.allowance.used, client.allowance.allowed
    if used is None or not allowed:
        yield Diagnosis("ok", "HubSpot names no daily limit for this way of signing in")
        return
    what = f"{used:,} of {allowed:,} API calls used today, by all integrations"
    if used >= allowed * client.allowance.stop_at:
        cure = f"runs stop at {client.allowance.stop_at:.0%}: find out which integration uses so many"
        yield Diagnosis("problem", what, cure)
    else:
        yield Diagnosis("ok", what)


def _objects(client: Client) -> Iterator[Diagnosis]:
    for kind in READ:
        try:
            client.get(client.reading.objects(kind), dict[str, Any], name=kind, query=[("limit", "1")])
        except PermissionMissing as error:
            level: Level = "warning" if kind in MAY_BE_MISSING else "problem"
            yield Diagnosis(level, f"{kind} cannot be read", error.hint)
        else:
            yield Diagnosis("ok", f"{kind} can be read")


def _stage_times(portal: Portal) -> Iterator[Diagnosis]:
    found = stage_times(portal)
    yield Diagnosis("ok", f"HubSpot tells since when a deal is in its stage ({len(found)} properties)")


def _own_fields(
    portal: Portal, objects: Mapping[Kind, str], fields: Sequence[OwnField]
) -> Iterator[Diagnosis]:
    for kind in dict.fromkeys(own.kind for own in fields):
        known = portal.properties(objects[kind])
        missing = [own.name for own in fields if own.kind == kind and own.name not in known]
        if missing:
            what = f"{objects[kind]}: our properties {', '.join(missing)} are not there"
            yield Diagnosis("warning", what, "run: pipelint setup --apply")
        else:
            yield Diagnosis("ok", f"{objects[kind]}: our properties are there")


def _validations(
    client: Client, objects: Mapping[Kind, str], fields: Sequence[OwnField]
) -> Iterator[Diagnosis]:
    """Rules on our own properties refuse our writes; those on others bind us from 2026-09 on only."""
    for kind in dict.fromkeys(own.kind for own in fields):
        path = client.reading.validations(objects[kind])
        answer = client.get(path, dict[str, Any], name=f"the property validations of {objects[kind]}")
        ours = {own.name for own in fields}
        found = [
            str(rule.get("propertyName"))
            for rule in answer.get("results") or []
            if isinstance(rule, dict) and rule.get("propertyName") in ours
        ]
        if found:
            what = f"{objects[kind]}: a validation rule stands on {', '.join(sorted(set(found)))}"
            yield Diagnosis("problem", what, "remove the rule: Settings > Properties")
    yield Diagnosis(
        "ok", "workflows that enrol on our properties react to each write: see Automation > Workflows"
    )
