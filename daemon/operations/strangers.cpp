// From one named value, and from the directory.
#include "daemon/operations/strangers.h"

#include "base/byte_stream.h"

#include <algorithm>

namespace chapterd {
namespace {

constexpr std::int64_t said_for_ms = 30LL * 24 * 3600 * 1000;

}  // namespace

std::optional<std::int64_t> told_elsewhere(Reader& reader, Instant now) {
  const auto values = reader.values(stored_name::elsewhere);
  if (values.empty()) return std::nullopt;
  // A clock that went back since says “just now”.
  const auto when = static_cast<std::int64_t>(ByteReader(values.front().value).u64());
  const std::int64_t ago = std::max<std::int64_t>(now.ms - when, 0);
  return ago > said_for_ms ? std::nullopt : std::optional(ago);
}

std::vector<PublicKey> strange_computers(const Directory& directory) {
  const Authority& authority = directory.authority();
  std::vector<PublicKey> found;
  if (authority.node(directory.self()) == nullptr) return found;
  for (const KnownNode* node : authority.nodes()) {
    const PublicKey& key = node->certificate.node;
    if (node->certificate.chapter == directory.chapter() && !authority.is_revoked(key) &&
        !authority.are_of_one_house(directory.self(), key))
      found.push_back(key);
  }
  std::ranges::sort(found);
  return found;
}

}  // namespace chapterd
