"""What a CRM asks of its stages itself, as lines of a pack: fields that it requires, days that it grants."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pipelint.config.nodes import List, Map, Text
from pipelint.config.project import Connection
from pipelint.connectors.base import FieldInfo
from pipelint.records import Stage
from pipelint.rules.pack import Pack, native_names
from pipelint.rules.write_yaml import Line, scalar

QUIET: tuple[str, str, str] = ("no-activity", "quiet", "error_after")
"""The shipped rule about silence, and its two lengths of time."""


@dataclass(frozen=True, slots=True)
class CrmRules:
    """What the CRM's admin has set up there already."""

    pack: Pack
    connection: Connection
    fields: Sequence[FieldInfo]
    proposed: Mapping[str, str] = field(default_factory=dict)
    """The CRM's name of a field → the name under which it is proposed."""

    def lines(self, natives: Sequence[Stage], asked: Map | None, depth: int) -> Iterator[Line]:
        """What to write at one of our stages, for the CRM's stages that it stands for.

        `asked` is what the pack asks for at that stage already; its `required` is taken over into ours.
        """
        required = self._required(natives)
        ours = {info.label: name for info in required if (name := self._ours(info))}
        if ours:
            said = asked.get("required") if asked else None
            before = (
                [each.value for each in said.items if isinstance(each, Text)]
                if isinstance(said, List)
                else []
            )
            told = ", ".join(map(scalar, dict.fromkeys([*before, *ours.values()])))
            yield Line(depth, f"required: [{told}]", f"{self.connection.crm} requires {', '.join(ours)}")
        other = [info.label for info in required if info.label not in ours]
        if other:
            yield Line(depth, f"# {self.connection.crm} requires here, too: {', '.join(other)}")
        yield from self._quiet(natives, depth)

    def takes_over(self, natives: Sequence[Stage]) -> bool:
        """Whether our `required` replaces that of the pack's own pipeline."""
        return any(map(self._ours, self._required(natives)))

    def _required(self, natives: Sequence[Stage]) -> list[FieldInfo]:
        stages = {each.id for each in natives} | {f"{each.pipeline}/{each.id}" for each in natives}
        return [info for info in self.fields if info.required_in & stages]

    def _quiet(self, natives: Sequence[Stage], depth: int) -> Iterator[Line]:
        """The CRM's own patience: from then on it marks an opportunity, and at twice that it is an error."""
        rule, quiet, worse = QUIET
        granted = [each.quiet_days for each in natives if each.quiet_days]
        known = self.pack.rules.get(rule)
        if not granted or known is None or not known.origin:
            return
        days = min(granted)
        told = f"{quiet}: {days} days, {worse}: {2 * days} days"
        yield Line(depth, f"settings: {{{scalar(rule)}: {{{told}}}}}", f"as in {self.connection.crm}")

    def _ours(self, info: FieldInfo) -> str:
        """Our name of a field: that under which the pack or the proposal maps it, else the one that it feeds."""
        crm, connection = self.connection.crm, self.connection.name
        spoken = {info.name, info.label}
        mapped = (
            name
            for name, each in self.pack.fields.items()
            if spoken & set(native_names(each.names, crm, connection))
        )
        return next(mapped, self.proposed.get(info.name, info.feeds))
