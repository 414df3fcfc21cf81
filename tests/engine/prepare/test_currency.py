"""Amounts in the pack's currency: which rate is taken, how it is rounded, and what happens without one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from pipelint.engine.cache.sqlite import Cache
from pipelint.engine.currencies import currency_notices
from pipelint.records import FieldChange, LineItem, Opportunity, Stream

from .judged import AS_OF, judged, outcomes, read, sound, stored

RATES = """\
currency,from,rate
EUR,2026-01-01,1.10
EUR,2026-07-01,1.20
gbp,,1.3
JPY,,0.00645
"""
FILE = "currency: {to: USD, rates: rates.csv}\n"
PACK = """\
rules:
  any-amount: {flag_when: {amount: {more_than: 0}}, severity: info, message: "Worth {amount:money}."}
  no-amount: {flag_when: {amount: blank}, severity: info, message: None.}
"""
OPPORTUNITIES = Stream.OPPORTUNITIES


@pytest.fixture
def cache() -> Iterator[Cache]:
    with Cache.open(":memory:") as opened:
        yield opened


def deal(
    name: str,
    amount: str | None,
    currency: str | None,
    closes: date | None = None,
    created: datetime | None = None,
) -> Opportunity:
    number = None if amount is None else Decimal(amount)
    return Opportunity(
        name,
        AS_OF,
        amount=number,
        currency=currency,
        close_date=closes,
        created_at=created,
        stage="early",
    )


SUMMER, SPRING, BEFORE = date(2026, 8, 1), date(2026, 3, 1), date(2025, 12, 31)
VALUES = [
    # what it shows, amount, currency, close date, created, shown (None: there is no rate)
    ("the pack's own currency", "100", "USD", None, None, "100 USD"),
    ("no currency named", "100", None, None, None, "100 USD"),
    ("the rate of the day it closes", "100", "EUR", SUMMER, None, "120 USD"),
    ("an earlier rate for an earlier day", "100", "EUR", SPRING, None, "110 USD"),
    ("the first day of a rate", "100", "EUR", date(2026, 7, 1), None, "120 USD"),
    ("the last day of the one before", "100", "EUR", date(2026, 6, 30), None, "110 USD"),
    (
        "without a close date, the day it was created",
        "100",
        "EUR",
        None,
        datetime(2026, 3, 1, tzinfo=UTC),
        "110 USD",
    ),
    ("the close date goes first", "100", "EUR", SUMMER, datetime(2026, 3, 1, tzinfo=UTC), "120 USD"),
    ("without any day, today's", "100", "EUR", None, None, "120 USD"),
    ("a day before the first rate", "100", "EUR", BEFORE, None, None),
    ("a rate for ever, code in any case", "100", "GBP", BEFORE, None, "130 USD"),
    ("the record's code in any case", "100", " gbp ", None, None, "130 USD"),
    ("a currency without a rate", "100", "PLN", SUMMER, None, None),
    ("half up at the fourth place", "0.01", "JPY", None, None, "0 USD"),
    ("no binary fractions", "333333.33", "EUR", SUMMER, None, "400,000 USD"),
]


@pytest.mark.parametrize(
    ("amount", "currency", "closes", "created", "shown"), [v[1:] for v in VALUES], ids=[v[0] for v in VALUES]
)
def test_an_amount_is_converted(
    tmp_path: Path, cache: Cache, amount: str, currency: str | None, closes: date | None, created: datetime | None,
    shown: str | None,
) -> None:  # fmt: skip
    (tmp_path / "rates.csv").write_text(RATES, encoding="utf-8")
    pack = sound(tmp_path, FILE + PACK)
    said = stored(cache, {OPPORTUNITIES: [deal("a", amount, currency, closes, created)]})
    found = judged(cache, pack, said)["a"]
    if shown is not None:
        assert found["any-amount"].message == f"Worth {shown}."
        assert "currency-unknown" not in found
        assert "no-amount" not in found
        return
    assert found["currency-unknown"].status == "flagged"
    assert found["currency-unknown"].severity == "error"
    assert found["currency-unknown"].message == f"There is no exchange rate for {currency}."
    for rule in ("any-amount", "no-amount"):
        assert (found[rule].status, found[rule].keeps) == ("could_not_check", True)
    assert found["any-amount"].amount is None


def test_scaled_amounts_are_rounded_half_up_once(tmp_path: Path, cache: Cache) -> None:
    (tmp_path / "rates.csv").write_text("currency,from,rate\nEUR,,1.00005\n", encoding="utf-8")
    pack = sound(tmp_path, FILE + PACK)
    said = stored(cache, {OPPORTUNITIES: [deal("a", "1", "EUR"), deal("b", "0.9999", "EUR")]})
    amounts = {record: found["any-amount"].amount for record, found in judged(cache, pack, said).items()}
    assert amounts == {"a": 10001, "b": 9999}  # 1.00005 and 0.999949995


def test_related_rows_are_converted_with_the_record_s_rate(tmp_path: Path, cache: Cache) -> None:
    (tmp_path / "rates.csv").write_text(RATES, encoding="utf-8")
    pack = sound(
        tmp_path,
        FILE
        + """\
