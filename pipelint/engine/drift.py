"""What a pack names in a CRM that the CRM does not offer any more: where the pack names it, and what it may be now."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from pipelint.config.problems import nearest
from pipelint.engine.cache.sqlite import Cache
from pipelint.engine.crm_schema import Seen, What, current, load
from pipelint.errors import Place, Problem
from pipelint.rules.conditions import Test, Word
from pipelint.rules.pack import MappedField, NativeNames, Pack, Pipeline, native_names
from pipelint.rules.text import fold
from pipelint.rules.uses import tests_of

_Level: TypeAlias = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Drift:
    """A name in a pack for which a CRM has nothing; `now` is what it is, or may be, called now; '' if unknown."""

    connection: str
    what: What
    name: str
    now: str
    problem: Problem


def drift_of(cache: Cache, pack: Pack, connection: str, crm: str) -> list[Drift]:
    """The drift of one connection as its last pull found it."""
    return drifts(pack, connection, crm, load(cache.db, connection))


def drifts(pack: Pack, connection: str, crm: str, seen: Sequence[Seen]) -> list[Drift]:
    """Fields, then choices, pipelines and stages, each in the order of the pack."""
    found = _Comparison(pack, connection, crm, seen)
    return [*found.fields(), *found.choices(), *found.pipelines(), *found.stages()]


def as_json(drift: Drift) -> dict[str, str]:
    """It as a notice of `pipelint.check/1` and `pipelint.run/1`."""
    problem = drift.problem
    told = {
        "level": problem.level,
        "place": str(problem.place),
        "message": problem.what,
        "hint": problem.hint,
    }
    return told | {"connection": drift.connection, "gone": drift.what, "name": drift.name, "now": drift.now}


@dataclass(frozen=True, slots=True)
class _Vanished:
    """A name that is not offered, what was seen under it last, and what has taken its place."""

    name: str
    last: Seen | None
    successor: Seen | None = None
    sure: bool = False
    """Whether the CRM's own id says who the successor is."""

    @property
    def now(self) -> str:
        """What to write in place of the old name: an id that stayed is what the new label stands for."""
        if self.successor is None:
            return ""
        by_label = self.last is not None and self.last.name == self.successor.name
        return self.successor.label if by_label else self.successor.name

    @property
    def clause(self) -> str:
        if not self.now:
            return ""
        return f": it is called '{self.now}' now" if self.sure else f"; did you mean '{self.now}'?"


