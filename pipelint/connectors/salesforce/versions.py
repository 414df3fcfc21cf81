"""The versions of the API that an org speaks, and how long the one in use will live (fact sheet §2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

LAST_OLD: Final = 40.0
"""Up to this one, versions are unsupported from Summer '27 and gone in Summer '28."""


class Version(msgspec.Struct):
    """A version that the server speaks; `label` is the season it came out in."""

    version: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Complaint:
    """What is wrong with a version, and what to write instead."""

    what: str
    cure: str


def newest(spoken: Sequence[Version]) -> Version:
    """The latest of them."""
    return max(spoken, key=lambda one: float(one.version))


def complaint(ours: str, spoken: Sequence[Version]) -> Complaint | None:
    """Why a version cannot be used at all; None where it can, or where nothing is known.

    >>> complaint("70.0", [Version("31.0"), Version("68.0")]).what
    'API version 70.0 is too new here: this org speaks 31.0 to 68.0'
    """
    if not spoken or ours in {one.version for one in spoken}:
        return None
    last = newest(spoken).version
    first = min(spoken, key=lambda one: float(one.version)).version
    why = "too new here" if float(ours) > float(last) else "retired"
    what = f"API version {ours} is {why}: this org speaks {first} to {last}"
    return Complaint(what, f"set api_version: '{last}' in pipelint.yaml")


def ageing(ours: str, spoken: Sequence[Version]) -> Complaint | None:
    """Why a version should be left soon."""
    if float(ours) > LAST_OLD:
        return None
    what = f"API version {ours} is unsupported from Summer '27 and gone in Summer '28"
    return Complaint(what, f"set api_version: '{newest(spoken).version}' in pipelint.yaml, or leave it out")
