-- Messages for which a reader of the validator asked for a link. digest is that
-- of the link; sealed can be opened by the link alone; until is when it is gone.
CREATE TABLE validation (
	digest {{blob}} NOT NULL PRIMARY KEY,
	sealed {{blob}} NOT NULL,
	until  BIGINT NOT NULL
);
CREATE INDEX validation_until ON validation (until);
