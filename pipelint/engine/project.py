"""A project opened for work: its files read and checked, its connections and cache at hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

from pipelint.config.paths import shown
from pipelint.config.problems import Problems, did_you_mean
from pipelint.config.project import Connection, ProjectFile, load_project_file
from pipelint.connectors import registry
from pipelint.connectors.base import ConnectContext, Connector
from pipelint.engine.cache.sqlite import Cache
from pipelint.engine.clock import Clock, system_clock
from pipelint.engine.stopping import Stopping
from pipelint.errors import UsageError
from pipelint.records import Stream
from pipelint.rules.catalogue import RECORD_STREAM
from pipelint.rules.load import load_pack
from pipelint.rules.pack import Pack, native_names


@dataclass(frozen=True, slots=True)
class Project:
    """Everything that a project's files say, checked."""

    folder: Path
    file: ProjectFile
    pack: Pack
    settings: Mapping[str, object]
    clock: Clock
    stopping: Stopping = field(default_factory=Stopping)

    @contextmanager
    def cache(self) -> Iterator[Cache]:
        """The project's cache, made if it is not there."""
        if "://" in self.file.cache:
            hint = "write the path of a file, e.g. cache: .pipelint/cache.db"
            raise UsageError("a shared cache in PostgreSQL is not supported yet", hint=hint)
        self.file.paths.create()
        with Cache.open(self.folder / self.file.cache) as cache:
            yield cache

    def connections(self, only: Sequence[str] = ()) -> list[Connection]:
        """The project's connections, or those named."""
        for name in only:
            if name not in self.file.connections:
                known = ", ".join(self.file.connections)
                raise UsageError(f"there is no connection named '{name}'", hint=f"this project has: {known}")
        return [connection for name, connection in self.file.connections.items() if not only or name in only]

    @contextmanager
    def connect(self, connection: Connection) -> Iterator[Connector]:
        """A connection, opened when it is first used and given back at the end."""
        package = registry.load(connection.crm)
        self.file.paths.create()
        context = ConnectContext(
            clock=self.clock,
            folder=self.folder,
            zone=ZoneInfo(self.pack.settings.calendar.zone),
            state=self.file.paths.state,
            sleep=self.stopping.sleep,
        )
        connector = package.connect(connection.name, self.settings[connection.name], context)
        try:
            yield connector
        finally:
            connector.close()

    def custom_fields(self, connection: Connection) -> dict[Stream, tuple[str, ...]]:
        """The CRM's fields that the pack maps, by the stream they come with: nothing else is pulled."""
        wanted: dict[Stream, dict[str, None]] = {}
        for name, mapped in self.pack.fields.items():
            stream = Stream.ACCOUNTS if name.startswith("account.") else RECORD_STREAM[mapped.kind]
            for native in native_names(mapped.names, connection.crm, connection.name)[:1]:
                wanted.setdefault(stream, {})[native] = None
        return {stream: tuple(names) for stream, names in wanted.items()}


def open_project(folder: Path, *, clock: Clock = system_clock, stopping: Stopping | None = None) -> Project:
    """Read and check pipelint.yaml and the rule files; `stopping` can ask the work on it to end.

    Raises:
        ProblemsFound: with every mistake in all files.
        UsageError: there is no project in the folder.
    """
    problems = Problems()
    file = load_project_file(folder, problems, known_crms=registry.known())
    settings: dict[str, object] = {}
    pack = None
    if file is not None:
        for connection in file.connections.values():
            settings[connection.name] = connection.settings(registry.load(connection.crm).Settings, problems)
        names = tuple(file.connections)
        today = clock().date()
        pack = load_pack(file.rules, shown(file.rules, folder), problems, names, today=today, home=folder)
        if pack is not None:
            _check_pilot(file, pack, problems)
    problems.raise_if_any()
    if file is None or pack is None:
        raise UsageError("the project's files could not be read")
    return Project(folder, file, pack, settings, clock, stopping or Stopping())


def _check_pilot(file: ProjectFile, pack: Pack, problems: Problems) -> None:
    """A pilot of a pipeline that is not there would write nothing, and never say why."""
    known = [pipeline.name for pipeline in pack.pipelines]
    for given in file.pilot:
        if given.value not in known:
            hint = did_you_mean(given.value, known) or f"known are: {', '.join(known)}"
            problems.error(given.place, f"the rules have no pipeline '{given.value}'", hint)
