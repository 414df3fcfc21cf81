"""The cache's schema, in numbered steps that are applied once and never edited after a release."""

from __future__ import annotations

from sqlite_utils import Database, Migrations

from pipelint.engine.cache import touched, views
from pipelint.engine.cache.tables import table
from pipelint.records import Stream

migrations = Migrations("pipelint")


@migrations(name="0001_records")
def _records(db: Database) -> None:
    for stream in (each for each in Stream if each is not Stream.EXCHANGE_RATES):
        for statement in table(stream).create():
            db.execute(statement)


@migrations(name="0002_sync_state")
def _sync_state(db: Database) -> None:
    db.execute(
        """
        CREATE TABLE sync_state (
          connection TEXT NOT NULL,
          stream TEXT NOT NULL,
          cursor TEXT,              -- the connector's place to continue from
          supply TEXT,              -- JSON: what the rows hold; NULL until a first pull was complete
          pending TEXT,             -- JSON: number and supply of the full pull under way
          first_pull_at INTEGER,    -- end of the first full pull: differences are observed from here on
          last_pull_at INTEGER,     -- start of the last complete pull: what the CRM knew then is here
          last_full_at INTEGER,
          pull INTEGER NOT NULL,
          PRIMARY KEY (connection, stream)
        ) WITHOUT ROWID
        """
    )


@migrations(name="0003_runs")
def _runs(db: Database) -> None:
    for statement in (
        """
        CREATE TABLE run (
          id TEXT PRIMARY KEY, started_at INTEGER, finished_at INTEGER, as_of INTEGER,
          pack TEXT, pack_hash TEXT, mode TEXT, summary TEXT
        )
        """,
        """
        CREATE TABLE bit (
          connection TEXT, kind TEXT, name TEXT, bit INTEGER, PRIMARY KEY (connection, kind, name)
        )
        """,
        """
        CREATE TABLE verdict (
          connection TEXT, kind TEXT, record TEXT, word INTEGER,
          outcomes INTEGER,    -- two bits a rule: 0 clean, 1 flagged, 2 a field is blank, 3 not synced
          aside INTEGER,       -- two bits a rule: 0 not set aside, 1 in its time of grace, 2 waived, 3 hidden
          severities INTEGER,  -- two bits a rule: 1 info, 2 warning, 3 error; 0 unless flagged
          PRIMARY KEY (connection, kind, record, word)
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE finding_event (
          id INTEGER PRIMARY KEY, run TEXT, connection TEXT, kind TEXT, record TEXT, rule TEXT,
          event TEXT,  -- pending (in its time of grace), flagged, waived, hidden, severity, resolved, gone, renamed
          severity TEXT, day TEXT, at INTEGER, pack_hash TEXT,
          evidence TEXT  -- JSON: the tests that decided, the waiver or the rule that sets it aside
        )
        """,
        "CREATE INDEX finding_event_by_record ON finding_event (connection, kind, record, rule)",
        """
        CREATE TABLE recording (
          id INTEGER PRIMARY KEY, run TEXT, connection TEXT, kind TEXT,
          at INTEGER,         -- the moment that the records were judged at
          pulled_at INTEGER,  -- what the CRM knew then was judged
          pack_hash TEXT
        )
        """,
        "CREATE INDEX recording_by_kind ON recording (connection, kind)",
        "CREATE INDEX finding_event_waived ON finding_event (id) WHERE event = 'waived'",
        """
        CREATE TABLE waiver_seen (
          waiver TEXT PRIMARY KEY,  -- JSON: what it waives, why and by whom
          at INTEGER                -- when a run first recorded under it
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE journal (
          id INTEGER PRIMARY KEY, run TEXT, connection TEXT, kind TEXT, record TEXT, field TEXT,
          old TEXT, new TEXT,  -- JSON
          status TEXT,         -- sent, then written, refused, gone, unknown, or lost: read back as not there
          code TEXT, message TEXT, sent_at INTEGER, confirmed_at INTEGER
        )
        """,
        "CREATE INDEX journal_by_connection ON journal (connection, status)",
        "CREATE INDEX journal_by_record ON journal (run, connection, kind, record)",
        """
        CREATE TABLE shown (
          connection TEXT, kind TEXT, record TEXT,
          fields TEXT,  -- JSON: what our fields hold in the CRM, by its names; one that is not known is absent
          parts TEXT,   -- JSON: the flags that these values tell
          basis TEXT,   -- a digest of the data and the pack that they were made from
          ours INTEGER, -- 1: it tells something that we wrote
          PRIMARY KEY (connection, kind, record)
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE refusal (
          connection TEXT, kind TEXT, record TEXT,
          stamp INTEGER,  -- when the record had last been modified
          wanted TEXT,    -- JSON: the values that were refused
          code TEXT, message TEXT,
          PRIMARY KEY (connection, kind, record)
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE hold (
          connection TEXT PRIMARY KEY, run TEXT, at INTEGER  -- after an undo: write nothing until told to go on
        )
        """,
        """
        CREATE TABLE prepared (
          name TEXT PRIMARY KEY,  -- of the table, by its fingerprint
          connection TEXT, kind TEXT,
          seq INTEGER,      -- up to which of `touched` it is current
          at INTEGER,       -- the moment that it was last prepared for
          version INTEGER,  -- grows with every preparation, of all of it or of some records
          built INTEGER     -- the version at which all of it was prepared
        )
        """,
        "CREATE INDEX prepared_by_connection ON prepared (connection, kind)",
        """
        CREATE TABLE judged (  -- what the last run looked at: everything, then what was prepared again
          connection TEXT, kind TEXT,
          basis TEXT,       -- a digest of everything but the records that its answers rest on
          version INTEGER,  -- of the prepared table
          PRIMARY KEY (connection, kind)
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE owed (
          connection TEXT, kind TEXT, record TEXT,
          why TEXT,  -- write: planned, and not known to be written; lack: the CRM has no room for a value;
                     -- wait: time alone moved a text; look: somebody may have moved what it shows
          PRIMARY KEY (connection, kind, record)
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE refreshed (  -- the records of a prepared table that were prepared again, and when last
          name TEXT, record TEXT, version INTEGER, PRIMARY KEY (name, record)
        ) WITHOUT ROWID
        """,
    ):
        db.execute(statement)


