"""A generated sales organisation, whatever the CRM: people, companies, leads, deals with their history."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import count, islice
from random import Random
from typing import Literal, TypeAlias

from pipelint.sandbox import names
from pipelint.sandbox.names import Language

OPEN_STAGES = {
    "new-business": (
        "Prospecting",
        "Qualification",
        "Needs Analysis",
        "Value Proposition",
        "Id. Decision Makers",
        "Perception Analysis",
        "Proposal/Price Quote",
        "Negotiation/Review",
    ),
    "renewal": ("Qualification", "Value Proposition", "Proposal/Price Quote", "Negotiation/Review"),
}
WON, LOST = "Closed Won", "Closed Lost"
LATE = ("Proposal/Price Quote", "Negotiation/Review")
RETIRED_STAGE = "Verbal Agreement"
"""A stage that no longer exists in the CRM's list, while an old deal still sits in it."""

Kind: TypeAlias = Literal["call", "email", "meeting", "task"]
LeadStatus: TypeAlias = Literal["new", "working", "converted", "dropped"]

LANGUAGES: tuple[Language, ...] = ("fr", "fr", "fr", "fr", "en", "en", "en", "de", "de", "de")


@dataclass(slots=True)
class Seller:
    """Someone who owns deals."""

    first: str
    last: str
    team: str
    active: bool = True


@dataclass(slots=True)
class Company:
    """An account."""

    number: int
    name: str
    language: Language
    city: str
    employees: int
    domain: str


@dataclass(slots=True)
class Contact:
    """A person at the customer, and the part played in the deal."""

    first: str
    last: str
    title: str
    email: str
    role: str

    @property
    def name(self) -> str:
        return f"{self.first} {self.last}"


@dataclass(slots=True)
class Activity:
    """Something done, or planned when not `done`; `contact` is a place in the deal's list."""

    kind: Kind
    subject: str
    at: datetime
    inbound: bool = False
    done: bool = True
    contact: int | None = 0


@dataclass(slots=True)
class Change:
    """A value that was replaced."""

    field: Literal["close_date", "next_step", "amount"]
    old: str | float | None
    new: str | float | None
    at: datetime


@dataclass(slots=True)
class Deal:
    """An opportunity with all that belongs to it."""

    name: str
    pipeline: Literal["new-business", "renewal"]
    company: Company | None
    language: Language
    owner: int
    amount: float | None
    close_date: date
    stages: list[tuple[str, datetime]]
    contacts: list[Contact] = field(default_factory=list)
    activities: list[Activity] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    next_step: str | None = None
    next_step_date: date | None = None
    need: str | None = None
    decision_makers: str | None = None
    budget: str | None = None
    deadline: date | None = None
    risk: str | None = None
    loss_reason: str | None = None
    category: str | None = None
    """Forecast category where somebody chose another than the stage's own."""
    probability: int | None = None
    source: str | None = None
    items: list[tuple[str, int, float]] = field(default_factory=list)
    illnesses: tuple[str, ...] = ()

    @property
    def stage(self) -> str:
        return self.stages[-1][0]

    @property
    def is_open(self) -> bool:
        return self.stage not in {WON, LOST}

    @property
    def created_at(self) -> datetime:
        return self.stages[0][1]


@dataclass(slots=True)
class Lead:
    """Someone who asked, and what came of it; no `touched_at` means nobody has answered yet."""

    first: str
    last: str
    company: str
    email: str
    language: Language
    status: LeadStatus
    source: str
    created_at: datetime
    touched_at: datetime | None


@dataclass(slots=True)
class Chance:
    """One seeded source of randomness, with the moment everything is relative to."""

    random: Random
    now: datetime

    def day(self, days_ago: float) -> date:
        """The date so many days ago; negative days lie ahead."""
        return (self.now - timedelta(days=days_ago)).date()

    def moment(self, days_ago: float) -> datetime:
        """A moment within working hours so many days ago, a whole one at least where it is past."""
        day = (self.now - timedelta(days=days_ago)).replace(minute=0, second=0)
        return day.replace(hour=self.random.randrange(7, 17)) + timedelta(seconds=self.random.randrange(3600))

    def contact(self, company: Company, role: str, title: str) -> Contact:
        first = self.random.choice(names.FIRST[company.language])
        last = self.random.choice(names.LAST[company.language])
        email = f"{names.ascii_name(first)}.{names.ascii_name(last)}@{company.domain}"
        return Contact(first, last, title, email, role)


TEAMS: dict[Language, str] = {"fr": "France", "en": "United Kingdom & Ireland", "de": "DACH"}
INACTIVE_SELLERS = 3


def sellers(size: int) -> list[Seller]:
    """About one for every twelve deals, in three teams; the last of each has left the company."""
    total = min(60, max(6, size // 12)) + INACTIVE_SELLERS
    people = []
    for number in range(total):
        language, team = list(TEAMS.items())[number % len(TEAMS)]
        first = names.FIRST[language][(number // 3 * 7 + 3) % len(names.FIRST[language])]
        last = names.LAST[language][(number // 3 * 5 + 1) % len(names.LAST[language])]
        people.append(Seller(first, last, team, active=number < total - INACTIVE_SELLERS))
    return people


def companies(chance: Chance) -> Iterator[Company]:
    """Endless companies, no two with the same name."""
    made: Counter[Language] = Counter()
    for number in count():
        language = chance.random.choice(LANGUAGES)
        stems, forms, cities = names.STEMS[language], names.FORMS[language], names.CITIES[language]
        # Stem, form, place and at last a number run through all their combinations.
        turn, stem = divmod(made[language], len(stems))
        turn, form = divmod(turn, len(forms))
        turn, place = divmod(turn, len(cities) + 1)
        parts = (stems[stem], forms[form], cities[place - 1] if place else "", str(turn + 1) if turn else "")
        made[language] += 1
        yield Company(
            number,
            " ".join(part for part in parts if part),
            language,
            cities[place - 1] if place else chance.random.choice(cities),
            employees=int(20 * 10 ** (chance.random.random() * 2.3)),
            domain=f"{names.ascii_name(stems[stem])}-{number}.example",
        )


SOURCES: tuple[str | None, ...] = ("Web", "Phone Inquiry", "Partner Referral", "Trade Show", "Other", None)


def leads(chance: Chance, total: int) -> Iterator[Lead]:
    """Leads in all states; some of the new ones have waited for days."""
    statuses: list[LeadStatus] = ["new", "working", "converted", "dropped"]
    for company in islice(companies(chance), total):
        contact = chance.contact(company, "", "")
        status = chance.random.choices(statuses, (4, 4, 1, 2))[0]
        age = chance.random.randrange(1, 40)
        yield Lead(
            contact.first,
            contact.last,
            company.name,
            contact.email,
            company.language,
            status,
            source=chance.random.choice(SOURCES[:-1]) or "",
            created_at=chance.moment(age + 1),
            touched_at=None if status == "new" else chance.moment(chance.random.randrange(age) + 1),
        )
