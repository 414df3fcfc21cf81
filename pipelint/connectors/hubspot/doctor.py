"""What stands between this connection and complete pulls and write-backs; each problem with its cure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from pipelint.connectors.base import Diagnosis, Kind, Level, OwnField
from pipelint.connectors.doctor import absent, clocks, counted, our, tried
from pipelint.connectors.hubspot.answers import Account
from pipelint.connectors.hubspot.client import Client
from pipelint.connectors.hubspot.obstacles import obstacles
from pipelint.connectors.hubspot.readers import ENTERED
from pipelint.connectors.hubspot.refusal import RequestInvalid
from pipelint.connectors.hubspot.schema import Portal, Property
from pipelint.connectors.hubspot.streams import TYPE_IDS
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
MAY_BE_MISSING: Final = frozenset({"emails", "line_items"})


class _Room(msgspec.Struct):
    objectTypeId: str  # noqa: N815 - HubSpot's name
    limit: int
    usage: int


class _Limits(msgspec.Struct):
    byObjectType: list[_Room]  # noqa: N815 - HubSpot's name


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
    yield Diagnosis("ok", f"signed in to {where}")
    portal.forget()
    yield from tried(
        lambda: _zone(account),
        lambda: _versions(client),
        lambda: _quota(client),
        lambda: clocks(client.clock, "HubSpot"),
        lambda: _objects(client, portal),
        lambda: _stage_times(portal),
    )
    try:
        ours = _by_type(objects(), fields)
    except PipelintError:
        return  # what our kinds are called could not be read, which has been told
    yield from tried(
        lambda: _rights(client, ours),
        lambda: _own_fields(client, portal, ours, {own.name: own.choices for own in fields}),
        lambda: obstacles(client, portal, ours),
    )


def _by_type(objects: Mapping[Kind, str], fields: Sequence[OwnField]) -> Mapping[str, Sequence[str]]:
    """The names of our properties by object type."""
    ours: dict[str, list[str]] = {}
    for own in fields:
        ours.setdefault(objects[own.kind], []).append(own.name)
    return ours


def _zone(account: Account) -> Iterator[Diagnosis]:
    """Close dates that travel as instants are days there."""
    yield Diagnosis("ok", f"its dates are days in {account.zone}")


def _versions(client: Client) -> Iterator[Diagnosis]:
    reading, writing = client.reading.version, client.writing.version
    if "v3" in {reading, writing}:
        cure = "leave read_version and write_version out of pipelint.yaml"
        yield Diagnosis(
            "warning", f"reads by {reading} and writes by {writing}: v3 ends in September 2027", cure
        )
    elif writing >= "2026-09":
        what = f"writes by {writing}: the portal's required and conditional properties bind our writes, too"
        cure = "look at them in Settings > Objects, no API lists them; or leave write_version out"
        yield Diagnosis("warning", what, cure)
    else:
        yield Diagnosis("ok", f"reads by {reading} and writes by {writing}")


def _quota(client: Client) -> Iterator[Diagnosis]:
    used, allowed = client.allowance.used, client.allowance.allowed
    if used is None or not allowed:
        yield Diagnosis("ok", "HubSpot names no daily limit for this way of signing in")
        return
    what = f"{used:,} of {allowed:,} API calls used today, by all integrations"
    reserve = f"runs stop at {client.allowance.stop_at:.0%}"
    if used >= allowed * client.allowance.stop_at:
        yield Diagnosis("problem", what, f"{reserve}: find out which integration uses so many")
    else:
        yield Diagnosis("ok", f"{what}; {reserve}")


def _objects(client: Client, portal: Portal) -> Iterator[Diagnosis]:
    """What cannot be read, and in one line what can."""
    readable: list[str] = []
    for kind, path in {
        "owners": client.reading.owners(),
        **{it: client.reading.objects(it) for it in READ},
    }.items():
        try:
            client.get(path, msgspec.Raw, name=f"the {kind}", query=[("limit", "1")])
        except PermissionMissing as error:
            level: Level = "warning" if kind in MAY_BE_MISSING else "problem"
            yield Diagnosis(level, f"{kind} cannot be read", error.hint)
        else:
            readable.append(kind)
    if portal.sees("leads"):
        readable.append("leads")
    else:
        yield Diagnosis(
            "ok", "no leads object, or no scope for it: contacts of an early lifecycle stage are the leads"
        )
    if readable:
        yield Diagnosis("ok", f"{', '.join(readable)} can be read")


def _stage_times(portal: Portal) -> Iterator[Diagnosis]:
    told = "HubSpot tells" if ENTERED in portal.properties("deals") else "the histories of deals tell"
    yield Diagnosis("ok", f"{told} since when a deal is in its stage")


def _rights(client: Client, ours: Mapping[str, Sequence[str]]) -> Iterator[Diagnosis]:
    """A batch of nothing changes nothing, and is refused where the scope is missing."""
    for type_ in ours:
        path = client.writing.objects(type_, "batch", "update")
        try:
            client.change("POST", path, {"inputs": []}, name=f"the update of {type_}", final=())
        except PermissionMissing as error:
            yield Diagnosis("warning", f"{type_} cannot be written yet, only read", error.hint)
            continue
        except RequestInvalid:
            pass  # that there was nothing to write has been looked at after the scope
        yield Diagnosis("ok", f"{type_} may be written")


def _own_fields(
    client: Client, portal: Portal, ours: Mapping[str, Sequence[str]], choices: Mapping[str, Sequence[str]]
) -> Iterator[Diagnosis]:
    for type_, names in ours.items():
        known = portal.properties(type_)
        if missing := [name for name in names if name not in known]:
            what = f"{type_}: {absent('property', missing)}"
            yield Diagnosis("warning", what, "run: pipelint setup --apply")
            yield from _room(client, type_, len(missing))
        elif closed := [name for name in names if not known[name].writable]:
            what = f"{type_}: {our('property', closed)} may not be edited"
            yield Diagnosis("problem", what, "let them be edited: Settings > Properties")
        else:
            lacking = {name: _lacking(known[name], choices[name]) for name in names}
            for name, options in lacking.items():
                if options:
                    what = f"{type_}: options of {name} are not there: {', '.join(options)}"
                    yield Diagnosis(
                        "warning", f"{what}; such flags stay in the texts", "run: pipelint setup --apply"
                    )
            if not any(lacking.values()):
                yield Diagnosis("ok", f"{type_}: our properties are there, with all their options")


def _lacking(known: Property, choices: Sequence[str]) -> list[str]:
    offered = {option.value for option in known.options}
    return [choice for choice in choices if choice not in offered]


def _room(client: Client, type_: str, wanted: int) -> Iterator[Diagnosis]:
    """Whether the plan has room for what setup would create: free accounts have few custom properties."""
    limits = client.get(client.reading.property_limits(), _Limits, name="the limits of properties")
    for room in limits.byObjectType:
        if room.objectTypeId == TYPE_IDS[type_]:
            left = max(0, room.limit - room.usage)
            more = counted(left, "more custom property", "more custom properties")
            what = f"{type_}: room for {more} of {room.limit:,}"
            if left < wanted:
                cure = "archive some that nobody uses: Settings > Properties; or upgrade"
                yield Diagnosis("problem", f"{what}, and setup needs {wanted}", cure)
            else:
                yield Diagnosis("ok", what)
