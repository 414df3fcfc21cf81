"""The test suite that any connector must pass; plugin authors inherit it too.

    class TestAcme(ConnectorContract):
        changing = (Stream.OPPORTUNITIES, Stream.ACCOUNTS)

        @pytest.fixture
        def connector(self, acme): ...      # a connection to a small CRM: best some pages for each stream

        @pytest.fixture
        def behind(self, acme): ...         # the same CRM, changed as its users change it

The class attributes say what the connector can do.
"""

# A test suite asserts.
# ruff: noqa: S101

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import ClassVar, Protocol, TypeAlias

import pytest

from pipelint.connectors.base import Change, Connector, OwnField, OwnFieldType, Page, WriteValue
from pipelint.errors import CursorUnreadable
from pipelint.records import RECORD_TYPES, Activity, ActivityLink, Record, Stage, Stream

Key: TypeAlias = tuple[str, ...]
State: TypeAlias = dict[Key, Record]


class Behind(Protocol):
    """The data behind a connector, changed the way people change it in the CRM."""

    def create(self, stream: Stream) -> str:
        """Add a record; its id, as the connector will give it."""

    def change(self, stream: Stream, record: str) -> None:
        """Give a record another value in a field that is pulled, each time a new one."""

    def delete(self, stream: Stream, record: str) -> None:
        """Delete a record, and what the CRM deletes with it."""


def key_of(record: Record) -> Key:
    """What makes a record one of its kind."""
    if isinstance(record, ActivityLink):
        return ("link", *record)
    if isinstance(record, Stage):
        return ("stage", record.pipeline, record.id)
    return (type(record).__name__, record.id)


def settle(state: State, pages: Iterable[Page]) -> State:
    """The state after pages were stored, as the engine stores them; `state` itself is left alone."""
    state = dict(state)
    seen: set[Key] | None = None
    for page in pages:
        if page.begins_full:
            seen = set()
        _forget_links(state, {record.id for record in page.records if isinstance(record, Activity)})
        _forget_children(state, page.stream, set(page.parents))
        for record in page.records:
            state[key_of(record)] = record
            if seen is not None:
                seen.add(key_of(record))
        gone = set(page.deleted)
        _forget_links(state, gone)
        for key in [key for key, record in state.items() if getattr(record, "id", None) in gone]:
            del state[key]
        if page.ends_full and seen is not None:
            state = {key: record for key, record in state.items() if key in seen}
    return state


def _forget_links(state: State, activities: set[str]) -> None:
    for key in [k for k, r in state.items() if isinstance(r, ActivityLink) and r.activity in activities]:
        del state[key]


def _forget_children(state: State, stream: Stream, parents: set[str]) -> None:
    kind = RECORD_TYPES[stream]
    for key in [
        k for k, r in state.items() if isinstance(r, kind) and getattr(r, "opportunity", "") in parents
    ]:
        del state[key]


