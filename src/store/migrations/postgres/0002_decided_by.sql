-- Which policy decided a ticket last: its hash; empty where the ticket is to be decided anew whatever the policy, null
-- before its first decision. What an older version decided is decided anew once.
ALTER TABLE watches ADD COLUMN decided_by TEXT COLLATE "C";
UPDATE watches SET decided_by = '' WHERE verdict IS NOT NULL;
CREATE INDEX watches_decided_by ON watches (account, decided_by)
    WHERE decided_by IS NOT NULL AND state IN ('due', 'idle');
