-- Snapshots of the board. document is the whole snapshot as JSON; the columns
-- beside it repeat what look-ups need. sequence is 0 until published.
CREATE TABLE snapshot (
	id           TEXT   NOT NULL PRIMARY KEY,
	created      BIGINT NOT NULL,
	state        TEXT   NOT NULL,
	sequence     BIGINT NOT NULL,
	published_at BIGINT NOT NULL,
	document     TEXT   NOT NULL
);
CREATE UNIQUE INDEX snapshot_sequence ON snapshot (sequence) WHERE sequence > 0;
