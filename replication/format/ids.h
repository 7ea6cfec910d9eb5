// The strong types of the word list: what names what.
#pragma once

#include "base/bytes.h"
#include "base/strong.h"
#include "crypto/hash.h"

namespace chapterd {

using FederationId = Fixed<32, struct FederationIdTag>;  // hash of the signed genesis record
using ChapterId = Fixed<16, struct ChapterIdTag>;        // made of the parent's id and the code
using FeedId = Fixed<32, struct FeedIdTag>;              // hash of the feed's intro
using StatementId = Fixed<32, struct StatementIdTag>;    // hash of a signed statement
using EntryHash = Fixed<32, struct EntryHashTag>;        // hash of an entry's header
using RecordId = Fixed<16, struct RecordIdTag>;          // UUIDv7, unique within its home chapter
using Incarnation = Fixed<16, struct IncarnationTag>;    // random, a new one after every restore

using Sequence = Strong<struct SequenceTag>;  // position of an entry in its feed, from 1
using Arrival =
    Strong<struct ArrivalTag>;  // a node's own counter over everything it has stored, from 1
using Epoch = Strong<struct EpochTag>;  // one life of a database: format/life.h

// Newest entry held of a feed. Sequence 0 and a zero hash: nothing yet.
struct Head {
  FeedId feed;
  Sequence seq;
  EntryHash hash;

  friend bool operator==(const Head&, const Head&) = default;
};

}  // namespace chapterd
