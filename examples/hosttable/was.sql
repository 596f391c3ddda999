-- A help desk's tables as they have been for years, on SQLite or PostgreSQL.
CREATE TABLE tickets (
	no       BIGINT PRIMARY KEY,
	subject  TEXT NOT NULL,
	status   TEXT NOT NULL, -- open, dispatched, working, waiting, done, archived, void
	customer TEXT NOT NULL,
	agent    TEXT NOT NULL DEFAULT '',
	team     TEXT NOT NULL DEFAULT '',
	prio     INTEGER NOT NULL DEFAULT 0,
	opened   TIMESTAMP NOT NULL, -- UTC
	updated  TIMESTAMP NOT NULL
);
CREATE TABLE numbers (name TEXT PRIMARY KEY, last BIGINT NOT NULL);
CREATE TABLE contracts (customer TEXT PRIMARY KEY, tickets_left INTEGER NOT NULL);

INSERT INTO numbers VALUES ('ticket', 42);
INSERT INTO contracts VALUES ('acme', 5), ('globex', 1);
INSERT INTO tickets VALUES
	(40, 'Printer prints grey',   'archived', 'acme',   'mina', 'office', 4, '2026-02-20 10:12:00', '2026-02-24 16:00:00'),
	(41, 'VPN drops every hour',  'working',  'globex', 'mina', 'net',    2, '2026-02-27 08:30:00', '2026-02-27 09:05:00'),
	(42, 'Cannot open the wiki',  'open',     'acme',   '',     '',       3, '2026-03-02 08:41:00', '2026-03-02 08:41:00');
