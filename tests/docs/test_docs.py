"""The manual does not lie: nothing is missing, no link is broken, generated pages are up to date."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from docs.generate import DOCS, pages, stale
from docs.generator.commands import EXITS, leaves
from docs.generator.packs import shipped
from pipelint.config.project import ConnectionHead, FirstPush, ProjectModel, WriteBack
from pipelint.connectors.files import settings as files
from pipelint.connectors.naming import field_name
from pipelint.connectors.salesforce import settings as salesforce
from pipelint.rules.catalogue import CANONICAL, ENTITIES
from pipelint.rules.operators import OPERATORS
from pipelint.rules.own_fields import OWN_FIELDS
from tests.docs.pages import PAGES, ROOT, anchors, links, name, prose


def text_of(page: str) -> str:
    return (DOCS / page).read_text(encoding="utf-8")


def test_the_generated_pages_are_up_to_date() -> None:
    outdated = [
        path.as_posix()
        for path, text in pages().items()
        if not (DOCS / path).exists() or text_of(path.as_posix()) != text
    ]
    assert not outdated, f"run 'make docs' and commit what it writes: {', '.join(outdated)}"


def test_no_generated_page_is_left_over() -> None:
    assert stale() == []


def test_every_command_has_a_page_with_all_its_options() -> None:
    written = text_of("commands.md")
    for command, declared in leaves():
        assert f"\n## pipelint {command}\n" in written
        for option in declared.params:
            assert option.param_type_name == "argument" or all(f"`{each}`" in written for each in option.opts)


def test_the_exit_codes_of_every_command_are_explained() -> None:
    unexplained = {command for command, _ in leaves()} - EXITS.keys()
    assert not unexplained, "say in docs/generator/commands.py what their exit codes mean"


MODELS: list[type[BaseModel]] = [
    ProjectModel,
    WriteBack,
    FirstPush,
    ConnectionHead,
    salesforce.Settings,
    salesforce.ClientCredentials,
    salesforce.AccessToken,
    files.Settings,
    files.StreamSettings,
    files.Streams,
]


@pytest.mark.parametrize("model", MODELS)
def test_every_setting_is_documented(model: type[BaseModel]) -> None:
    written = text_of("settings.md")
    for key in model.model_fields:
        assert f"| `{key}` |" in written


def test_every_shipped_rule_has_a_page_that_the_index_names() -> None:
    index = text_of("rules/index.md")
    for rule in shipped().pack.rules:
        assert (DOCS / "rules" / f"{rule}.md").exists()
        assert f"[{rule}]({rule}.md)" in index


def test_every_name_of_the_rule_language_is_documented() -> None:
    written = text_of("rule-language.md")
    names = {operator.name for operator in OPERATORS}
    names |= {field.name for fields in CANONICAL.values() for field in fields}
    names |= {field.name for entity in ENTITIES.values() for field in entity.fields}
    names |= {fact for fact, entry in shipped().sections.named["facts"].items() if entry.origin == "builtin"}
    assert sorted(each for each in names if f"| `{each}` |" not in written) == []


def test_every_json_document_is_documented() -> None:
    written = text_of("exit-codes-and-json.md")
    sources = (path.read_text(encoding="utf-8") for path in (ROOT / "pipelint").rglob("*.py"))
    schemas = {schema for text in sources for schema in re.findall(r'"(pipelint\.[a-z-]+/\d+)"', text)}
    assert sorted(schema for schema in schemas if schema not in written) == []


def test_every_field_that_setup_creates_is_documented() -> None:
    written = text_of("salesforce.md")
    for definition in OWN_FIELDS.values():
        assert f"`{field_name('salesforce', definition.label)}`" in written


def test_every_shipped_rule_speaks_both_languages() -> None:
    for rule in shipped().pack.rules.values():
        for texts in (rule.title, rule.message, rule.why, rule.fix):
            assert texts is None or texts.by_language.keys() == {"en", "fr"}, rule.name


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in links(page):
        file, _, anchor = target.partition("#")
        there = (page.parent / file).resolve() if file else page
        assert there.exists(), target
        assert not anchor or anchor in anchors(there), target


def test_every_page_of_the_manual_is_linked() -> None:
    linked = {(page.parent / target.partition("#")[0]).resolve() for page in PAGES for target in links(page)}
    assert [
        name(page) for page in DOCS.rglob("*.md") if page not in linked and page.parent.name != "texts"
    ] == []


def internal_words(text: str) -> Iterator[str]:
    """Paths of a machine that somebody worked on."""
    yield from re.findall(r"/(?:work|home|root|Users|tmp)/\S*", text)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_a_page_speaks_of_the_product_alone(page: Path) -> None:
    assert list(internal_words(page.read_text(encoding="utf-8"))) == []


def test_the_first_screen_of_the_readme_names_both_commands() -> None:
    start = prose(ROOT / "README.md") + (ROOT / "README.md").read_text(encoding="utf-8")
    assert "make demo" in start
    assert "make test" in start
