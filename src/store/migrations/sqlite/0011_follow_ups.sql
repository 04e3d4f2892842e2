-- What a posted decision brings about elsewhere.
CREATE TABLE follow_ups (
    id          INTEGER PRIMARY KEY,
    account     TEXT NOT NULL,
    ticket      INTEGER NOT NULL,
    reference   TEXT NOT NULL,      -- the decision it follows
    kind        TEXT NOT NULL,      -- star_issue, escalation, about_to_flip
    destination TEXT NOT NULL,      -- star_issue, chat
    state       TEXT NOT NULL,      -- planned, due, done, moot, unclear, dead
    due_at      INTEGER,                 -- with state due; with state planned: not before
    settled_at  INTEGER,
    told        TEXT,               -- what was done, why not, or what went wrong last
    failures    INTEGER NOT NULL DEFAULT 0,
    lease       TEXT,
    lease_until INTEGER,
    UNIQUE (account, ticket, reference, kind)
);
CREATE INDEX follow_ups_due ON follow_ups (destination, due_at) WHERE state = 'due';
CREATE INDEX follow_ups_stuck ON follow_ups (settled_at) WHERE state IN ('unclear', 'dead');
