-- What the library needs beside what was there. Tickets that were there get a
-- history of two lines (migrate.go), hence the 2.
ALTER TABLE tickets ADD COLUMN version INTEGER NOT NULL DEFAULT 2;
ALTER TABLE tickets ADD COLUMN due TEXT NOT NULL DEFAULT '';
ALTER TABLE tickets ADD COLUMN rest TEXT NOT NULL DEFAULT '{}';
CREATE INDEX tickets_due ON tickets (due) WHERE due > '';

CREATE TABLE ticket_history (
	seq     INTEGER PRIMARY KEY AUTOINCREMENT, -- the order of the commits
	event   TEXT NOT NULL UNIQUE,
	ticket  INTEGER NOT NULL REFERENCES tickets (no),
	version INTEGER NOT NULL,
	body    TEXT NOT NULL,
	-- For the host's own queries:
	at      TEXT AS (body ->> '$.at'),
	who     TEXT AS (body ->> '$.actor.id'),
	action  TEXT AS (body ->> '$.action'),
	UNIQUE (ticket, version) -- a second compare-and-set behind the first
);
