ALTER TABLE watches ADD COLUMN looked_at BIGINT;  -- when it was last read, by the helpdesk's clock
