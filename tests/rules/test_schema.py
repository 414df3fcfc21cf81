"""The JSON Schema of a project accepts what the reader accepts, and refuses what an editor should underline."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator
from ruamel.yaml import YAML

from pipelint.config.nodes import Problems
from pipelint.rules import read_fields, read_rules, read_settings, read_stages, read_tests, read_waivers
from pipelint.rules.load import load_pack
from pipelint.rules.schema import schema_of
from pipelint.rules.schema_conditions import Schema
from pipelint.rules.sections import NAMED, SHIPPED, SINGLE, read_sections, shipped_pack

HEAD = """\
pipelint: 1
pack: {name: acme, languages: [en, fr]}
"""
OWN = """\
fields:
  account.tier: {type: choice, values: [gold, silver]}
  competitors: {type: choices}
segments: {gold: {account.tier: gold}}
"""


@cache
def schema(uses: str = "default@1, six@1") -> Schema:
    with tempfile.TemporaryDirectory() as folder:
        text = f"{HEAD}{OWN}uses: [{uses}]\n"
        Path(folder, "pack.yaml").write_text(text, encoding="utf-8")
        stages = (shipped_pack("templates") / "six-stages.yaml").read_text(encoding="utf-8")
        Path(folder, "stages.yaml").write_text(stages, encoding="utf-8")
        problems = Problems()
        pack = load_pack(Path(folder), "rules", problems)
        assert pack is not None, problems.errors
        sections = read_sections(Path(folder), "rules", Problems())
    made = schema_of(pack, tuple(sections.named["conditions"]))
    Draft7Validator.check_schema(made)
    return made


def document(text: str) -> Any:
    """As the YAML language server reads it: YAML 1.2, where dates are text."""
    return plain(YAML(typ="safe", pure=True).load(text))


def plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    return value.isoformat() if isinstance(value, date | datetime) else value


def wrong(text: str, uses: str = "default@1, six@1") -> list[str]:
    validator = Draft7Validator(schema(uses))
    return [
        f"{'/'.join(map(str, e.absolute_path))}: {e.message[:120]}"
        for e in validator.iter_errors(document(text))
    ]


def shipped_files() -> Iterator[tuple[str, str]]:
    for name in (*SHIPPED, "templates"):
        folder = Path(str(shipped_pack(name)))
        for file in sorted(folder.glob("**/*.yaml")):
            yield name, str(file.relative_to(folder))


@pytest.mark.parametrize(("name", "file"), list(shipped_files()))
def test_every_shipped_file_fits(name: str, file: str) -> None:
    uses = "default@1" if name in {"default", "templates"} else f"default@1, {name}@1"
    text = Path(str(shipped_pack(name)), file).read_text(encoding="utf-8")
    assert wrong(text, uses) == []


GOOD = [
    "amount: 5",
    "amount: '5%'",
    "amount: [5, 6]",
    "amount: blank",
    "amount: {between: [1, 2]}",
    "amount: {at_least: {field: probability, times: 2}, if_blank: yes}",
    "amount: {at_least: $least}",
    "stage: {at_or_after: proposal}",
    "stage: [proposal, won]",
    "account.tier: gold",
    "competitors: {at_least: 2}",
    "competitors: {includes_any: [a, b]}",
    "close_date: {before: today + 14 days}",
    "close_date: 2026-12-31",
    "close_date: {during: this quarter}",
    "close_date: {older_than: 10 business days}",
    "close_date: {within_end_of: {quarter: 10 days}}",
    "close_date: {later_period_than: {field: created_at, period: quarter}}",
    "next_step: {shorter_than: 12}",
    "owner.active: no",
    "all: [{amount: 5}, {not: {stage: won}}]",
]
BAD = [
    "amont: 5",
    "amount: {older_than: 3 days}",
    "amount: {at_leest: 3}",
    "amount: five",
    "next_step: {older_than: 12 days}",
    "close_date: {older_than: 10 buisness days}",
    "close_date: {at_least: 3}",
    "close_date: {during: this fortnight}",
    "close_date: [2026-01-01]",
    "stage: {at_or_after: propsal}",
    "account.tier: bronze",
    "competitors: {starts_with: a}",
    "owner.active: {is_not: yes}",
    "all: {amount: 5}",
    "amount: {at_least: {feld: probability}}",
    "amount: {}",
]


def rule(condition: str, more: str = "") -> str:
    return f"pipelint: 1\nrules:\n  r:\n    severity: info\n    flag_when: {{{condition}}}\n{more}"


@pytest.mark.parametrize("condition", GOOD)
def test_a_condition_that_is_right(condition: str) -> None:
    assert wrong(rule(condition)) == []


@pytest.mark.parametrize("condition", BAD)
def test_a_condition_that_is_wrong(condition: str) -> None:
    assert wrong(rule(condition)) != []


@pytest.mark.parametrize(
    "text",
    [
        "pipelint: 2",
        "pipelint: 1\nrule: {}",
        "pipelint: 1\nuses: [defualt@1]",
        rule("amount: 5", "    sevrity: info\n"),
        rule("amount: 5", "    status: paused\n"),
        rule("amount: 5", "    for: lead\n"),
        rule("amount: 5", "    applies_to: opne\n"),
        rule("amount: 5", "    per_segment: {silver: off}\n"),
        "pipelint: 1\nfacts: {f: {count: activites}}",
        "pipelint: 1\nfacts: {f: {count: activities, where: {role: {older_than: 3 days}}}}",
        "pipelint: 1\nfacts: {f: {count: line_items, where: {type: call}}}",
        "pipelint: 1\nstages: [{name: a, kind: opne}]",
        "pipelint: 1\npipelines: {p: {stages: {proposal: {required: [bugdet]}}}}",
        "pipelint: 1\ntests: [{name: a, as_of: 2026-11-20 10:00, opportunity: {amont: 5}, expect: {}}]",
    ],
)
def test_a_file_that_is_wrong(text: str) -> None:
    assert wrong(text) != []


def test_a_lead_has_the_fields_of_leads() -> None:
    assert wrong(rule("company: present", "    for: lead\n")) == []
    assert wrong(rule("company: present")) != []


def test_the_schema_knows_the_keys_that_the_readers_know() -> None:
    made = schema()
    properties = made["properties"]
    assert set(properties) == {"pipelint", *NAMED, *SINGLE, "tests", "waivers"}
    below = {name: properties[name].get("additionalProperties") for name in NAMED}
    assert set(below["rules"]["properties"]) == set(read_rules.KEYS)
    assert set(below["fields"]["properties"]) == set(read_fields._KEYS)
    assert set(properties["pack"]["properties"]) == set(read_settings._KEYS)
    assert set(properties["stages"]["items"]["properties"]) == set(read_stages._STAGE_KEYS)
    assert set(below["pipelines"]["properties"]) == set(read_stages._PIPELINE_KEYS)
    assert set(properties["waivers"]["items"]["properties"]) == set(read_waivers._KEYS)
    assert set(properties["tests"]["items"]["properties"]) == set(read_tests.KEYS) - set(read_tests.LATER)
