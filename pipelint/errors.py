"""Every error pipelint raises on purpose, grouped by what the caller does next.

    PipelintError
    ├── Fix                    a person must change something: stop, say what and how
    │   ├── ProblemsFound      in the user's files; each problem at file:line:column    exit 2
    │   ├── UsageError         in the arguments of a command                           exit 2
    │   ├── SignInRefused      the CRM does not accept the credentials                 exit 3
    │   ├── PermissionMissing  signed in, but not allowed                              exit 3
    │   └── CacheUnusable      the cache cannot be opened, read or written             exit 3
    ├── Retry                  may pass by itself: the retry policy tries again
    │   ├── Unreachable        no answer: connection, name, time-out                   exit 3
    │   ├── Busy               the CRM says later (429, 503, lock)                     exit 3
    │   └── SessionExpired     the token has run out: sign in again, once              exit 3
    ├── Skip                   concerns one record: keep it, report it, go on
    │   ├── RecordRefused      the CRM does not take this value                        exit 4
    │   └── RecordGone         deleted or no longer visible                            exit 0
    └── Stop                   end cleanly, the next run continues
        ├── QuotaExhausted     the API allowance is used up                            exit 3
        ├── UnexpectedAnswer   the CRM answered in a form we do not know               exit 3
        ├── RunInProgress      another run holds the lock                              exit 3
        ├── StopRequested      somebody asked this process to end (SIGTERM)            exit 0
        ├── LimitExceeded      a plan is larger than the user's limits allow           exit 4
        └── PlanStale          a saved plan does not fit the CRM any more              exit 4

Errors carry facts; `pipelint.render.errors` alone turns them into text.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Literal


class ExitCode(IntEnum):
    """What a command tells the shell; the highest reached wins (architecture §5)."""

    OK = 0
    FINDINGS = 1
    USER = 2
    UNREACHABLE = 3
    INCOMPLETE = 4
    BUG = 70
    INTERRUPTED = 130


class PipelintError(Exception):
    """An error that a person can read: what was found, and what to do about it."""

    exit_code: ExitCode = ExitCode.UNREACHABLE

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class Fix(PipelintError):
    """A person must change something before this can work."""


class Retry(PipelintError):
    """The same call may succeed later; `after` is what the server asked for, in seconds."""

    def __init__(self, message: str, *, hint: str = "", after: float | None = None) -> None:
        super().__init__(message, hint=hint)
        self.after = after


class Skip(PipelintError):
    """Concerns one record only; the others go on."""

    exit_code = ExitCode.INCOMPLETE


class Stop(PipelintError):
    """End this connection's work cleanly; the next run continues where it stopped."""


@dataclass(frozen=True, slots=True)
class Place:
    """A spot in a file the user wrote; line and column count from 1, 0 means the file as a whole."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a file: where, what is wrong, what to write instead, and the line itself."""

    place: Place
    what: str
    hint: str = ""
    line: str = ""
    level: Literal["error", "warning"] = "error"


class ProblemsFound(Fix):
    """The user's files hold mistakes; all of them, sorted by place."""

    exit_code = ExitCode.USER

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = sorted(problems, key=lambda p: (p.place.file, p.place.line, p.place.column))
        errors = [problem for problem in self.problems if problem.level == "error"]
        if len(errors) == 1:
            super().__init__(f"{errors[0].place}: {errors[0].what}", hint=errors[0].hint)
        else:
            super().__init__(f"{len(errors)} problems to fix")


class UsageError(Fix):
    """The arguments of a command do not fit the project."""

    exit_code = ExitCode.USER


class SignInRefused(Fix):
    """The CRM does not accept the credentials."""


class PermissionMissing(Fix):
    """Signed in, but the integration user may not do this."""


class CacheUnusable(Fix):
    """The cache cannot be opened, read or written."""


class Unreachable(Retry):
    """No answer came: connection, name resolution or time-out."""


class Busy(Retry):
    """The CRM asks us to come back later; where no other hint is given, people are told that nothing is lost."""

    def __init__(self, message: str, *, hint: str = "", after: float | None = None) -> None:
        otherwise = "try again later: the next run goes on where this one stopped"
        super().__init__(message, hint=hint or otherwise, after=after)


class SessionExpired(Retry):
    """The access token has run out; the connector signs in again once."""


class RecordRefused(Skip):
    """The CRM does not take a value for this record, and says why."""

    def __init__(self, message: str, *, code: str, fields: tuple[str, ...] = (), hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.code = code
        self.fields = fields


class RecordGone(Skip):
    """The record was deleted or is no longer visible to us."""

    exit_code = ExitCode.OK


class QuotaExhausted(Stop):
    """The API allowance, or the share of it that is ours, is used up."""


class UnexpectedAnswer(Stop):
    """The CRM answered in a form that the connector does not know."""


class CursorUnreadable(UnexpectedAnswer):
    """Where a stream goes on was kept by another version of pipelint: it can only be pulled from the beginning."""

    def __init__(self) -> None:
        super().__init__("the place to continue from is not readable", hint="run pull --full")


class RunInProgress(Stop):
    """Another run of this project holds the lock."""


class StopRequested(Stop):
    """Somebody asked this process to end: the step under way is finished, the next one was not begun."""

    exit_code = ExitCode.OK


class PlanStale(Stop):
    """What a saved plan says differs from what would be written now; nothing was written."""

    exit_code = ExitCode.INCOMPLETE


class LimitExceeded(Stop):
    """A plan is larger than `max_changes` or `max_share` allow; nothing was written."""

    exit_code = ExitCode.INCOMPLETE
