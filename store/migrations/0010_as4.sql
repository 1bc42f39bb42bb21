-- Outgoing messages in the form in which they travel; due is also the lease.
CREATE TABLE as4_outgoing (
	message_id   TEXT   NOT NULL PRIMARY KEY,
	party_type   TEXT   NOT NULL,
	party        TEXT   NOT NULL,
	conversation TEXT   NOT NULL,
	envelope     {{blob}} NOT NULL,
	parts        TEXT   NOT NULL,
	state        TEXT   NOT NULL,
	created_at   BIGINT NOT NULL,
	due          BIGINT NOT NULL,
	tries        BIGINT NOT NULL,
	code         TEXT   NOT NULL,
	detail       TEXT   NOT NULL,
	receipt      {{blob}} NOT NULL
);
CREATE INDEX as4_outgoing_due ON as4_outgoing (due) WHERE state = 'queued';

-- Every try to deliver one.
CREATE TABLE as4_try (
	message_id TEXT   NOT NULL,
	number     BIGINT NOT NULL,
	at         BIGINT NOT NULL,
	status     BIGINT NOT NULL,
	code       TEXT   NOT NULL,
	detail     TEXT   NOT NULL,
	PRIMARY KEY (message_id, number)
);

-- Received messages: what makes a duplicate, with the receipt it gets again.
CREATE TABLE as4_received (
	party_type TEXT   NOT NULL,
	party      TEXT   NOT NULL,
	message_id TEXT   NOT NULL,
	at         BIGINT NOT NULL,
	envelope   {{blob}} NOT NULL,
	receipt    {{blob}} NOT NULL,
	PRIMARY KEY (party_type, party, message_id)
);
CREATE INDEX as4_received_at ON as4_received (at);
