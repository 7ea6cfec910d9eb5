// The intro of a feed: what its id is the hash of, and all that decides who may hold it.
#pragma once

#include "base/result.h"
#include "crypto/signature.h"
#include "replication/format/audience.h"
#include "replication/format/ids.h"

#include <optional>
#include <vector>

namespace chapterd {

// Why a feed continues another one.
enum class Continues : std::uint8_t { restore = 1, clone = 2, move = 3, fork = 4 };

// Newest entry of the feed that this one continues.
struct Predecessor {
  Head tip;
  Continues why = Continues::restore;

  friend bool operator==(const Predecessor&, const Predecessor&) = default;
};

// A chapter with the chapters above it, the global one first.
struct ChapterPath {
  ChapterId chapter;
  std::vector<ChapterId> above;

  friend bool operator==(const ChapterPath&, const ChapterPath&) = default;
};

// True when `ancestor` is one of the chapters above.
[[nodiscard]] bool is_above(const ChapterId& ancestor, const ChapterPath& path);
// True for the chapters from `home` up to the last one that it shares with `target`, and down again
// to it, both ends included.
[[nodiscard]] bool is_between(const ChapterId& chapter,
                              const ChapterPath& home,
                              const ChapterPath& target);

struct FeedIntro {
  PublicKey node;    // whose key signs its checkpoints
  ChapterPath home;  // author's chapter, and the path at the time of opening
  Audience audience = Audience::all;
  std::optional<ChapterPath> target;  // exactly when audience is `to`
  Incarnation incarnation;
  std::vector<Predecessor> predecessors;

  friend bool operator==(const FeedIntro&, const FeedIntro&) = default;
};

// docs/protocol.md, "Feed intro".
[[nodiscard]] Bytes encode(const FeedIntro& intro);
// Strict: unknown audience, `to` without target, paths over limits::path_chapters or left-over
// bytes are refused (Errc::malformed).
[[nodiscard]] Result<FeedIntro> decode_feed_intro(ByteView bytes);

// BLAKE2b-256("chapterd/feed/1\0" | federation | intro).
[[nodiscard]] FeedId feed_id(const FederationId& federation, ByteView intro);

}  // namespace chapterd
