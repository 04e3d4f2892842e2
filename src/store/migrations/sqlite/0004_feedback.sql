ALTER TABLE decisions ADD COLUMN posted_at INTEGER;   -- when its note was first known to stand on the ticket
CREATE INDEX decisions_by_time ON decisions (decided_at, id);

CREATE TABLE feedback (
    id        INTEGER PRIMARY KEY,
    account   TEXT    NOT NULL,
    ticket    INTEGER NOT NULL,
    reference TEXT    NOT NULL,   -- the decision it speaks of
    verdict   TEXT    NOT NULL,   -- that decision's
    decided_at INTEGER NOT NULL,  -- that decision's
    key       TEXT    NOT NULL,   -- what the same opinion shares with itself when it is seen again
    opinion   TEXT    NOT NULL,   -- agree, disagree, corrected
    detail    TEXT    NOT NULL,   -- why, or the verdict it was corrected to
    who       TEXT    NOT NULL,
    said_at   INTEGER NOT NULL,
    way       TEXT    NOT NULL,   -- reply, console, tag
    comment   INTEGER,            -- with way reply
    UNIQUE (account, ticket, key)
);
CREATE INDEX feedback_of_decision ON feedback (account, ticket, reference, said_at);
CREATE INDEX feedback_by_time ON feedback (decided_at);
