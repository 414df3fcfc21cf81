"""Everything that can be wrong with a deal, each as one change to a healthy one; named as the rules are."""

from __future__ import annotations

from datetime import timedelta

from pipelint.sandbox import texts
from pipelint.sandbox.illness import (
    ILLNESSES,
    Around,
    following,
    illness,
    nothing_planned,
    older,
    silence,
    stay,
    touch,
)
from pipelint.sandbox.organisation import LATE, RETIRED_STAGE, Chance, Change, Deal

__all__ = ["DUPLICATE", "ILLNESSES", "STRIKING", "make_striking"]


@illness("close-date-past", "close", weight=8)
def _close_date_past(chance: Chance, deal: Deal, _: Around) -> None:
    deal.close_date = chance.day(chance.random.choice((1, 3, 6, 12, 25, 40, 75)))


@illness("close-date-too-far", "close")
def _close_date_too_far(chance: Chance, deal: Deal, _: Around) -> None:
    deal.close_date = chance.day(-chance.random.randrange(400, 700))


@illness("close-too-soon-for-stage", "close", group="early")
def _close_too_soon(chance: Chance, deal: Deal, _: Around) -> None:
    deal.close_date = chance.day(-chance.random.randrange(1, 8))


@illness("pushed-repeatedly", "close", group="mid", weight=5)
def _pushed(chance: Chance, deal: Deal, _: Around) -> None:
    """Two to four moves into a later month each, the last one to where the date is now."""
    pushes = chance.random.randrange(2, 5)
    new = deal.close_date
    for step in range(pushes):
        old = new - timedelta(days=chance.random.randrange(31, 40))
        deal.changes.append(
            Change("close_date", old.isoformat(), new.isoformat(), chance.moment(4 + 27 * step))
        )
        new = old
    older(deal, 30 * pushes)


@illness("next-step-missing", "next", weight=8)
def _next_step_missing(_: Chance, deal: Deal, __: Around) -> None:
    deal.next_step, deal.next_step_date = None, None
    nothing_planned(deal)


@illness("next-step-undated", "next", weight=5)
def _next_step_undated(_: Chance, deal: Deal, __: Around) -> None:
    deal.next_step_date = None
    nothing_planned(deal)


@illness("next-step-overdue", "next", weight=6)
def _next_step_overdue(chance: Chance, deal: Deal, _: Around) -> None:
    deal.next_step_date = chance.day(chance.random.choice((2, 5, 9, 16, 30)))
    for activity in deal.activities:
        if not activity.done:
            activity.kind, activity.at = "task", chance.moment((chance.now.date() - deal.next_step_date).days)


@illness("next-step-vague", "next", weight=4)
def _next_step_vague(chance: Chance, deal: Deal, _: Around) -> None:
    deal.next_step = chance.random.choice(texts.VAGUE_STEPS[deal.language])


@illness("next-step-stale", "next", group="mid")
def _next_step_stale(chance: Chance, deal: Deal, _: Around) -> None:
    deal.changes = [it for it in deal.changes if it.field != "next_step"]
    deal.changes.append(
        Change("next_step", None, deal.next_step, chance.moment(chance.random.randrange(35, 60)))
    )
    older(deal, 60)


@illness("no-activity", "activity", group="mid", weight=7)
def _no_activity(chance: Chance, deal: Deal, _: Around) -> None:
    silence(deal, chance.random.choice((33, 45, 60, 90)))


@illness("buyer-silent", "activity", group="mid", weight=4)
def _buyer_silent(chance: Chance, deal: Deal, _: Around) -> None:
    deal.activities = [it for it in deal.activities if not it.done or it.at < chance.now - timedelta(days=22)]
    for days_ago in (2, 6, 11, 17):
        touch(chance, deal, days_ago)
    older(deal, 20)


@illness("activity-without-progress", "activity", "stage", weight=2)
def _activity_without_progress(chance: Chance, deal: Deal, _: Around) -> None:
    stay(chance, deal, 55)
    for days_ago in (3, 8, 14, 21, 27):
        touch(chance, deal, days_ago, inbound=days_ago % 2 == 0)


@illness("stage-required", "fields", group="late", weight=6)
def _fields_missing(chance: Chance, deal: Deal, _: Around) -> None:
    for name in chance.random.sample(("need", "decision_makers", "budget", "deadline", "risk"), k=3):
        setattr(deal, name, None)


@illness("thin-evidence", "fields", group="late")
def _thin_evidence(chance: Chance, deal: Deal, _: Around) -> None:
    for name in ("need", "budget", "risk"):
        setattr(deal, name, chance.random.choice(texts.PLACEHOLDERS[deal.language]))


@illness("need-missing", "fields", group="mid")
def _need_missing(_: Chance, deal: Deal, __: Around) -> None:
    deal.need = None


@illness("stage-entry-unmet", "fields", "people", group="late", weight=4)
def _entry_unmet(_: Chance, deal: Deal, __: Around) -> None:
    deal.budget = deal.decision_makers = None
    for contact in deal.contacts:
        contact.role = "Evaluator"


@illness("stage-age-limit", "stage", weight=6)
def _stage_age(chance: Chance, deal: Deal, _: Around) -> None:
    stay(chance, deal, chance.random.choice((38, 50, 64)))


@illness("zombie", "stage", "activity", weight=2)
def _zombie(chance: Chance, deal: Deal, _: Around) -> None:
    stay(chance, deal, 230)
    silence(deal, 120)


@illness("stage-skipped", "stage", group="late")
def _stage_skipped(_: Chance, deal: Deal, __: Around) -> None:
    deal.stages = [deal.stages[0], deal.stages[-1]]


