-- Schema 1. Applied once, in one transaction, by SqliteStore::open.
-- Unsigned 64-bit numbers are kept as the signed number of the same bits.

CREATE TABLE named_value(
  -- Small values that outlive a start: the node's identity, invites, marks.
  name TEXT NOT NULL PRIMARY KEY,
  value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE feed(
  -- A branch of a feed, nearly always all of it: something of it is held. Branches of one feed have
  -- its id and intro.
  row INTEGER PRIMARY KEY,
  id BLOB NOT NULL,
  intro BLOB NOT NULL,
  seq INTEGER NOT NULL,  -- of the newest entry held, 0 before the first
  hash BLOB NOT NULL,
  trunk INTEGER NOT NULL,       -- feed(row) that it leaves, 0: none
  fork_seq INTEGER NOT NULL,    -- the entry that its first one follows; 0 where it begins with the feed
  fork_hash BLOB NOT NULL,
  stands_seq INTEGER NOT NULL,  -- the last entry that counts; -1: all of them
  stands_hash BLOB NOT NULL,
  check_ INTEGER NOT NULL       -- over the other columns: a byte that the disk changes is noticed
) STRICT;
-- No branch twice.
CREATE UNIQUE INDEX feed_tip ON feed(id, seq, hash);
-- Which branches do not count to their end?
CREATE INDEX feed_cut ON feed(row) WHERE stands_seq <> -1;

CREATE TABLE piece(
  -- The log: consecutive entries of one feed, in order of arrival at this node.
  -- Small columns stand first: a query without links and body never reads overflow pages.
  arrival INTEGER PRIMARY KEY,  -- of the first entry
  feed INTEGER NOT NULL REFERENCES feed(row),
  seq INTEGER NOT NULL,    -- of the first entry
  count INTEGER NOT NULL,  -- entries
  lane INTEGER NOT NULL,   -- 0 auth, 2 live
  via INTEGER NOT NULL,    -- peer(row) that sent it, 0 when written here
  prev BLOB NOT NULL,      -- hash before the first entry
  last BLOB NOT NULL,      -- hash of the last entry
  links BLOB NOT NULL,     -- arrival of the previous entry of the same layer, for each entry
  body BLOB NOT NULL
) STRICT;
-- Which piece of this feed holds entry n, and what follows? (Also: no entry twice.)
CREATE UNIQUE INDEX piece_feed_seq ON piece(feed, seq);
-- Which pieces of lane auth came after arrival n? (The row's arrival ends every index.)
CREATE INDEX piece_auth ON piece(lane) WHERE lane = 0;

CREATE TABLE space(
  -- A layer space: home chapter, audience and, for audience `to`, the chapter addressed.
  row INTEGER PRIMARY KEY,
  home BLOB NOT NULL,
  audience INTEGER NOT NULL,
  target BLOB NOT NULL,
  check_ INTEGER NOT NULL
) STRICT;

CREATE TABLE kind(
  -- A kind of record.
  row INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  check_ INTEGER NOT NULL
) STRICT;

CREATE TABLE layer(
  -- What a record holds in one layer space, merged from its entries. A cache of the log, and
  -- the busiest table: foreign keys here would cost a thirtieth of the ingest.
  row INTEGER PRIMARY KEY,
  space INTEGER NOT NULL,  -- space(row)
  record BLOB NOT NULL,
  kind INTEGER NOT NULL,   -- kind(row)
  newest INTEGER NOT NULL,  -- arrival of the newest entry merged
  state BLOB NOT NULL       -- ends with a check over it and the other columns
) STRICT;
-- Where is this layer of this record, and what other layers has it? (Also: no layer twice.)
CREATE UNIQUE INDEX layer_record_space ON layer(record, space);

CREATE TABLE kind_layers(
  -- Which layers of this kind come after row n? A block for each kind that a commit adds layers
  -- of, at most 256 rows long. An index would answer the same, and cost a fifth of every insert.
  kind INTEGER NOT NULL,
  first INTEGER NOT NULL,  -- layer(row)
  more BLOB NOT NULL,      -- the other rows, each as a varint: what it is above the one before
  PRIMARY KEY(kind, first)
) STRICT, WITHOUT ROWID;

CREATE TABLE receipt(
  -- The newest receipt of one node for one feed.
  arrival INTEGER PRIMARY KEY,
  feed INTEGER NOT NULL REFERENCES feed(row),
  node BLOB NOT NULL,
  seq INTEGER NOT NULL,
  via INTEGER NOT NULL,  -- peer(row) that sent it, 0 when signed here
  bytes BLOB NOT NULL
) STRICT;
-- Which receipt does a new one replace, and who has received this feed?
CREATE UNIQUE INDEX receipt_feed_node ON receipt(feed, node);

CREATE TABLE peer(
  -- What is remembered of another node between sessions.
  row INTEGER PRIMARY KEY,
  node BLOB NOT NULL,
  epoch INTEGER NOT NULL,
  grant_ INTEGER NOT NULL,
  held_auth INTEGER NOT NULL,  -- how far we hold its log, for each lane
  held_receipts INTEGER NOT NULL,
  held_live INTEGER NOT NULL,
  acknowledged_auth INTEGER NOT NULL,  -- how far it said it holds ours
  acknowledged_receipts INTEGER NOT NULL,
  acknowledged_live INTEGER NOT NULL,
  heard_ms INTEGER NOT NULL
) STRICT;
-- No node twice. (Few rows: nothing looks one up by its key.)
CREATE UNIQUE INDEX peer_node ON peer(node);

CREATE TABLE pending(
  -- Entries that are kept and passed on, but cannot be applied yet.
  arrival INTEGER PRIMARY KEY,
  waits_for TEXT NOT NULL
) STRICT;
