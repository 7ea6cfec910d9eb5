// The nodes that this one exchanges with, as one list: connected now, heard before, called, or only
// known from joining.
#pragma once

#include "daemon/operations/node_access.h"

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <string>
#include <vector>

namespace chapterd {

struct PeerRow {
  std::optional<PublicKey> key;  // none before a handshake
  std::string code;              // of its chapter, and its name; empty when not known
  std::string name;
  std::string computer;  // as it was called when it joined; empty when not known
  std::string address;
  std::string side;   // "we dial", "dials us", "known"
  std::string state;  // "connected", "connecting", "offline", "never heard", "paused", "revoked"
  std::string end_code;
  bool is_parent = false;
  bool caught_up = false;
  bool stays_different = false;
  bool is_saving = false;  // nothing but statements and receipts: a budget of the day is used up
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  std::optional<std::int64_t> heard_ms_ago;
  std::optional<std::int64_t> clock_ahead_ms;  // of ours
  std::optional<std::int64_t> next_dial_ms;    // from now
};

// The parent first. `links` is empty when no daemon is running.
[[nodiscard]] std::vector<PeerRow> peer_rows(Reader& reader,
                                             const Directory& directory,
                                             const std::optional<LinksNow>& links,
                                             Instant date);

// As peers.list gives it.
[[nodiscard]] nlohmann::json to_json(const PeerRow& row);

}  // namespace chapterd
