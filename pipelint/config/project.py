"""The model of pipelint.yaml: connections, cache, rules folder, limits on writing back, schedule."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

from pipelint.config.nodes import List, Map, Node, Text, read_file
from pipelint.config.paths import ProjectPaths, shown
from pipelint.config.problems import Problems, did_you_mean
from pipelint.config.secrets import Origin
from pipelint.config.settings import Settings
from pipelint.config.validate import either, read_model
from pipelint.config.values import Duration, Percent, wrong
from pipelint.errors import Place, UsageError

FORMAT = 1
SHORTEST = timedelta(minutes=1)
"""The shortest time from one scheduled run to the next."""
M = TypeVar("M", bound=BaseModel)


class FirstPush(Settings):
    """A pilot: until it has been believed, only these records are written to."""

    pipelines: tuple[str, ...] = Field(default=(), description="pipelines of the pack; none named means all")
    owners: tuple[str, ...] = Field(default=(), description="email addresses of owners; none named means all")
    max_changes: int = Field(
        default=200, ge=1, description="a first plan with more changed records is refused"
    )


class WriteBack(Settings):
    """Whether findings are written into the CRMs, and how much at once."""

    mode: Literal["preview", "on"] = Field(default="preview", description="preview plans and writes nothing")
    max_changes: int = Field(
        default=2000, ge=1, description="a plan with more changed records is refused whole"
    )
    max_share: Percent = Field(
        default=Decimal("0.4"),
        description="a plan that changes more of the records written before is refused whole",
        json_schema_extra={"default": "40%"},
    )
    first_push: FirstPush | None = Field(default=None, description="a pilot scope for the first time")


class ConnectionHead(BaseModel):
    """What every connection has; the other keys belong to its connector."""

    model_config = ConfigDict(extra="allow", frozen=True, title="a connection")

    crm: str = Field(description="the kind of CRM", examples=["salesforce"])
    write_back: Literal["off", "on"] = Field(default="on", description="off: never write into this CRM")


def _format(number: int) -> int:
    if number != FORMAT:
        raise wrong(
            f"this file is written in format {number}, and this version of pipelint reads format {FORMAT}",
            "install a newer pipelint" if number > FORMAT else f"write pipelint: {FORMAT}",
        )
    return number


def _cache(cache: str) -> str:
    if "://" in cache and urlsplit(cache).password is not None:
        hint = "leave it out and set PGPASSWORD, or use a password file"
        raise wrong("a password stands here in plain text", hint, secret=True)
    return cache


def _connection_name(name: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", name):
        hint = "use lower-case letters, digits and hyphens, for example acme-sales"
        raise wrong(f"'{name}' cannot be the name of a connection", hint)
    return name


def _schedule(period: timedelta) -> timedelta:
    if period < SHORTEST:
        hint = "a run asks each CRM what changed: more often, it would spend an allowance to learn nothing"
        raise wrong("a run every few seconds is too often: write at least 1m", hint)
    return period


Format = Annotated[int, AfterValidator(_format), WithJsonSchema({"const": FORMAT})]
Cache = Annotated[str, AfterValidator(_cache)]
Period = Annotated[Duration, AfterValidator(_schedule)]
ConnectionName = Annotated[str, AfterValidator(_connection_name)]


class ProjectModel(Settings):
    """The keys of pipelint.yaml."""

    pipelint: Format = Field(description="the format of this file", examples=[FORMAT])
    cache: Cache = Field(default=".pipelint/cache.db", description="a file, or postgresql://user@host/db")
    rules: str = Field(default="rules/", description="the folder of the rule files")
    connections: dict[ConnectionName, ConnectionHead] = Field(
        min_length=1,
        description="the CRMs to read, by names of your choice",
        examples=["{acme-sales: {...}}"],
    )
    write_back: WriteBack = Field(default_factory=WriteBack, description="what may be written into the CRMs")
    schedule: Period = Field(
        default=timedelta(minutes=15),
        description="how often `pipelint run --every` runs, where the command names no time of its own",
        json_schema_extra={"default": "15m"},
    )
    metrics: str | None = Field(
        default=None, description="a file for Prometheus, written after every run", examples=["pipelint.prom"]
    )


@dataclass(frozen=True, slots=True)
class Connection:
    """One connection as far as it is known without its connector; `node` holds the keys for that one."""

    name: str
    crm: str
    writes: bool
    node: Map
    folder: Path

    def settings(self, model: type[M], problems: Problems, *, elsewhere: bool = False) -> M | None:
        """The connector's own settings, or None where they have mistakes.

        `elsewhere` says that they are for another machine: what is not set on this one is no mistake.
        """
        return read_model(self.node, model, problems, Origin(self.name, self.folder, elsewhere))


@dataclass(frozen=True, slots=True)
class ProjectFile:
    """What pipelint.yaml says, with the defaults for what it leaves out."""

    folder: Path
    cache: str
    rules: Path
    connections: Mapping[str, Connection]
    write_back: WriteBack
    schedule: timedelta
    metrics: Path | None
    pilot: tuple[Text, ...] = ()
    """The pipelines of `first_push`, where they stand: only the pack can say whether there are such."""

    @property
    def paths(self) -> ProjectPaths:
        return ProjectPaths(self.folder)


def load_project_file(folder: Path, problems: Problems, *, known_crms: Sequence[str]) -> ProjectFile | None:
    """Read a project's pipelint.yaml; None where it has mistakes, all of which `problems` then holds.

    Raises:
        UsageError: there is no such file.
    """
    file = ProjectPaths(folder).file
    name = shown(file, folder)
    if not file.exists():
        raise UsageError(
            f"there is no {file.name} in {folder.absolute()}",
            hint="run `pipelint init` to make a project, or pass its folder with -C",
        )
    before = len(problems.errors)
    node = read_file(file, name, problems)
    if node is None:
        if len(problems.errors) == before:
            problems.error(
                Place(name), "the file is empty", "run `pipelint init` in another folder for an example"
            )
        return None
    model = read_model(node, ProjectModel, problems, Origin(folder=folder))
    heads = node.get("connections") if isinstance(node, Map) else None
    nodes = {key.value: (key, head) for key, head in heads.entries} if isinstance(heads, Map) else {}
    for _, head in nodes.values():
        _check_crm(head, known_crms, problems)
    if model is None or len(problems.errors) > before:
        return None
    connections = {
        name: Connection(name, head.crm, head.write_back == "on", _own_keys(*nodes[name]), folder)
        for name, head in model.connections.items()
    }
    return ProjectFile(
        folder=folder,
        cache=model.cache,
        rules=folder / model.rules,
        connections=MappingProxyType(connections),
        write_back=model.write_back,
        schedule=model.schedule,
        metrics=folder / model.metrics if model.metrics else None,
        pilot=_texts(node, "write_back", "first_push", "pipelines"),
    )


def names_in_broken_file(folder: Path) -> tuple[str, ...] | None:
    """The connections that a project file with mistakes names; None where even they cannot be read."""
    node = read_file(ProjectPaths(folder).file, "", Problems())
    heads = node.get("connections") if isinstance(node, Map) else None
    return heads.names() if isinstance(heads, Map) else None


def _texts(node: Node | None, *path: str) -> tuple[Text, ...]:
    """The list of texts at a path of keys."""
    for key in path:
        node = node.get(key) if isinstance(node, Map) else None
    return tuple(item for item in node.items if isinstance(item, Text)) if isinstance(node, List) else ()


def _check_crm(head: Node, known: Sequence[str], problems: Problems) -> None:
    crm = head.get("crm") if isinstance(head, Map) else None
    if isinstance(crm, Text) and not crm.is_empty and crm.value not in known:
        what = f"'crm' is '{crm.value}', expected {either(known)}"
        problems.error(crm.place, what, did_you_mean(crm.value, known))


def _own_keys(name: Text, head: Node) -> Map:
    """The connector's share of a connection; what is missing in it is reported at the connection's name."""
    entries = head.entries if isinstance(head, Map) else ()
    return Map(tuple(entry for entry in entries if entry[0].value != "write_back"), name.place)
