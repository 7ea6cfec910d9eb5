// Live connections and what is remembered of nodes, joined.
#include "daemon/operations/peer_rows.h"

#include "daemon/operations/held.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <tuple>

namespace chapterd {
namespace {

using Json = nlohmann::json;

const char* word_of(PeerState state) {
  switch (state) {
    case PeerState::waiting:
    case PeerState::ended:
      return "offline";
    case PeerState::connecting:
    case PeerState::opening:
      return "connecting";
    case PeerState::open:
      return "connected";
  }
  return "offline";
}

PeerRow live_row(const PeerStatus& status, const LinksNow& links) {
  PeerRow row;
  row.key = status.key;
  row.code = status.chapter;
  row.address = status.address;
  row.side = status.side == Side::dialler ? "we dial" : "dials us";
  row.state = links.paused ? "paused" : word_of(status.state);
  row.end_code = status.end_code;
  row.caught_up = status.caught_up;
  row.stays_different = status.stays_different;
  row.is_saving = status.is_saving;
  row.sent = status.entries_sent;
  row.received = status.entries_received;
  row.clock_ahead_ms = status.clock_ahead_ms;
  if (status.heard) row.heard_ms_ago = std::max<std::int64_t>(0, links.now.ms - status.heard->ms);
  if (status.next_dial && !links.paused)
    row.next_dial_ms = std::max<std::int64_t>(0, status.next_dial->ms - links.now.ms);
  return row;
}

PeerRow remembered_row(const StoredPeer& peer, bool paused) {
  PeerRow row;
  row.key = peer.node;
  row.side = "known";
  row.state = paused ? "paused" : "offline";
  return row;
}

void name_after(PeerRow& row, const Authority& authority, const ChapterId& chapter) {
  row.code = code_of(authority, chapter);
  row.name = name_of(authority, chapter);
}

// What the directory knows of whoever has this key. The node above certifies its own only once it
// is met; its chapter is known from joining.
void describe(PeerRow& row, const Directory& directory) {
  const Authority& authority = directory.authority();
  const ChapterPath path = authority.path_of(directory.chapter());
  const KnownNode* node = row.key ? authority.node(*row.key) : nullptr;
  if (node != nullptr) {
    name_after(row, authority, node->certificate.chapter);
    row.computer = node->certificate.name;
  } else if (row.is_parent && !path.above.empty()) {
    name_after(row, authority, path.above.back());
  }
  if (row.key && authority.is_revoked(*row.key)) row.state = "revoked";
  // Nobody waits for a node further up that is only asked now and then.
  const bool is_further_up =
      !row.is_parent && node != nullptr &&
      std::ranges::find(path.above, node->certificate.chapter) != path.above.end();
  if (is_further_up && row.state == "offline") row.state = "asked now and then";
}

PeerRow unheard_row(bool paused) {
  PeerRow row;
  row.side = "known";
  row.state = paused ? "paused" : "never heard";
  return row;
}

// Chapters right below this one that were admitted, and of which no node was heard.
void add_unheard_below(std::vector<PeerRow>& rows, const Directory& directory, bool paused) {
  const Authority& authority = directory.authority();
  for (const KnownChapter* chapter : authority.chapters()) {
    const ChapterPath path = authority.path_of(chapter->certificate.chapter);
    if (path.above.empty() || path.above.back() != directory.chapter()) continue;
    PeerRow row = unheard_row(paused);
    name_after(row, authority, path.chapter);
    if (std::ranges::find(rows, row.code, &PeerRow::code) == rows.end())
      rows.push_back(std::move(row));
  }
}

Json or_null(const std::optional<std::int64_t>& number) {
  return number ? Json(*number) : Json();
}

}  // namespace

std::vector<PeerRow> peer_rows(Reader& reader,
                               const Directory& directory,
                               const std::optional<LinksNow>& links,
                               Instant date) {
  const bool paused = links && links->paused;
  std::vector<PeerRow> rows;
  if (links) {
    for (const PeerStatus& status : links->peers) rows.push_back(live_row(status, *links));
  }
  for (const StoredPeer& peer : reader.peers()) {
    auto row = std::ranges::find(rows, std::optional(peer.node), &PeerRow::key);
    if (row == rows.end()) row = rows.insert(rows.end(), remembered_row(peer, paused));
    if (!row->heard_ms_ago && peer.heard_ms != 0)
      row->heard_ms_ago = std::max<std::int64_t>(0, date.ms - peer.heard_ms);
  }
  const auto parent = parent_key(reader, directory);
  if (parent && std::ranges::find(rows, parent, &PeerRow::key) == rows.end()) {
    rows.push_back(unheard_row(paused));
    rows.back().key = parent;
  }
  for (PeerRow& row : rows) {
    row.is_parent = parent && row.key == parent;
    describe(row, directory);
  }
  add_unheard_below(rows, directory, paused);
  std::ranges::sort(
      rows, {}, [](const PeerRow& row) { return std::tuple(!row.is_parent, row.code, row.key); });
  return rows;
}

Json to_json(const PeerRow& row) {
  return {{"code", row.code},
          {"name", row.name},
          {"computer", row.computer},
          {"fingerprint", row.key ? fingerprint(*row.key) : std::string()},
          {"address", row.address},
          {"side", row.side},
          {"state", row.state},
          {"caught_up", row.caught_up},
          {"heard_ms_ago", or_null(row.heard_ms_ago)},
          {"sent", row.sent},
          {"received", row.received},
          {"end_code", row.end_code},
          {"is_parent", row.is_parent},
          {"stays_different", row.stays_different},
          {"is_saving", row.is_saving},
          {"clock_ahead_ms", or_null(row.clock_ahead_ms)},
          {"next_dial_ms", or_null(row.next_dial_ms)}};
}

}  // namespace chapterd