@illness("stage-moved-back", "stage", group="mid")
def _moved_back(_: Chance, deal: Deal, __: Around) -> None:
    stage, entered = deal.stages[-1]
    deal.stages = [(name, at - timedelta(days=9)) for name, at in deal.stages]
    deal.stages += [(following(deal), entered - timedelta(days=4)), (stage, entered)]


@illness("stage-bounce", "stage", group="mid")
def _bounce(chance: Chance, deal: Deal, _: Around) -> None:
    stage, other = deal.stage, following(deal)
    stay(chance, deal, 12)
    first = chance.moment(5)
    for turn, name in enumerate((other, stage, other, stage)):
        deal.stages.append((name, first + timedelta(hours=20 * turn)))


@illness("created-late", "stage", group="late")
def _created_late(_: Chance, deal: Deal, __: Around) -> None:
    deal.stages = deal.stages[-1:]
    deal.activities = [it for it in deal.activities if it.at >= deal.created_at]
    deal.changes = [it for it in deal.changes if it.at >= deal.created_at]


@illness("unknown-value", "stage", group="late")
def _unknown_stage(_: Chance, deal: Deal, __: Around) -> None:
    deal.stages[-1] = (RETIRED_STAGE, deal.stages[-1][1])


@illness("amount-missing", "amount", weight=6)
def _amount_missing(chance: Chance, deal: Deal, _: Around) -> None:
    deal.amount = chance.random.choice((None, None, 0.0))
    deal.items.clear()


@illness("amount-placeholder", "amount")
def _amount_placeholder(chance: Chance, deal: Deal, _: Around) -> None:
    deal.amount = chance.random.choice((1.0, 100.0, 999.0))
    deal.items.clear()


@illness("amount-outlier", "amount", group="early")
def _amount_outlier(chance: Chance, deal: Deal, _: Around) -> None:
    deal.amount = float(chance.random.randrange(82, 90) * 10_000)
    deal.items.clear()


@illness("amount-dropped", "amount")
def _amount_dropped(chance: Chance, deal: Deal, _: Around) -> None:
    before = round((deal.amount or 0) * 1.4, -2)
    deal.changes.append(Change("amount", before, deal.amount, chance.moment(chance.random.randrange(1, 4))))


@illness("no-contact", "people", weight=5)
def _no_contact(_: Chance, deal: Deal, __: Around) -> None:
    deal.contacts.clear()
    for activity in deal.activities:
        activity.contact = None


@illness("single-threaded", "people", group="late", weight=5)
def _single_threaded(_: Chance, deal: Deal, __: Around) -> None:
    deal.contacts[:] = [it for it in deal.contacts if it.role == "Decision Maker"]
    for activity in deal.activities:
        activity.contact = 0


@illness("no-decision-maker", "people", group="late", weight=5)
def _no_decision_maker(_: Chance, deal: Deal, __: Around) -> None:
    for contact in deal.contacts:
        if contact.role in {"Decision Maker", "Economic Buyer"}:
            contact.role = "Evaluator"


@illness("no-champion", "people", group="late")
def _no_champion(_: Chance, deal: Deal, __: Around) -> None:
    for contact in deal.contacts:
        if contact.role == "Champion":
            contact.role = "Business User"


@illness("orphan-deal", "owner", weight=4)
def _orphan(chance: Chance, deal: Deal, around: Around) -> None:
    deal.owner = chance.random.choice(around.gone)


@illness("no-account", "account", weight=3)
def _no_account(_: Chance, deal: Deal, __: Around) -> None:
    deal.company = None


DUPLICATE = "duplicate-open-opportunities"


@illness(DUPLICATE, "account", "amount")
def _duplicate(_: Chance, deal: Deal, around: Around) -> None:
    """The same company as the healthy deal made before this one, and nearly the same amount."""
    if around.healthy is not None:
        deal.company = around.healthy.company
        deal.amount = round((around.healthy.amount or 0) * 1.04, -2)
        deal.items.clear()


@illness("commit-too-early", "fields", group="early", weight=4)
def _commit_too_early(_: Chance, deal: Deal, __: Around) -> None:
    deal.category, deal.probability = "Commit", 90


@illness("commit-silent", "activity", "fields", group="late", weight=3)
def _commit_silent(_: Chance, deal: Deal, __: Around) -> None:
    deal.category = "Commit"
    silence(deal, 34)


@illness("probability-overridden", "fields", group="early")
def _probability_overridden(_: Chance, deal: Deal, __: Around) -> None:
    deal.probability = 80


@illness("won-without-amount", "amount", state="won", weight=3)
def _won_without_amount(_: Chance, deal: Deal, __: Around) -> None:
    deal.amount = None
    deal.items.clear()


@illness("won-without-contact", "people", state="won")
def _won_without_contact(chance: Chance, deal: Deal, around: Around) -> None:
    _no_contact(chance, deal, around)


@illness("loss-reason-missing", "fields", state="lost", weight=4)
def _loss_reason_missing(_: Chance, deal: Deal, __: Around) -> None:
    deal.loss_reason = None


STRIKING = ("close-date-past", "no-activity", "next-step-overdue")


def make_striking(chance: Chance, deal: Deal) -> None:
    """The deal a manager should hear of first: large, late, quiet, and five weeks over its date."""
    deal.stages[-1] = (LATE[-1], deal.stages[-1][1])
    deal.amount = 640_000.0
    deal.budget = f"640000 EUR - {texts.BUDGETS[deal.language][0]}"
    deal.items.clear()
    deal.close_date = chance.day(36)
    silence(deal, 47)
