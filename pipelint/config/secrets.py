"""References to what stands elsewhere, `${env:NAME}` and `${file:path}`; secrets are revealed late."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from pipelint.config.masking import masker
from pipelint.config.values import Word, expected, wrong
from pipelint.errors import Place, Problem, ProblemsFound

_REFERENCE = re.compile(r"\$\{(?:env:(?P<env>[A-Za-z_]\w*)(?::-(?P<default>[^}]*))?|file:(?P<file>[^}]+))\}")


@dataclass(frozen=True, slots=True)
class Origin:
    """Whose settings are being read: the connection, and the folder that relative paths start from.

    `elsewhere`: only to see whether they are sound; variables and files may be on another machine.
    """

    connection: str = ""
    folder: Path = Path()
    elsewhere: bool = False


class Unresolved(Exception):
    """A reference leads nowhere: what is missing, and what to do."""

    def __init__(self, what: str, hint: str) -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint


class NotHere(Unresolved):
    """What a reference names is not on this machine."""


def is_reference(text: str) -> bool:
    """Whether this is one reference and nothing else, which may be shown."""
    found = _REFERENCE.fullmatch(text)
    return found is not None and found["default"] is None


def resolve(text: str, folder: Path) -> str:
    """Text that is no secret, with its references replaced by what they stand for.

    Raises:
        Unresolved: a reference leads nowhere, or is not written as one.
    """
    foreign = re.search(r"\$\{[^}]*\}?", _REFERENCE.sub("", text))
    if foreign:
        raise Unresolved(f"'{foreign[0]}' is not a reference", "write ${env:NAME} or ${file:path}")
    return _REFERENCE.sub(lambda found: _value(found, folder), text)


def _value(reference: re.Match[str], folder: Path) -> str:
    if name := reference["env"]:
        value = os.environ.get(name) or reference["default"]
        if value is None:
            raise NotHere(f"the variable {name} is not set", "set it in the environment of pipelint")
        return value
    path = folder / Path(reference["file"]).expanduser()
    try:
        value = path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise NotHere(
            f"the file {path} cannot be read: {why}", "check its name and who may read it"
        ) from None
    if not value:
        raise Unresolved(f"the file {path} is empty", "write the value into it")
    return value


@dataclass(frozen=True, slots=True)
class SecretRef:
    """A type for connector settings: where a secret is to be found, never the secret itself.

    In the file it is exactly one reference without a default; a literal secret is refused by `read_model`.
    """

    reference: str
    place: Place = field(default=Place("the settings"), compare=False)
    line: str = field(default="", compare=False, repr=False)
    origin: Origin = field(default=Origin(), compare=False, repr=False)

    def reveal(self) -> str:
        """The secret, which the masker knows from now on.

        Raises:
            ProblemsFound: the variable is not set, or the file cannot be read.
        """
        found = _REFERENCE.fullmatch(self.reference)
        if found is None:
            raise ValueError("not a reference")  # and not shown: it may be the secret
        try:
            secret = _value(found, self.origin.folder)
        except Unresolved as error:
            user = self.origin.connection
            what = f"{error.what}: the connection '{user}' needs it" if user else error.what
            raise ProblemsFound([Problem(self.place, what, error.hint, self.line)]) from None
        masker.register(secret)
        return secret

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_plain_validator_function(cls._read)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"type": "string", "pattern": r"^\$\{(env:[A-Za-z_]\w*|file:[^}]+)\}$"}

    @classmethod
    def _read(cls, value: object, info: ValidationInfo[object]) -> SecretRef:
        if isinstance(value, SecretRef):
            return value
        if not isinstance(value, str):
            raise expected("a reference such as ${env:NAME}")
        found = _REFERENCE.fullmatch(value)
        if found is None:
            raise _plain_text(value)
        if found["default"] is not None:
            raise wrong(
                "a secret has no default: it would stand in the file", f"write ${{env:{found['env']}}}"
            )
        word = value if isinstance(value, Word) else Word(value, Place("the settings"), "")
        origin = info.context if isinstance(info.context, Origin) else Origin()
        return cls(str(word), word.place, word.line, origin)


def _plain_text(value: str) -> PydanticCustomError:
    """The complaint about a literal secret; `name` is the variable that somebody seems to have meant."""
    meant = re.fullmatch(r"\$\{?([A-Z][A-Z0-9_]*)\}?", value)
    return PydanticCustomError("plain_secret", "a secret in plain text", {"name": meant[1] if meant else ""})
