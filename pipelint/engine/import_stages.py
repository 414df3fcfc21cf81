"""Proposes a rule file with a CRM's own pipelines, stages and fields, for a person to review."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from pipelint.config.nodes import Map, Node, Problems, read_file
from pipelint.config.paths import shown
from pipelint.config.project import Connection
from pipelint.engine.import_draft import MARK, Draft
from pipelint.engine.import_rules import CrmRules
from pipelint.engine.import_source import native_pipelines, pulled_stages
from pipelint.engine.project import Project
from pipelint.errors import UsageError
from pipelint.records import Stage, Stream
from pipelint.rules.catalogue import SIX
from pipelint.rules.load import load_pack
from pipelint.rules.pack import Pack, Pipeline


@dataclass(frozen=True, slots=True)
class Proposal:
    """A rule file for review; empty where the pack knows all that the CRM has."""

    connection: str
    file: Path
    content: str
    pipelines: int = 0
    stages: int = 0
    fields: int = 0
    guessed: int = 0
    lacking: int = 0
    """Stages that belong into a pipeline which the pack has already; the notes say where."""
    notes: tuple[str, ...] = ()
    """What no file of ours can say: lines to add elsewhere, names without a field."""
    steps: tuple[str, ...] = ()
    """What to write elsewhere before this works."""

    @property
    def text(self) -> str:
        """The file, then the notes as comments."""
        notes = "".join(f"# {note}\n" for note in (*self.steps, *self.notes))
        return (self.content or f"# {self.nothing}\n") + (notes and f"\n{notes}")

    @property
    def nothing(self) -> str:
        if self.lacking:
            return f"No file is needed for '{self.connection}', only lines in yours:"
        return f"Nothing to import: the pack maps the stages of '{self.connection}' already."


def propose(project: Project, connection_name: str) -> Proposal:
    """Read a CRM's pipelines, stages and fields, and propose what the pack lacks of them.

    Raises:
        UsageError: the pack has no stages to map to, or does not stand without an earlier proposal.
        PipelintError: the CRM could not be read.
    """
    connection = project.connections((connection_name,))[0]
    rules = _Rules(project, connection)
    base, ladder = rules.base()
    with project.connect(connection) as connector:
        pipelines = native_pipelines(connector, _pulled(project, connection))
        fields = connector.fields("opportunity")
        supplied = connector.supply(Stream.OPPORTUNITIES, ()).fields
    draft = Draft(connection, base)
    draft.add_fields(fields, supplied)
    if rules.problems(draft.content(tuple(draft.fields))).errors:
        # A rule of this pack reads a field in a way that the CRM's type does not allow: leave that field out.
        draft.keep_fields(
            name for name in tuple(draft.fields) if not rules.problems(draft.content([name])).errors
        )
    proposed = {each.field.name: name for name, each in draft.fields.items()}
    draft.add_pipelines(pipelines, ladder, CrmRules(base, connection, fields, proposed))
    rules.problems(draft.content()).raise_if_any()
    return _proposal(draft, rules.file)


def _pulled(project: Project, connection: Connection) -> list[Stage]:
    """The stages in use, once something was pulled."""
    if not (project.folder / project.file.cache).exists():
        return []
    with project.cache() as cache:
        return pulled_stages(cache.db, connection.name)


def write(project: Project, proposal: Proposal) -> str:
    """Write the proposal, never over a file that says something else; answer what to tell the person."""
    notes = [f"note: {note}" for note in proposal.notes]
    name = shown(proposal.file, project.folder)
    if not proposal.content:
        return "\n".join([proposal.nothing, *proposal.steps, *notes])
    there = proposal.file.read_text(encoding="utf-8") if proposal.file.exists() else None
    if there == proposal.content:
        return "\n".join([f"{name} is up to date: nothing changed since it was proposed.", *notes])
    target = proposal.file if there is None else proposal.file.with_name(f"{proposal.file.name}.proposed")
    target.write_text(proposal.content, encoding="utf-8")
    counts = [(proposal.pipelines, "pipeline"), (proposal.stages, "stage"), (proposal.fields, "field")]
    counted = ", ".join(f"{count} {word}{'s' * (count != 1)}" for count, word in counts)
    told = [f"wrote {shown(target, project.folder)}: {counted}"]
    if there is not None:
        told.append(f"{name} says something else and was left alone; the new file is not loaded.")
    if proposal.guessed:
        told.append(f"What was guessed is marked in the file: {proposal.guessed} of them.")
    todo = [
        f"read {shown(target, project.folder)} and correct what was guessed",
        *proposal.steps,
        *([f"take over into {name} what you want, and delete the proposal"] if there is not None else []),
        "pipelint rules validate",
        "pipelint pull, then pipelint check",
    ]
    return "\n".join([*told, *notes, "", "Next:", *(f"  {n}. {each}" for n, each in enumerate(todo, 1))])


class _Rules:
    """The project's rule files without an earlier proposal, and with a new one."""

    def __init__(self, project: Project, connection: Connection) -> None:
        self.project = project
        self.folder = project.file.rules
        self.file = self.folder / f"{connection.name}.yaml"
        self.connection = connection
        mark = MARK.format(connection.name)
        self.ours = self.file.exists() and self.file.read_text(encoding="utf-8").startswith(mark)

    def base(self) -> tuple[Pack, Mapping[str, Map]]:
        """The pack, and what its catch-all pipeline asks for at each stage."""
        pack = self._without_ours() if self.ours else self.project.pack
        if not pack.stages:
            hint = "list them under 'stages:', or take those that 'pipelint init' writes"
            raise UsageError("the pack has no stages of its own to map the CRM's to", hint=hint)
        rest = next((each for each in pack.pipelines if not each.names and not each.ignore), None)
        if rest is None or self._elsewhere(rest):
            return pack, {}
        return pack, self._asked(rest)

    def _without_ours(self) -> Pack:
        problems = Problems()
        pack = self._load("", problems)
        if pack is None:
            first = problems.errors[0]
            raise UsageError(
                f"the other rule files need what stands in {shown(self.file, self.project.folder)}: "
                f"{first.place}: {first.what}",
                hint="move what you added to that file into another one, and import again",
            )
        return pack

    def _asked(self, pipeline: Pipeline) -> Mapping[str, Map]:
        """The stages of a pipeline as they are written."""
        name = pipeline.place.file.removeprefix(f"{shown(self.folder, self.project.folder)}/")
        node: Node | None = read_file(self.folder / name, name, Problems())
        for key in ("pipelines", pipeline.name, "stages"):
            node = node.get(key) if isinstance(node, Map) else None
        found = node.entries if isinstance(node, Map) else ()
        return {key.value: asked for key, asked in found if isinstance(asked, Map)}

    def problems(self, content: str) -> Problems:
        """The mistakes that the pack would have with this file."""
        problems = Problems()
        self._load(content, problems)
        return problems

    def _load(self, content: str, problems: Problems) -> Pack | None:
        """The rule files without an earlier proposal, with this content in its place."""
        with TemporaryDirectory() as made:
            folder = self._copied(Path(made), content)
            name = shown(self.folder, self.project.folder)
            return load_pack(folder, name, problems, tuple(self.project.file.connections))

    def _copied(self, to: Path, content: str) -> Path:
        for path in self.folder.glob("**/*.yaml"):
            if path.is_file() and not (self.ours and path == self.file):
                copy = to / path.relative_to(self.folder)
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_bytes(path.read_bytes())
        if content:
            name = f"{self.connection.name}{'' if self.ours or not self.file.exists() else '.proposed'}.yaml"
            (to / name).write_text(content, encoding="utf-8")
        return to

    def _elsewhere(self, pipeline: Pipeline) -> bool:
        """Whether its stages are those of other connections of this project, and of none like this one."""
        others = [each for each in self.project.file.connections.values() if each.crm != self.connection.crm]
        theirs = {name for each in others for name in (each.name, each.crm)}
        named = {system for each in pipeline.stages for system in each.names}
        return bool(named & theirs) and not named & {self.connection.name, self.connection.crm}


def _proposal(draft: Draft, file: Path) -> Proposal:
    content = draft.content()
    notes = list(draft.notes)
    unmapped = [name for name in draft.missing if name in SIX]
    if unmapped and not content:
        notes.append(f"no field of the CRM is called anything like {', '.join(unmapped)}")
    return Proposal(
        draft.connection.name,
        file,
        content,
        len(draft.names),
        len(draft.placed),
        len(draft.fields),
        sum(each.guessed for each in draft.placed) + len(draft.fields),
        draft.lacking,
        tuple(notes),
        tuple(draft.steps),
    )
