-- Tickets of a state are listed newest first, those never decided on last: in this order the index has them.
DROP INDEX watches_of_state;
CREATE INDEX watches_of_state ON watches (state, decided_at DESC NULLS LAST, account DESC, ticket DESC);
