"""The command line: parse, call the engine, render, return an exit code."""

from __future__ import annotations


def main() -> None:
    """Run pipelint and leave with its exit code."""
    import sys

    from pipelint.cli.app import run

    sys.exit(run(sys.argv[1:]))
