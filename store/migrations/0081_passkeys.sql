-- Passkeys of people who decide: the public half of each. party is the sign of
-- an account, handle its random user handle; transports are words with a blank
-- between them.
CREATE TABLE passkey (
	id         TEXT     NOT NULL PRIMARY KEY,
	party      TEXT     NOT NULL,
	handle     {{blob}} NOT NULL,
	name       TEXT     NOT NULL,
	public_key {{blob}} NOT NULL,
	flags      BIGINT   NOT NULL,
	sign_count BIGINT   NOT NULL,
	transports TEXT     NOT NULL,
	added      BIGINT   NOT NULL,
	used       BIGINT   NOT NULL
);
CREATE INDEX passkey_party ON passkey (party, added, id);
