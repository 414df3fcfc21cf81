"""What stands between this connection and complete pulls and write-backs; each problem with its cure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from pipelint.connectors.base import Diagnosis, Level, OwnField
from pipelint.connectors.doctor import absent, clocks, our, tried
from pipelint.connectors.salesforce import versions
from pipelint.connectors.salesforce.client import Client
from pipelint.connectors.salesforce.obstacles import obstacles
from pipelint.connectors.salesforce.rights import view_all
from pipelint.connectors.salesforce.sobject import SObject
from pipelint.connectors.salesforce.streams import FOLLOWED, OBJECT_OF
from pipelint.errors import PermissionMissing, PipelintError
from pipelint.records import Stream

MAY_BE_MISSING: Final = {Stream.LEADS, Stream.LINE_ITEMS}


class Allowed(msgspec.Struct):
    """How much of something is left."""

    Max: int
    Remaining: int


def diagnose(client: Client, fields: Sequence[OwnField]) -> Iterator[Diagnosis]:
    """One thing after the other; without a sign-in nothing else can be looked at."""
    try:
        client.sign_in()
    except PipelintError as error:
        yield Diagnosis("problem", f"sign-in: {error.message}", error.hint)
        return
    yield Diagnosis("ok", f"signed in at {client.settings.base_url}")
    version = list(tried(lambda: _version(client)))
    yield from version
    if any(each.level == "problem" for each in version):  # in a version that is not spoken all is refused
        return
    yield from tried(
        lambda: _quota(client),
        lambda: clocks(client.clock, "Salesforce"),
        lambda: _objects(client),
        lambda: view_all(client),
        lambda: _own_fields(client, fields),
        lambda: obstacles(client, list(dict.fromkeys(OBJECT_OF[own.kind] for own in fields))),
    )


def _version(client: Client) -> Iterator[Diagnosis]:
    spoken = client.get("/services/data", list[versions.Version], name="the API versions")
    ours = client.settings.api_version
    newest = versions.newest(spoken)
    if wrong := versions.complaint(ours, spoken):
        yield Diagnosis("problem", wrong.what, wrong.cure)
    elif old := versions.ageing(ours, spoken):
        yield Diagnosis("warning", old.what, old.cure)
    else:
        yield Diagnosis("ok", f"API version {ours}; the newest here is {newest.version} ({newest.label})")


def _quota(client: Client) -> Iterator[Diagnosis]:
    limits = client.get("limits", dict[str, dict[str, object]], name="the limits")
    calls = msgspec.convert(limits["DailyApiRequests"], Allowed)
    used = calls.Max - calls.Remaining
    what = f"{used:,} of {calls.Max:,} API calls used in the last 24 hours, by all integrations"
    reserve = f"runs stop at {client.allowance.stop_at:.0%}"
    if used >= calls.Max * client.allowance.stop_at:
        cure = f"{reserve}: wait, or find out which integration uses so many"
        yield Diagnosis("problem", what, cure)
    else:
        yield Diagnosis("ok", f"{what}; {reserve}")


def _objects(client: Client) -> Iterator[Diagnosis]:
    for stream, sobjects in FOLLOWED.items():
        for sobject in sobjects:
            yield _object(client, stream, sobject)


def _object(client: Client, stream: Stream, sobject: SObject) -> Diagnosis:
    grant = f"give the integration user Read and View All on {sobject.name} in a permission set"
    try:
        info = client.describe(sobject.name)
    except PermissionMissing:
        level: Level = "warning" if stream in MAY_BE_MISSING else "problem"
        return Diagnosis(level, f"{sobject.name} is not visible", grant)
    hidden = sorted(
        {
            api
            for source in sobject.fields.values()
            for api in source.api
            if not info.sees(api) and api not in source.or_none | source.one_of and api not in MULTI_CURRENCY
        }
    )
    if hidden:
        cure = "grant Read on them to the integration user; rules that need them cannot be checked until then"
        return Diagnosis("warning", f"{sobject.name}: not visible are {', '.join(hidden)}", cure)
    return Diagnosis("ok", f"{sobject.name} is visible with all its fields")


MULTI_CURRENCY: Final = {"CurrencyIsoCode"}
"""Exists in multi-currency orgs alone."""


def _own_fields(client: Client, fields: Sequence[OwnField]) -> Iterator[Diagnosis]:
    for kind in dict.fromkeys(own.kind for own in fields):
        sobject = OBJECT_OF[kind]
        info = client.describe(sobject)
        if not info.updateable:
            cure = f"give the integration user Edit on {sobject} in a permission set"
            yield Diagnosis("problem", f"{sobject}: the integration user may not edit records", cure)
        names = [own.name for own in fields if own.kind == kind]
        missing = [name for name in names if not info.sees(name)]
        closed = [name for name in names if info.sees(name) and not info.by_name[name].updateable]
        if missing:
            what = f"{sobject}: {absent('field', missing)}, or not visible"
            yield Diagnosis("warning", what, "run: pipelint setup --apply")
        if closed:
            what = f"{sobject}: {our('field', closed)} may not be edited"
            yield Diagnosis("problem", what, "run: pipelint setup --apply")
        if not missing and not closed:
            yield Diagnosis("ok", f"{sobject}: our fields are there and may be edited")
