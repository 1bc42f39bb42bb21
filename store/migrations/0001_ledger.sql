-- Entries of the ledger, from position 0 without gaps. The columns beside leaf
-- repeat what the leaf says.
CREATE TABLE fact (
	position    {{key}} NOT NULL PRIMARY KEY,
	id          TEXT   NOT NULL UNIQUE,
	kind        TEXT   NOT NULL,
	country     TEXT   NOT NULL,
	recorded_at BIGINT NOT NULL,
	leaf        TEXT   NOT NULL
);
CREATE INDEX fact_country ON fact (country, kind);

-- Hashes of the Merkle tree in the order of tlog, 256 of 32 octets a page.
CREATE TABLE ledger_hashes (
	page   {{key}} NOT NULL PRIMARY KEY,
	hashes {{blob}} NOT NULL
);

-- The tree after each append; note is the signed checkpoint or empty.
CREATE TABLE ledger_head (
	size {{key}} NOT NULL PRIMARY KEY,
	root {{blob}} NOT NULL,
	note {{blob}} NOT NULL
);

-- Keys that the store makes for itself.
CREATE TABLE secret (
	name TEXT NOT NULL PRIMARY KEY,
	text TEXT NOT NULL
);
