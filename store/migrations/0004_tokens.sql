-- API tokens: never the token itself, only the digest of its text. scopes are
-- words with a blank between them.
CREATE TABLE token (
	id      TEXT     NOT NULL PRIMARY KEY,
	digest  {{blob}} NOT NULL UNIQUE,
	owner   TEXT     NOT NULL,
	scopes  TEXT     NOT NULL,
	created BIGINT   NOT NULL,
	expires BIGINT   NOT NULL,
	revoked BIGINT   NOT NULL
);
