"""What stands between this connection and complete pulls and write-backs; each problem with its cure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from pipelint.connectors.base import Diagnosis, OwnField
from pipelint.connectors.doctor import absent, clocks, counted, our, tried
from pipelint.connectors.pipedrive import endpoints as e
from pipelint.connectors.pipedrive.backlog import Backlog
from pipelint.connectors.pipedrive.budget import DAY, FOR_WRITING
from pipelint.connectors.pipedrive.client import Client
from pipelint.connectors.pipedrive.fields import Provisioning
from pipelint.connectors.pipedrive.reference import Reference
from pipelint.connectors.pipedrive.schema import Field
from pipelint.connectors.pipedrive.settings import ApiToken
from pipelint.errors import PipelintError
from pipelint.records import Stream

LISTS: Final = (
    (e.DEALS, "deals"),
    (e.ORGANIZATIONS, "organizations"),
    (e.PERSONS, "persons"),
    (e.ACTIVITIES, "activities"),
    (e.LEADS, "leads"),
)

READING: Final[Mapping[str, str]] = {
    "deals:read": "deals, stages and participants",
    "contacts:read": "organizations and persons",
    "activities:read": "activities",
    "leads:read": "leads",
    "users:read": "owners",
    "recents:read": "stage changes",
}
"""The scopes that every pull needs, and what for (fact sheet §2); `full` in place of `read` will do."""

WRITING: Final[Mapping[str, str]] = {
    "deals:full": "writing to deals",
    "leads:full": "writing to leads",
    "deal-fields:full": "setup",
}
"""The scopes that pipelint needs beyond, where it writes."""

_SETUP: Final = "run: pipelint setup --apply"
_MOST_NAMES: Final = 5

WHAT: Final = {
    Stream.STAGE_CHANGES: "stage changes",
    Stream.CONTACT_ROLES: "participants",
    Stream.LINE_ITEMS: "products",
}


def diagnose(
    client: Client, reference: Reference, backlog: Backlog, fields: Sequence[OwnField], *, protects: bool
) -> Iterator[Diagnosis]:
    """One thing after the other; without a sign-in nothing else can be looked at."""
    try:
        me = client.get(e.ME, name="the sign-in").data or {}
    except PipelintError as error:
        yield Diagnosis("problem", f"sign-in: {error.message}", error.hint)
        return
    yield Diagnosis("ok", f"signed in at {client.settings.base_url} as {me.get('email', 'an unnamed user')}")
    reference.fresh()
    yield from tried(
        lambda: _rights(client, me),
        lambda: _scopes(client, fields),
        lambda: _budget(client),
        lambda: _waiting(client, backlog),
        lambda: clocks(client.clock, "Pipedrive"),
        lambda: _lists(client),
        lambda: _own_fields(client, reference, fields),
        lambda: _rotting(reference, protects=protects),
        lambda: _required(reference, fields),
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


def _scopes(client: Client, fields: Sequence[OwnField]) -> Iterator[Diagnosis]:
    """What an app was let in for; a user's own token may do whatever the user may."""
    if isinstance(client.settings.auth, ApiToken) or not client.scopes:
        return
    writes = {"deals:full", "deal-fields:full"} if fields else set()
    writes |= {"leads:full"} if any(own.kind == "lead" for own in fields) else set()
    has = client.scopes | {scope.replace(":full", ":read") for scope in client.scopes}
    has |= {"deal-fields:full"} if "admin" in has else set()
    cure = "add them to the app in Pipedrive's Developer Hub, and sign in again"
    reading = [f"{scope} ({what})" for scope, what in READING.items() if scope not in has]
    if reading:
        yield Diagnosis(
            "problem", f"the app lacks {counted(len(reading), 'scope')}: {', '.join(reading)}", cure
        )
    writing = [f"{scope} ({what})" for scope, what in WRITING.items() if scope in writes - has]
    if writing:
        lacks = f"to write, the app lacks {counted(len(writing), 'scope')}: {', '.join(writing)}"
        yield Diagnosis("warning", lacks, cure)
    if not reading and not writing:
        yield Diagnosis("ok", "the app has the scopes that it needs")


def _budget(client: Client) -> Iterator[Diagnosis]:
    budget = client.budget
    used, ours = budget.used(), budget.ours
    what = (
        f"{used:,} of {ours:,} API tokens used in the last 24 hours; the company has {budget.daily:,} a day, "
        f"{client.settings.share:.0%} of them are pipelint's"
    )
    if used >= ours:
        yield Diagnosis("problem", what, "they come free hour by hour; or raise share in pipelint.yaml")
    elif not budget.left(FOR_WRITING):
        cure = "pulls go on, and writing does when tokens come free; or raise share in pipelint.yaml"
        yield Diagnosis("warning", f"{what}; none of the rest are for writing", cure)
    else:
        yield Diagnosis("ok", what)


