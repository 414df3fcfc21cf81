"""The one place that turns errors into text and exit codes."""

from __future__ import annotations

import logging
import os
import platform
import sys
import tempfile
import traceback
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pipelint.config.masking import masker
from pipelint.config.paths import ProjectPaths, shown
from pipelint.errors import CacheUnusable, ExitCode, PipelintError, Problem, ProblemsFound

_log = logging.getLogger(__name__)

_BOLD, _RED, _YELLOW, _CYAN = "1", "1;31", "1;33", "36"


def render_error(error: PipelintError, *, color: bool) -> str:
    """What a person reads about an error, without a line break at the end."""
    if isinstance(error, ProblemsFound):
        text = render_problems(error.problems, color=color)
    else:
        lines = [f"{_painted('error', _RED, color)}: {_printable(error.message)}"]
        if error.hint:
            lines.append(_painted(f"  = {_printable(error.hint)}", _CYAN, color))
        text = "\n".join(lines)
    return masker.mask(text)


def render_problems(problems: Sequence[Problem], *, color: bool) -> str:
    """Each with its place, its line where that is known, and what to do."""
    return "\n\n".join(_problem(problem, color) for problem in problems)


def _problem(problem: Problem, color: bool) -> str:
    warning = _painted("warning: ", _YELLOW, color) if problem.level == "warning" else ""
    place = _painted(f"{_printable(str(problem.place))}:", _BOLD, color)
    lines = [f"{place} {warning}{_printable(problem.what)}"]
    if problem.line.strip():
        line = _printable(problem.line)
        caret = _painted("^", _YELLOW if warning else _RED, color)
        lines.append(f"{problem.place.line:5} | {line}")
        lines.append(f"      | {_below(line[: problem.place.column - 1])}{caret}")
    if problem.hint:
        lines.append(_painted(f"      = {_printable(problem.hint)}", _CYAN, color))
    return "\n".join(lines)


def _below(text: str) -> str:
    """Blanks as wide as the text in a terminal: a tab stays one, East Asian characters take two."""
    return "".join("\t" if sign == "\t" else " " * _width(sign) for sign in text)


def _width(sign: str) -> int:
    if unicodedata.combining(sign) or unicodedata.category(sign) in {"Mn", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(sign) in "WF" else 1


def _printable(text: str) -> str:
    """Without control characters, so that no file or answer of a CRM can steer the terminal."""
    return "".join(
        "\N{REPLACEMENT CHARACTER}" if unicodedata.category(sign) == "Cc" and sign not in "\t\n" else sign
        for sign in text
    )


def _painted(text: str, code: str, color: bool) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if color else text


@dataclass
class Doorstep:
    """What is known about the command when something goes wrong; the command line fills it in."""

    color: bool = False
    project: Path = field(default_factory=Path.cwd)
    logs: Literal["text", "json"] = "text"

    def tell(self, error: PipelintError) -> None:
        """Say on stderr what went wrong."""
        if self.logs == "text":
            _say(render_error(error, color=self.color))
            return
        whys = (
            [f"{each.place}: {each.what}" for each in error.problems]
            if isinstance(error, ProblemsFound)
            else ()
        )
        why = "; ".join(whys) or error.message
        _log.error("failed", extra={"why": why, "hint": error.hint, "exit_code": int(error.exit_code)})


def handle(run: Callable[[Doorstep], int]) -> int:
    """Run a command and return its exit code, whatever happens in it."""
    doorstep = Doorstep(color=sys.stderr.isatty() and "NO_COLOR" not in os.environ)
    try:
        code = run(doorstep)
        sys.stdout.flush()
    except PipelintError as error:
        doorstep.tell(error)
        return error.exit_code
    except KeyboardInterrupt:
        if doorstep.logs == "text":
            _say("interrupted")
        else:
            _log.error("interrupted", extra={"exit_code": int(ExitCode.INTERRUPTED)})
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        # The reader, such as `head`, has seen enough. Python would complain when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.OK
    except Exception as error:
        log = shown(_write_log(error, doorstep.project), doorstep.project)
        if doorstep.logs == "text":
            _say(f"pipelint stopped because of a mistake of its own; please attach {log} to a report")
        else:
            _log.error("mistake of pipelint", extra={"file": log, "exit_code": int(ExitCode.BUG)})
        return ExitCode.BUG
    return code


def _say(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201 - the doorstep is where text leaves


def _write_log(error: Exception, project: Path) -> Path:
    """Everything a developer needs, nothing secret, readable by its owner alone."""
    from importlib import metadata  # slow to import, and bugs are rare

    now = datetime.now(UTC)
    installed = sorted(f"{one.name} {one.version}" for one in metadata.distributions())
    text = f"""\
pipelint {metadata.version("pipelint")}, Python {platform.python_version()}, {platform.platform()}
{now:%Y-%m-%d %H:%M:%S} UTC
command: {" ".join(sys.argv)}

{"".join(traceback.format_exception(error))}
packages: {", ".join(installed)}
"""
    descriptor, path = tempfile.mkstemp(".log", f"bug-{now:%Y%m%d-%H%M%S}-", _log_folder(project))
    os.close(descriptor)  # mkstemp made it with mode 0600
    Path(path).write_text(masker.mask(text), encoding="utf-8", errors="backslashreplace")
    return Path(path)


def _log_folder(project: Path) -> Path | None:
    """The project's log folder, or None for the temporary one: there is no project, or it is read-only."""
    paths = ProjectPaths(project)
    if not paths.file.exists():
        return None
    try:
        paths.create()
    except CacheUnusable:
        return None
    return paths.logs if os.access(paths.logs, os.W_OK) else None
