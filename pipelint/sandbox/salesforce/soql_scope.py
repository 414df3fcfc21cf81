"""Finding the column behind a path such as `Account.Owner.Name`, with the joins that reach it."""

from __future__ import annotations

from dataclasses import dataclass

from pipelint.sandbox.salesforce.access import Access
from pipelint.sandbox.salesforce.errors import SalesforceError
from pipelint.sandbox.salesforce.fields import Field, flag, text
from pipelint.sandbox.salesforce.schema import SObject, sobject
from pipelint.sandbox.salesforce.soql import pointing
from pipelint.sandbox.salesforce.soql_ast import Path
from pipelint.sandbox.salesforce.store import quote

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
    """A parent reached over a lookup."""

    alias: str
    sobject: SObject
    sql: str


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
        owner, alias = self.base, "t0"
        for name in names[:-1]:
            parents, join = self._join(parents, owner, alias, name, path)
            owner, alias = join.sobject, join.alias
        field = owner.field(names[-1]) if owner is NAME_OBJECT else self._access.field(owner, names[-1])
        if field is None:
            raise self._refuse(
                path,
                f"No such column '{names[-1]}' on entity '{owner.name}'."
                + ADVICE.format(kind="field", suffix="__c", thing="custom field"),
            )
        return Column(f"{alias}.{quote(field.name)}", field, (*parents, field.name))

    @property
    def table(self) -> str:
        return f"{quote(self.base.name)} AS t0"

    @property
    def parents(self) -> str:
        """The joins, as they follow the table in SQL."""
        return "".join(join.sql for join in self.joins.values())

    def _join(
        self, parents: tuple[str, ...], owner: SObject, alias: str, name: str, path: Path
    ) -> tuple[tuple[str, ...], Join]:
        lookup = owner.relationship(name)
        if lookup is None or lookup.relationship is None:
            raise self._refuse(
                path,
                f"Didn't understand relationship '{name}' in field path."
                + ADVICE.format(kind="relationship", suffix="__r", thing="custom relationship"),
            )
        place = (*parents, lookup.relationship)
        if place not in self.joins:
            one = len(lookup.reference_to) == 1
            target = self._access.schema[lookup.reference_to[0]] if one else NAME_OBJECT
            own = f"t{len(self.joins) + 1}"
            on = f'{own}."Id" = {alias}.{quote(lookup.name)}'
            self.joins[place] = Join(own, target, f" LEFT JOIN {quote(target.name)} AS {own} ON {on}")
        return place, self.joins[place]

    def _refuse(self, path: Path, message: str) -> SalesforceError:
        return SalesforceError("INVALID_FIELD", pointing(self._text, path.at, message))
