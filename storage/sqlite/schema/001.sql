-- The schema of package storage/sqlite, version 1. Texts are as they were
-- given, times are microseconds since 1970 in UTC.

-- A space is the records of one practice for one tenant. Each row below
-- belongs to one space; no statement looks beyond its own.
CREATE TABLE itsm_space (
	space    INTEGER PRIMARY KEY,
	tenant   TEXT NOT NULL,
	practice TEXT NOT NULL,
	mark     TEXT NOT NULL, -- drawn at random; cursors carry it
	UNIQUE (tenant, practice)
) STRICT;

-- A record, in its latest version.
CREATE TABLE itsm_record (
	number  INTEGER PRIMARY KEY, -- the order of creation, which is that of lists
	space   INTEGER NOT NULL REFERENCES itsm_space (space),
	id      TEXT NOT NULL,
	version INTEGER NOT NULL,
	state   TEXT NOT NULL,
	due     INTEGER,       -- NULL if nothing will happen
	keys    TEXT NOT NULL, -- what itsm_key has for this record, as JSON
	body    TEXT NOT NULL, -- the record as JSON
	UNIQUE (space, id)
) STRICT;
CREATE INDEX itsm_record_all ON itsm_record (space, number);
CREATE INDEX itsm_record_state ON itsm_record (space, state, number);
CREATE INDEX itsm_record_due ON itsm_record (space, due, number) WHERE due IS NOT NULL;

-- The keys by which records are listed.
CREATE TABLE itsm_key (
	space  INTEGER NOT NULL,
	field  TEXT NOT NULL,
	value  TEXT NOT NULL,
	number INTEGER NOT NULL REFERENCES itsm_record (number),
	PRIMARY KEY (space, field, value, number)
) STRICT, WITHOUT ROWID;

-- The history: the audit trail of each record, and the feed of its space. Rows
-- are added, and never changed.
CREATE TABLE itsm_event (
	seq        INTEGER PRIMARY KEY, -- the order of the commits: one transaction writes at a time
	space      INTEGER NOT NULL REFERENCES itsm_space (space),
	id         TEXT NOT NULL,
	practice   TEXT NOT NULL,
	record     TEXT NOT NULL,
	version    INTEGER NOT NULL,
	action     TEXT NOT NULL,
	from_state TEXT NOT NULL,
	to_state   TEXT NOT NULL,
	at         INTEGER NOT NULL,
	actor      TEXT NOT NULL,
	actor_name TEXT NOT NULL,
	cause      TEXT NOT NULL,
	data       TEXT, -- the action as JSON
	UNIQUE (space, id),
	UNIQUE (space, record, version) -- a second compare-and-set behind the first
) STRICT;
CREATE INDEX itsm_event_feed ON itsm_event (space, seq);
