"""What an admin sees when a test is written wrongly: one message per mistake, at its place, with a hint."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipelint.config.nodes import Problems
from pipelint.errors import ProblemsFound
from pipelint.render.errors import render_error
from pipelint.rules.load import load_tests
from tests.engine.test_rule_tests import PACK

MISTAKES = {
    "no-list": "tests: {name: a}",
    "unknown-key": "- {name: a, as_off: 2026-11-20 10:00, opportunity: {}, expect: {}}",
    "no-name-no-time": "- {opportunity: {amount: 5}, expect: {}}",
    "no-record": "- {name: a, as_of: 2026-11-20 10:00, expect: {}}",
    "two-kinds": "- {name: a, as_of: 2026-11-20 10:00, lead: {}, opportunity: {}, expect: {}}",
    "no-expectation": "- {name: a, as_of: 2026-11-20 10:00, opportunity: {amount: 5}}",
    "not-a-time": "- {name: a, as_of: tomorrow, opportunity: {amount: 5}, expect: {}}",
    "later": "- {name: a, as_of: 2026-11-20 10:00, baselines: {x: 5}, opportunity: {amount: 5}, expect: {}}",
    "unknown-field": "- {name: a, as_of: 2026-11-20 10:00, opportunity: {amont: 5}, expect: {}}",
    "fact": "- {name: a, as_of: 2026-11-20 10:00, opportunity: {last_touch: 2026-11-01}, expect: {}}",
    "stage-kind": "- {name: a, as_of: 2026-11-20 10:00, opportunity: {stage_kind: open}, expect: {}}",
    "unknown-stage": "- {name: a, as_of: 2026-11-20 10:00, opportunity: {stage: propsal}, expect: {}}",
    "not-a-number": "- {name: a, as_of: 2026-11-20 10:00, opportunity: {amount: a lot}, expect: {}}",
    "not-a-date": "- {name: a, as_of: 2026-11-20 10:00, opportunity: {close_date: 2026-02-30}, expect: {}}",
    "rows-of-nothing": "- {name: a, as_of: 2026-11-20 10:00, opportunity: {}, activities: many, expect: {}}",
    "row-key": "- {name: a, as_of: 2026-11-20 10:00, opportunity: {}, activities: [{kind: call}], expect: {}}",
    "row-word": "- {name: a, as_of: 2026-11-20 10:00, opportunity: {}, activities: [{type: cal}], expect: {}}",
    "change-of-what": "- {name: a, as_of: 2026-11-20 10:00, opportunity: {}, field_changes: [{old: 1}], expect: {}}",
    "rows-of-a-lead": "- {name: a, as_of: 2026-11-20 10:00, lead: {}, line_items: [], expect: {}}",
    "rows-outside": "- {name: a, as_of: 2026-11-20 10:00, opportunities: [{id: a}], activities: [], expect: {}}",
    "no-id": "- {name: a, as_of: 2026-11-20 10:00, opportunities: [{stage: proposal}], expect: {}}",
    "same-id": "- {name: a, as_of: 2026-11-20 10:00, opportunities: [{id: a}, {id: a}], expect: {}}",
    "unknown-id": "- {name: a, as_of: 2026-11-20 10:00, opportunities: [{id: early}], expect: {erly: {flags: [late]}}}",
    "unknown-expectation": "- {name: a, as_of: 2026-11-20 10:00, opportunity: {}, expect: {flag: [late]}}",
    "unknown-rule": "- {name: a, as_of: 2026-11-20 10:00, opportunity: {}, expect: {flags: [lat]}}",
    "rule-of-leads": "- {name: a, as_of: 2026-11-20 10:00, opportunity: {}, expect: {flags: [quiet-lead]}}",
    "unknown-item": "- {name: a, as_of: 2026-11-20 10:00, opportunity: {}, expect: {flags: [stage-required/bugdet]}}",
    "severity": "- {name: a, as_of: 2026-11-20 10:00, opportunity: {}, expect: {flags: [{late: eror}]}}",
    "severity-elsewhere": "- {name: a, as_of: 2026-11-20 10:00, opportunity: {}, expect: {hidden: [{late: error}]}}",
    "message": "- {name: a, as_of: 2026-11-20 10:00, opportunity: {}, expect: {messages: {late: [a]}}}",
    "unknown-score": "- {name: a, as_of: 2026-11-20 10:00, opportunity: {}, expect: {scores: {fitt: {total: 1}}}}",
    "score-part": "- {name: a, as_of: 2026-11-20 10:00, opportunity: {}, expect: {scores: {fit: {sise: 1}}}}",
    "score-item": "- {name: a, as_of: 2026-11-20 10:00, opportunity: {}, expect: {scores: {fit: {not_known: glod}}}}",
}


@pytest.mark.parametrize("written", MISTAKES.values(), ids=MISTAKES.keys())
def test_a_wrong_test_is_explained(tmp_path: Path, snapshot: Callable[..., None], written: str) -> None:
    (tmp_path / "pack.yaml").write_text(PACK, encoding="utf-8")
    text = written if written.startswith("tests") else f"tests:\n  {written}"
    (tmp_path / "tests.yaml").write_text(f"pipelint: 1\n{text}\n", encoding="utf-8")
    problems = Problems()
    pack, _ = load_tests(tmp_path, "rules", problems)
    assert pack is not None
    assert problems.errors
    snapshot(render_error(ProblemsFound(problems.errors), color=False))
