-- Data sets of the Common Services and their history (TDD 3.6.3). The newest
-- revision of each country is its part of the data set.
CREATE TABLE lcm_dataset (
	environment TEXT PRIMARY KEY,
	revision    BIGINT NOT NULL,
	head        TEXT NOT NULL -- JSON: what belongs to no country
);
CREATE TABLE lcm_revision (
	environment TEXT NOT NULL,
	country     TEXT NOT NULL,
	number      BIGINT NOT NULL,
	party       TEXT NOT NULL,
	how         TEXT NOT NULL,
	message     TEXT NOT NULL,
	at          BIGINT NOT NULL,
	request     TEXT NOT NULL,
	restores    BIGINT NOT NULL,
	added       BIGINT NOT NULL,
	changed     BIGINT NOT NULL,
	removed     BIGINT NOT NULL,
	part        TEXT NOT NULL, -- JSON, null for none
	PRIMARY KEY (environment, country, number)
);
CREATE TABLE lcm_attempt (
	id          {{key}} PRIMARY KEY,
	environment TEXT NOT NULL,
	country     TEXT NOT NULL,
	party       TEXT NOT NULL,
	how         TEXT NOT NULL,
	message     TEXT NOT NULL,
	at          BIGINT NOT NULL,
	request     TEXT NOT NULL,
	is_foreign  BIGINT NOT NULL,
	faults      TEXT NOT NULL -- JSON
);
CREATE INDEX lcm_attempt_country ON lcm_attempt (environment, country, id);
