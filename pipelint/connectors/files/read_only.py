"""The writing half of a connector, for a connection that cannot be written to."""

# ruff: noqa: ARG002 - the protocol's arguments, of which nothing can come here

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pipelint.connectors.base import Change, Kind, Outcome, OwnField, SetupStep, WriteLimits, WriteValue
from pipelint.errors import UsageError


class ReadOnly:
    """Has nothing to set up, and refuses to write with what to do instead."""

    name: str
    write_limits = WriteLimits(batch=0)

    def plan_setup(self, fields: Sequence[OwnField]) -> Sequence[SetupStep]:
        return ()

    def apply_setup(self, step: SetupStep) -> None:
        raise self._refusal()

    def clicks(self, fields: Sequence[OwnField]) -> Sequence[str]:
        return ()

    def read(
        self, kind: Kind, ids: Sequence[str], names: Sequence[str]
    ) -> Iterator[tuple[str, Mapping[str, WriteValue]]]:
        return iter(())

    def normalised(self, kind: Kind, name: str, value: WriteValue) -> WriteValue:
        return value

    def write(self, changes: Sequence[Change]) -> Iterator[Outcome]:
        raise self._refusal()

    def _refusal(self) -> UsageError:
        what = f"connection '{self.name}' reads exported files and cannot be written to"
        return UsageError(what, hint="connect the CRM itself, or set write_back: off for this connection")
