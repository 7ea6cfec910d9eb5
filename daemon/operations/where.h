// How far work has got, as far as receipts prove it; never further.
#pragma once

#include "daemon/operations/held.h"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace chapterd {

// The stations of this node's work. None above: this is the global chapter.
struct Stations {
  std::optional<ChapterId> parent;
  ChapterId global;
};

[[nodiscard]] Stations stations_of(const Directory& directory);

// Whether nodes of `chapter` may hold feeds with such an intro.
[[nodiscard]] bool goes_to(const Directory& directory,
                           const ChapterId& chapter,
                           const FeedIntro& intro);

// Answers who holds what; remembers the receipts that it has read. For one moment.
class Holders {
 public:
  Holders(Reader& reader, const Directory& directory) : reader_(reader), directory_(directory) {}

  // The newest entry of a feed that nodes of `chapter` proved to hold: all that is here for the
  // chapter that wrote it and for this node's own. Receipts of revoked nodes do not count.
  [[nodiscard]] Sequence held_by(const ChapterId& chapter, FeedRow feed);

  // Of an own feed from before a move: the newest entry that somebody proved to hold who stood
  // above then, further up than the chapter that moved.
  [[nodiscard]] Sequence held_above_move(const KnownFeed& feed);

  // Codes of the chapters, other than the author's and this one, that hold this entry.
  [[nodiscard]] std::vector<std::string> acknowledged_by(FeedRow feed, Sequence seq);

 private:
  const std::map<ChapterId, Sequence>& receipts_of(FeedRow feed);

  Reader& reader_;
  const Directory& directory_;
  std::map<std::uint64_t, std::map<ChapterId, Sequence>> by_feed_;
};

// Of an own feed that a move ended: up to which entry it arrived, or a person has decided.
[[nodiscard]] Sequence settled_through(Reader& reader, Holders& holders, const KnownFeed& feed);
// Changes in a feed after this entry; what only ends it is none.
[[nodiscard]] std::uint64_t changes_after(Reader& reader, const KnownFeed& feed, Sequence through);

// Own work at one station: entries of this node's own feeds that the station may hold.
struct WorkHeld {
  std::uint64_t held = 0;
  std::uint64_t waiting = 0;
  std::int64_t waiting_since_ms = 0;  // of the oldest entry that waits; 0: none
};

[[nodiscard]] WorkHeld work_held(Reader& reader, const Directory& directory, const ChapterId& at);

// A record with all that is known of it; `kind` is null when this version does not know it.
struct ShownRecord {
  const HeldRecord& held;
  const RecordView& view;
  const Kind* kind = nullptr;
};

// {"id", "kind", "state", "title", "stages": [{"at", "chapter", "name", "reached", "earlier",
// "leaves", "since_ms"}], "summary", "stays", "confidential", "waits", "next"}. A stage is reached
// when all that is shown here is proved to be held there: all entries of the widest layer that goes
// there, and nothing was edited over it since; `earlier` says that only the latter is so. `leaves`
// says whether there is such a layer. `since_ms`: for "saved" when it was last changed; for a stage
// not reached since when it waits; null where it is not known. `stays`: the audiences of layers
// that nobody outside the record's home may hold; `confidential`: the fields that never leave it.
// `summary`: the furthest stage reached, or "stays" when all of it stays. `waits`: fields that were
// edited and not carried on yet; `next`: the verbs that carry the record on.
[[nodiscard]] nlohmann::json whereabouts(Reader& reader,
                                         const Directory& directory,
                                         const ShownRecord& record);

}  // namespace chapterd
