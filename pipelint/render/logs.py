"""Sets up logging for a command: to stderr, masked, for people or for programs."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal, TextIO

from pipelint.config.masking import MaskingFormatter

_LEVELS = {-1: logging.ERROR, 0: logging.WARNING, 1: logging.INFO}
_STANDARD = frozenset({*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"})


def configure(verbosity: int, format: Literal["text", "json"], stream: TextIO | None = None) -> None:  # noqa: A002 - the option's name
    """Log to `stream` (stderr): errors at -1, warnings at 0, what happens at 1, everything from 2 on.

    Facts are passed as `extra`: `logger.info("pulled", extra={"connection": "acme-sales", "records": 12})`.
    A line that is a sentence for people has its name for programs there too, as `event`.
    Of other packages only warnings are shown: what they say in detail may hold customers' data.
    """
    formatter = _JsonFormatter() if format == "json" else _TextFormatter()
    handler = _Handler(stream or sys.stderr)
    handler.setFormatter(MaskingFormatter(formatter))
    root = logging.getLogger()
    for earlier in [one for one in root.handlers if isinstance(one, _Handler)]:
        root.removeHandler(earlier)
    root.addHandler(handler)
    level = _LEVELS.get(max(verbosity, -1), logging.DEBUG)
    root.setLevel(max(level, logging.WARNING))
    logging.getLogger("pipelint").setLevel(level)


class _Handler(logging.StreamHandler[TextIO]):
    """Ours, so that configuring again replaces it."""


class _TextFormatter(logging.Formatter):
    """`info: pulled  connection=acme-sales stored=12`, or the sentence alone where the line is one."""

    def format(self, record: logging.LogRecord) -> str:
        facts = (
            ""
            if hasattr(record, "event")
            else " ".join(f"{name}={value}" for name, value in _facts(record).items())
        )
        line = f"{record.levelname.lower()}: {record.getMessage()}"
        return "\n".join(filter(None, [f"{line}  {facts}".rstrip(), _trace(self, record)]))


class _JsonFormatter(logging.Formatter):
    """One JSON object a line: ts, level, event, then the facts."""

    def format(self, record: logging.LogRecord) -> str:
        ts = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {
            "ts": ts.replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "event": getattr(record, "event", record.getMessage()),
            **_facts(record),
        }
        if trace := _trace(self, record):
            line["error"] = trace
        return json.dumps(line, ensure_ascii=False, default=str)


def _facts(record: logging.LogRecord) -> Mapping[str, object]:
    return {name: value for name, value in vars(record).items() if name not in _STANDARD}


def _trace(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    return formatter.formatException(record.exc_info) if record.exc_info else ""
