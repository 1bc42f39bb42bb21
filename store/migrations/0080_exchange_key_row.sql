-- The keys of a row, found and put in order by one index: without the name in it
-- SQLite walks through every key of the kind.
DROP INDEX exchange_key_row;
CREATE INDEX exchange_key_row ON exchange_key (kind, id, name);
