// From one named value, and from the directory.
#include "daemon/operations/strangers.h"

#include "replication/lives.h"

#include <algorithm>

namespace chapterd {
namespace {

constexpr std::int64_t said_for_ms = 30LL * 24 * 3600 * 1000;

}  // namespace

std::optional<std::int64_t> told_elsewhere(Reader& reader,
                                           const Directory& directory,
                                           Instant now) {
  const auto values = reader.values(stored_name::elsewhere);
  const auto led = decode_led_elsewhere(values.empty() ? ByteView() : values.front().value);
  if (!led) return std::nullopt;
  const bool is_over =
      !led->lives.empty() && std::ranges::all_of(led->lives, [&](const auto& life) {
        return directory.authority().is_handed_over(directory.self(), life);
      });
  if (is_over) return std::nullopt;
  // A clock that went back since says “just now”.
  const std::int64_t ago = std::max<std::int64_t>(now.ms - led->told.ms, 0);
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
