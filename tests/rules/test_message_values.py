"""How messages show numbers and dates: with the signs and words of the message's language."""

from __future__ import annotations

import pytest

from pipelint.rules.fields import Field, FieldType
from pipelint.rules.messages import Reader

FIELDS = {
    "amount": Field("amount", FieldType.MONEY, ""),
    "share": Field("share", FieldType.NUMBER, ""),
    "close_date": Field("close_date", FieldType.DATE, ""),
}
ROW = {"amount": 12_345_000, "share": 125_000, "close_date__day": 20_000}


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "1,234.50 EUR, 12.5, 12.5%, 4 Oct 2024"),
        ("fr", "1\u202f234,50 EUR, 12,5, 12,5\u202f%, 4 oct. 2024"),
        ("de", "1.234,50 EUR, 12,5, 12,5\u202f%, 4 Okt. 2024"),
        ("nl", "1,234.50 EUR, 12.5, 12.5%, 4 Oct 2024"),  # a language without signs of its own
    ],
)
def test_numbers_and_dates_follow_the_language(language: str, said: str) -> None:
    template = "{amount}, {share}, {share:percent}, {close_date:date}"
    assert Reader(ROW, FIELDS, language, currency="EUR").fill(template) == said


@pytest.mark.parametrize(
    ("scaled", "said"),
    [
        (10_000_000, "1\u202f000"),
        (-12_345_678, "-1\u202f234,57"),
        (0, "0"),
        (10**16, "1\u202f000\u202f000\u202f000\u202f000"),
    ],
)
def test_money_has_no_cents_where_there_are_none(scaled: int, said: str) -> None:
    assert Reader({"amount": scaled}, FIELDS, "fr").fill("{amount:money}") == said
