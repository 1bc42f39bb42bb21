-- The public key that signs what a token's owner hands in; empty for none.
ALTER TABLE token ADD COLUMN public_key TEXT NOT NULL DEFAULT '';
