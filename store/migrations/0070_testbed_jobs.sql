-- Runs belong to jobs, and every message of a run is found by its digest. An
-- outline is a run without the octets of its messages.
ALTER TABLE testbed_run ADD COLUMN job TEXT NOT NULL DEFAULT '';
ALTER TABLE testbed_run ADD COLUMN outline TEXT NOT NULL DEFAULT '';
CREATE INDEX testbed_run_job ON testbed_run (job, started_at DESC, id DESC) WHERE job <> '';
CREATE INDEX testbed_run_suite ON testbed_run (system, suite, started_at DESC, id DESC);
CREATE TABLE testbed_message (
	sha256 TEXT NOT NULL,
	run    TEXT NOT NULL,
	PRIMARY KEY (sha256, run)
);

-- Jobs: lists of cases that are worked off; due is also the lease.
CREATE TABLE testbed_job (
	id      TEXT   NOT NULL PRIMARY KEY,
	country TEXT   NOT NULL,
	system  TEXT   NOT NULL,
	state   TEXT   NOT NULL,
	owed    BIGINT NOT NULL,
	due     BIGINT NOT NULL,
	made_at BIGINT NOT NULL,
	rev     BIGINT NOT NULL,
	doc     TEXT   NOT NULL
);
CREATE INDEX testbed_job_made ON testbed_job (made_at DESC, id DESC);
CREATE INDEX testbed_job_system ON testbed_job (system, made_at DESC, id DESC);
CREATE INDEX testbed_job_country ON testbed_job (country, made_at DESC, id DESC);
CREATE INDEX testbed_job_open ON testbed_job (country, made_at DESC, id DESC) WHERE state IN ('queued', 'running');
CREATE INDEX testbed_job_due ON testbed_job (due) WHERE state IN ('queued', 'running');
CREATE INDEX testbed_job_owed ON testbed_job (made_at DESC, id DESC) WHERE owed = 1;
