"""The fields that pipelint owns on one connection: what they are called there and which options they offer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipelint.connectors.base import FieldInfo, OwnField, OwnFieldType
from pipelint.connectors.naming import field_name
from pipelint.rules.catalogue import RecordKind
from pipelint.rules.own_fields import OWN_FIELDS, SEVERITY_CHOICES, score_fields
from pipelint.rules.pack import Pack, native_names
from pipelint.rules.scores import grade_key

_LENGTHS: Mapping[OwnFieldType, int] = {OwnFieldType.LONG_TEXT: 32_768}


def own_fields(pack: Pack, connection: str, crm: str, kind: RecordKind) -> tuple[OwnField, ...]:
    """The fields of ours on one kind of record: those of flags where a rule is on, and those of scores."""
    flags = tuple(sorted(rule.name for rule in pack.live_rules(kind) if rule.status == "on"))
    choices = {"flags": flags, "severity": SEVERITY_CHOICES}
    wanted = {
        key: definition
        for key, definition in (OWN_FIELDS if flags else {}).items()
        if kind == "opportunity" or definition.on_leads
    }
    for score in pack.live_scores(kind):
        if score.status == "on":
            wanted |= score_fields(score)
            choices[grade_key(score.name)] = tuple(grade.name for grade in score.grades)
    fields = []
    for key, definition in wanted.items():
        form = OwnFieldType(definition.form)
        told = native_names(pack.crm_fields.get(key, {}), crm, connection)
        fields.append(
            OwnField(
                key=key,
                kind=kind,
                name=told[0] if told else field_name(crm, definition.label),
                label=definition.label,
                type=form,
                help=definition.help,
                choices=choices.get(key, ()),
                length=_LENGTHS.get(form, 255),
            )
        )
    return tuple(fields)


def as_named(infos: Sequence[FieldInfo]) -> dict[str, FieldInfo]:
    """The fields of a CRM by the names we write them under; one that makes keys of its own knows ours by label."""
    return {info.label: info for info in infos} | {info.name: info for info in infos}
