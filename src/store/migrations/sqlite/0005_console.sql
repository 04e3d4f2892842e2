-- The ways decisions went, so that counts and lists need not read the decisions: a policy has few.
CREATE TABLE walks (
    id      INTEGER PRIMARY KEY,
    policy  TEXT NOT NULL,          -- the policy's hash
    verdict TEXT NOT NULL,
    nodes   TEXT NOT NULL,          -- JSON: the nodes on the way, in order
    UNIQUE (policy, verdict, nodes)
);

-- How many decisions went which way on which day.
CREATE TABLE tallies (
    day       INTEGER NOT NULL,     -- days since 1970, UTC
    walk      INTEGER NOT NULL REFERENCES walks,
    decisions INTEGER NOT NULL,
    PRIMARY KEY (day, walk)
) WITHOUT ROWID;

ALTER TABLE decisions ADD COLUMN walk INTEGER REFERENCES walks;
ALTER TABLE decisions ADD COLUMN basis TEXT NOT NULL DEFAULT '{}';  -- JSON: what it was decided on
CREATE INDEX decisions_newest ON decisions (decided_at, id);
CREATE INDEX decisions_of_walk ON decisions (walk, decided_at, id);

-- What the newest decision says, for lists of tickets.
ALTER TABLE watches ADD COLUMN verdict TEXT;
ALTER TABLE watches ADD COLUMN decided_at INTEGER;
ALTER TABLE watches ADD COLUMN valid_until INTEGER;
ALTER TABLE watches ADD COLUMN subject TEXT;
CREATE INDEX watches_newest ON watches (decided_at, account, ticket);
CREATE INDEX watches_of_state ON watches (state, decided_at, account, ticket);
CREATE INDEX watches_of_verdict ON watches (verdict, decided_at, account, ticket) WHERE state IN ('due', 'idle');
CREATE INDEX watches_flipping ON watches (valid_until) WHERE state IN ('due', 'idle') AND valid_until IS NOT NULL;
CREATE INDEX watches_of_number ON watches (ticket);
CREATE INDEX watches_oldest_due ON watches (due_at) WHERE state = 'due';

-- Looks that failed.
CREATE TABLE failures (
    id      INTEGER PRIMARY KEY,
    account TEXT    NOT NULL,
    ticket  INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    error   TEXT    NOT NULL
);
CREATE INDEX failures_of_ticket ON failures (account, ticket);

-- Who did what at the console. Rows are only ever added.
CREATE TABLE operator_events (
    id      INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL,
    who     TEXT    NOT NULL,
    account TEXT,                   -- with a ticket
    ticket  INTEGER,
    did     TEXT    NOT NULL        -- JSON
);
CREATE INDEX operator_events_of_ticket ON operator_events (account, ticket) WHERE ticket IS NOT NULL;

-- Secrets the program makes for itself.
CREATE TABLE own_keys (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) WITHOUT ROWID;
