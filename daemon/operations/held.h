// Records as a node holds them: found by id, viewed, and followed back to their entries.
#pragma once

#include "base/result.h"
#include "domain/kind.h"
#include "domain/record.h"
#include "replication/directory.h"
#include "replication/format/change.h"
#include "replication/replica.h"
#include "replication/store/store.h"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace chapterd {

// Names of values in the store that belong to this floor.
namespace own_value {
inline constexpr const char* chapter_name = "own/chapter-name";  // of the global chapter only
// With decision_name(), of a feed that a move ended, 8 bytes: up to which entry a person sent anew
// what had not arrived, or left it where it is.
inline constexpr const char* sent_anew = "move/sent/";
inline constexpr const char* left_there = "move/left/";
}  // namespace own_value

// Of a branch: its row means nothing elsewhere, but neither do these values.
[[nodiscard]] std::string decision_name(const char* what, const KnownFeed& branch);

// All layers of one record that can be read now.
struct HeldRecord {
  RecordKey key;
  std::string kind;
  std::vector<HeldLayer> layers;
  bool is_locked = false;  // it has a private layer that is locked
};

[[nodiscard]] tl::unexpected<Error> unknown_record(std::string_view id);

// The chapter's code; its id in hex while its certificate is not here.
[[nodiscard]] std::string code_of(const Authority& authority, const ChapterId& chapter);
// Its name, or its code. Genesis has no room for a name of the global chapter, so that everybody
// calls it by its code, "GLOBAL" as "Global".
[[nodiscard]] std::string name_of(const Authority& authority, const ChapterId& chapter);
// Of this node's chapter: the global one knows the name that it was founded with.
[[nodiscard]] std::string own_name(Reader& reader, const Directory& directory);
[[nodiscard]] std::string federation_name(const Directory& directory);
// The first eight hex digits.
[[nodiscard]] std::string fingerprint(const PublicKey& key);
// This node's chapter and the global one.
[[nodiscard]] const KnownChapter& own_chapter(const Directory& directory);
[[nodiscard]] ChapterId root_of(const Directory& directory);

// The layers of one id; those of spaces that the directory does not know yet are left out.
[[nodiscard]] std::vector<HeldLayer> layers_held(Reader& reader,
                                                 const Directory& directory,
                                                 const RecordId& id);

// Of several records with one id (of different chapters) the own one, else that of the smallest
// chapter id. `text` is the id, or HOME/ID. Errors: record.id (usage), record.unknown (not_found),
// record.locked (needs_person: all of it is).
[[nodiscard]] Result<HeldRecord> find_record(Reader& reader,
                                             const Directory& directory,
                                             std::string_view text);
[[nodiscard]] Result<HeldRecord> find_record(Replica& replica, std::string_view text);
// No layers when it is not held, or all of it is locked.
[[nodiscard]] HeldRecord held_record(Reader& reader,
                                     const Directory& directory,
                                     const RecordKey& key);

// Throws Damaged when the store's bytes are.
[[nodiscard]] RecordView view_of(const HeldRecord& record, const Kinds& kinds);
// Empty for a kind that is not known here.
[[nodiscard]] std::string title_of(const RecordView& view, const Kinds& kinds);

// Every record of a kind that was not deleted, the oldest first, until `visit` says false.
void for_each_record(Reader& reader,
                     const Directory& directory,
                     const Kinds& kinds,
                     std::string_view kind,
                     const std::function<bool(const RecordView&)>& visit);

// An entry of a layer, as the log has it.
struct EntryPlace {
  Arrival arrival;
  FeedRow feed;
  Sequence seq;
};

// The entries merged into a layer, the newest first.
[[nodiscard]] std::vector<EntryPlace> entries_of(Reader& reader,
                                                 const Directory& directory,
                                                 const StoredLayer& layer);

}  // namespace chapterd
