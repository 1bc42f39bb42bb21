-- Sealed rows of exchanges: conversations, exchanges, previews, the log. What
-- stands beside a body is no personal data.
CREATE TABLE exchange_row (
	kind    TEXT   NOT NULL,
	id      TEXT   NOT NULL,
	state   TEXT   NOT NULL,
	made_at BIGINT NOT NULL,
	body    {{blob}} NOT NULL,
	PRIMARY KEY (kind, id)
);
CREATE INDEX exchange_row_made ON exchange_row (kind, made_at, id);

-- Identifiers and blind indexes by which a row is found again.
CREATE TABLE exchange_key (
	kind    TEXT   NOT NULL,
	name    TEXT   NOT NULL,
	made_at BIGINT NOT NULL,
	id      TEXT   NOT NULL,
	PRIMARY KEY (kind, name, made_at, id)
);
CREATE INDEX exchange_key_row ON exchange_key (kind, id);

-- Clocks and answers to give; due is also the lease.
CREATE TABLE exchange_task (
	id      TEXT   NOT NULL PRIMARY KEY,
	due     BIGINT NOT NULL,
	attempt BIGINT NOT NULL
);
CREATE INDEX exchange_task_due ON exchange_task (due);
