"""The objects of the organisation: what exists, what refers to what, and what an administrator adds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field

from pipelint.sandbox.salesforce.fields import Field, flag, label_of, lookup, typed

ID = Field("Id", "id", "Record ID", 18, createable=False, updateable=False)
IS_DELETED = flag("IsDeleted", read_only=True)
CREATED = (typed("CreatedDate", "datetime", read_only=True), lookup("CreatedById", "User", read_only=True))
MODIFIED = (
    typed("LastModifiedDate", "datetime", read_only=True),
    lookup("LastModifiedById", "User", read_only=True),
)
STAMP = typed("SystemModstamp", "datetime", read_only=True)
AUDIT = (*CREATED, *MODIFIED, STAMP)

MASTER_RECORD_TYPE = "012000000000000AAA"


@dataclass(slots=True)
class SObject:
    """A kind of record: its name, the first three characters of its ids, and its fields by name."""

    name: str
    prefix: str
    fields: dict[str, Field]
    label: str = ""
    plural: str = ""
    tooling: bool = False
    createable: bool = False
    updateable: bool = False
    deletable: bool = False
    indexes: tuple[str, ...] = ()
    _by_lower: dict[str, Field] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.label = self.label or label_of(self.name)
        self.plural = self.plural or f"{self.label}s"
        self._by_lower = {name.lower(): it for name, it in self.fields.items()}

    def field(self, name: str) -> Field | None:
        """The field of this name, in whatever case it is written."""
        return self._by_lower.get(name.lower())

    def relationship(self, name: str) -> Field | None:
        """The lookup that a path such as `Account.Name` starts with."""
        wanted = name.lower()
        return next(
            (it for it in self.fields.values() if it.relationship and it.relationship.lower() == wanted), None
        )

    def put(self, added: Field) -> None:
        self.fields[added.name] = self._by_lower[added.name.lower()] = added

    def drop(self, name: str) -> None:
        del self.fields[name], self._by_lower[name.lower()]

    @property
    def recycled(self) -> bool:
        """Whether deleting moves a record to the recycle bin, rather than out of existence."""
        return "IsDeleted" in self.fields


def sobject(
    name: str,
    prefix: str,
    *fields: Field,
    system: Iterable[Field] = (IS_DELETED, *AUDIT),
    allows: str = "",
    label: str = "",
    plural: str = "",
    tooling: bool = False,
    indexes: tuple[str, ...] = (),
) -> SObject:
    """Declare an object; `allows` names what the API may do beyond reading: any of `cud`."""
    columns = (ID, *fields, *system)
    return SObject(
        name,
        prefix,
        {column.name: column for column in columns},
        label,
        plural,
        tooling,
        createable="c" in allows,
        updateable="u" in allows,
        deletable="d" in allows,
        indexes=indexes,
    )


class Schema:
    """All objects by name, written in any case; each organisation has its own, as each adds fields."""

    def __init__(self, objects: Iterable[SObject]) -> None:
        self._objects = {it.name.lower(): deepcopy(it) for it in objects}

    def __iter__(self) -> Iterator[SObject]:
        return iter(self._objects.values())

    def __getitem__(self, name: str) -> SObject:
        return self._objects[name.lower()]

    def get(self, name: str) -> SObject | None:
        return self._objects.get(name.lower())

    def of_id(self, record_id: str) -> SObject | None:
        """The object whose ids begin like this one."""
        return next((it for it in self if it.prefix == record_id[:3]), None)

    def children(self, parent: SObject) -> Iterator[tuple[SObject, Field]]:
        """Each object and lookup under which this object has named child rows."""
        for it in self:
            for column in it.fields.values():
                if column.children and parent.name in column.reference_to:
                    yield it, column

    def child(self, parent: SObject, relationship: str) -> tuple[SObject, Field] | None:
        wanted = relationship.lower()
        return next(
            ((o, f) for o, f in self.children(parent) if f.children and f.children.lower() == wanted), None
        )
