"""The rule file that `stages import` proposes, as it grows line by line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field

from pipelint.config.nodes import Map, Node
from pipelint.config.project import Connection
from pipelint.connectors.base import FieldInfo
from pipelint.engine.import_fields import WANTED, Candidate, candidates
from pipelint.engine.import_places import NativePipeline, Placed, place, spoken, words
from pipelint.engine.import_rules import CrmRules
from pipelint.rules.native_stages import member_of, pipeline_of
from pipelint.rules.pack import Pack, Pipeline, native_names
from pipelint.rules.write_yaml import Line, flow, lines, names, scalar

MARK = "# Proposed by 'pipelint stages import {}'"
_LONG = 90


@dataclass(slots=True)
class Draft:
    """The file as it grows."""

    connection: Connection
    pack: Pack
    pipelines: list[Line] = field(default_factory=list)
    fields: dict[str, Candidate] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    """What else a person must write before the proposal works."""
    names: list[str] = field(default_factory=list)
    placed: list[Placed] = field(default_factory=list)
    lacking: int = 0

    def add_pipelines(
        self, natives: Sequence[NativePipeline], ladder: Mapping[str, Map], crm_rules: CrmRules
    ) -> None:
        """An entry for each pipeline of which the pack lacks a stage."""
        crm, connection = self.connection.crm, self.connection.name
        for native in natives:
            taker = pipeline_of(self.pack, native.spoken, crm, connection)
            if taker is not None and taker.ignore:
                continue
            unknown = {
                s.id for s in native.stages if not (taker and member_of(taker, spoken(s), crm, connection))
            }
            placed = place(native, self.pack, crm, connection)
            if unknown and taker is not None and (taker.names or (not native.id and self._speaks(taker))):
                self._lines_for(taker, [each for each in placed if each.native.id in unknown])
            elif unknown:
                self._entry(native, placed, ladder, crm_rules)

    def _speaks(self, taker: Pipeline) -> bool:
        """Whether a pipeline of the pack names stages of this connection."""
        crm, connection = self.connection.crm, self.connection.name
        return any(native_names(each.names, crm, connection) for each in taker.stages)

    def _lines_for(self, taker: Pipeline, placed: Sequence[Placed]) -> None:
        """What to write at each stage of a pipeline of the pack; a second key would hide what the first says."""
        self.lacking += len(placed)
        here = {each.stage.name: each.names for each in taker.stages}
        stages = {each.stage.name: None for each in placed if each.stage is not None}
        for stage in stages:
            said = here.get(stage, {})
            crm, own = self.connection.crm, self.connection.name
            key = crm if crm in said and own not in said else own
            new = (each.native.id for each in placed if each.stage and each.stage.name == stage)
            self.notes.append(
                f"the pipeline '{taker.name}' ({taker.place}) lacks a stage of the CRM; "
                f"write at its stage {stage}: from: {{{key}: {names((*said.get(key, ()), *new))}}}"
            )
        lost = [each.native.id for each in placed if each.stage is None]
        if lost:
            self.notes.append(
                f"the pack has no stage for {', '.join(lost)} of '{taker.name}' ({taker.place})"
            )

    def _entry(
        self,
        native: NativePipeline,
        placed: Sequence[Placed],
        ladder: Mapping[str, Map],
        crm_rules: CrmRules,
    ) -> None:
        name = self._free(_slug(native.label or self.connection.name))
        if not native.id:
            self.steps.append(
                f"give the records a pipeline, since they name none: in pipelint.yaml, under {self.connection.name}:"
                f" streams: opportunities: write constants: {{pipeline: {name}}}"
            )
        self.names.append(name)
        self.placed += placed
        label = native.label if native.label != native.id else ""
        told = [
            Line(1, f"{name}:"),
            Line(2, f"from: {{{self.connection.name}: {scalar(native.id or name)}}}", label),
            Line(2, "stages:"),
        ]
        used = {each.stage.number: each.stage for each in placed if each.stage is not None}
        for _, stage in sorted(used.items()):
            here = [each for each in placed if each.stage == stage]
            asked, natives = ladder.get(stage.name), [each.native for each in here]
            left_out = {"from", "required"} if crm_rules.takes_over(natives) else {"from"}
            told += [Line(3, f"{scalar(stage.name)}:"), *self._from(here), *_asked(asked, left_out)]
            told += crm_rules.lines(natives, asked, 4)
        told += [
            Line(3, f"# not mapped, the pack has no such stage: {each.native.id}")
            for each in placed
            if each.stage is None
        ]
        left = [stage.name for stage in self.pack.stages if stage.number not in used]
        if left:
            told.append(Line(3, f"# without a stage in this pipeline: {', '.join(left)}"))
        self.pipelines += [*told, Line(0, "")]

    def _from(self, placed: Sequence[Placed]) -> Iterator[Line]:
        if len(placed) == 1:
            yield Line(
                4, f"from: {{{self.connection.name}: {scalar(placed[0].native.id)}}}", _remark(placed[0])
            )
            return
        yield Line(4, "from:")
        yield Line(5, f"{self.connection.name}:")
        yield from (Line(6, f"- {scalar(each.native.id)}", _remark(each)) for each in placed)

    def _free(self, slug: str) -> str:
        taken = {pipeline.name for pipeline in self.pack.pipelines} | set(self.names)
        tries = [slug, f"{slug}-{self.connection.crm}", *(f"{slug}-{n}" for n in range(2, len(taken) + 3))]
        return next(name for name in tries if name not in taken)

    def add_fields(self, found: Sequence[FieldInfo], supplied: frozenset[str]) -> None:
        """A place in the CRM for each name that the pack does not map for it yet."""
        crm, connection = self.connection.crm, self.connection.name
        mapped = {name: native_names(each.names, crm, connection) for name, each in self.pack.fields.items()}
        wanted = [
            name for name in WANTED if not mapped.get(name) and (name in mapped or name not in supplied)
        ]
        taken = {native for natives in mapped.values() for native in natives}
        chosen = candidates([each for each in found if each.name not in taken], wanted)
        for name in wanted:
            if name not in chosen:
                if name != "champion" and name not in mapped:
                    self.missing.append(name)
            elif name in mapped:
                what = f"{connection}: {scalar(chosen[name].field.name)}"
                at = self.pack.fields[name].place
                self.notes.append(f"'{name}' is defined at {at}; add to its 'from:' there: {what}")
            else:
                self.fields[name] = chosen[name]

    def keep_fields(self, kept: Iterable[str]) -> None:
        before, self.fields = self.fields, {name: self.fields[name] for name in kept}
        for name, each in before.items():
            if name not in self.fields:
                self.notes.append(
                    f"'{name}' may be {each.field.name}, but the rules do not suit a {each.field.type} field"
                )

    def content(self, only: Sequence[str] | None = None) -> str:
        """The file; with `only`, nothing but these fields."""
        fields = self.fields if only is None else {name: self.fields[name] for name in only}
        pipelines = self.pipelines if only is None else []
        if not fields and not pipelines:
            return ""
        told = [
            Line(0, f"{MARK.format(self.connection.name)}: what the pack did not know about this CRM."),
            Line(
                0,
                "# What it does not say for certain is marked 'guessed'. Correct it, then run: pipelint rules validate",
            ),
            Line(0, "pipelint: 1"),
            Line(0, ""),
        ]
        if pipelines:
            told += [Line(0, "pipelines:"), *pipelines]
        if fields:
            told += [Line(0, "fields:")]
            told += [line for each in fields.values() for line in each.entry(self.connection.name)]
        if self.missing:
            told += [
                Line(0, ""),
                Line(0, f"# No field of the CRM is called anything like {', '.join(self.missing)}."),
            ]
        return "\n".join(lines(told)).rstrip("\n") + "\n"


def _remark(placed: Placed) -> str:
    native = placed.native
    parts = [native.label] if native.label and native.label != native.id else []
    if placed.guessed:
        chance = [f"{native.probability.normalize():f} %"] if native.probability is not None else []
        basis = {"words": "name", "rows": "first row in the file"}.get(placed.basis, "place")
        said = ", ".join([*chance, *([native.forecast_category] if native.forecast_category else [])])
        parts.append(f"guessed by its {basis}{f' ({said})' if said else ''}")
    if native.active is False:
        parts.append("not an active stage of the CRM")
    return "; ".join(parts)


def _asked(asked: Map | None, left_out: Set[str]) -> Iterator[Line]:
    """What the pack's own pipeline asks for at a stage, all but its names in the CRMs."""
    for key, node in asked.entries if asked else ():
        if key.value not in left_out:
            yield from _block(key.value, node, 4)


def _block(key: str, node: Node, depth: int) -> Iterator[Line]:
    whole = f"{scalar(key)}: {flow(node)}"
    if isinstance(node, Map) and len(whole) > _LONG:
        yield Line(depth, f"{scalar(key)}:")
        for inner, value in node.entries:
            yield from _block(inner.value, value, depth + 1)
    else:
        yield Line(depth, whole)


def _slug(label: str) -> str:
    return "-".join(words(label)) or "pipeline"
