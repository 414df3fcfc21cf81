"""The file: who may read it, what is refused, what survives."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from stat import S_IMODE

import pytest

from pipelint.engine.cache.sqlite import SCHEMA_VERSION, Cache
from pipelint.engine.cache.touched import watch
from pipelint.engine.cache.views import VIEWS
from pipelint.errors import CacheUnusable, ExitCode
from pipelint.records import (
    Account,
    Activity,
    ActivityLink,
    Contact,
    ContactRole,
    Lead,
    Opportunity,
    Owner,
    Stage,
    StageChange,
    Stream,
)
from tests.engine.cache.crm import CRM, START, dump, hour, page, pulled, rows, supply

DEALS = Stream.OPPORTUNITIES


@pytest.fixture
def path(tmp_path):
    return tmp_path / ".pipelint" / "cache.db"


def test_the_cache_is_for_its_owner_only(path):
    Cache.open(path).close()
    assert S_IMODE(path.stat().st_mode) == 0o600
    assert S_IMODE(path.parent.stat().st_mode) == 0o700


def test_what_is_stored_is_there_after_a_restart(path):
    with Cache.open(path) as cache:
        pulled(cache, page(DEALS, Opportunity("1", START, name="A"), cursor="there"))
        before, supplied = dump(cache), cache.supply(CRM)
    with Cache.open(path) as cache:
        assert dump(cache) == before
        assert cache.supply(CRM) == supplied
        assert cache.cursor(CRM, DEALS) == "there"
        assert cache.begin_pull(CRM) == 2
        assert cache.verify() == []


def test_opening_an_existing_cache_does_not_import_sqlite_utils(path):
    Cache.open(path).close()
    program = (
        "import sys; from pathlib import Path; from pipelint.engine.cache.sqlite import Cache; "
        f"Cache.open(Path({str(path)!r})).close(); sys.exit('sqlite_utils' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_readers_do_not_wait_for_a_writer(path):
    with Cache.open(path) as writer, Cache.open(path) as reader, writer.transaction() as db:
        db.execute("DELETE FROM opportunity")
        assert reader.counts() == {}


def test_an_interrupted_migration_is_continued(path):
    Cache.open(path).close()
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 0")
    with Cache.open(path) as cache:
        assert cache.db.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)


def test_a_cache_from_before_leads_had_a_contact_takes_it_up(path):
    with Cache.open(path) as cache:
        watch(cache.db)
        cache.db.execute("DROP TRIGGER lead_note_update_update")
        cache.db.execute("DROP INDEX lead_by_contact")
        cache.db.execute("ALTER TABLE lead DROP COLUMN contact")
        cache.db.execute("CREATE TRIGGER lead_note_update_update AFTER UPDATE ON lead BEGIN SELECT 1; END")
        cache.db.execute("DELETE FROM _sqlite_migrations WHERE name = '0011_contact_of_a_lead'")
        cache.db.execute("PRAGMA user_version = 10")
        cache.db.commit()
    with Cache.open(path) as cache:
        pulled(cache, page(Stream.LEADS, Lead("1", START, name="A", contact="2", custom={"x": "y"})))
        pulled(cache, page(Stream.LEADS, Lead("1", START, name="B", contact="3", custom={"x": "z"})))
        assert rows(cache, "SELECT id, name, contact, custom FROM lead") == [("1", "B", "3", '{"x":"z"}')]
        [(trigger,)] = rows(cache, "SELECT sql FROM sqlite_master WHERE name = 'lead_note_update_update'")
        assert 'OLD."contact" IS NOT NEW."contact"' in str(trigger)


def refused(path) -> CacheUnusable:
    with pytest.raises(CacheUnusable) as caught:
        Cache.open(path)
    assert caught.value.exit_code is ExitCode.UNREACHABLE
    assert caught.value.hint
    assert str(path) in caught.value.message
    return caught.value


def test_a_file_that_is_no_database_is_refused(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("Call the buyer. " * 100)
    assert "is not a database" in refused(path).message
    assert path.read_text().startswith("Call")


def test_the_database_of_another_program_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE photo (id)")
    before = path.read_bytes()
    assert "another program" in refused(path).message
    assert path.read_bytes() == before


def test_a_cache_of_a_newer_version_is_refused(path):
    Cache.open(path).close()
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    assert "newer pipelint" in refused(path).message


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    refused(tmp_path / "file" / "cache.db")


def test_a_folder_in_place_of_the_file_is_told(tmp_path):
    refused(tmp_path)


def test_a_damaged_file_is_told(path):
    with Cache.open(path) as cache:
        pulled(cache, page(DEALS, *(Opportunity(str(i), START, name="x" * 500) for i in range(500))))
    with path.open("r+b") as file:
        file.seek(8192)
        file.write(b"\xff" * (path.stat().st_size - 8192))
    with pytest.raises(CacheUnusable, match="is damaged"), Cache.open(path) as cache:
        pulled(cache, page(DEALS, Opportunity("1", START)))


def test_verify_says_what_is_wrong(path):
    with Cache.open(path) as cache:
        pulled(cache, page(DEALS, Opportunity("1", START, owner="ann")))
        cache.db.execute("PRAGMA writable_schema = ON")
        cache.db.execute(
            """
            UPDATE sqlite_master SET sql = replace(sql, 'owner)', 'name)')
            WHERE name = 'opportunity_by_owner'
            """
        )
    with Cache.open(path) as cache:
        assert cache.verify()


def failing(cache: Cache, like: str) -> None:
    """A page fails with this message, and nothing of it is stored."""
    before = dump(cache), cache.cursor(CRM, DEALS)
    many = page(DEALS, *(Opportunity(str(i), hour(1), name="x" * 1000) for i in range(500)), cursor="later")
    with pytest.raises(CacheUnusable, match=like) as caught:
        cache.store(CRM, many, supply(DEALS), 2, hour(1))
    assert caught.value.hint
    assert (dump(cache), cache.cursor(CRM, DEALS)) == before


@pytest.fixture
def filled(path):
    with Cache.open(path) as cache:
        pulled(cache, page(DEALS, Opportunity("1", START), cursor="there"))
        yield cache


def test_a_full_disk_keeps_what_was_stored(filled):
    [pages] = filled.db.execute("PRAGMA page_count").fetchone()
    filled.db.execute(f"PRAGMA max_page_count = {pages + 5}")
    failing(filled, "disk is full")
    filled.db.execute("PRAGMA max_page_count = 100000")
    pulled(filled, page(DEALS, Opportunity("2", START)))
    assert filled.counts()[CRM][DEALS] == 2


def test_a_cache_that_may_not_be_written_is_told(filled):
    filled.db.execute("PRAGMA query_only = ON")
    failing(filled, "may not be written")


def test_a_cache_that_another_program_is_writing_to_is_told(path, filled):
    filled.db.execute("PRAGMA busy_timeout = 0")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        failing(filled, "in use by another program")


def test_a_mistake_of_ours_is_not_blamed_on_the_file(filled):
    with pytest.raises(sqlite3.OperationalError, match="no such table"), filled.transaction() as db:
        db.execute("DELETE FROM nowhere")


def test_views_read_like_reports(path):
    with Cache.open(path) as cache:
        pulled(cache, page(Stream.OWNERS, Owner("u", START, name="Ann")))
        pulled(cache, page(Stream.STAGES, Stage("s1", "", label="Open"), Stage("s2", "", label="Offer")))
        pulled(cache, page(Stream.ACCOUNTS, Account("a", START, name="Acme", owner="u")))
        pulled(cache, page(Stream.CONTACTS, Contact("c", START, name="Zoe", account="a")))
        deal = Opportunity("o", START, name="Deal", stage="s2", owner="u", account="a", url="https://crm/o")
        pulled(cache, page(DEALS, deal))
        pulled(cache, page(Stream.CONTACT_ROLES, ContactRole("r", START, "o", "c", role="Buyer")))
        pulled(cache, page(Stream.STAGE_CHANGES, StageChange("m", "o", "s1", "s2", hour(3), by="u")))
        call = Activity("v", START, type="call", happened_at=hour(2), owner="u")
        pulled(cache, page(Stream.ACTIVITIES, call, ActivityLink("account", "a", "v")))
        for name in VIEWS:
            rows(cache, f"SELECT * FROM {name}")
        assert rows(cache, "SELECT name, account, owner, stage, modified_at, url FROM opportunities") == [
            ("Deal", "Acme", "Ann", "Offer", "2026-01-01T00:00:00Z", "https://crm/o")
        ]
        assert rows(cache, "SELECT name, owner, opportunities FROM accounts") == [("Acme", "Ann", 1)]
        assert rows(cache, "SELECT name, account FROM contacts") == [("Zoe", "Acme")]
        assert rows(cache, "SELECT opportunity, contact, role FROM contact_roles") == [
            ("Deal", "Zoe", "Buyer")
        ]
        assert rows(cache, 'SELECT opportunity, at, from_stage, to_stage, "by" FROM stage_history') == [
            ("Deal", "2026-01-01T03:00:00Z", "Open", "Offer", "Ann")
        ]
        assert rows(cache, "SELECT record, via, happened_at, owner FROM activities ORDER BY via DESC") == [
            ("Acme", "direct", "2026-01-01T02:00:00Z", "Ann"),
            ("Deal", "account", "2026-01-01T02:00:00Z", "Ann"),
        ]


def test_the_findings_view_shows_the_last_word_on_each_rule(path):
    with Cache.open(path) as cache:
        pulled(cache, page(DEALS, Opportunity("o", START, name="Deal")))
        for event in ("flagged", "resolved"):
            cache.db.execute(
                "INSERT INTO finding_event (connection, kind, record, rule, event) VALUES (?, ?, ?, ?, ?)",
                (CRM, "opportunity", "o", "close-date-past", event),
            )
        assert rows(cache, "SELECT name, rule, event FROM findings") == [
            ("Deal", "close-date-past", "resolved")
        ]