facts:
  total: {sum: line_items.amount}
  large: {count: line_items, where: {amount: {at_least: 110}}}
  rest: {difference: [amount, total]}
rules:
  shown: {flag_when: {total: present}, severity: info, message: "{total}, {large}, {rest}, {amount_change_30d}"}
""",
    )
    changed = datetime(2026, 11, 10, tzinfo=UTC)
    said = stored(
        cache,
        {
            OPPORTUNITIES: [
                deal("a", "300", "EUR", SUMMER),
                deal("b", "300", "PLN"),
                deal("c", "300", "USD"),
            ],
            Stream.LINE_ITEMS: [LineItem(f"{name} line", AS_OF, name, amount=Decimal(100)) for name in "abc"],
            Stream.FIELD_CHANGES: [
                FieldChange(f"{name} change", "opportunity", name, "amount", "200", "300", changed)
                for name in "abc"
            ],
        },
    )
    found = {
        record: rules["shown"] for record, rules in judged(cache, pack, said).items() if "shown" in rules
    }
    assert found["a"].message == "120 USD, 1, 240 USD, 120 USD"
    assert found["c"].message == "100 USD, 0, 200 USD, 100 USD"
    assert (found["b"].status, found["b"].keeps) == ("could_not_check", True)


def test_without_the_section_amounts_are_taken_as_they_are(tmp_path: Path, cache: Cache) -> None:
    pack = sound(tmp_path, PACK)
    said = stored(cache, {OPPORTUNITIES: [deal("a", "100", "EUR"), deal("b", "100", None)]})
    found = judged(cache, pack, said)
    assert found["a"]["any-amount"].message == "Worth 100 EUR."
    assert found["b"]["any-amount"].message == "Worth 100."
    assert pack.rules["currency-unknown"].checks == ()


def test_currency_unknown_can_be_overridden(tmp_path: Path, cache: Cache) -> None:
    pack = sound(
        tmp_path,
        "currency: {to: USD, rates: crm}\noverrides: {currency-unknown: {severity: info, status: report}}",
    )
    said = stored(cache, {OPPORTUNITIES: [deal("a", "100", "EUR")]})
    finding = judged(cache, pack, said)["a"]["currency-unknown"]
    assert (finding.severity, finding.written) == ("info", False)


def test_a_changed_rate_prepares_the_records_anew(tmp_path: Path, cache: Cache) -> None:
    said = stored(cache, {OPPORTUNITIES: [deal("a", "100", "GBP")]})
    for rate, shown in (("1.3", "130"), ("1.4", "140")):
        (tmp_path / "rates.csv").write_text(f"currency,from,rate\nGBP,,{rate}\n", encoding="utf-8")
        found = judged(cache, sound(tmp_path, FILE + PACK), said)
        assert found["a"]["any-amount"].message == f"Worth {shown} USD."


NOTICES = [
    ("one currency", "", ["EUR"], []),
    ("several, taken as they are", "", ["EUR", "usd", None],
     ["rules: sales holds amounts in EUR and USD, which are compared as they are"]),
    ("the CRM's rates, which are not delivered", "currency: {to: USD, rates: crm}", ["EUR", "USD", "GBP"],
     ["rules/pack.yaml:2:11: sales delivers no exchange rates, so amounts in EUR and GBP are not known"]),
    ("the CRM's rates, which are not needed", "currency: {to: USD, rates: crm}", ["USD", None], []),
    ("a table of rates", FILE, ["EUR", "PLN"], []),
]  # fmt: skip


@pytest.mark.parametrize(
    ("section", "currencies", "said"), [n[1:] for n in NOTICES], ids=[n[0] for n in NOTICES]
)
def test_what_is_said_once(
    tmp_path: Path, cache: Cache, section: str, currencies: list[str | None], said: list[str]
) -> None:
    (tmp_path / "rates.csv").write_text(RATES, encoding="utf-8")
    pack = sound(tmp_path, section)
    delivered = stored(cache, {OPPORTUNITIES: [deal(str(n), "1", each) for n, each in enumerate(currencies)]})
    notices = currency_notices(cache, pack, delivered, "rules")
    assert [f"{each.place}: {each.what}" for each in notices] == said


def test_with_the_crm_s_rates_amounts_in_the_pack_s_currency_count(tmp_path: Path, cache: Cache) -> None:
    pack = sound(tmp_path, "currency: {to: USD, rates: crm}\n" + PACK)
    said = stored(cache, {OPPORTUNITIES: [deal("a", "100", "USD"), deal("b", "100", "EUR")]})
    assert outcomes(cache, pack, said, "any-amount") == {"a": "flagged", "b": "could_not_check"}
    assert outcomes(cache, pack, said, "currency-unknown") == {"b": "flagged"}


MISTAKES = [
    ("{rates: crm}", "rules/pack.yaml:2:11: 'to' is missing in currency"),
    ("{to: USD}", "rules/pack.yaml:2:11: 'rates' is missing in currency"),
    ("{to: Dollar, rates: crm}", "rules/pack.yaml:2:16: 'Dollar' is not a currency"),
    ("{to: USD, rates: rate.csv}",
     "rules/pack.yaml:2:28: the rates in 'rate.csv' cannot be read: No such file or directory"),
    ("{to: USD, rates: crm, day: created_at}", "rules/pack.yaml:2:33: 'day' is not known in currency"),
]  # fmt: skip


@pytest.mark.parametrize(("section", "message"), MISTAKES)
def test_a_mistake_in_the_section_is_one_message(tmp_path: Path, section: str, message: str) -> None:
    assert read(tmp_path, f"currency: {section}")[1] == [message]


LINES = [
    ("currency,rate\nEUR,1", "rates.csv:1:1: this is no file of exchange rates"),
    ("currency,from,rate\nEuro,,1", "rates.csv:2:1: 'Euro' is not a currency"),
    ("currency,from,rate\nEUR,1 May,1", "rates.csv:2:1: '1 May' is not a date"),
    ("currency,from,rate\nEUR,,one", "rates.csv:2:1: 'one' is not a rate"),
    ("currency,from,rate\nEUR,,0", "rates.csv:2:1: '0' is not a rate"),
    ("currency,from,rate\nEUR,,-1", "rates.csv:2:1: '-1' is not a rate"),
    ("currency,from,rate\nEUR,,NaN", "rates.csv:2:1: 'NaN' is not a rate"),
    ("currency,from,rate\nEUR,,1\neur,,2", "rates.csv:3:1: EUR has two rates from the same day"),
    ("currency,from,rate\nEUR", "rates.csv:2:1: '' is not a rate"),
]


@pytest.mark.parametrize(("text", "message"), LINES)
def test_a_mistake_in_the_table_of_rates_cites_its_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "rates.csv").write_text(text, encoding="utf-8")
    assert read(tmp_path, FILE)[1] == [message]
