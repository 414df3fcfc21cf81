"""The packs whose tests can be run: a project's own, and each shipped pack in each of its languages."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipelint.config.nodes import List, Map, Text, did_you_mean, read_text
from pipelint.config.paths import shown
from pipelint.config.problems import Problems
from pipelint.config.project import load_project_file
from pipelint.connectors import registry
from pipelint.engine.rule_tests import Report, run_tests
from pipelint.errors import UsageError
from pipelint.rules.cases import Case
from pipelint.rules.load import load_tests
from pipelint.rules.pack import Pack
from pipelint.rules.sections import SHIPPED, TESTS_FILE, shipped_pack

_GROUND = """\
pipelint: 1
pack: {{name: {name}, languages: [{language}]}}
uses: [{uses}]
"""


@dataclass(frozen=True, slots=True)
class PackResult:
    """The tests of one pack in one language."""

    title: str
    report: Report


def run_project_tests(folder: Path) -> PackResult:
    """Run the tests in a project's rule files.

    Raises:
        ProblemsFound: with every mistake in all files.
    """
    problems = Problems()
    file = load_project_file(folder, problems, known_crms=registry.known())
    rules = file.rules if file else folder / "rules"
    names = tuple(file.connections) if file else ()
    pack, cases = load_tests(rules, shown(rules, folder), problems, names, home=folder)
    pack = _sound(pack, problems)
    return PackResult(pack.settings.name, run_tests(pack, cases))


def run_shipped_tests(name: str) -> Iterator[PackResult]:
    """Run a shipped pack's own tests on its stages, rules that are off included, once per language.

    Raises:
        UsageError: no such pack is shipped.
    """
    if name not in SHIPPED:
        hint = did_you_mean(name, SHIPPED) or f"shipped are: {', '.join(SHIPPED)}"
        raise UsageError(f"there is no shipped pack named '{name}'", hint=hint)
    for language in _languages(name):
        pack, cases = _ground(name, language)
        yield PackResult(f"{name}@1 ({language})", run_tests(pack, cases, origin=name, dormant=True))


def _ground(name: str, language: str) -> tuple[Pack, tuple[Case, ...]]:
    """A project that uses the pack on its stages, in a folder of its own."""
    uses = "default@1" if name == "default" else f"default@1, {name}@1"
    templates = shipped_pack("templates")
    ladder = templates / f"{name}-stages.yaml"
    stages = ladder if ladder.is_file() else templates / "six-stages.yaml"
    with tempfile.TemporaryDirectory() as folder:
        files = {
            "pack.yaml": _GROUND.format(name=name, language=language, uses=uses),
            "stages.yaml": stages.read_text(encoding="utf-8"),
            TESTS_FILE: (shipped_pack(name) / TESTS_FILE).read_text(encoding="utf-8"),
        }
        for file, text in files.items():
            Path(folder, file).write_text(text, encoding="utf-8")
        problems = Problems()
        pack, cases = load_tests(Path(folder), f"{name}@1", problems)
    return _sound(pack, problems), cases


def _sound(pack: Pack | None, problems: Problems) -> Pack:
    problems.raise_if_any()
    if pack is None:
        raise UsageError("the rule files could not be read")
    return pack


def _languages(name: str) -> tuple[str, ...]:
    text = (shipped_pack(name) / "pack.yaml").read_text(encoding="utf-8")
    node = read_text(text, f"{name}@1/pack.yaml", Problems())
    settings = node.get("pack") if isinstance(node, Map) else None
    found = settings.get("languages") if isinstance(settings, Map) else None
    items = found.items if isinstance(found, List) else ()
    return tuple(item.value for item in items if isinstance(item, Text)) or ("en",)
