"""The qualification frameworks: what `init` writes for each, and how a project maps the fields they declare."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipelint.config.problems import Problems
from pipelint.engine.init import PackName, init
from pipelint.rules.conditions import fields_in
from pipelint.rules.facts import Filled, OverRows
from pipelint.rules.fields import Origin
from pipelint.rules.load import load_pack
from pipelint.rules.pack import Pack
from pipelint.rules.sections import SHIPPED

FRAMEWORKS: tuple[PackName, ...] = ("six", "bant", "meddpicc", "spiced")
PACKS: tuple[PackName, ...] = ("default", *FRAMEWORKS)


def load(folder: Path, pack_file: str) -> tuple[Pack | None, list[str]]:
    problems = Problems()
    (folder / "pack.yaml").write_text(f"pipelint: 1\n{pack_file}\n", encoding="utf-8")
    pack = load_pack(folder, "rules", problems)
    return pack, [f"{each.place}: {each.what} = {each.hint}" for each in problems.errors]


def unplaced(pack: Pack) -> set[str]:
    """The fields that the rules read and that only the project can find in its CRM."""
    read = set()
    for rule in pack.live_rules("opportunity"):
        for check in rule.checks:
            for condition in (check.scope, *(branch.condition for branch in check.branches)):
                read |= {field.name for field in fields_in(condition)} if condition else set()
    for fact in [pack.facts["opportunity"][name] for name in read & pack.facts["opportunity"].keys()]:
        if isinstance(fact.form, Filled):
            read |= {field.name for field in fact.form.fields}
        elif isinstance(fact.form, OverRows) and fact.form.where:
            read |= {field.name.removeprefix("record.") for field in fields_in(fact.form.where)}
    known = pack.known["opportunity"]
    custom = {name for name in read if name in known and known[name].origin is Origin.CUSTOM}
    return custom - {"next_step_date"}  # read from the next planned activity where it has no place


def test_every_framework_is_offered() -> None:
    assert SHIPPED == PACKS


@pytest.mark.parametrize("name", PACKS)
@pytest.mark.parametrize("crm", ["salesforce", "files"])
def test_init_writes_a_line_for_exactly_the_fields_that_need_a_place(
    tmp_path: Path, name: PackName, crm: str
) -> None:
    init(tmp_path, crm, name)  # type: ignore[arg-type]
    text = (tmp_path / "rules" / "pack.yaml").read_text(encoding="utf-8")
    start = text.index("# fields:\n")
    listed = re.findall(r"^#   (\w+): \{from", text[start:], re.MULTILINE)
    uncommented = text[:start] + re.sub(r"^# ", "", text[start:], flags=re.MULTILINE)
    for written in (text, uncommented):
        (tmp_path / "rules" / "pack.yaml").write_text(written, encoding="utf-8")
        problems = Problems()
        pack = load_pack(tmp_path / "rules", "rules", problems)
        assert problems.found == []
        assert pack is not None
        assert set(listed) == unplaced(pack)


def test_a_framework_other_than_the_six_leaves_the_six_out_of_the_stages(tmp_path: Path) -> None:
    init(tmp_path, "files", "spiced")
    stages = (tmp_path / "rules" / "stages.yaml").read_text(encoding="utf-8")
    assert re.findall(r"required: \[.*\]", stages) == [
        "required: [next_step, amount, close_date]",
        "required: [amount, close_date]",
        "required: [lost_reason]",
    ]
    assert "six" not in stages


def test_all_frameworks_can_be_used_side_by_side(tmp_path: Path) -> None:
    uses = ", ".join(f"{name}@1" for name in PACKS)
    pack, problems = load(tmp_path, f"pack: {{name: acme}}\nuses: [{uses}]")
    assert problems == []
    assert pack is not None


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_a_framework_can_be_used_without_the_default_rules(tmp_path: Path, name: str) -> None:
    pack, problems = load(tmp_path, f"pack: {{name: acme}}\nuses: [{name}@1]")
    assert problems == []
    assert pack is not None


def test_what_shipped_rules_hide_is_shipped(tmp_path: Path) -> None:
    uses = ", ".join(f"{name}@1" for name in PACKS)
    pack, _ = load(tmp_path, f"pack: {{name: acme}}\nuses: [{uses}]")
    assert pack is not None
    hidden = {each.partition("/")[0] for rule in pack.rules.values() for each in rule.hides}
    assert hidden <= set(pack.rules)


# A project maps a field that a used pack declares


def test_a_project_says_where_a_declared_field_lives(tmp_path: Path) -> None:
    pack, problems = load(
        tmp_path, "uses: [meddpicc@1]\nfields: {champion: {from: {salesforce: Champion__c}, unmapped: blank}}"
    )
    assert problems == []
    assert pack is not None
    champion = pack.fields["champion"]
    assert champion.names == {"salesforce": ("Champion__c",)}
    assert champion.unmapped_is_blank
    assert champion.field.about == "Who sells for us inside"
    assert not pack.fields["metrics"].names


def test_a_project_may_name_and_type_a_declared_field_anew(tmp_path: Path) -> None:
    pack, problems = load(
        tmp_path, "uses: [meddpicc@1]\nfields: {competition: {label: Competitors, type: choices}}"
    )
    assert problems == []
    assert pack is not None
    field = pack.known["opportunity"]["competition"]
    assert (field.about, field.type) == ("Competitors", "choices")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        pytest.param(
            "metrcs: {from: {salesforce: M__c}}",
            "rules/pack.yaml:3:10: 'metrcs' is not a standard field, so its type is needed = did you mean 'metrics'?",
            id="a misspelt name",
        ),
        pytest.param(
            "metrics: {frm: {salesforce: M__c}}",
            "rules/pack.yaml:3:20: 'frm' is not known in the field metrics = did you mean 'from'?",
            id="a misspelt key",
        ),
        pytest.param(
            "metrics: {from: {salesforec: M__c}}",
            "rules/pack.yaml:3:27: 'salesforec' is neither a CRM nor a connection of this project"
            " = did you mean 'salesforce'?",
            id="an unknown CRM",
        ),
    ],
)
def test_a_mistake_in_such_a_mapping_is_one_message(tmp_path: Path, fields: str, message: str) -> None:
    _, problems = load(tmp_path, f"uses: [meddpicc@1]\nfields: {{{fields}}}")
    assert problems == [message]
