"""Writes a new rule with two tests into a file of its own, ready to be changed."""

from __future__ import annotations

import re
from pathlib import Path

from pipelint.engine.project import Project
from pipelint.errors import UsageError
from pipelint.rules.catalogue import RecordKind
from pipelint.rules.pack import Pack
from pipelint.rules.write_yaml import scalar

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_FILE = """\
# yaml-language-server: $schema={schema}
# A rule to make your own. After each change run:
#   pipelint rules validate
#   pipelint rules test
#   pipelint rules try {name}
pipelint: 1

rules:
  {name}:
    title: {title}
{about}    # The bad case; 'pipelint rules fields' lists what you can use.
    flag_when: {condition}
    severity: warning                        # info, warning or error
    status: trial                            # evaluated and shown, never written; 'on' when you trust it
    message: "{message}"
    fix: Say here what the owner should do.
    why: Say here what it costs when nobody does.

# A test gives a record and says what must become of it. What is not given is blank.
tests:
  - name: {name} flags {bad}
    as_of: {today} 10:00
    {kind}: {{{flagged}}}
    expect:
      flags: [{{{name}: warning}}]

  - name: {name} leaves {good} alone
    as_of: {today} 10:00
    {kind}: {{{clean}}}
    expect:
      no_flags: [{name}]
"""


def new_rule(project: Project, name: str, kind: RecordKind) -> Path:
    """Write `NAME.yaml` into the rules folder and say where it is.

    Raises:
        UsageError: the name cannot be a rule's, or is taken.
    """
    _check(project, name)
    path = project.file.rules / f"{name}.yaml"
    if path.exists():
        raise UsageError(f"{path} is there already", hint="choose another name, or edit that file")
    values = _lead() if kind == "lead" else _opportunity(project.pack)
    today = project.pack.settings.calendar.local(project.clock()).date().isoformat()
    title = name.replace("-", " ").capitalize()
    text = _FILE.format(
        name=scalar(name), title=scalar(title), kind=kind, today=today, schema="../schema.json", **values
    )
    path.write_text(text, encoding="utf-8")
    return path


def _check(project: Project, name: str) -> None:
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"'{name}' is no rule name",
            hint="use lower-case letters, digits and single hyphens, e.g. no-budget",
        )
    if len(name) > 40:
        raise UsageError(f"the name has {len(name)} characters", hint="40 fit into the CRM's field")
    rule = project.pack.rules.get(name)
    if rule is not None:
        hint = (
            f"it comes from {rule.origin}: change it under 'overrides:', or choose another name"
            if rule.origin
            else f"edit {rule.place}, or choose another name"
        )
        raise UsageError(f"there is a rule named '{name}' already", hint=hint)


def _opportunity(pack: Pack) -> dict[str, str]:
    """Next steps of open opportunities, in the pack's first open stage where there is one."""
    stage = next((scalar(stage.name) for stage in pack.stages if stage.kind == "open"), "")
    scope = "stage_kind: open, " if stage else ""
    given = f"stage: {stage}, " if stage else ""
    return {
        "about": "",
        "condition": f"{{{scope}next_step: blank}}",
        "message": "Add a next step.",
        "bad": "an opportunity without a next step",
        "good": "one with a next step",
        "flagged": f"{given}next_step: blank",
        "clean": f"{given}next_step: Send the order form on Monday",
    }


def _lead() -> dict[str, str]:
    return {
        "about": "    for: lead\n",
        "condition": "{is_open: yes, last_touch: blank}",
        "message": "Arrived {created_at:date}, not contacted yet.",
        "bad": "a lead that nobody contacted",
        "good": "a closed lead",
        "flagged": "is_open: yes",
        "clean": "is_open: no",
    }
