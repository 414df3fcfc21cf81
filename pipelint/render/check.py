"""What `check` tells people: the worst findings, and counts of the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from pipelint.engine.check import CheckTotals
from pipelint.engine.evidence import TOO_RECENT, UNMAPPED
from pipelint.engine.finding import Finding
from pipelint.engine.scores import Score
from pipelint.engine.tally import Tally
from pipelint.render.errors import render_problems
from pipelint.render.scores import scores_table
from pipelint.render.table import amount, plural, some, table
from pipelint.render.waivers import waivers_table

_ADVICE = {
    TOO_RECENT: " History grows with each pull.",
    UNMAPPED: " Map its values in the rules; 'stages import' proposes stages.",
}


class TextPage:
    """The page for people, made of counts alone."""

    def __init__(self, *, color: bool) -> None:
        self._color = color

    def finding(self, found: Finding, /) -> None:
        """What is shown of it is in the totals."""

    def score(self, score: Score, /) -> None:
        """Likewise."""

    def close(self) -> None:
        """Nothing was opened."""

    def pieces(self, totals: CheckTotals) -> Iterator[str]:
        """The whole page."""
        yield text(totals, color=self._color) + "\n"


def text(result: CheckTotals, *, color: bool) -> str:
    """The worst findings, what there is of each rule, and what could not be checked."""
    tally = result.tally
    parts = [
        _not_pulled(result),
        render_problems([each.problem for each in result.drift], color=color),
        _findings_table(tally, color),
        _rules_table(tally, color),
        waivers_table(tally.waived, color),
        scores_table(result.scored, color),
        _on_trial(tally.on_trial),
        _unchecked(result),
        "\n".join(f"{notice.place}: {notice.what}" for notice in result.notices),
        _closing(result),
    ]
    return "\n\n".join(part for part in parts if part)


def _not_pulled(result: CheckTotals) -> str:
    if not result.not_pulled:
        return ""
    return f"Nothing was pulled yet from {', '.join(result.not_pulled)}: run 'pipelint pull' first."


def _findings_table(tally: Tally, color: bool) -> str:
    if not tally.flagged:
        return ""
    worst = tally.worst
    rows = [
        (f.severity, f.name or f.id, f.owner, f.stage, amount(f.amount), f"{f.rule}: {f.message}")
        for f in worst
    ]
    drawn = table(
        ("", "opportunity", "owner", "stage", "amount", "finding"), rows, color=color, right=(4,), style=0
    )
    if more := tally.flagged.total() - len(worst):
        drawn += f"\n… and {more:,} more: narrow with --owner, --pipeline or --only, or use --format csv"
    return drawn


def _rules_table(tally: Tally, color: bool) -> str:
    if not tally.flagged:
        return ""
    rows = [
        (rule, tally.severities[rule], f"{count:,}", amount(tally.at_stake[rule]))
        for rule, count in tally.flagged.most_common()
    ]
    return table(("rule", "worst", "records", "value at stake"), rows, color=color, right=(2, 3), style=1)


def _unchecked(result: CheckTotals) -> str:
    """What could not be checked: for lack of data, once; for lack of history or for a blank, by field."""
    lines = []
    for connection in dict.fromkeys(each.connection for each in result.not_synced):
        mine = [each for each in result.not_synced if each.connection == connection]
        known_from = result.known_from.get(connection, {})
        then = " on that day" if connection in result.known_from else ""
        fields = some(
            [
                f"{name} (known from {known_from[name]:%Y-%m-%d} on)" if name in known_from else name
                for name in sorted({name for each in mine for name in each.fields})
            ]
        )
        rules = sorted(dict.fromkeys(each.rule for each in mine), key=lambda rule: "/" in rule)
        said = "1 rule says" if len(rules) == 1 else f"{len(rules):,} rules say"
        lines.append(f"Not synced from {connection}{then}: {fields}. So {said} nothing there: {some(rules)}.")
    for lack, counts in sorted(result.tally.unknown.items()):
        advice = _ADVICE.get(lack, "")
        lines.append(
            f"Could not be checked because a field is {lack or 'blank'}: {_counted(counts)}.{advice}"
        )
    if any(" more." in line for line in lines):
        lines.append("All of them: --format json.")
    return "\n".join(lines)


def _counted(counts: Counter[str]) -> str:
    return some([f"{name} ({count:,})" for name, count in counts.most_common()])


def _closing(result: CheckTotals) -> str:
    flagged = result.tally.flagged.total()
    records = plural(result.records["opportunity"], "opportunity")
    if leads := result.records["lead"]:
        records += f" and {plural(leads, 'lead')}"
    shown = ""
    if result.chosen_from is not None:
        shown = f" Shown: {flagged:,} of {plural(result.chosen_from, 'finding')}."
    if result.in_grace:
        shown += f" In their time of grace: {result.in_grace:,}."
    if not flagged:
        return f"{records} checked, nothing {'new' if result.only_new else 'flagged'}.{shown}"
    return f"{records} checked, {result.tally.records['flagged']:,} flagged with {plural(flagged, 'finding')}.{shown}"


def _on_trial(counts: Counter[str]) -> str:
    """What rules on trial found, which nobody sees in the CRM."""
    if not counts:
        return ""
    named = ", ".join(f"{rule} ({count:,})" for rule, count in counts.most_common(8))
    return f"On trial, never written: {named}; see them with 'pipelint rules try NAME'."
