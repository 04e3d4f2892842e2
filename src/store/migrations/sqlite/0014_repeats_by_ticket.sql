-- A repeat speaks of the same ticket, so it is known among that ticket's own deliveries: an index in the order of tickets,
-- of which the busy ones stay in memory, and for as long as deliveries are kept.
UPDATE deliveries SET key = NULL WHERE EXISTS (
    SELECT 1 FROM deliveries AS earlier
    WHERE earlier.account = deliveries.account AND earlier.ticket = deliveries.ticket AND earlier.key = deliveries.key
        AND earlier.id < deliveries.id);
CREATE UNIQUE INDEX deliveries_once ON deliveries (account, ticket, key);
DROP INDEX deliveries_of_ticket;
DROP TABLE heard;
