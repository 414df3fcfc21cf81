"""The example of the rule language's design passes its own tests, as far as it is supported."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator
from ruamel.yaml import YAML

from pipelint.config.nodes import Problems
from pipelint.engine.rule_tests import run_tests
from pipelint.rules.load import load_pack, load_tests
from pipelint.rules.schema import schema_of
from pipelint.rules.sections import LATER, read_sections

EXAMPLE = Path(__file__).parents[3] / "shared" / "design" / "example-pack"
pytestmark = pytest.mark.skipif(not EXAMPLE.is_dir(), reason="the example pack is not here")


def cut_down(document: dict[str, Any]) -> dict[str, Any]:
    """Without baselines, targets and rules for owners, and without sections that are not supported yet."""
    document = {name: section for name, section in document.items() if name not in LATER}
    document["facts"] = {
        name: fact for name, fact in document.get("facts", {}).items() if fact.get("for") != "owner"
    }
    rules = document.get("rules", {})
    gone = {name for name, rule in rules.items() if rule.get("for") == "owner" or name == "slow-in-stage"}
    fields = document.get("crm_fields", {})
    written = set(fields)
    if "scores" in LATER:
        gone.add("commit-scores-low")
        written.discard("deal-quality")
    document["crm_fields"] = {name: fields[name] for name in written}
    document["rules"] = {name: rule for name, rule in rules.items() if name not in gone}
    document["tests"] = [test for test in document.get("tests", []) if supported(test)]
    return {name: section for name, section in document.items() if section}


def supported(test: dict[str, Any]) -> bool:
    return not {"baselines", "targets", "owners"} & test.keys()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example, cut down; every scalar is copied as text."""
    made = tmp_path_factory.mktemp("example")
    for file in EXAMPLE.glob("*.yaml"):
        document = cut_down(YAML(typ="base").load(file.read_text(encoding="utf-8")))
        if len(document) > 1:
            with (made / file.name).open("w", encoding="utf-8") as out:
                YAML(typ="safe").dump(document, out)
    return made


def test_the_example_passes_its_own_tests(folder: Path) -> None:
    problems = Problems()
    pack, cases = load_tests(folder, "example", problems)
    assert [f"{p.place}: {p.what}" for p in problems.errors] == []
    assert pack is not None
    assert len(cases) >= 20
    report = run_tests(pack, cases)
    assert [(f.test, f.expected, f.came, f.decided) for f in report.failures] == []


def test_the_example_fits_its_json_schema(folder: Path) -> None:
    problems = Problems()
    pack = load_pack(folder, "example", problems)
    assert pack is not None, problems.errors
    conditions = tuple(read_sections(folder, "example", Problems()).named["conditions"])
    validator = Draft7Validator(schema_of(pack, conditions))
    for file in sorted(folder.glob("*.yaml")):
        document = YAML(typ="base").load(file.read_text(encoding="utf-8"))
        assert [f"{file.name} {list(e.absolute_path)}" for e in validator.iter_errors(document)] == []
