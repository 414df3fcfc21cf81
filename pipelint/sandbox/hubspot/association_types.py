"""Which records may be associated, and as what: HubSpot's own types and the portal's labels (fact sheet §8)."""

from __future__ import annotations

from dataclasses import dataclass

from pipelint.sandbox.hubspot.errors import HubSpotError
from pipelint.sandbox.hubspot.object_types import (
    CALLS,
    COMPANIES,
    CONTACTS,
    DEALS,
    EMAILS,
    LEADS,
    LINE_ITEMS,
    MEETINGS,
    NOTES,
    TASKS,
    ObjectType,
)


@dataclass(frozen=True, slots=True)
class LinkType:
    """One kind of association; `id` is its number from the first to the second, `back` the other way."""

    id: int
    back: int
    name: str
    back_name: str
    label: str | None = None
    custom: bool = False

    def as_json(self, *, reverse: bool) -> dict[str, object]:
        return {
            "category": "USER_DEFINED" if self.custom else "HUBSPOT_DEFINED",
            "typeId": self.back if reverse else self.id,
            "label": self.label,
        }


@dataclass(frozen=True, slots=True)
class Pair:
    """Two object types and the types of link between them: the plain one first, which every link carries."""

    first: ObjectType
    second: ObjectType
    types: tuple[LinkType, ...]

    @property
    def key(self) -> int:
        """What links are kept under: the number of the plain type."""
        return self.types[0].id


def _pair(first: ObjectType, second: ObjectType, plain: int, back: int, *more: LinkType) -> Pair:
    names = [f"{one.singular}_to_{other.singular}" for one, other in ((first, second), (second, first))]
    if more:
        names = [f"{name}_unlabeled" for name in names]
    return Pair(first, second, (LinkType(plain, back, names[0], names[1]), *more))


def _primary(first: ObjectType, number: int, back: int) -> LinkType:
    names = f"{first.singular}_to_company", f"company_to_{first.singular}"
    return LinkType(number, back, *names, label="Primary")


PRIMARY = frozenset({1, 5})
"""Link types of which a record has one at most."""

STANDARD_PAIRS = (
    _pair(DEALS, CONTACTS, 3, 4),
    _pair(DEALS, COMPANIES, 341, 342, _primary(DEALS, 5, 6)),
    _pair(CONTACTS, COMPANIES, 279, 280, _primary(CONTACTS, 1, 2)),
    _pair(DEALS, LINE_ITEMS, 19, 20),
    _pair(LEADS, CONTACTS, 578, 579),
    _pair(LEADS, COMPANIES, 610, 611),
    _pair(CALLS, DEALS, 206, 205),
    _pair(EMAILS, DEALS, 210, 209),
    _pair(MEETINGS, DEALS, 212, 211),
    _pair(NOTES, DEALS, 214, 213),
    _pair(TASKS, DEALS, 216, 215),
    _pair(CALLS, CONTACTS, 194, 193),
    _pair(EMAILS, CONTACTS, 198, 197),
    _pair(MEETINGS, CONTACTS, 200, 199),
    _pair(NOTES, CONTACTS, 202, 201),
    _pair(TASKS, CONTACTS, 204, 203),
    _pair(CALLS, COMPANIES, 182, 181),
    _pair(EMAILS, COMPANIES, 186, 185),
    _pair(MEETINGS, COMPANIES, 188, 187),
    _pair(NOTES, COMPANIES, 190, 189),
    _pair(TASKS, COMPANIES, 192, 191),
)

FIRST_LABEL = 17
"""Number of a portal's first label of its own; every direction of every label has the next number."""


class LinkTypes:
    """The pairs of a portal, with its own labels."""

    def __init__(self) -> None:
        self._pairs = {(it.first, it.second): it for it in STANDARD_PAIRS}
        self._next = FIRST_LABEL

    def pair(self, first: ObjectType, second: ObjectType) -> tuple[Pair, bool]:
        """The pair of two types, and whether they stand in it the other way round."""
        for one, other, reverse in ((first, second, False), (second, first, True)):
            found = self._pairs.get((one, other))
            if found is not None:
                return found, reverse
        raise HubSpotError(400, f"No association types exist between {first.type_id} and {second.type_id}")

    def add(self, first: ObjectType, second: ObjectType, label: str) -> LinkType:
        """A label of the portal's own."""
        pair, reverse = self.pair(first, second)
        number, back = (self._next + 1, self._next) if reverse else (self._next, self._next + 1)
        self._next += 2
        name = label.lower().replace(" ", "_")
        made = LinkType(number, back, name, name, label, custom=True)
        self._pairs[pair.first, pair.second] = Pair(pair.first, pair.second, (*pair.types, made))
        return made

    def numbered(self, kind: ObjectType, number: int) -> tuple[ObjectType, list[LinkType]]:
        """The other type that a link of this number leads to from `kind`, and the link's type."""
        for pair in self._pairs.values():
            for it in pair.types:
                if pair.first == kind and it.id == number:
                    return pair.second, [it]
                if pair.second == kind and it.back == number:
                    return pair.first, [it]
        raise HubSpotError(400, f"{number} is not an association type of {kind.name}")

    def of(self, kind: ObjectType) -> tuple[list[Pair], list[Pair]]:
        """The pairs in which a type stands first, and those in which it stands second."""
        pairs = self._pairs.values()
        return [it for it in pairs if it.first == kind], [it for it in pairs if it.second == kind]

    def labels(self) -> list[tuple[str, str, str]]:
        """The portal's own labels in order: first type, second type, label."""
        custom = {
            it.id: (pair.first.name, pair.second.name, str(it.label))
            for pair in self._pairs.values()
            for it in pair.types
            if it.custom
        }
        return [custom[number] for number in sorted(custom)]
