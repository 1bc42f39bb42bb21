-- Sessions of people who have signed in, by the digest of their token.
CREATE TABLE session (
	token TEXT NOT NULL PRIMARY KEY,
	data  {{blob}} NOT NULL,
	until BIGINT NOT NULL
);
CREATE INDEX session_until ON session (until);
