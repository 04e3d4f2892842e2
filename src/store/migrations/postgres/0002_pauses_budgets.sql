CREATE TABLE pauses (
    account TEXT   NOT NULL PRIMARY KEY,
    by      TEXT   NOT NULL,        -- who paused it
    since   BIGINT NOT NULL
);

CREATE TABLE budgets (
    account     TEXT   NOT NULL PRIMARY KEY,
    spent_until BIGINT NOT NULL,    -- until when the calls already granted use up the budget
    held_until  BIGINT NOT NULL     -- until when the helpdesk wants no calls
);

-- One row that is written to see whether rows can be written.
CREATE TABLE readiness (
    one BOOLEAN PRIMARY KEY,
    at  TIMESTAMPTZ NOT NULL
);