@migrations(name="0004_past")
def _past(db: Database) -> None:
    for statement in (
        """
        CREATE TABLE undo_log (
          id INTEGER PRIMARY KEY, connection TEXT, stream TEXT,
          key TEXT,    -- JSON: the row's key without the connection
          at INTEGER, since INTEGER,  -- it happened then, or at least after `since`
          event TEXT,  -- came, changed, went
          was TEXT     -- JSON: column → value before; of a row that went the whole; NULL of one that came
        )
        """,
        "CREATE INDEX undo_log_by_moment ON undo_log (connection, stream, at)",
        """
        CREATE TABLE held (
          connection TEXT, stream TEXT,
          field TEXT,     -- canonical, or `custom.` and the CRM's name
          since INTEGER,  -- end of the full pull that first brought it
          until INTEGER,  -- last pull that brought it; NULL: it still comes
          PRIMARY KEY (connection, stream, field, since)
        ) WITHOUT ROWID
        """,
    ):
        db.execute(statement)


@migrations(name="0005_views")
def _views(db: Database) -> None:
    for name, query in views.VIEWS.items():
        db.create_view(name, query)


@migrations(name="0006_crm_schema")
def _crm_schema(db: Database) -> None:
    db.execute(
        """
        CREATE TABLE crm_schema (
          connection TEXT NOT NULL,
          what TEXT NOT NULL,      -- field, choice, pipeline or stage
          place TEXT NOT NULL,     -- the kind of a field, kind.field of a choice, the pipeline of a stage
          name TEXT NOT NULL,
          label TEXT NOT NULL,
          key TEXT NOT NULL,       -- the CRM's own id, which a rename leaves alone; '' where it has none
          since INTEGER NOT NULL,  -- the pull that saw it first
          gone INTEGER,            -- the pull that missed it first; NULL while it is there
          hidden INTEGER NOT NULL, -- 1: it is there, and the integration user cannot see it
          PRIMARY KEY (connection, what, place, name, label)
        ) WITHOUT ROWID
        """
    )


@migrations(name="0007_touched")
def _touched(db: Database) -> None:
    for statement in touched.TABLES:
        db.execute(statement)


@migrations(name="0008_exchange_rates")
def _exchange_rates(db: Database) -> None:
    for statement in table(Stream.EXCHANGE_RATES).create():
        db.execute(statement)


@migrations(name="0009_journal_of_a_record")
def _journal_of_a_record(db: Database) -> None:
    db.execute("CREATE INDEX journal_of_a_record ON journal (connection, kind, record, sent_at)")


@migrations(name="0010_stages_by_page")
def _stages_by_page(db: Database) -> None:
    for stream in ("opportunity", "stage_change"):
        for event in ("insert", "update"):
            db.execute(f"DROP TRIGGER IF EXISTS {stream}_stage_{event}")


@migrations(name="0011_contact_of_a_lead")
def _contact_of_a_lead(db: Database) -> None:
    if "contact" in db["lead"].columns_dict:
        return
    db.execute("ALTER TABLE lead ADD COLUMN contact TEXT")
    db.execute("CREATE INDEX lead_by_contact ON lead (connection, contact)")
    if "lead_note_update_update" in {
        trigger.name for trigger in db.triggers
    }:  # it compares the columns that it knew
        db.execute("DROP TRIGGER lead_note_update_update")
        touched.watch(db.conn)
