-- What a candidate policy made of decisions, on the same ticket at the same time.
CREATE TABLE comparisons (
    id         INTEGER PRIMARY KEY,
    account    TEXT    NOT NULL,
    ticket     INTEGER NOT NULL,
    reference  TEXT    NOT NULL,   -- the decision of the policy in force
    decided_at INTEGER NOT NULL,
    policy     TEXT    NOT NULL,   -- the hash of the policy in force
    verdict    TEXT    NOT NULL,
    candidate  TEXT    NOT NULL,   -- the candidate's hash
    becomes    TEXT    NOT NULL,   -- the candidate's verdict
    difference TEXT,               -- JSON, where the verdicts differ
    UNIQUE (account, ticket, reference, candidate)
);
CREATE INDEX comparisons_counted ON comparisons (policy, candidate, verdict, becomes);
CREATE INDEX comparisons_differing ON comparisons (policy, candidate, id) WHERE difference IS NOT NULL;
CREATE INDEX comparisons_by_time ON comparisons (decided_at);

-- Policies that people put in force. Rows are only ever added; the newest says what is in force.
CREATE TABLE promotions (
    id        INTEGER PRIMARY KEY,
    at        INTEGER NOT NULL,
    who       TEXT    NOT NULL,
    policy    TEXT    NOT NULL REFERENCES policies,   -- in force from then on
    former    TEXT    NOT NULL REFERENCES policies,   -- in force until then
    undoes    INTEGER REFERENCES promotions,          -- with a step back: what it takes back
    backtest  TEXT                                    -- JSON: the backtest it was promoted on
);
