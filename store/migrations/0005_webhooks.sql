-- Who is told of publications. told is the number of the last snapshot that is
-- settled for the hook; whatever was published after it is still to be told.
CREATE TABLE webhook (
	id         TEXT   NOT NULL PRIMARY KEY,
	owner      TEXT   NOT NULL,
	url        TEXT   NOT NULL,
	secret     TEXT   NOT NULL,
	created    BIGINT NOT NULL,
	told       BIGINT NOT NULL,
	attempt    BIGINT NOT NULL,
	due        BIGINT NOT NULL,
	last_error TEXT   NOT NULL
);
