-- Times are milliseconds since 1970, UTC. Short columns come first: what stands behind a long text is read through it.

-- What the helpdesk told. An event is a hint: which ticket and why, no customer's words.
CREATE TABLE deliveries (
    id          INTEGER PRIMARY KEY,
    account     TEXT    NOT NULL,
    ticket      INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    kind        TEXT    NOT NULL,
    key         TEXT                -- what a repeat of the same delivery shares with it
);
-- A repeat is known among the deliveries of its ticket, of which the busy ones stay in memory.
CREATE UNIQUE INDEX deliveries_once ON deliveries (account, ticket, key);

-- The tickets being watched, each with what its newest decision says, for lists.
CREATE TABLE watches (
    account     TEXT    NOT NULL,
    ticket      INTEGER NOT NULL,
    state       TEXT    NOT NULL,   -- due, idle, dead, stopped
    due_at      INTEGER,            -- with state due
    lease       TEXT,               -- the fencing token of its holder
    lease_until INTEGER,
    failures    INTEGER NOT NULL DEFAULT 0,
    marks       INTEGER NOT NULL DEFAULT 0,  -- how often it was marked due
    looked_at   INTEGER,            -- when it was last read, by the helpdesk's clock
    verdict     TEXT,
    decided_at  INTEGER,
    valid_until INTEGER,
    subject     TEXT,
    why         TEXT,               -- with state dead or stopped
    last_error  TEXT,
    PRIMARY KEY (account, ticket)
) WITHOUT ROWID;
-- A delivery of a new ticket writes to every index its watch is in, so each holds only what is listed by it.
CREATE INDEX watches_due ON watches (account, due_at) WHERE state = 'due';
CREATE INDEX watches_in_hand ON watches (account, lease_until) WHERE state = 'due' AND lease IS NOT NULL;
CREATE INDEX watches_newest ON watches (decided_at, account, ticket) WHERE decided_at IS NOT NULL;
CREATE INDEX watches_asking ON watches (decided_at, account, ticket, state, verdict)
    WHERE verdict = 'needs_facts' AND state IN ('due', 'idle');
CREATE INDEX watches_flipping ON watches (valid_until) WHERE state IN ('due', 'idle') AND valid_until IS NOT NULL;
CREATE INDEX watches_dead ON watches (decided_at, account, ticket) WHERE state = 'dead';
CREATE INDEX watches_stopped ON watches (decided_at, account, ticket) WHERE state = 'stopped';

-- Looks that failed.
CREATE TABLE failures (
    id      INTEGER PRIMARY KEY,
    account TEXT    NOT NULL,
    ticket  INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    error   TEXT    NOT NULL
);
CREATE INDEX failures_of_ticket ON failures (account, ticket);

CREATE TABLE decisions (
    id          INTEGER PRIMARY KEY,
    account     TEXT    NOT NULL,
    ticket      INTEGER NOT NULL,
    reference   TEXT    NOT NULL,   -- the short id its note carries
    decided_at  INTEGER NOT NULL,
    posted_at   INTEGER,            -- when its note was first known to stand on the ticket
    verdict     TEXT    NOT NULL,
    carried     TEXT    NOT NULL,   -- open, posted, shadow, overtaken
    kind        INTEGER NOT NULL,   -- decisions of one kind say the same, as far as reports count it: a hash
    opens       INTEGER,            -- once carried out: 1 where it is its ticket's first
    settles     INTEGER,            -- once carried out: 1 where it is its ticket's first verdict
    waited      INTEGER,            -- with settles: seconds from the ticket's first delivery to its note
    walked      TEXT    NOT NULL,   -- JSON: the nodes on its way
    fingerprint TEXT    NOT NULL,
    note        TEXT    NOT NULL,
    decision    TEXT    NOT NULL,   -- JSON
    basis       TEXT    NOT NULL,   -- JSON: what it was decided on
    UNIQUE (account, ticket, reference)
);
-- Pages of lists are found, and reports counted, in this index alone.
CREATE INDEX decisions_counted ON decisions (decided_at, id, kind, opens, settles, waited, verdict);
CREATE INDEX decisions_of_kind ON decisions (kind);

-- What people thought of decisions.
CREATE TABLE feedback (
    id         INTEGER PRIMARY KEY,
    account    TEXT    NOT NULL,
    ticket     INTEGER NOT NULL,
    reference  TEXT    NOT NULL,    -- the decision it speaks of
    verdict    TEXT    NOT NULL,    -- that decision's
    decided_at INTEGER NOT NULL,    -- that decision's
    key        TEXT    NOT NULL,    -- what the same opinion shares with itself when it is seen again
    opinion    TEXT    NOT NULL,    -- agree, disagree, corrected
    said_at    INTEGER NOT NULL,
    way        TEXT    NOT NULL,    -- reply, console, tag
    comment    INTEGER,             -- with way reply
    who        TEXT    NOT NULL,
    detail     TEXT    NOT NULL,    -- why, or the verdict it was corrected to
    UNIQUE (account, ticket, key)
);
CREATE INDEX feedback_of_decision ON feedback (account, ticket, reference, said_at);
CREATE INDEX feedback_by_time ON feedback (decided_at);

