"""What changed between two pulls becomes history, once."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelint.engine.cache.encode import microseconds
from pipelint.engine.cache.sqlite import Cache
from pipelint.records import Account, Contact, ContactRole, FieldChange, Lead, Opportunity, Stream
from tests.engine.cache.crm import CRM, START, hour, page, pulled, rows, supply, whole


@pytest.fixture
def cache():
    with Cache.open(":memory:") as opened:
        yield opened


def history(cache: Cache) -> list[tuple[object, ...]]:
    query = "SELECT field, old, new, origin FROM field_change ORDER BY field, at, origin"
    return rows(cache, query)


def opportunity(at: float, **values: object) -> Opportunity:
    return Opportunity("1", hour(at))._replace(**values)  # type: ignore[arg-type]


def changed(cache: Cache, before: Opportunity, after: Opportunity, *custom: str) -> None:
    """Two pulls, an hour apart."""
    offered = supply(Stream.OPPORTUNITIES, *custom)
    pulled(cache, page(Stream.OPPORTUNITIES, before), at=hour(1), supplied=offered)
    pulled(cache, page(Stream.OPPORTUNITIES, after), at=hour(2), supplied=offered)


def test_a_record_seen_for_the_first_time_has_not_changed(cache):
    changed(cache, opportunity(0), Opportunity("2", hour(1.5), name="Two"))
    assert history(cache) == []


def test_values_are_told_as_they_are_stored(cache):
    changed(
        cache,
        opportunity(0, name="A", amount=Decimal("10.0"), is_open=True, stage="s1"),
        opportunity(
            1.5, name=None, amount=Decimal("12.50"), is_open=False, stage="s2", close_date=date(2026, 5, 1)
        ),
    )
    assert history(cache) == [
        ("amount", "10", "12.5", "observed"),
        ("close_date", None, "2026-05-01", "observed"),
        ("is_open", "1", "0", "observed"),
        ("name", "A", None, "observed"),
        ("stage", "s1", "s2", "observed"),
    ]


def test_an_equal_number_written_differently_has_not_changed(cache):
    changed(cache, opportunity(0, amount=Decimal("10")), opportunity(1.5, amount=Decimal("10.00")))
    assert history(cache) == []


def test_bookkeeping_is_not_observed(cache):
    changed(
        cache,
        opportunity(0),
        opportunity(1.5, url="https://x", last_activity_at=hour(1), next_activity_at=hour(9)),
    )
    assert history(cache) == []


def test_the_packs_own_fields_are_observed_one_by_one(cache):
    changed(
        cache,
        opportunity(0, custom={"Need": "x", "Same": Decimal(1), "Gone": "g", "Flag": True, "List": ("a",)}),
        opportunity(
            1.5, custom={"Need": "y", "Same": Decimal("1.0"), "New": "n", "Flag": False, "List": ("a", "b")}
        ),
        *("Need", "Same", "Gone", "New", "Flag", "List"),
    )
    assert history(cache) == [
        ("custom.Flag", "1", "0", "observed"),
        ("custom.Gone", "g", None, "observed"),
        ("custom.List", '["a"]', '["a","b"]', "observed"),
        ("custom.Need", "x", "y", "observed"),
        ("custom.New", None, "n", "observed"),
    ]


def test_a_field_that_is_newly_supplied_or_no_longer_supplied_has_not_changed(cache):
    pulled(
        cache,
        page(Stream.OPPORTUNITIES, opportunity(0, type="New", custom={"Old": "x"})),
        at=hour(1),
        supplied=supply(Stream.OPPORTUNITIES, "Old", without=["name"]),
    )
    pulled(
        cache,
        page(Stream.OPPORTUNITIES, opportunity(1.5, name="A", custom={"New": "y"})),
        at=hour(2),
        supplied=supply(Stream.OPPORTUNITIES, "New", without=["type"]),
    )
    assert history(cache) == []


@pytest.mark.parametrize(
    ("stream", "before", "after", "field"),
    [
        (Stream.ACCOUNTS, Account("1", START, name="A"), Account("1", START, name="B"), "name"),
        (Stream.CONTACTS, Contact("1", START, account="A"), Contact("1", START, account="B"), "account"),
        (Stream.LEADS, Lead("1", START, status="A"), Lead("1", START, status="B"), "status"),
        (
            Stream.CONTACT_ROLES,
            ContactRole("1", START, "opp", role="A"),
            ContactRole("1", START, "opp", role="B"),
            "role",
        ),
    ],
)
def test_accounts_contacts_roles_and_leads_are_observed_too(cache, stream, before, after, field):
    pulled(cache, page(stream, before), at=hour(1))
    pulled(cache, page(stream, after), at=hour(2))
    assert rows(cache, "SELECT kind, record, field, old, new FROM field_change") == [
        (stream.value, "1", field, "A", "B")
    ]


@pytest.mark.parametrize(
    ("modified", "told"),
    [
        (1.5, 1.5),  # between the pulls: the CRM's word
        (0.5, 2),  # before the pull that saw the old value: it cannot be when this field changed
        (3, 2),  # after now: somebody's clock is wrong
    ],
)
def test_a_change_happened_when_the_record_was_modified_if_that_can_be(cache, modified, told):
    changed(cache, opportunity(0, name="A"), opportunity(modified, name="B"))
    assert rows(cache, "SELECT at, since FROM field_change") == [
        (microseconds(hour(told)), microseconds(hour(1)))
    ]


def test_a_first_pull_that_was_interrupted_observes_nothing(cache):
    offered = supply(Stream.OPPORTUNITIES)
    first, rest = whole(
        page(Stream.OPPORTUNITIES, opportunity(0, name="A")),
        page(Stream.OPPORTUNITIES, opportunity(1.5, name="B")),
    )
    cache.store(CRM, first, offered, 1, hour(1))
    cache.store(CRM, rest, offered, 2, hour(2))
    assert history(cache) == []


def test_a_full_pull_observes_as_well(cache):
    pulled(cache, page(Stream.OPPORTUNITIES, opportunity(0, name="A")), at=hour(1))
    pulled(cache, page(Stream.OPPORTUNITIES, opportunity(1.5, name="B")), at=hour(2), full=True)
    assert history(cache) == [("name", "A", "B", "observed")]


class TestChangesThatTheCrmTellsItself:
    """The CRM knows when and by whom, so its word replaces ours, whichever comes first."""

    @staticmethod
    def told(at: float, new: str = "B", field: str = "name") -> FieldChange:
        return FieldChange("crm", "opportunity", "1", field, "A", new, hour(at), by="ann")

    def history_of(self, cache: Cache, change: FieldChange, *, before: bool) -> list[str]:
        first, second = opportunity(0, name="A"), opportunity(1.5, name="B")
        pulled(cache, page(Stream.OPPORTUNITIES, first), at=hour(1))
        if before:
            pulled(cache, page(Stream.FIELD_CHANGES, change), at=hour(2))
        pulled(cache, page(Stream.OPPORTUNITIES, second), at=hour(2))
        if not before:
            pulled(cache, page(Stream.FIELD_CHANGES, change), at=hour(2))
        return [str(origin) for (origin,) in rows(cache, "SELECT origin FROM field_change ORDER BY 1")]

    @pytest.mark.parametrize("before", [True, False])
    def test_the_same_change_is_kept_once(self, cache, before):
        assert self.history_of(cache, self.told(1.4), before=before) == ["crm"]

    @pytest.mark.parametrize("before", [True, False])
    def test_history_stamped_a_moment_after_the_record_is_the_same_change(self, cache, before):
        assert self.history_of(cache, self.told(1.5 + 1 / 3600), before=before) == ["crm"]

    @pytest.mark.parametrize("before", [True, False])
    @pytest.mark.parametrize(
        "other",
        [
            pytest.param({"at": 0.5}, id="before the pull that saw the old value"),
            pytest.param({"at": 1.9}, id="after what was observed"),
            pytest.param({"at": 1.4, "new": "C"}, id="another value"),
            pytest.param({"at": 1.4, "field": "type"}, id="another field"),
        ],
    )
    def test_another_change_is_kept_beside(self, cache, other, before):
        assert self.history_of(cache, self.told(**other), before=before) == ["crm", "observed"]


names = st.sampled_from([None, "A", "B"])
amounts = st.sampled_from([None, Decimal(1), Decimal("1.0"), Decimal(2)])
custom = st.dictionaries(st.sampled_from(["X", "Y"]), names, max_size=2)
versions = st.tuples(
    st.sampled_from("abc"),
    st.floats(0, 9, allow_nan=False),
    names,
    amounts,
    st.booleans() | st.none(),
    custom,
).map(lambda t: Opportunity(t[0], hour(t[1]), name=t[2], amount=t[3], is_open=t[4], custom=t[5]))


def text(value: object) -> str | None:
    return (
        None
        if value is None
        else str(value).removesuffix(".0")
        if not isinstance(value, bool)
        else str(int(value))
    )


def comparable(record: Opportunity) -> dict[str, str | None]:
    values = {name: text(getattr(record, name)) for name in ("name", "amount", "is_open")}
    return values | {f"custom.{name}": text(record.custom.get(name)) for name in ("X", "Y")}


@settings(deadline=None)
@given(st.lists(st.lists(versions, max_size=4), min_size=1, max_size=5))
def test_observed_changes_are_those_of_a_plain_comparison(pulls):
    expected: dict[tuple[str, str, int], tuple[str | None, str | None]] = {}
    known: dict[str, Opportunity] = {}
    with Cache.open(":memory:") as cache:
        for number, records in enumerate(pulls):
            since, now = hour(2 * number - 2), hour(2 * number)
            offered = supply(Stream.OPPORTUNITIES, "X", "Y")
            pulled(cache, page(Stream.OPPORTUNITIES, *records), at=now, supplied=offered)
            latest = {record.id: record for record in records}
            for id_, record in latest.items():
                if number and id_ in known:
                    at = record.modified_at if since < record.modified_at <= now else now
                    before, after = comparable(known[id_]), comparable(record)
                    for field in before:
                        if before[field] != after[field]:
                            expected[id_, field, microseconds(at)] = (before[field], after[field])
            known |= latest
        query = "SELECT record, field, at, old, new FROM field_change"
        found = {(record, field, at): (old, new) for record, field, at, old, new in rows(cache, query)}
        identities = rows(cache, "SELECT id FROM field_change")
    assert found == expected
    assert len(set(identities)) == len(identities)
