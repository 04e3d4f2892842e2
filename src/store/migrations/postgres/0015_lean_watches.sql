-- A delivery of a new ticket writes to every index its watch is in, so those for lists hold only what is listed; across
-- accounts, which are few, a ticket's number and the oldest due are found in each.
DROP INDEX watches_newest;
CREATE INDEX watches_newest ON watches (decided_at, account, ticket) WHERE decided_at IS NOT NULL;
DROP INDEX watches_of_state;
CREATE INDEX watches_dead ON watches (decided_at DESC NULLS LAST, account DESC, ticket DESC) WHERE state = 'dead';
CREATE INDEX watches_stopped ON watches (decided_at DESC NULLS LAST, account DESC, ticket DESC) WHERE state = 'stopped';
DROP INDEX watches_of_number;
DROP INDEX watches_oldest_due;
