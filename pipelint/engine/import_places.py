"""Where a CRM's stages stand on the pack's own ladder: by name, by what they mean, by their place."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from pipelint.records import Stage as NativeStage
from pipelint.rules.pack import Pack, Stage, native_names
from pipelint.rules.text import fold

Basis: TypeAlias = Literal["name", "flag", "words", "place", "rows"]

# For stages that carry no flags, as in exported files; the words of a name, without accents.
_CLOSED: dict[Literal["won", "lost"], frozenset[str]] = {
    "won": frozenset({"won", "win", "gagne", "gagnee", "gewonnen", "signe", "signee"}),
    "lost": frozenset({"lost", "perdu", "perdue", "verloren", "abandonne", "abandonnee", "disqualified"}),
}


@dataclass(frozen=True, slots=True)
class NativePipeline:
    """A pipeline of the CRM with its stages in order; without an id where the CRM names none."""

    id: str
    label: str
    stages: tuple[NativeStage, ...]
    ordered: bool = True
    """Whether their order is told, rather than the one in which the rows of a file happen to stand."""

    @property
    def spoken(self) -> frozenset[str]:
        """What a pack may call it."""
        return frozenset(fold(name) for name in (self.id, self.label) if name)


@dataclass(frozen=True, slots=True)
class Placed:
    """A stage of the CRM and the stage of the pack that it becomes; None where the pack has none like it."""

    native: NativeStage
    stage: Stage | None
    basis: Basis

    @property
    def guessed(self) -> bool:
        """Whether neither its name nor the CRM's flags say so."""
        return self.stage is not None and self.basis in {"words", "place", "rows"}


def words(text: str) -> tuple[str, ...]:
    """The words of a label or an API name: no accents, no case, `needsAnalysis__c` as three words less one."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", plain.removesuffix("__c"))
    return tuple(re.findall(r"[a-z0-9]+", apart.casefold()))


def kind_of(native: NativeStage) -> Literal["open", "won", "lost"] | None:
    """What the CRM's flags say, or else the name."""
    if native.is_won:
        return "won"
    if native.is_open is not None:
        return "open" if native.is_open else "lost"
    said = {*words(native.label or ""), *words(native.id)}
    return next((kind for kind, known in _CLOSED.items() if said & known), None)


def place(pipeline: NativePipeline, pack: Pack, crm: str, connection: str) -> list[Placed]:
    """Every stage of a native pipeline, in the CRM's order."""
    placer = _Placer(pack, crm, connection)
    sure = {native.id: placer.by_name(native) or placer.by_kind(native) for native in pipeline.stages}
    ladder = [native for native in _in_order(pipeline.stages) if kind_of(native) in {None, "open"}]
    guessed = placer.by_place(ladder, sure, "place" if pipeline.ordered else "rows")
    return [sure[native.id] or guessed[native.id] for native in pipeline.stages]


class _Placer:
    def __init__(self, pack: Pack, crm: str, connection: str) -> None:
        self.stages = pack.stages
        self.open = [stage for stage in pack.stages if stage.kind == "open"]
        self.names: dict[str, Stage] = {}
        for known, stage in _known_names(pack, crm, connection):
            self.names.setdefault(known, stage)

    def by_name(self, native: NativeStage) -> Placed | None:
        """Its label or id is one that the pack knows; a closed stage is never taken for an open one by its name.

        A stage that was given another label keeps its id, which then tells what it was made for.
        """
        kind = kind_of(native)
        renamed = bool(native.label) and "".join(words(native.label or "")) != "".join(words(native.id))
        for name in (native.label or "", native.id):
            stage = self.names.get(" ".join(words(name)))
            if stage is not None and kind in {None, stage.kind}:
                guessed = renamed and name == native.id and stage.kind == "open"
                return Placed(native, stage, "words" if guessed else "name")
        return None

    def by_kind(self, native: NativeStage) -> Placed | None:
        """Won and lost stages; and an open one whose name holds the name of a stage of ours."""
        kind = kind_of(native)
        said = {*words(native.label or ""), *words(native.id)}
        alike = [stage for stage in self.stages if kind in {None, stage.kind} and said & {*words(stage.name)}]
        if kind in {"won", "lost"}:
            found = alike or [stage for stage in self.stages if stage.kind == kind]
            return Placed(native, found[0] if found else None, "words" if native.is_open is None else "flag")
        return Placed(native, alike[-1], "words") if alike else None

    def by_place(
        self, ladder: Sequence[NativeStage], sure: dict[str, Placed | None], basis: Basis
    ) -> dict[str, Placed]:
        """The open stages between those that are known, spread evenly over ours between theirs."""
        last = len(ladder) - 1
        known = [
            (at, found) for at, native in enumerate(ladder) if (found := sure[native.id]) and found.stage
        ]
        points = [(at, self.open.index(found.stage)) for at, found in known if found.stage in self.open]
        if not points or points[0][0] > 0:
            points.insert(0, (0, 0))
        if points[-1][0] < last:
            points.append((last, len(self.open) - 1))
        found_places = {}
        for at, native in enumerate(ladder):
            stage = self.open[_between(points, at)] if self.open else None
            found_places[native.id] = Placed(native, stage, basis)
        return found_places


def _known_names(pack: Pack, crm: str, connection: str) -> Iterator[tuple[str, Stage]]:
    """What this CRM calls our stages, our own names, then what other CRMs call them: as plain words."""
    members = [each for pipeline in pack.pipelines for each in pipeline.stages]
    for each in members:
        for name in native_names(each.names, crm, connection):
            yield " ".join(words(name)), each.stage
    for stage in pack.stages:
        yield " ".join(words(stage.name)), stage
    for each in members:
        for found in each.names.values():
            for name in found:
                yield " ".join(words(name)), each.stage


def _in_order(stages: Iterable[NativeStage]) -> list[NativeStage]:
    """Active stages as the CRM orders them; those switched off, which it puts anywhere, by probability."""
    given = list(stages)
    ladder = [native for native in given if native.active is not False]
    for native in given:
        if native.active is False:
            more = [
                at
                for at, other in enumerate(ladder)
                if None not in (native.probability, other.probability)
                and (other.probability or 0) > (native.probability or 0)
            ]
            ladder.insert(more[0] if more else len(ladder), native)
    return ladder


def _between(points: Sequence[tuple[int, int]], at: int) -> int:
    """The value at a place, on straight lines between the points."""
    before = max(point for point in points if point[0] <= at)
    after = min(point for point in points if point[0] >= at)
    if before[0] == after[0]:
        return before[1]
    return round(before[1] + (after[1] - before[1]) * (at - before[0]) / (after[0] - before[0]))


def spoken(native: NativeStage) -> frozenset[str]:
    """What a pack may call a stage."""
    return frozenset(fold(name) for name in (native.id, native.label) if name)
