ALTER TABLE watches ADD COLUMN looked_at INTEGER;  -- when it was last read, by the helpdesk's clock
