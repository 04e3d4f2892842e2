CREATE TABLE pauses (
    account TEXT    NOT NULL PRIMARY KEY,
    by      TEXT    NOT NULL,       -- who paused it
    since   INTEGER NOT NULL
) WITHOUT ROWID;
