-- Keys of deliveries by which repeats are known, for as long as the helpdesk could send them again: a small table that
-- stays in memory, where an index over all of history in no order did not.
CREATE TABLE heard (
    account TEXT    NOT NULL,
    week    BIGINT NOT NULL,        -- of seven days, since 1970, UTC
    key     TEXT    NOT NULL,
    PRIMARY KEY (account, week, key)
);
INSERT INTO heard SELECT account, received_at / 604800000, key FROM deliveries
WHERE key IS NOT NULL AND received_at / 604800000 >= (SELECT max(received_at) FROM deliveries) / 604800000 - 1;
DROP INDEX deliveries_once;

-- Tickets in hand, so that when the next is due is known without reading all that are.
CREATE INDEX watches_in_hand ON watches (account, lease_until) WHERE state = 'due' AND lease IS NOT NULL;
