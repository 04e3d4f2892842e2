-- Counting open questions reads this index alone.
DROP INDEX watches_of_verdict;
CREATE INDEX watches_asking ON watches (decided_at, account, ticket, state, verdict) WHERE verdict = 'needs_facts' AND state IN ('due', 'idle');
