-- Until when a helpdesk wants no calls of an account: it holds for whoever asks it next, after a restart too.
CREATE TABLE holds (
    account TEXT    NOT NULL PRIMARY KEY,
    until   INTEGER NOT NULL
) WITHOUT ROWID;
