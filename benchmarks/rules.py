"""How long a large pack takes to validate and compile, beside the reading of its YAML; and many tests to run.

    python benchmarks/rules.py [RULES] [TESTS]

The best of five runs counts. All figures of one call share the machine's mood: compare ratios, not seconds.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

from pipelint.config.nodes import Problems, read_text
from pipelint.engine.rule_tests import run_tests
from pipelint.records import RECORD_TYPES
from pipelint.rules.compile import compile_pack
from pipelint.rules.compile_condition import Moment
from pipelint.rules.load import load_pack, load_tests
from pipelint.rules.supply import Delivered, inputs_of

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)
CONDITIONS = (
    "{{stage_kind: open, amount: {{at_least: {n}, less_than: {m}}}}}",
    "{{close_date: {{before: today - {n} days}}, stage: {{at_or_after: proposal}}}}",
    "{{any: [{{next_step: blank}}, {{next_step: {{shorter_than: {n}}}}}], contacts: {{at_most: {n}}}}}",
    "{{all: [{{last_touch: {{older_than: {n} business days, if_blank: yes}}}}, {{planned_activities: 0}}]}}",
    "{{not: {{any: [{{name: {{contains: text {n}}}}}, {{days_in_stage: {{more_than: {n}}}}}]}}}}",
)
RULE = """\
  rule-{n}:
    title: {{en: Rule {n}, fr: Règle {n}}}
    settings: {{least: {n}}}
    flag_when: {{any: [{condition}, {{probability: {{less_than: $least}}}}]}}
    severity: warning
    message: "{{name}} is worth {{amount:money}}."
    per_stage_group: {{late: {{severity: error}}}}
"""
TEST = """\
  - name: test {n}
    as_of: 2026-11-{day} 10:00
    opportunities:
      - {{id: a, stage: proposal, amount: {n}, activities: [{{type: call, happened_at: 2026-11-01 09:00}}]}}
      - {{id: b, stage: won, amount: {n}}}
    expect: {{a: {{no_flags: [stage-required/risk]}}, b: {{no_flags: [rule-1]}}}}
"""


def pack(rules: int, tests: int) -> dict[str, str]:
    """The files of a pack of so many rules."""
    conditions = [CONDITIONS[n % len(CONDITIONS)].format(n=n + 1, m=n + 1000) for n in range(rules)]
    stages = resources.files("pipelint.rules") / "packs" / "templates" / "six-stages.yaml"
    return {
        "stages.yaml": stages.read_text(encoding="utf-8"),
        "rules.yaml": "pipelint: 1\npack: {name: large, languages: [en, fr]}\nrules:\n"
        + "".join(RULE.format(n=n, condition=condition) for n, condition in enumerate(conditions)),
        "tests.yaml": "pipelint: 1\ntests:\n"
        + "".join(TEST.format(n=n, day=10 + n % 5) for n in range(tests)),
    }


def best(work: Callable[[], object]) -> float:
    """Seconds of the quickest of five."""
    taken = []
    for _ in range(5):
        begun = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begun)
    return min(taken)


def main(rules: int = 500, tests: int = 200) -> None:
    files = pack(rules, tests)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, text in files.items():
            (folder / file).write_text(text, encoding="utf-8")
        problems = Problems()
        loaded, cases = load_tests(folder, "rules", problems)
        assert loaded is not None, problems.errors[:3]
        fields = {stream: frozenset(record._fields) for stream, record in RECORD_TYPES.items()}
        inputs = inputs_of(loaded, "opportunity", Delivered("sales", "files", fields))
        moment = Moment(loaded.settings.calendar, NOW)
        reading = best(lambda: [read_text(text, file, Problems()) for file, text in files.items()])
        loading = best(lambda: load_pack(folder, "rules", Problems()))
        compiling = best(lambda: compile_pack(loaded, "opportunity", inputs, moment))
        testing = best(lambda: run_tests(loaded, cases))
    beyond = max(loading - reading, 0) + compiling
    print(f"{rules} rules, {tests} tests, {sum(map(len, files.values())) / 1e3:.0f} kB of YAML")
    print(f"  reading the YAML                  {reading:6.2f} s")
    print(f"  validating, beyond that           {loading - reading:6.2f} s")
    print(f"  compiling                         {compiling:6.2f} s")
    print(f"  validating and compiling          {beyond / reading:6.2f} times the reading")
    print(f"  running the tests                 {testing:6.2f} s, {testing / tests * 1e3:.1f} ms each")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
