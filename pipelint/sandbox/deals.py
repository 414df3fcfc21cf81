"""Deals: healthy ones built here, then made ill where it was their turn."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Literal

from pipelint.sandbox import texts
from pipelint.sandbox.illness import Around, Group, Illness, State
from pipelint.sandbox.illnesses import ILLNESSES, STRIKING, make_striking
from pipelint.sandbox.organisation import (
    LATE,
    LOST,
    OPEN_STAGES,
    SOURCES,
    TEAMS,
    WON,
    Activity,
    Chance,
    Change,
    Company,
    Deal,
    Kind,
    Seller,
    companies,
)

SHARE_OPEN, SHARE_WON = 0.70, 0.185
SHARE_HEALTHY = 0.30
SHARE_CLOSED_HEALTHY = 0.75
SHARE_TWO = 0.30
"""Of the ill open deals, those with two illnesses."""
LOSS_REASONS = ("Price", "No decision", "Competitor", "No budget", "Timing", "Missing feature")
ROLES = ("Champion", "Decision Maker", "Economic Buyer", "Evaluator")
SMALLEST, USUAL_LARGEST = 5_000.0, 280_000.0
DAYS_TO_CLOSE = {"early": (90, 170), "mid": (60, 110), "late": (28, 60)}


def deals(chance: Chance, size: int, team: list[Seller]) -> Iterator[Deal]:
    """`size` deals, a striking one first; from about a hundred on every illness occurs."""
    unseen: dict[State, list[Illness]] = defaultdict(list)
    for it in ILLNESSES.values():
        unseen[it.state].append(it)
    around = Around([number for number, seller in enumerate(team) if not seller.active])
    active: dict[str, list[int]] = defaultdict(list)
    for number, seller in enumerate(team):
        if seller.active:
            active[seller.team].append(number)
    for company, state in zip(companies(chance), _states(chance, size), strict=False):
        first = company.number == 0
        chosen = [ILLNESSES[name] for name in STRIKING] if first else _illnesses(chance, unseen[state], state)
        group: Group = "late" if first else _group(chance, chosen)
        deal = _Builder(chance, company, chance.random.choice(active[TEAMS[company.language]])).build(
            state, group
        )
        for illness in chosen:
            illness.strike(chance, deal, around)
        deal.illnesses = tuple(illness.name for illness in chosen)
        if first:
            make_striking(chance, deal)
        yield deal
        if deal.is_open and not chosen:
            around.healthy = deal


def _states(chance: Chance, size: int) -> list[State]:
    """Open, won and lost in fixed shares and random order; the first one is open."""
    open_, won = round(size * SHARE_OPEN), round(size * SHARE_WON)
    shares: list[tuple[State, int]] = [("open", open_ - 1), ("won", won), ("lost", size - open_ - won)]
    states = [state for state, share in shares for _ in range(share)]
    chance.random.shuffle(states)
    return ["open", *states][:size]


def _illnesses(chance: Chance, unseen: list[Illness], state: State) -> list[Illness]:
    """None, one or two; those that no deal had yet take precedence."""
    if chance.random.random() < (SHARE_HEALTHY if state == "open" else SHARE_CLOSED_HEALTHY):
        return []
    known = [it for it in ILLNESSES.values() if it.state == state]
    first = unseen.pop() if unseen else _weighted(chance, known)
    fitting = [
        it
        for it in known
        if not it.touches & first.touches and (it.group == first.group or "any" in {it.group, first.group})
    ]
    if state != "open" or not fitting or chance.random.random() > SHARE_TWO:
        return [first]
    return [first, _weighted(chance, fitting)]


def _weighted(chance: Chance, known: list[Illness]) -> Illness:
    return chance.random.choices(known, [it.weight for it in known])[0]


def _group(chance: Chance, chosen: list[Illness]) -> Group:
    """Where in the pipeline the chosen illnesses can occur."""
    bound: list[Group] = [it.group for it in chosen if it.group != "any"]
    return bound[0] if bound else chance.random.choices(("early", "mid", "late"), (3, 4, 3))[0]


class _Builder:
    """Builds one healthy deal."""

    def __init__(self, chance: Chance, company: Company, owner: int) -> None:
        self.chance = chance
        self.random = chance.random
        self.company = company
        self.language = company.language
        self.owner = owner

    def build(self, state: State, group: Group) -> Deal:
        pipeline: Literal["new-business", "renewal"] = (
            "renewal" if self.random.random() < 0.25 else "new-business"
        )
        ladder = OPEN_STAGES[pipeline]
        closed_ago = 0 if state == "open" else self.random.randrange(2, 380)
        reached = len(ladder) - 1 if state == "won" else self._stage(ladder, group)
        stages = self._stages(ladder[: reached + 1], closed_ago)
        if state != "open":
            stages.append((WON if state == "won" else LOST, self.chance.moment(closed_ago)))
        amount = self._amount()
        product = self.random.choice(texts.PRODUCTS[self.language])
        if pipeline == "renewal":
            product = f"{texts.RENEWALS[self.language]} {self.chance.now.year}"
        deal = Deal(
            name=f"{self.company.name} - {product}",
            pipeline=pipeline,
            company=self.company,
            language=self.language,
            owner=self.owner,
            amount=amount,
            close_date=self.chance.day(closed_ago or -self.random.randrange(*DAYS_TO_CLOSE[group])),
            stages=stages,
            source=self.random.choice(SOURCES),
        )
        self._people(deal, 2 if group == "early" and state == "open" else 3 + (self.random.random() < 0.3))
        self._qualification(deal, complete=reached > 0 or pipeline == "renewal")
        self._past(deal, closed_ago)
        if state == "open":
            self._present(deal)
        if state == "lost":
            deal.loss_reason = self.random.choice(LOSS_REASONS)
        if self.random.random() < 0.25:
            self._items(deal, amount, product)
        return deal

    def _amount(self) -> float:
        """Mostly some ten thousands, the median about 44,000."""
        while not SMALLEST <= (amount := round(self.random.lognormvariate(10.7, 0.85), -2)) <= USUAL_LARGEST:
            pass
        return amount

    def _stage(self, ladder: tuple[str, ...], group: Group) -> int:
        late = len(ladder) - len(LATE)
        early = 2 if late > 2 else 1
        first, after = {"early": (0, early), "mid": (early, late), "late": (late, len(ladder))}[group]
        return self.random.randrange(first, after)

    def _stages(self, passed: tuple[str, ...], closed_ago: int) -> list[tuple[str, datetime]]:
        """Each stage with its entry, at a healthy pace, counted backwards from now or from closing."""
        days_ago = closed_ago + self.random.randrange(3, 18)
        stages = []
        for stage in reversed(passed):
            stages.append((stage, self.chance.moment(days_ago)))
            days_ago += self.random.randrange(4, 15)
        return stages[::-1]

    def _people(self, deal: Deal, count: int) -> None:
        for role in ROLES[:count]:
            title = self.random.choice(texts.TITLES[role][self.language])
            deal.contacts.append(self.chance.contact(self.company, role, title))

    def _qualification(self, deal: Deal, *, complete: bool) -> None:
        deal.need = self._text(texts.NEEDS)
        if complete:
            deal.decision_makers = ", ".join(it.name for it in deal.contacts[1:3])
            deal.budget = f"{deal.amount:.0f} EUR - {self._text(texts.BUDGETS)}"
            deal.deadline = deal.close_date + timedelta(days=self.random.randrange(10, 40))
            deal.risk = self._text(texts.RISKS)

    def _past(self, deal: Deal, closed_ago: int) -> None:
        """A conversation in both directions, from the first day to the last or to now."""
        age = (self.chance.now - deal.created_at).days
        for days_ago in range(closed_ago + self.random.randrange(1, 3), age, self.random.randrange(5, 9)):
            inbound = len(deal.activities) % 2 == 0
            turn = len(deal.activities) % 3
            kind: Kind = self.random.choice(("call", "email", "email")) if turn else "meeting"
            self._activity(deal, kind, days_ago, inbound=inbound)

    def _present(self, deal: Deal) -> None:
        """A dated next step, written lately, and the meeting planned for it."""
        contact = self.random.choice(deal.contacts)
        deal.next_step = self._text(texts.NEXT_STEPS).format(contact=contact.name)
        ahead = self.random.randrange(2, 12)
        deal.next_step_date = self.chance.day(-ahead)
        deal.changes.append(
            Change("next_step", None, deal.next_step, self.chance.moment(self.random.randrange(1, 3)))
        )
        self._activity(deal, self.random.choice(("meeting", "task")), -ahead, done=False)

    def _activity(
        self, deal: Deal, kind: Kind, days_ago: int, *, inbound: bool = False, done: bool = True
    ) -> None:
        subjects: dict[Kind, texts.Texts] = {
            "call": texts.CALLS,
            "email": texts.MAILS,
            "meeting": texts.MEETINGS,
            "task": texts.CALLS,
        }
        deal.activities.append(
            Activity(
                kind,
                self._text(subjects[kind]),
                self.chance.moment(days_ago),
                inbound,
                done,
                self.random.randrange(len(deal.contacts)),
            )
        )

    def _items(self, deal: Deal, amount: float, product: str) -> None:
        share = round(amount * 0.7, -2)
        deal.items = [(product, 1, share), (texts.PRODUCTS[self.language][-1], 1, amount - share)]

    def _text(self, choices: texts.Texts) -> str:
        return self.random.choice(choices[self.language])
