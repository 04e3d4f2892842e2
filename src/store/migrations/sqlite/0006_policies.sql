-- Policies that were in force.
CREATE TABLE policies (
    hash    TEXT    PRIMARY KEY,
    since   INTEGER NOT NULL,       -- the last time it came into force
    binding TEXT    NOT NULL,
    diagram TEXT    NOT NULL
);
