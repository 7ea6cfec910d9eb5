// What every verb that writes a record shares: new ids, whole links, all changes or none.
#pragma once

#include "base/random.h"
#include "base/result.h"
#include "base/time.h"
#include "daemon/operations/held.h"
#include "daemon/operations/node_access.h"
#include "domain/drafts.h"

#include <nlohmann/json_fwd.hpp>

#include <memory>
#include <vector>

namespace chapterd {

// A UUIDv7 (RFC 9562, 5.7).
[[nodiscard]] RecordId new_record_id(const Clock& date, Random& random);

// The same fields with every link that was given as a bare id made whole: with the home of the
// record, and its present revision where the kind wants one. Error: record.unknown, naming the
// field.
[[nodiscard]] Result<nlohmann::json> with_whole_links(Replica& replica,
                                                      const Kinds& kinds,
                                                      const Kind& kind,
                                                      nlohmann::json fields);

// "HOME/ID@REVISION".
[[nodiscard]] std::string exact_link(const RecordView& view);

// A record of this chapter, to be changed. Errors: those of find_record(), record.not-ours,
// kind.unknown (not_compatible).
struct OwnRecord {
  const Kind* kind = nullptr;
  RecordView view;
};

[[nodiscard]] Result<OwnRecord> own_record(Replica& replica,
                                           const Kinds& kinds,
                                           std::string_view id);

// Whether Replica::write() would take all of these. Errors: those of Replica::may_write().
[[nodiscard]] Result<void> check_changes(const Replica& replica,
                                         const std::vector<LayerChange>& changes);

// Stages all changes of one record, or none. Answers as record.add does. Errors:
// node.revoked (not_allowed), and those of check_changes().
[[nodiscard]] Result<nlohmann::json> write_changes(Replica& replica,
                                                   const Kinds& kinds,
                                                   const RecordKey& key,
                                                   const Result<std::vector<LayerChange>>& changes);

// Errors: invite.authority-locked.
[[nodiscard]] Result<std::shared_ptr<const SigningKey>> unlocked_authority(const NodeAccess& node);

// Errors: node.revoked, node.void (its certificate does not count any more).
[[nodiscard]] Result<void> check_may_write(const Directory& directory);

}  // namespace chapterd
