-- What readers ask to have corrected, and what was decided of it.
CREATE TABLE correction (
	id         TEXT   NOT NULL PRIMARY KEY,
	at         BIGINT NOT NULL,
	what       TEXT   NOT NULL,
	place      TEXT   NOT NULL,
	evidence   TEXT   NOT NULL,
	email      TEXT   NOT NULL,
	decided_at BIGINT NOT NULL,
	decided_by TEXT   NOT NULL,
	outcome    TEXT   NOT NULL,
	answer     TEXT   NOT NULL
);
