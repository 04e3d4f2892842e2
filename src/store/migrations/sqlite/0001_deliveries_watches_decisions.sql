-- Instants are milliseconds since 1970, UTC.

CREATE TABLE deliveries (
    id          INTEGER PRIMARY KEY,
    account     TEXT    NOT NULL,
    ticket      INTEGER NOT NULL,
    key         TEXT,               -- what a repeat of the same delivery shares with it
    kind        TEXT    NOT NULL,
    received_at INTEGER NOT NULL
);
CREATE UNIQUE INDEX deliveries_once ON deliveries (account, key) WHERE key IS NOT NULL;
CREATE INDEX deliveries_of_ticket ON deliveries (account, ticket);

CREATE TABLE watches (
    account     TEXT    NOT NULL,
    ticket      INTEGER NOT NULL,
    state       TEXT    NOT NULL,   -- due, idle, dead, stopped
    due_at      INTEGER,            -- with state due
    why         TEXT,               -- with state dead or stopped
    lease       TEXT,               -- who has it in hand
    lease_until INTEGER,
    failures    INTEGER NOT NULL DEFAULT 0,
    marks       INTEGER NOT NULL DEFAULT 0,  -- how often it was marked due
    last_error  TEXT,
    PRIMARY KEY (account, ticket)
) WITHOUT ROWID;
CREATE INDEX watches_due ON watches (account, due_at) WHERE state = 'due';

CREATE TABLE decisions (
    id          INTEGER PRIMARY KEY,
    account     TEXT    NOT NULL,
    ticket      INTEGER NOT NULL,
    reference   TEXT    NOT NULL,   -- the short id its note carries
    decided_at  INTEGER NOT NULL,
    verdict     TEXT    NOT NULL,
    fingerprint TEXT    NOT NULL,
    decision    TEXT    NOT NULL,   -- JSON
    note        TEXT    NOT NULL,
    carried     TEXT    NOT NULL,   -- open, posted, shadow, overtaken
    UNIQUE (account, ticket, reference)
);
