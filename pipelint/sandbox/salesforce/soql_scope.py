"""Finding the column behind a path such as `Account.Owner.Name`, with the joins that reach it."""

from __future__ import annotations

from dataclasses import dataclass

from pipelint.sandbox.database import quote
from pipelint.sandbox.salesforce.access import Access
from pipelint.sandbox.salesforce.errors import SalesforceError
from pipelint.sandbox.salesforce.fields import Field, flag, text
from pipelint.sandbox.salesforce.schema import SObject, sobject
from pipelint.sandbox.salesforce.soql_ast import Path
from pipelint.sandbox.salesforce.soql_tokens import pointing

NAME_OBJECT = sobject(
    "Name", "", text("Name"), text("Type"), text("Email"), text("Username"), flag("IsActive"), system=()
)
"""What is common to the targets of a polymorphic lookup: all that such a path may select."""

_MAX_DEPTH = 5
ADVICE = (
    " If you are attempting to use a custom {kind}, be sure to append the '{suffix}' after the {thing} name."
    " Please reference your WSDL or the describe call for the appropriate names."
)


@dataclass(frozen=True, slots=True)
class Column:
    """A field as SQL, and the canonical spelling of the path to it."""

    sql: str
    field: Field
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Join:
    """A parent reached over a lookup; a polymorphic one has a table for each kind it can be."""

    alias: str
    sobject: SObject
    targets: tuple[SObject, ...]
    lookup: str

    def column(self, name: str) -> str:
        """A column of the parent, of whichever kind it is."""
        if self.sobject is not NAME_OBJECT:
            return f"{self._alias(0)}.{quote(name)}"
        kinds = [
            f'WHEN {self._alias(place)}."Id" IS NOT NULL THEN {_shown(target, self._alias(place), name)}'
            for place, target in enumerate(self.targets)
        ]
        return f"CASE {' '.join(kinds)} END"

    @property
    def sql(self) -> str:
        """The joins, as they follow the table."""
        return "".join(
            f' LEFT JOIN {quote(target.name)} AS {self._alias(place)} ON {self._alias(place)}."Id" = {self.lookup}'
            for place, target in enumerate(self.targets)
        )

    def _alias(self, place: int) -> str:
        return f"{self.alias}_{place}" if place else self.alias


def _shown(target: SObject, alias: str, name: str) -> str:
    """What a parent of this kind shows under a name that all kinds have in common."""
    if name == "Type":
        return f"'{'Queue' if target.name == 'Group' else target.name}'"
    return f"{alias}.{quote(name)}" if name in target.fields else "NULL"


def find_object(access: Access, name: str, at: int, text: str, *, tooling: bool) -> SObject:
    """The object after FROM."""
    found = access.schema.get(name)
    if found is None or (found.tooling and not tooling):
        advice = ADVICE.format(kind="object", suffix="__c", thing="entity")
        raise SalesforceError(
            "INVALID_TYPE", pointing(text, at, f"sObject type '{name}' is not supported.{advice}")
        )
    return found


class Scope:
    """One FROM: the object itself is `t0`, its parents are `t1`, `t2`, … in the order they are met."""

    def __init__(self, access: Access, base: SObject, alias: str, text: str) -> None:
        self._access = access
        self._text = text
        self._own_names = {base.name.lower(), alias.lower()} - {""}
        self.base = base
        self.joins: dict[tuple[str, ...], Join] = {}

    def column(self, path: Path) -> Column:
        names = path.names
        if (
            len(names) > 1
            and names[0].lower() in self._own_names
            and self.base.relationship(names[0]) is None
        ):
            names = names[1:]
        if len(names) > _MAX_DEPTH + 1:
            raise SalesforceError(
                "MALFORMED_QUERY",
                f"SOQL statements cannot query relationships more than {_MAX_DEPTH} levels away from the root"
                " entity",
            )
        parents: tuple[str, ...] = ()
        owner, join = self.base, None
        for name in names[:-1]:
            parents = self._join(parents, owner, name, path)
            join = self.joins[parents]
            owner = join.sobject
        field = owner.field(names[-1]) if owner is NAME_OBJECT else self._access.field(owner, names[-1])
        if field is None:
            raise self._refuse(
                path,
                f"No such column '{names[-1]}' on entity '{owner.name}'."
                + ADVICE.format(kind="field", suffix="__c", thing="custom field"),
            )
        sql = f"t0.{quote(field.name)}" if join is None else join.column(field.name)
        return Column(sql, field, (*parents, field.name))

    @property
    def table(self) -> str:
        return f"{quote(self.base.name)} AS t0"

    @property
    def parents(self) -> str:
        """The joins, as they follow the table in SQL."""
        return "".join(join.sql for join in self.joins.values())

    def _join(self, parents: tuple[str, ...], owner: SObject, name: str, path: Path) -> tuple[str, ...]:
        """Make sure of the join to a parent, and answer the canonical path to it."""
        lookup = owner.relationship(name)
        if lookup is None or lookup.relationship is None:
            raise self._refuse(
                path,
                f"Didn't understand relationship '{name}' in field path."
                + ADVICE.format(kind="relationship", suffix="__r", thing="custom relationship"),
            )
        place = (*parents, lookup.relationship)
        if place not in self.joins:
            targets = tuple(self._access.schema[it] for it in lookup.reference_to)
            alias = f"t{len(self.joins) + 1}"
            child = f"t0.{quote(lookup.name)}" if not parents else self.joins[parents].column(lookup.name)
            self.joins[place] = Join(alias, targets[0] if len(targets) == 1 else NAME_OBJECT, targets, child)
        return place

    def _refuse(self, path: Path, message: str) -> SalesforceError:
        return SalesforceError("INVALID_FIELD", pointing(self._text, path.at, message))