-- What a posted decision brings about elsewhere.
CREATE TABLE follow_ups (
    id          INTEGER PRIMARY KEY,
    account     TEXT    NOT NULL,
    ticket      INTEGER NOT NULL,
    reference   TEXT    NOT NULL,   -- the decision it follows
    kind        TEXT    NOT NULL,   -- star_issue, unlabel, escalation, about_to_flip, still_open
    destination TEXT    NOT NULL,   -- star_issue, chat
    state       TEXT    NOT NULL,   -- planned, due, done, moot, unclear, dead
    due_at      INTEGER,            -- with state due; with state planned: not before
    settled_at  INTEGER,
    told        TEXT,               -- what was done, why not, or what went wrong last
    failures    INTEGER NOT NULL DEFAULT 0,
    lease       TEXT,
    lease_until INTEGER,
    UNIQUE (account, ticket, reference, kind)
);
CREATE INDEX follow_ups_due ON follow_ups (destination, due_at) WHERE state = 'due';
CREATE INDEX follow_ups_stuck ON follow_ups (settled_at) WHERE state IN ('unclear', 'dead');

CREATE TABLE pauses (
    account TEXT    NOT NULL PRIMARY KEY,
    by      TEXT    NOT NULL,       -- who paused it
    since   INTEGER NOT NULL
) WITHOUT ROWID;

-- How far an account's calls are spent, and until when the helpdesk wants none.
CREATE TABLE budgets (
    account     TEXT    NOT NULL PRIMARY KEY,
    spent_until INTEGER NOT NULL,
    held_until  INTEGER NOT NULL
) WITHOUT ROWID;

-- Who did what at the console or the command line. Rows are only ever added.
CREATE TABLE operator_events (
    id      INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL,
    who     TEXT    NOT NULL,
    account TEXT,                   -- with a ticket
    ticket  INTEGER,
    did     TEXT    NOT NULL        -- JSON
);
CREATE INDEX operator_events_of_ticket ON operator_events (account, ticket) WHERE ticket IS NOT NULL;

-- What models made of texts, so that no text is sent twice.
CREATE TABLE vectors (
    model   TEXT NOT NULL,
    text    TEXT NOT NULL,          -- the text's SHA-256, in hex digits
    account TEXT    NOT NULL,       -- the ticket it was first made for
    ticket  INTEGER NOT NULL,
    kept_at INTEGER NOT NULL,
    vector  BLOB NOT NULL,          -- 32-bit floats, little-endian
    PRIMARY KEY (model, text)
) WITHOUT ROWID;
CREATE INDEX vectors_of_ticket ON vectors (account, ticket);
CREATE INDEX vectors_by_time ON vectors (kept_at);

-- The helpdesk's users the bot is or was: what an earlier one wrote is the bot's own.
CREATE TABLE own_users (
    account TEXT    NOT NULL,
    user_id INTEGER NOT NULL,
    PRIMARY KEY (account, user_id)
) WITHOUT ROWID;

-- Policies that were in force.
CREATE TABLE policies (
    hash    TEXT    NOT NULL PRIMARY KEY,
    since   INTEGER NOT NULL,       -- the last time it came into force
    binding TEXT    NOT NULL,
    diagram TEXT    NOT NULL
);

-- Policies that people put in force. Rows are only ever added; the newest says what is in force.
CREATE TABLE promotions (
    id       INTEGER PRIMARY KEY,
    at       INTEGER NOT NULL,
    who      TEXT    NOT NULL,
    policy   TEXT    NOT NULL REFERENCES policies,   -- in force from then on
    former   TEXT    NOT NULL REFERENCES policies,   -- in force until then
    undoes   INTEGER REFERENCES promotions,          -- with a step back: what it takes back
    backtest TEXT                                    -- JSON: the backtest it was promoted on
);

-- What a candidate policy made of decisions, on the same ticket at the same time.
CREATE TABLE comparisons (
    id         INTEGER PRIMARY KEY,
    account    TEXT    NOT NULL,
    ticket     INTEGER NOT NULL,
    reference  TEXT    NOT NULL,    -- the decision of the policy in force
    decided_at INTEGER NOT NULL,
    policy     TEXT    NOT NULL,    -- the hash of the policy in force
    verdict    TEXT    NOT NULL,
    candidate  TEXT    NOT NULL,    -- the candidate's hash
    becomes    TEXT    NOT NULL,    -- the candidate's verdict; empty where it could not be told
    difference TEXT,                -- JSON, where the verdicts differ
    UNIQUE (account, ticket, reference, candidate)
);
CREATE INDEX comparisons_counted ON comparisons (policy, candidate, verdict, becomes);
CREATE INDEX comparisons_differing ON comparisons (policy, candidate, id) WHERE difference IS NOT NULL;
CREATE INDEX comparisons_by_time ON comparisons (decided_at);

CREATE TABLE readiness (
    one INTEGER NOT NULL PRIMARY KEY,
    at  INTEGER NOT NULL
);
