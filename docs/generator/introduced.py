"""Since which version each shipped rule exists; a new rule is added under the version it will appear in."""

from __future__ import annotations

from collections.abc import Mapping

INTRODUCED: Mapping[str, str] = {
    "0.1.0": """
        activity-without-progress amount-dropped amount-missing amount-placeholder bant-authority-missing
        bant-budget-missing bant-incomplete bant-need-missing bant-timing-missing best-case-gaps
        budget-missing buyer-silent close-date-frozen close-date-missing close-date-past close-date-too-far
        commit-no-buyer commit-silent commit-slipping commit-too-early created-late currency-unknown
        deadline-missing decision-maker-unengaged decision-makers-missing discount-over-policy
        duplicate-open-opportunities framework-incomplete late-slip lead-idle lead-untouched
        loss-reason-missing meddpicc-champion-missing meddpicc-competition-missing
        meddpicc-decision-criteria-missing meddpicc-decision-process-missing meddpicc-economic-buyer-missing
        meddpicc-incomplete meddpicc-metrics-missing meddpicc-pain-missing meddpicc-paper-process-missing
        micro-pushes need-missing next-step-missing next-step-overdue next-step-stale next-step-too-far
        next-step-undated next-step-vague no-account no-activity no-champion no-contact no-decision-maker
        no-recent-meeting orphan-deal probability-overridden products-missing pushed-repeatedly reopened
        risk-missing sandbagged single-threaded slipped-period source-missing spiced-critical-event-missing
        spiced-decision-missing spiced-impact-missing spiced-incomplete spiced-pain-missing
        spiced-situation-missing stage-age-limit stage-bounce stage-entry-unmet stage-exit-open
        stage-exit-skipped stage-moved-back stage-required stage-skipped stage-stagnation thin-evidence
        unknown-value won-incomplete
    """,
}


def since(rule: str) -> str:
    """The version in which a rule appeared."""
    for version, names in INTRODUCED.items():
        if rule in names.split():
            return version
    raise LookupError(f"say in docs/generator/introduced.py since which version there is '{rule}'")
