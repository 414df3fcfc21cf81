"""Every pack that comes with pipelint loads without a word, and speaks both of its languages."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelint.config.nodes import Problems
from pipelint.rules.fields import Field, FieldType
from pipelint.rules.load import load_pack
from pipelint.rules.messages import Reader
from pipelint.rules.pack import Pack
from pipelint.rules.sections import SHIPPED, shipped_pack

STAGES = Path(str(shipped_pack("templates"))) / "six-stages.yaml"


def loaded(folder: Path, uses: str) -> Pack:
    (folder / "uses.yaml").write_text(f"pipelint: 1\nuses: [{uses}]\n", encoding="utf-8")
    (folder / "stages.yaml").write_text(STAGES.read_text(encoding="utf-8"), encoding="utf-8")
    problems = Problems()
    pack = load_pack(folder, "rules", problems)
    assert [f"{problem.place}: {problem.what}" for problem in problems.found] == []
    assert pack is not None
    return pack


@pytest.mark.parametrize("name", SHIPPED)
def test_it_loads_without_errors_or_warnings(name, tmp_path):
    loaded(tmp_path, f"{name}@1")


@pytest.mark.parametrize("name", SHIPPED)
@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_rule_says_what_why_and_what_to_do(name, language, tmp_path):
    lacking = [
        f"{rule.name}: {what}"
        for rule in loaded(tmp_path, f"{name}@1").rules.values()
        for what, texts in (
            ("title", rule.title),
            ("message", rule.message),
            ("why", rule.why),
            ("fix", rule.fix),
        )
        if rule.origin == name or rule.origin == "builtin"
        if (texts is None or language not in texts.by_language)
        and (rule.name, what) != ("stage-exit-open", "fix")
    ]
    assert lacking == []


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "In commit without the people it takes; contacts: 1, decision makers: 1."),
        ("fr", "En « commit » sans les interlocuteurs nécessaires ; contacts : 1, décideurs : 1."),
    ],
)
def test_a_commitment_with_a_single_contact_reads_well(language, said, tmp_path):
    pack = loaded(tmp_path, "default@1")
    counts = ("contacts", "decision_makers_count")
    fields = {name: Field(name, FieldType.NUMBER, "") for name in counts}
    message = pack.rules["commit-no-buyer"].message
    assert message is not None
    assert Reader(dict.fromkeys(counts, 10_000), fields, language).fill(message.say(language)) == said
