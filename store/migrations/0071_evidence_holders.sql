-- The tests to which kept octets belong, so that evidence is found by its digest.
CREATE TABLE projectathon_holder (
	digest {{blob}} NOT NULL,
	test   TEXT     NOT NULL,
	PRIMARY KEY (digest, test)
);
