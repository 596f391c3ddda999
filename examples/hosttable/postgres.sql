-- What the library needs beside what was there (was.sql), on PostgreSQL. Tickets
-- that were there get a history of two lines (migrate.go), hence the 2.
ALTER TABLE tickets ADD COLUMN version BIGINT NOT NULL DEFAULT 2;
ALTER TABLE tickets ADD COLUMN due     TIMESTAMP;
ALTER TABLE tickets ADD COLUMN rest    JSON NOT NULL DEFAULT '{}'; -- as it was written, or records are not what the history says
CREATE INDEX tickets_due ON tickets (due) WHERE due IS NOT NULL;

INSERT INTO numbers VALUES ('history', 0);
CREATE TABLE ticket_history (
	seq     BIGINT PRIMARY KEY, -- the order of the commits
	event   TEXT NOT NULL UNIQUE,
	ticket  BIGINT NOT NULL REFERENCES tickets (no),
	version BIGINT NOT NULL,
	body    JSON NOT NULL, -- as it was written too, which jsonb would put in another order
	-- For the host's own queries:
	at      TEXT GENERATED ALWAYS AS (body ->> 'at') STORED,
	who     TEXT GENERATED ALWAYS AS (body -> 'actor' ->> 'id') STORED,
	action  TEXT GENERATED ALWAYS AS (body ->> 'action') STORED,
	UNIQUE (ticket, version) -- a second compare-and-set behind the first
);
