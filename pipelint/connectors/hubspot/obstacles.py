"""What in the portal may refuse our writes, or reacts to them: validation rules, workflows, rules of stages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

import msgspec

from pipelint.connectors.base import Diagnosis
from pipelint.connectors.doctor import counted
from pipelint.connectors.hubspot import paths
from pipelint.connectors.hubspot.answers import Paging
from pipelint.connectors.hubspot.client import Client
from pipelint.connectors.hubspot.readers import STAMP
from pipelint.connectors.hubspot.schema import Portal
from pipelint.connectors.hubspot.streams import TYPE_IDS
from pipelint.errors import PermissionMissing, PipelintError

AT_ONCE: Final = 50
"""Workflows that are read by one call."""

WITH_PIPELINES: Final = ("deals", "leads")


class _Rule(msgspec.Struct):
    ruleType: str = ""  # noqa: N815 - HubSpot's name
    ruleArguments: list[Any] = []  # noqa: N815 - HubSpot's name


class _Validated(msgspec.Struct):
    propertyName: str  # noqa: N815 - HubSpot's name
    propertyValidationRules: list[_Rule] = []  # noqa: N815 - HubSpot's name


class _Validations(msgspec.Struct):
    results: list[_Validated]


class _Flow(msgspec.Struct):
    id: str
    name: str = ""
    objectTypeId: str = ""  # noqa: N815 - HubSpot's name
    isEnabled: bool = False  # noqa: N815 - HubSpot's name
    enrollmentCriteria: Any = None  # noqa: N815 - HubSpot's name


class _Flows(msgspec.Struct):
    results: list[_Flow]
    paging: Paging | None = None


class _Stage(msgspec.Struct):
    pipelineStageId: str  # noqa: N815 - HubSpot's name
    permissionMode: str = "OPEN"  # noqa: N815 - HubSpot's name


class _Editors(msgspec.Struct):
    stages: list[_Stage] = []


class _Moves(msgspec.Struct):
    enabledForAllStages: bool = False  # noqa: N815 - HubSpot's name
    pipelineStageIds: list[str] = []  # noqa: N815 - HubSpot's name

    def __bool__(self) -> bool:
        return self.enabledForAllStages or bool(self.pipelineStageIds)


class _Governance(msgspec.Struct):
    noBackwardsMovementRule: _Moves = msgspec.field(default_factory=_Moves)  # noqa: N815 - HubSpot's name
    noSkippingStagesRule: _Moves = msgspec.field(default_factory=_Moves)  # noqa: N815 - HubSpot's name


class _PipelineRules(msgspec.Struct):
    governanceValidationRules: _Governance = msgspec.field(default_factory=_Governance)  # noqa: N815 - HubSpot's name
    approvalStageRules: list[Any] | None = None  # noqa: N815 - HubSpot's name


def obstacles(client: Client, portal: Portal, ours: Mapping[str, Sequence[str]]) -> Iterator[Diagnosis]:
    """`ours` are the properties that we write, by object type. What cannot be looked at is said, with the scope."""
    for type_, names in ours.items():
        rules = partial(_validations, client, type_, names)
        yield from _looked_at(f"validation rules of {type_}", "Settings > Properties", rules)
    yield from _looked_at("workflows", "Automation > Workflows", partial(_workflows, client, ours))
    for type_ in ours:
        if type_ in WITH_PIPELINES:
            look = partial(_pipelines, client, portal, type_)
            yield from _looked_at(f"rules of the pipelines of {type_}", _settings(type_), look)


def _looked_at(what: str, where: str, look: Callable[[], Iterator[Diagnosis]]) -> Iterator[Diagnosis]:
    """What a look says; one that a scope or an answer forbids leaves the others their turn."""
    try:
        yield from look()
    except PermissionMissing as error:
        yield Diagnosis("warning", f"{what} could not be looked at", f"{error.hint}; or look in {where}")
    except PipelintError as error:
        yield Diagnosis("warning", f"{what} could not be looked at: {error.message}", f"look in {where}")


def _settings(type_: str) -> str:
    return f"Settings > Objects > {type_.capitalize()} > Pipelines"


def _validations(client: Client, type_: str, names: Sequence[str]) -> Iterator[Diagnosis]:
    """Rules on properties that we do not write bind us not at all: a value that is not sent is not looked at."""
    path = client.reading.validations(TYPE_IDS[type_])
    answer = client.get(path, _Validations, name=f"the validation rules of {type_}")
    found = [
        f"{each.propertyName} ({' '.join(map(str, (rule.ruleType, *rule.ruleArguments)))})"
        for each in answer.results
        if each.propertyName in names
        for rule in each.propertyValidationRules
    ]
    if found:
        stand = "stands" if len(found) == 1 else "stand"
        what = (
            f"{type_}: {counted(len(found), 'validation rule')} {stand} on our properties: {', '.join(found)}"
        )
        yield Diagnosis("problem", what, "remove what refuses our values: Settings > Properties")
    else:
        yield Diagnosis("ok", f"{type_}: no validation rule stands on our properties")


def _workflows(client: Client, ours: Mapping[str, Sequence[str]]) -> Iterator[Diagnosis]:
    """Each write of a property that a workflow waits for may enrol the record; so may the stamp it moves."""
    kinds = {TYPE_IDS[type_]: {*names, STAMP} for type_, names in ours.items()}
    live = [flow.id for flow in _listed(client) if flow.isEnabled and flow.objectTypeId in kinds]
    found: list[str] = []
    read = 0
    for first in range(0, len(live), AT_ONCE):
        inputs = [{"flowId": id_, "type": "FLOW_ID"} for id_ in live[first : first + AT_ONCE]]
        flows = client.ask(f"{paths.FLOWS}/batch/read", {"inputs": inputs}, _Flows, name="workflows").results
        read += len(flows)
        found += [
            f"'{flow.name or flow.id}' ({', '.join(sorted(waits))})"
            for flow in flows
            if (waits := kinds.get(flow.objectTypeId, set()).intersection(_texts(flow.enrollmentCriteria)))
        ]
    if unread := len(live) - read:
        yield Diagnosis(
            "warning", f"{counted(unread, 'workflow')} could not be read", "look at them yourself"
        )
    if found:
        run = "runs" if len(found) == 1 else "run"
        what = f"{counted(len(found), 'workflow')} {run} when we write: {', '.join(found)}"
        cure = "switch off what should not run, at least for the first push, or let it leave out our changes"
        yield Diagnosis("warning", what, cure)
    else:
        looked_at = counted(len(live), "live workflow")
        yield Diagnosis("ok", f"no workflow waits for what we write ({looked_at} looked at)")


def _listed(client: Client) -> Iterator[_Flow]:
    after: str | None = None
    while True:
        query = [("limit", "100"), *([("after", after)] if after else [])]
        page = client.get(paths.FLOWS, _Flows, name="the workflows", query=query)
        yield from page.results
        after = page.paging.next.after if page.paging and page.paging.next else None
        if after is None:
            return


def _texts(criteria: object) -> Iterator[str]:
    """Every text in what enrols records: filters name properties in several places, by the kind of filter."""
    match criteria:
        case str():
            yield criteria
        case dict():
            yield from (text for value in criteria.values() for text in _texts(value))
        case list():
            yield from (text for value in criteria for text in _texts(value))


def _pipelines(client: Client, portal: Portal, type_: str) -> Iterator[Diagnosis]:
    """Who may edit records in a stage binds our writes; rules for moves do not, since we never move a record."""
    closed = 0
    for pipeline in portal.pipelines(type_).values():
        path = paths.pipeline_rules(TYPE_IDS[type_], pipeline.id)
        named = f"{type_}: pipeline '{pipeline.label}'"
        editors = client.get(f"{path}/stage-edit-permissions", _Editors, name=f"who may edit {type_}")
        ids = {stage.pipelineStageId for stage in editors.stages if stage.permissionMode != "OPEN"}
        if labels := [stage.label for stage in pipeline.stages if stage.id in ids]:
            closed += len(labels)
            what = f"{named}: only some may edit records in {', '.join(labels)}; writes may be refused there"
            yield Diagnosis("warning", what, f"open these stages: {_settings(type_)}")
        rules = client.get(path, _PipelineRules, name=f"the rules of the pipelines of {type_}")
        if told := _told(rules):
            yield Diagnosis("ok", f"{named}: {', '.join(told)}: they bind moves, and pipelint makes none")
    if not closed:
        yield Diagnosis("ok", f"{type_}: everybody who may write may do so in every stage")


def _told(rules: _PipelineRules) -> list[str]:
    governance = rules.governanceValidationRules
    return [
        text
        for text, holds in (
            ("no moving back", governance.noBackwardsMovementRule),
            ("no skipping of stages", governance.noSkippingStagesRule),
            ("approval of stages", rules.approvalStageRules),
        )
        if holds
    ]
