"""Which of our fields can be written on one kind of record, and what a CRM that lacks some of them can take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipelint.connectors.base import Connector, FieldInfo, OwnField, OwnFieldType, WriteValue
from pipelint.engine.own_fields import as_named
from pipelint.engine.written import UNSCORED, Part, values_of
from pipelint.rules.catalogue import RecordKind

SETUP = "run: pipelint setup --apply"


class Targets:
    """Our fields on one kind of record.

    A preview plans for fields that are still to be created, too: they hold nothing yet.
    """

    def __init__(
        self, connector: Connector, kind: RecordKind, wanted: Sequence[OwnField], *, preview: bool
    ) -> None:
        self.connector = connector
        self.kind: RecordKind = kind
        self.infos: dict[str, FieldInfo] = {}
        if wanted:
            self.infos = as_named(connector.fields(kind))
        self.lacked = 0
        """How often something was lacking."""
        self._lacking: dict[str, dict[str, None]] = {}
        self.fields = tuple(own for own in wanted if self._usable(own) or preview)
        self.names = tuple(own.name for own in self.fields if own.name in self.infos)
        """Those that can be read."""
        self.absent = tuple(own.name for own in wanted if own.name not in self.infos)

    def values(
        self, parts: Sequence[Part], show_at_most: int, scored: Mapping[str, int | str | None] = UNSCORED
    ) -> dict[str, WriteValue]:
        """What a record should hold, as the CRM will store it."""
        made = values_of(parts, self.fields, show_at_most, scored)
        offered = {own.name: self._offered(own, made[own.name]) for own in self.fields if own.name in made}
        return {
            name: self.connector.normalised(self.kind, name, value)
            for name, value in offered.items()
            if value is not None or made[name] is None
        }

    @property
    def trouble(self) -> list[str]:
        """What the CRM lacks, one line for each way of lacking."""
        return [f"{self.kind}: {', '.join(names)}: {what} ({SETUP})" for what, names in self._lacking.items()]

    @property
    def offered(self) -> list[tuple[str, bool, tuple[str, ...]]]:
        """What the CRM has of them: names, whether we may write there, options."""
        found = (self.infos[own.name] for own in self.fields if own.name in self.infos)
        return [(info.name, info.writable, tuple(info.choices)) for info in found]

    def _lack(self, what: str, name: str) -> None:
        self.lacked += 1
        self._lacking.setdefault(what, {})[name] = None

    def _usable(self, own: OwnField) -> bool:
        info = self.infos.get(own.name)
        if info is not None and info.writable:
            return True
        self._lack("not there, or not visible" if info is None else "not to be edited by us", own.name)
        return False

    def _offered(self, own: OwnField, value: WriteValue) -> WriteValue:
        """The value without options that the CRM does not offer: only setup may create them.

        A flag without an option is still told by summary and details.
        """
        info = self.infos.get(own.name)
        if info is None or not info.choices:
            return value
        if own.type is OwnFieldType.FLAGS and isinstance(value, tuple):
            lacking = [flag for flag in value if not info.offers(flag)]
            value = tuple(flag for flag in value if info.offers(flag))
        elif own.type is OwnFieldType.CHOICE and value is not None:
            lacking = [] if info.offers(str(value)) else [str(value)]
            value = None if lacking else value
        else:
            return value
        for option in lacking:
            self._lack(f"not an option of {own.name}", option)
        return value