def _waiting(client: Client, backlog: Backlog) -> Iterator[Diagnosis]:
    """Deals that are asked for by themselves wait where the share is small."""
    for stream, waiting in backlog.told().items():
        days = (client.context.clock() - waiting.since) / DAY
        if days > 1:
            yield Diagnosis(
                "warning",
                f"{waiting.deals:,} deals wait to be asked for their {WHAT[stream]}, one of them for {days:.0f} days",
                "pull less often, which leaves more tokens for it, or raise share in pipelint.yaml",
            )


def _lists(client: Client) -> Iterator[Diagnosis]:
    read = []
    for endpoint, name in LISTS:
        try:
            client.get(endpoint, name=f"the {name}", params={"limit": "1"})
        except PipelintError as error:
            yield Diagnosis("problem", error.message, error.hint)
        else:
            read.append(name)
    if read:
        yield Diagnosis("ok", f"{', '.join(read)} can be read")


def _own_fields(client: Client, reference: Reference, fields: Sequence[OwnField]) -> Iterator[Diagnosis]:
    steps = Provisioning(client, reference).plan(fields)
    by_action: dict[str, list[str]] = {}
    for step in steps:
        told = step.target if step.action == "create" else f"'{step.target}': {step.detail}"
        by_action.setdefault(step.action, []).append(told)
    if missing := by_action.get("create"):
        yield Diagnosis("warning", absent("field", missing), _SETUP)
    for lacking in by_action.get("extend", ()):
        yield Diagnosis("warning", f"our field {lacking} are not there; such flags stay in the texts", _SETUP)
    for conflict in by_action.get("conflict", ()):
        yield Diagnosis("problem", f"our field {conflict}", "Company settings > Data fields > Deal")
    if by_action.keys() == {"ready"}:
        yield Diagnosis("ok", "our fields are there, with all their options")


def _rotting(reference: Reference, *, protects: bool) -> Iterator[Diagnosis]:
    """A write moves the last update, from which rotting counts (hazards W2)."""
    rotting: dict[str, list[str]] = {}
    for stage in sorted(reference.stages.values(), key=lambda stage: (stage.pipeline_id, stage.order_nr)):
        if stage.is_deal_rot_enabled and not stage.is_deleted:
            pipeline = reference.pipelines.get(stage.pipeline_id)
            of_pipeline = rotting.setdefault(pipeline.name if pipeline else str(stage.pipeline_id), [])
            of_pipeline.append(f"{stage.name} ({counted(stage.days_to_rotten or 0, 'day')})")
    if not rotting:
        yield Diagnosis("ok", "no stage lets deals rot, so a write hides nothing")
        return
    names = "; ".join(f"{pipeline}: {', '.join(stages)}" for pipeline, stages in rotting.items())
    if protects:
        yield Diagnosis("ok", f"deals rot in {names}. Those about to are not written (protect_rotting)")
    else:
        cure = "set protect_rotting: yes, or rely on pipelint's no-activity, which counts human work alone"
        yield Diagnosis("warning", f"deals rot in {names}. Each write of ours makes a deal look fresh", cure)


def _required(reference: Reference, fields: Sequence[OwnField]) -> Iterator[Diagnosis]:
    """Required fields bind people in Pipedrive's pages; they never stop a write of ours (fact sheet §4)."""
    required = [field for field in reference.deal_fields.all if field.required and field.required.enabled]
    names = {own.name.casefold() for own in fields}
    ours = [field for field in required if field.custom and field.name.casefold() in names]
    if ours:
        told = our("field", [f"'{field.name}'" for field in ours])
        are = "is" if len(ours) == 1 else "are"
        what = f"{told} {are} required, so people cannot move deals that nothing was written to"
        yield Diagnosis("problem", what, "Company settings > Data fields > Deal: make them optional")
    if not required:
        yield Diagnosis("ok", "no deal field is required, so none could refuse a write")
    elif len(required) > len(ours):
        others = [field for field in required if field not in ours]
        what = f"{counted(len(others), 'deal field')} required in Pipedrive's pages ({_names(others)})"
        yield Diagnosis("ok", f"{what}: that binds people there, and refuses no write through the API")


def _names(fields: Sequence[Field]) -> str:
    names = [f"'{field.name}'" for field in fields[:_MOST_NAMES]]
    return ", ".join(names) + (f" and {len(fields) - _MOST_NAMES} more" if len(fields) > _MOST_NAMES else "")
