-- When an event happened by the helpdesk's own word and clock; null where the sender does not say.
ALTER TABLE deliveries ADD COLUMN happened_at INTEGER;
-- With opens = 1, once carried out: milliseconds from the ticket's first event to its note.
ALTER TABLE decisions ADD COLUMN star_to_note INTEGER;
CREATE INDEX decisions_noted ON decisions (decided_at, star_to_note) WHERE star_to_note IS NOT NULL;
