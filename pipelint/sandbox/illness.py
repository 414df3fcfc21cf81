"""What an illness of a deal is, and the moves that most of them are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, TypeAlias

from pipelint.sandbox import texts
from pipelint.sandbox.organisation import OPEN_STAGES, Activity, Chance, Deal, Kind

Aspect: TypeAlias = Literal[
    "close", "next", "activity", "fields", "stage", "amount", "people", "owner", "account"
]
Group: TypeAlias = Literal["any", "early", "mid", "late"]
State: TypeAlias = Literal["open", "won", "lost"]


@dataclass(slots=True)
class Around:
    """What lies around a deal: sellers who have left, and the healthy open deal made before it."""

    gone: list[int]
    healthy: Deal | None = None


Strike: TypeAlias = Callable[[Chance, Deal, Around], None]


@dataclass(frozen=True, slots=True)
class Illness:
    """`touches` keeps two illnesses from undoing each other; `group` is where in the pipeline it occurs."""

    name: str
    touches: frozenset[Aspect]
    group: Group
    state: State
    weight: int
    strike: Strike


ILLNESSES: dict[str, Illness] = {}


def illness(
    name: str, *touches: Aspect, group: Group = "any", state: State = "open", weight: int = 2
) -> Callable[[Strike], Strike]:
    """Register a change under the name of its illness."""

    def register(strike: Strike) -> Strike:
        ILLNESSES[name] = Illness(name, frozenset(touches), group, state, weight, strike)
        return strike

    return register


def touch(chance: Chance, deal: Deal, days_ago: int, *, inbound: bool = False) -> None:
    """Add a call or an e-mail."""
    kind: Kind = chance.random.choice(("call", "email"))
    subject = chance.random.choice((texts.CALLS if kind == "call" else texts.MAILS)[deal.language])
    contact = 0 if deal.contacts else None
    deal.activities.append(Activity(kind, subject, chance.moment(days_ago), inbound, contact=contact))


def nothing_planned(deal: Deal) -> None:
    """Take away what is still to come."""
    deal.activities = [it for it in deal.activities if it.done]


def following(deal: Deal) -> str:
    """The stage after the one the deal is in."""
    ladder = OPEN_STAGES[deal.pipeline]
    return ladder[ladder.index(deal.stage) + 1]


def older(deal: Deal, days: int) -> None:
    """Move the beginning of the deal back, but not its present."""
    first, entered = deal.stages[0]
    deal.stages[0] = (first, entered - timedelta(days=days))


def stay(chance: Chance, deal: Deal, days: int) -> None:
    """Let the deal have entered its stage so many days ago."""
    shift = chance.moment(days) - deal.stages[-1][1]
    deal.stages = [(stage, entered + shift) for stage, entered in deal.stages]


def silence(deal: Deal, days: int) -> None:
    """No activity within so many days, some before, nothing planned; the deal is at least that old."""
    shift = timedelta(days=days)
    deal.activities = [it for it in deal.activities if it.done]
    for activity in deal.activities:
        activity.at -= shift
    older(deal, days)