class _Comparison:
    def __init__(self, pack: Pack, connection: str, crm: str, seen: Sequence[Seen]) -> None:
        self.pack = pack
        self.connection = connection
        self.crm = crm
        self.seen = seen

    def fields(self) -> Iterator[Drift]:
        """Mapped fields; what is read from one that is gone is not synced, so that rules keep their flags."""
        for name, mapped in self.pack.fields.items():
            kind, native = _kind(name, mapped), self.native(mapped)
            there = current(self.seen, "field", kind)
            if not native or not there or any(each.name == native for each in there):
                continue
            found = self.vanished(native, "field", {kind}, there)
            field = f"the field {native} of '{name}'"
            then = f"until then rules that read '{name}' cannot be checked, and what they flagged stays"
            if found.last is not None and found.last.hidden:
                hint = f"give the integration user read access; {then}"
                yield self.drift(found, "field", mapped.place, f"{field} cannot be seen any more", hint)
                continue
            gone = "is gone, or cannot be seen any more" if found.last else "is not there, or cannot be seen"
            what = f"{field} {'is gone' if found.sure else gone}"
            yield self.drift(found, "field", mapped.place, what, f"correct its 'from:'; {then}")

    def choices(self) -> Iterator[Drift]:
        """Values of mapped fields: the pack's words for them, or those of the CRM that conditions compare with.

        A word that no condition compares with matters to nothing but the records that still hold the value.
        """
        for name, mapped in self.pack.fields.items():
            native = self.native(mapped)
            field = f"{_kind(name, mapped)}.{native}"
            there = current(self.seen, "choice", field)
            tests = [test for test in tests_of(self.pack) if test.field.name == name] if there else []
            told = {fold(each) for word in mapped.choices for each in self.of_word(mapped, word)}
            for word in mapped.choices if there else ():
                uses = [test for test in tests if _compares(test, word)]
                for found in self.lost(self.of_word(mapped, word), "choice", {field}, there, told):
                    level: _Level = "error" if uses else "warning"
                    what = f"the value '{found.name}' of {native} is not offered any more"
                    what += f", and {uses[0].place} compares with it" if uses else ""
                    hint = f"add what has taken its place to 'from:' of '{word}'"
                    place = mapped.choice_places.get(word, mapped.place)
                    yield self.drift(found, "choice", place, what, hint, level)
            for test in tests if not mapped.choices else ():
                for word in [operand.text for operand in test.operands if isinstance(operand, Word)]:
                    for found in self.lost((word,), "choice", {field}, there, ()):
                        what = f"the value '{found.name}' of {native} is not offered any more"
                        hint = "compare with what has taken its place"
                        yield self.drift(found, "choice", test.place, what, hint)

    def pipelines(self) -> Iterator[Drift]:
        there = current(self.seen, "pipeline")
        told = {fold(name) for each in self.pack.pipelines for name in self.names(each.names)}
        for pipeline in self.pack.pipelines if there else ():
            for found in self.lost(self.names(pipeline.names), "pipeline", {""}, there, told):
                what = f"the pipeline '{found.name}' of '{pipeline.name}' is gone"
                yield self.drift(found, "pipeline", pipeline.place, what, "correct its 'from:'")

    def stages(self) -> Iterator[Drift]:
        for pipeline in self.pack.pipelines:
            places = self.places(pipeline)
            there = [each for each in current(self.seen, "stage") if each.place in places]
            told = {fold(name) for each in pipeline.stages for name in self.names(each.names)}
            for member in pipeline.stages if there else ():
                for found in self.lost(self.names(member.names), "stage", places, there, told):
                    what = f"the stage '{found.name}' of {pipeline.name}/{member.stage.name} is gone"
                    hint = "add what has taken its place to its 'from:'"
                    yield self.drift(found, "stage", member.place, what, hint)

    def lost(
        self,
        names: Sequence[str],
        what: What,
        places: Collection[str],
        there: Sequence[Seen],
        told: Collection[str],
    ) -> Iterator[_Vanished]:
        """The names of one word that were offered once and are not now.

        A word that has another name left goes on with that, unless what has taken the place of this one is told
        nowhere in the pack: then the records that move there are lost to it.
        """
        spoken = {fold(each) for one in there for each in (one.name, one.label)}
        left = any(fold(name) in spoken for name in names)
        for name in names:
            if fold(name) in spoken:
                continue
            found = self.vanished(name, what, places, there)
            if found.last and (not left or (found.now and fold(found.now) not in told)):
                yield found

    def vanished(self, name: str, what: What, places: Collection[str], there: Sequence[Seen]) -> _Vanished:
        """What became of a name: the same id, else what came since under a name like it, or came alone."""
        gone = [each for each in self.seen if each.what == what and each.place in places and each.gone]
        mine = [each for each in gone if fold(name) in {fold(each.name), fold(each.label)}]
        if not mine:
            like = nearest(name, {each.name for each in there})
            return _Vanished(name, None, next((each for each in there if each.name == like), None))
        last = max(mine, key=lambda each: each.gone or 0)
        same = [each for each in there if each.name == last.name or (last.key and each.key == last.key)]
        if same:
            return _Vanished(name, last, same[0], sure=True)
        fresh = [each for each in there if each.since >= (last.gone or 0) and each.place == last.place]
        by_name = {each.name: each for each in fresh} | {each.label: each for each in fresh}
        like = nearest(last.label, by_name) or nearest(last.name, by_name)
        at_once = [each for each in fresh if each.since == last.gone]
        lone = len(at_once) == 1 == sum(each.gone == last.gone and each.place == last.place for each in gone)
        return _Vanished(name, last, by_name[like] if like else at_once[0] if lone else None)

    def drift(
        self, found: _Vanished, what: What, place: Place, text: str, hint: str, level: _Level = "error"
    ) -> Drift:
        problem = Problem(place, f"{self.connection}: {text}{found.clause}", hint, level=level)
        return Drift(self.connection, what, found.name, found.now, problem)

    def names(self, names: NativeNames) -> tuple[str, ...]:
        return native_names(names, self.crm, self.connection)

    def native(self, mapped: MappedField) -> str:
        return next(iter(self.names(mapped.names)), "")

    def of_word(self, mapped: MappedField, word: str) -> tuple[str, ...]:
        """What the CRM calls a choice; one without a name there is itself."""
        return self.names(mapped.choices[word]) or (word,)

    def places(self, pipeline: Pipeline) -> set[str]:
        """The CRM's pipelines whose stages this one names: all of them where it names none."""
        names = {fold(name) for name in self.names(pipeline.names)}
        there = current(self.seen, "pipeline")
        own = {each.name for each in there if names & {fold(each.name), fold(each.label)}}
        return own if names else {each.place for each in self.seen if each.what == "stage"}


def _kind(name: str, mapped: MappedField) -> str:
    return "account" if name.startswith("account.") else mapped.kind


def _compares(test: Test, word: str) -> bool:
    return any(isinstance(each, Word) and fold(each.text) == fold(word) for each in test.operands)
