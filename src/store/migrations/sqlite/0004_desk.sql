-- What lists sort and find tickets by, beside the newest decision's verdict, and who has a ticket in hand.
ALTER TABLE watches ADD COLUMN deadline INTEGER;                          -- when the time runs out, where something says so
ALTER TABLE watches ADD COLUMN locked_out INTEGER NOT NULL DEFAULT 0;     -- 1 where the newest decision says so of the customer
ALTER TABLE watches ADD COLUMN organization TEXT;                         -- by name
ALTER TABLE watches ADD COLUMN hand TEXT;                                 -- taken, done
ALTER TABLE watches ADD COLUMN hand_who TEXT;                             -- with hand
ALTER TABLE watches ADD COLUMN hand_at INTEGER;                           -- with hand
UPDATE watches SET deadline = valid_until;
CREATE INDEX watches_standing ON watches (verdict, (deadline IS NULL), deadline, decided_at, account, ticket, hand)
    WHERE state IN ('due', 'idle') AND verdict IS NOT NULL;
CREATE INDEX watches_locked_out ON watches ((deadline IS NULL), deadline, decided_at, account, ticket)
    WHERE state IN ('due', 'idle') AND locked_out = 1;
CREATE INDEX watches_done ON watches (hand_at, account, ticket) WHERE hand = 'done';

-- Why a policy was put in force, and who asked for it where that takes two.
ALTER TABLE promotions ADD COLUMN why TEXT;
ALTER TABLE promotions ADD COLUMN asked_by TEXT;

-- Promotions that wait for a second person.
CREATE TABLE proposals (
    policy   TEXT    NOT NULL PRIMARY KEY,   -- the hash of what is to come into force
    former   TEXT    NOT NULL,               -- the hash of what was in force then
    at       INTEGER NOT NULL,
    who      TEXT    NOT NULL,
    why      TEXT,
    backtest TEXT                            -- JSON
) WITHOUT ROWID;
