-- Testing events: what is registered, planned, played and graded (record), who
-- did what (trail), and sealed evidence (octets). seq numbers the changes of the
-- whole store, so that pages read only what is new.
CREATE TABLE projectathon_record (
	kind    TEXT   NOT NULL,
	id      TEXT   NOT NULL,
	event   TEXT   NOT NULL,
	seq     BIGINT NOT NULL,
	version BIGINT NOT NULL,
	owed    BIGINT NOT NULL,
	doc     TEXT   NOT NULL,
	PRIMARY KEY (kind, id)
);
CREATE UNIQUE INDEX projectathon_record_seq ON projectathon_record (seq);
CREATE INDEX projectathon_record_event ON projectathon_record (event, seq);
CREATE INDEX projectathon_record_owed ON projectathon_record (seq) WHERE owed = 1;
CREATE TABLE projectathon_trail (
	n     {{key}} NOT NULL PRIMARY KEY,
	at    BIGINT NOT NULL,
	party TEXT   NOT NULL,
	post  TEXT   NOT NULL,
	event TEXT   NOT NULL,
	what  TEXT   NOT NULL,
	subject TEXT NOT NULL,
	note  TEXT   NOT NULL
);
CREATE INDEX projectathon_trail_event ON projectathon_trail (event, n);
CREATE TABLE projectathon_octets (
	digest {{blob}} NOT NULL PRIMARY KEY,
	sealed {{blob}} NOT NULL
);