class ConnectorContract:
    """Inherit, give the fixtures `connector` and `behind`, and say what can be changed and written."""

    changing: ClassVar[Sequence[Stream]] = ()
    """Streams whose records `behind` can create and change."""

    deleting: ClassVar[Sequence[Stream]] = ()
    """Streams whose records `behind` can delete."""

    custom: ClassVar[Mapping[Stream, Sequence[str]]] = {}
    """Custom fields to pull, by the CRM's API names."""

    own: ClassVar[Sequence[OwnField]] = ()
    """Fields of ours on one kind of record; empty where the connector only reads."""

    written: ClassVar[Stream] = Stream.OPPORTUNITIES
    """The stream whose records carry them."""

    unknown_id: ClassVar[str] = ""
    """A well-formed id that no record has."""

    def pages(self, connector: Connector, stream: Stream, cursor: str | None = None) -> list[Page]:
        """All pages of one pull; there is always one."""
        pages = list(connector.pull(stream, cursor, self.custom.get(stream, ())))
        assert pages, f"a pull of {stream} must end with a page, empty or not"
        assert {page.stream for page in pages} == {stream}
        return pages

    def full(self, connector: Connector, stream: Stream) -> State:
        return settle({}, self.pages(connector, stream))

    # Reading

    def test_a_place_that_another_version_kept_is_told_or_everything_is_delivered(
        self, connector: Connector
    ) -> None:
        for stream in connector.streams():
            try:
                pages = self.pages(connector, stream, '{"kept": "by another version"}')
            except CursorUnreadable:
                continue
            assert pages[0].begins_full, stream

    def test_full_pull_is_marked_and_repeatable(self, connector: Connector) -> None:
        for stream in connector.streams():
            pages = self.pages(connector, stream)
            assert pages[0].begins_full, stream
            assert pages[-1].ends_full, stream
            assert not any(page.begins_full for page in pages[1:]), stream
            assert not any(page.ends_full for page in pages[:-1]), stream
            assert settle({}, pages) == self.full(connector, stream), stream

    def test_records_are_of_the_streams_type_and_unique(self, connector: Connector) -> None:
        for stream in connector.streams():
            types = {RECORD_TYPES[stream]} | ({ActivityLink} if stream is Stream.ACTIVITIES else set())
            keys: set[Key] = set()
            for page in self.pages(connector, stream):
                for record in page.records:
                    assert type(record) in types
                    assert key_of(record) not in keys, f"{stream}: {key_of(record)} twice"
                    keys.add(key_of(record))

    def test_instants_are_utc(self, connector: Connector) -> None:
        for stream in connector.streams():
            for record in self.full(connector, stream).values():
                for value in (*record, *getattr(record, "custom", {}).values()):
                    if isinstance(value, datetime):
                        assert value.utcoffset() == timedelta(0), (stream, record)

    def test_nothing_is_pulled_that_supply_does_not_list(self, connector: Connector) -> None:
        for stream in connector.streams():
            supplies = {stream: connector.supply(stream, self.custom.get(stream, ()))}
            if stream is Stream.ACTIVITIES:
                supplies[Stream.ACTIVITY_LINKS] = connector.supply(Stream.ACTIVITY_LINKS, ())
            by_type = {RECORD_TYPES[stream]: supply for stream, supply in supplies.items()}
            for supply in supplies.values():
                assert supply.fields <= set(RECORD_TYPES[supply.stream]._fields), stream
            for record in self.full(connector, stream).values():
                supply = by_type[type(record)]
                values = record._asdict()
                assert set(values.pop("custom", {})) <= supply.custom, (stream, record)
                filled = {name for name, value in values.items() if value is not None}
                assert filled <= supply.fields, (stream, filled - supply.fields)

    def test_pull_without_changes_changes_nothing(self, connector: Connector) -> None:
        for stream in connector.streams():
            pages = self.pages(connector, stream)
            state = settle({}, pages)
            assert settle(state, self.pages(connector, stream, pages[-1].cursor)) == state, stream

    def test_any_page_is_a_place_to_continue_from(self, connector: Connector) -> None:
        for stream in connector.streams():
            pages = self.pages(connector, stream)
            whole = settle({}, pages)
            for cut in range(1, len(pages)):
                rest = self.pages(connector, stream, pages[cut - 1].cursor)
                assert settle({}, [*pages[:cut], *rest]) == whole, f"{stream} cut after page {cut}"

    # Following changes

    def test_changes_are_pulled_and_nothing_else(self, connector: Connector, behind: Behind) -> None:
        for stream in self.changing:
            before = self.pages(connector, stream)
            state = settle({}, before)
            changed = _ids(state)[0]
            behind.change(stream, changed)
            created = behind.create(stream)
            after = self.pages(connector, stream, before[-1].cursor)
            assert settle(state, after) == self.full(connector, stream), stream
            if not any(page.begins_full for page in after):
                delivered = _ids(settle({}, after))
                assert set(delivered) == {changed, created}, stream

    def test_deleted_records_are_reported(self, connector: Connector, behind: Behind) -> None:
        for stream in self.deleting:
            before = self.pages(connector, stream)
            state = settle({}, before)
            gone = _ids(state)[0]
            behind.delete(stream, gone)
            after = settle(state, self.pages(connector, stream, before[-1].cursor))
            assert gone not in _ids(after), stream
            assert after == self.full(connector, stream), stream

    def test_changes_over_several_pulls_end_like_a_full_pull(
        self, connector: Connector, behind: Behind
    ) -> None:
        for stream in self.changing:
            pages = self.pages(connector, stream)
            state = settle({}, pages)
            for turn in range(3):
                ids = _ids(state)
                for record in ids[turn : turn + 3]:
                    behind.change(stream, record)
                behind.create(stream)
                if stream in self.deleting:
                    behind.delete(stream, ids[-1])
                pages = self.pages(connector, stream, pages[-1].cursor)
                state = settle(state, pages)
            assert state == self.full(connector, stream), stream

    # Setting up and writing

    def test_setup_is_idempotent(self, connector: Connector) -> None:
        self._set_up(connector)
        steps = connector.plan_setup(self.own)
        assert {step.action for step in steps} == {"ready"}
        for step in steps:
            connector.apply_setup(step)
        assert {step.action for step in connector.plan_setup(self.own)} == {"ready"}

    def test_fields_are_seen_after_setup(self, connector: Connector) -> None:
        self._set_up(connector)
        infos = connector.fields(self.own[0].kind)
        # Where the CRM makes keys of its own, a field of ours is known by its label.
        seen = {info.label: info for info in infos} | {info.name: info for info in infos}
        for own in self.own:
            assert seen[own.name].writable, own.name

    def test_written_values_are_read_back_normalised(self, connector: Connector) -> None:
        ids = self._set_up(connector)[:3]
        values = {own.name: _sample(own) for own in self.own}
        self._write(connector, ids, values)
        self._reads(connector, ids, values)

    def test_writing_twice_does_no_harm(self, connector: Connector) -> None:
        ids = self._set_up(connector)[:3]
        values = {own.name: _sample(own) for own in self.own}
        for _ in range(2):
            self._write(connector, ids, values)
            self._reads(connector, ids, values)

    def test_none_clears(self, connector: Connector) -> None:
        ids = self._set_up(connector)[:1]
        self._write(connector, ids, {own.name: _sample(own) for own in self.own})
        cleared: dict[str, WriteValue] = {own.name: None for own in self.own}
        self._write(connector, ids, cleared)
        self._reads(connector, ids, cleared)

    def test_unknown_id_is_gone_and_holds_up_nobody(self, connector: Connector) -> None:
        known = self._set_up(connector)[0]
        values = {self.own[0].name: _sample(self.own[0])}
        kind = self.own[0].kind
        changes = [Change(kind, id_, values) for id_ in (self.unknown_id, known)]
        outcomes = {outcome.id: outcome.status for outcome in connector.write(changes)}
        assert outcomes == {self.unknown_id: "gone", known: "written"}
        assert [id_ for id_, _ in connector.read(kind, [self.unknown_id], [self.own[0].name])] == []

    def _set_up(self, connector: Connector) -> list[str]:
        """Our fields made; the ids of the records that carry them."""
        if not self.own:
            pytest.skip("this connector only reads")
        for step in connector.plan_setup(self.own):
            assert step.action != "conflict", step
            connector.apply_setup(step)
        return _ids(self.full(connector, self.written))

    def _write(self, connector: Connector, ids: Sequence[str], values: Mapping[str, WriteValue]) -> None:
        outcomes = list(connector.write([Change(self.own[0].kind, id_, values) for id_ in ids]))
        assert sorted(outcome.id for outcome in outcomes) == sorted(ids), "one outcome for each change"
        assert {outcome.status for outcome in outcomes} == {"written"}, outcomes

    def _reads(self, connector: Connector, ids: Sequence[str], values: Mapping[str, WriteValue]) -> None:
        kind = self.own[0].kind
        wanted = {name: connector.normalised(kind, name, value) for name, value in values.items()}
        stored = dict(connector.read(kind, ids, list(values)))
        assert stored == dict.fromkeys(ids, wanted)


def _ids(state: State) -> list[str]:
    """The ids in a state, links apart, in a fixed order."""
    return sorted({record.id for record in state.values() if not isinstance(record, ActivityLink)})


def _sample(own: OwnField) -> WriteValue:
    """A value that shows what a CRM does to it: blanks at the end, more digits than a field keeps."""
    samples: dict[OwnFieldType, WriteValue] = {
        OwnFieldType.FLAGS: own.choices[:2],
        OwnFieldType.CHOICE: own.choices[0] if own.choices else None,
        OwnFieldType.TEXT: "Prochaine étape en retard  ",
        OwnFieldType.LONG_TEXT: "first line\nsecond line",
        OwnFieldType.NUMBER: Decimal(72),
        OwnFieldType.DATE: date(2026, 11, 20),
    }
    return samples[own.type]
