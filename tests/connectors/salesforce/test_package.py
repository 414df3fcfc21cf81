"""Our fields as a package of metadata that an administrator deploys."""

# ruff: noqa: S314 - the XML is our own

from __future__ import annotations

import json
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from pipelint.connectors.base import OwnField, OwnFieldType
from pipelint.connectors.salesforce.clicks import clicks
from pipelint.connectors.salesforce.fields import metadata
from pipelint.connectors.salesforce.package import files
from pipelint.sandbox.salesforce.metadata import column
from tests.connectors.salesforce.conftest import OWN

SPACE = "{http://soap.sforce.com/2006/04/metadata}"
ON_LEADS = tuple(replace(own, kind="lead") for own in OWN if own.key in {"flags", "summary"})


def parsed(path: str, *own: OwnField) -> ElementTree.Element:
    return ElementTree.fromstring(files(own or OWN, "68.0")[path])


def texts(root: ElementTree.Element, path: str) -> list[str]:
    found = root.findall("/".join(SPACE + step for step in path.split("/")))
    return [each.text or "" for each in found]


def test_every_file_is_xml_of_the_metadata_namespace() -> None:
    made = files((*OWN, *ON_LEADS), "68.0")
    assert sorted(made) == [
        "objects/Lead.object",
        "objects/Opportunity.object",
        "package.xml",
        "permissionsets/Pipelint.permissionset",
        "permissionsets/Pipelint_Read.permissionset",
    ]
    roots = {path: ElementTree.fromstring(text).tag.removeprefix(SPACE) for path, text in made.items()}
    assert set(roots.values()) == {"CustomObject", "Package", "PermissionSet"}


def test_the_manifest_names_exactly_what_the_files_hold() -> None:
    own = (*OWN, *ON_LEADS)
    manifest = parsed("package.xml", *own)
    assert texts(manifest, "version") == ["68.0"]
    named = {
        texts(group, "name")[0]: set(texts(group, "members")) for group in manifest.findall(f"{SPACE}types")
    }
    held: dict[str, set[str]] = {"PermissionSet": {"Pipelint", "Pipelint_Read"}}
    kinds = {"fields": "CustomField", "listViews": "ListView", "compactLayouts": "CompactLayout"}
    for sobject in ("Opportunity", "Lead"):
        root = parsed(f"objects/{sobject}.object", *own)
        for tag, kind in kinds.items():
            members = {f"{sobject}.{name}" for name in texts(root, f"{tag}/fullName")}
            held[kind] = held.get(kind, set()) | members
    assert named == held


@pytest.mark.parametrize("own", OWN, ids=lambda own: own.key)
def test_a_field_is_described_as_the_tooling_api_would_take_it(own: OwnField) -> None:
    root = parsed("objects/Opportunity.object")
    [field] = [each for each in root.findall(f"{SPACE}fields") if texts(each, "fullName") == [own.name]]
    wanted = metadata(own)
    column(f"Opportunity.{own.name}", wanted)  # the sandbox accepts it
    simple = {
        key: json.dumps(value).strip('"') for key, value in wanted.items() if not isinstance(value, dict)
    }
    assert {key: texts(field, key)[0] for key in simple} == simple
    assert texts(field, "valueSet/valueSetDefinition/value/fullName") == list(own.choices)
    tags = [each.tag for each in field]
    assert tags[1:] == sorted(tags[1:])


def test_one_set_edits_and_the_other_reads() -> None:
    for name, editable in (("Pipelint", "true"), ("Pipelint_Read", "false")):
        root = parsed(f"permissionsets/{name}.permissionset")
        fields = texts(root, "fieldPermissions/field")
        assert fields == sorted(f"Opportunity.{own.name}" for own in OWN)
        assert set(texts(root, "fieldPermissions/editable")) == {editable}
        assert set(texts(root, "fieldPermissions/readable")) == {"true"}


def test_the_list_view_shows_what_is_flagged() -> None:
    root = parsed("objects/Opportunity.object")
    assert texts(root, "listViews/filters/field") == ["Pipelint_Flags__c"]
    assert texts(root, "listViews/filters/operation") == ["notEqual"]
    assert {"Pipelint_Severity__c", "Pipelint_Summary__c"} <= set(texts(root, "listViews/columns"))


def test_a_pack_without_flags_has_no_list_view_of_them() -> None:
    score = OwnField(
        "deal", "opportunity", "Pipelint_Deal__c", "Pipelint deal", OwnFieldType.NUMBER, "How good."
    )
    assert texts(parsed("objects/Opportunity.object", score), "listViews/fullName") == []
    assert "ListView" not in files((score,), "68.0")["package.xml"]


@pytest.mark.parametrize(
    ("keys", "shown"),
    [
        (("flags", "severity", "summary", "details"), ["Pipelint_Severity__c", "Pipelint_Summary__c"]),
        (("flags", "summary"), ["Pipelint_Summary__c"]),
        (("flags", "details", "hygiene"), ["Pipelint_Hygiene__c"]),
        (("flags", "details"), []),
    ],
)
def test_the_compact_layout_shows_what_it_can_hold_and_the_admin_is_told_to_choose_it(
    keys: tuple[str, ...], shown: list[str]
) -> None:
    own = [one for one in OWN if one.key in keys]
    root = parsed("objects/Opportunity.object", *own)
    assert [name for name in texts(root, "compactLayouts/fields") if name.startswith("Pipelint_")] == shown
    told = [step for step in clicks(own, deployed=True) if "Compact Layouts" in step]
    labels = [one.label for one in own if one.name in shown[:1]]
    assert len(told) == len(labels)
    assert all(f"add {label}, so that it shows at the top" in told[0] for label in labels)


def test_nothing_wanted_is_no_package() -> None:
    assert files((), "68.0") == {}
