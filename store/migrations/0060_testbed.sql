-- Runs of test cases: what is looked for, and the whole as JSON. Never changed.
CREATE TABLE testbed_run (
	id         TEXT   NOT NULL PRIMARY KEY,
	country    TEXT   NOT NULL,
	system     TEXT   NOT NULL,
	suite      TEXT   NOT NULL,
	test_case  TEXT   NOT NULL,
	started_at BIGINT NOT NULL,
	head       TEXT   NOT NULL,
	body       TEXT   NOT NULL
);
CREATE INDEX testbed_run_started ON testbed_run (started_at DESC, id DESC);
CREATE INDEX testbed_run_system ON testbed_run (country, system, started_at DESC);
