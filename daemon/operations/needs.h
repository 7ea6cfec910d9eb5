// What a person has to do about this node, as of one moment.
#pragma once

#include "daemon/operations/node_access.h"
#include "daemon/operations/peer_rows.h"

#include <nlohmann/json.hpp>

#include <optional>
#include <string>
#include <vector>

namespace chapterd {

// Everything that status and sync are made of, at one moment.
struct Moment {
  Reader& reader;
  const Directory& directory;
  std::optional<LinksNow> links;
  std::vector<PeerRow> peers;
};

// Something that a person has to do.
struct Need {
  std::string code;
  std::string text;
};

[[nodiscard]] nlohmann::json to_json(const Need& need);

// What stands between this node and another, and does not mend by itself.
[[nodiscard]] std::optional<Need> trouble_with(const PeerRow& peer);
// Why nothing that this node signs counts any more.
[[nodiscard]] std::optional<Need> revoked_here(const Authority& authority, const PublicKey& self);

// Everything, the most serious first.
[[nodiscard]] nlohmann::json needs_json(const Moment& moment,
                                        const NodeParts& parts,
                                        const DiskSpace& disk);

}  // namespace chapterd
