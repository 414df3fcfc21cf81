"""One rule over the cache, whatever its status: how many records it flags, which, and how long it takes."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import datetime

from pipelint.engine.cache.sqlite import Cache
from pipelint.engine.check import sources
from pipelint.engine.finding import Finding
from pipelint.engine.findings import findings
from pipelint.engine.project import Project
from pipelint.errors import UsageError
from pipelint.rules.pack import Rule
from pipelint.rules.renames import rule_hint


@dataclass(frozen=True, slots=True)
class Tried:
    """What one rule would find today, were it on and alone: nothing is hidden by another rule."""

    rule: Rule
    records: int
    findings: tuple[Finding, ...]
    seconds: float
    not_pulled: tuple[str, ...]

    def having(self, status: str) -> list[Finding]:
        """The findings of one status."""
        return [finding for finding in self.findings if finding.status == status]


def the_rule(project: Project, name: str) -> Rule:
    """A rule by its name.

    Raises:
        UsageError: there is none.
    """
    rule = project.pack.rules.get(name)
    if rule is None:
        hint = rule_hint(name, project.pack.rules, project.pack.renames, "see 'pipelint rules list'")
        raise UsageError(f"there is no rule named '{name}'", hint=hint)
    return rule


def try_rule(cache: Cache, project: Project, name: str, as_of: datetime) -> Tried:
    """Evaluate one rule on every record of its kind.

    Raises:
        UsageError: there is no such rule.
    """
    rule = the_rule(project, name)
    alone = replace(project.pack, rules={name: replace(rule, status="on")})
    language = alone.settings.languages[0]
    begun = time.perf_counter()
    found: list[Finding] = []
    records = 0
    not_pulled = []
    for connection in project.connections():
        prepared = list(sources(cache, replace(project, pack=alone), connection, as_of))
        if not prepared:
            not_pulled.append(connection.name)
        for source in prepared:
            if source.compiled.kind == rule.kind:
                records += cache.db.execute(f'SELECT count(*) FROM "{source.table}"').fetchone()[0]
                found += findings(cache, source, language=language, ages=True)
    return Tried(rule, records, tuple(found), time.perf_counter() - begun, tuple(not_pulled))
