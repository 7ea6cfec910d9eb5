-- Schema 2: feeds with more than one branch, and how far each of them counts.
-- A branch is a row of its own with the id and the intro of its feed.

ALTER TABLE feed ADD COLUMN trunk INTEGER NOT NULL DEFAULT 0;  -- feed(row) that it leaves, 0: none
-- The entry that its first one follows; sequence 0 where it begins with the feed.
ALTER TABLE feed ADD COLUMN fork_seq INTEGER NOT NULL DEFAULT 0;
ALTER TABLE feed ADD COLUMN fork_hash BLOB NOT NULL DEFAULT (zeroblob(32));
-- The last entry that counts; -1: all of them.
ALTER TABLE feed ADD COLUMN stands_seq INTEGER NOT NULL DEFAULT -1;
ALTER TABLE feed ADD COLUMN stands_hash BLOB NOT NULL DEFAULT (zeroblob(32));

DROP INDEX feed_id;
-- No branch twice.
CREATE UNIQUE INDEX feed_tip ON feed(id, seq, hash);
-- Which branches do not count to their end?
CREATE INDEX feed_cut ON feed(row) WHERE stands_seq <> -1;
