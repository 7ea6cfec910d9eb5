// What lies beyond the cut of a revocation, or beyond the tips that end a forked feed: looking at
// it, taking it back in, and putting it aside for good.
//
// Dropping is said to this database alone, by a value: what lies beyond a cut counts nowhere
// anyway, so there is nothing that anybody else would have to learn, no authority key is needed,
// and each chapter decides for itself what it still wants to look at. It holds up to the entry that
// the person saw: what comes later shows again.
#include "base/byte_stream.h"
#include "daemon/operations/arguments.h"
#include "daemon/operations/chapter_names.h"
#include "daemon/operations/held.h"
#include "daemon/operations/keys.h"
#include "daemon/operations/verbs.h"
#include "daemon/operations/writing.h"
#include "domain/value.h"
#include "replication/format/limits.h"
#include "replication/format/piece.h"
#include "replication/stored_piece.h"
#include "replication/vault.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <map>

namespace chapterd {
namespace {

using Json = nlohmann::json;

constexpr const char* unchanged = "Nothing was changed.";
constexpr std::size_t bytes_a_time = 1024 * 1024;
// Entries that one answer shows; the count is always whole.
constexpr std::size_t most_shown = 200;

// Values of the store: up to which entry of a branch a person dropped what does not count; 8 bytes.
constexpr const char* dropped_values = "quarantine/dropped/";

// Feeds of one node of which more is held than counts.
struct SetAside {
  PublicKey node;
  ChapterId chapter;
  std::vector<KnownFeed> feeds;
  std::uint64_t entries = 0;  // nobody has decided on these
  std::uint64_t dropped = 0;
};

using Dropped = std::map<std::string, std::uint64_t>;  // sequence, by name of the value

std::string dropped_name(const KnownFeed& branch) {
  return dropped_values + to_hex(branch.head.feed.view()) + "/" + std::to_string(branch.row.value);
}

Dropped dropped_in(Reader& reader) {
  Dropped dropped;
  for (const NamedValue& value : reader.values(dropped_values))
    dropped[value.name] = ByteReader(value.value).u64();
  return dropped;
}

std::vector<SetAside> set_aside(Reader& reader,
                                const Directory& directory,
                                const std::string& code) {
  std::map<PublicKey, SetAside> by_node;
  const Authority& authority = directory.authority();
  const Dropped dropped = dropped_in(reader);
  for (const KnownFeed& feed : directory.feeds()) {
    const std::uint64_t stands = directory.standing_head(feed).seq.value;
    if (stands == feed.head.seq.value) continue;
    if (!code.empty() && code_of(authority, feed.intro.home.chapter) != code) continue;
    SetAside& found = by_node[feed.intro.node];
    found.node = feed.intro.node;
    found.chapter = feed.intro.home.chapter;
    found.feeds.push_back(feed);
    const auto at = dropped.find(dropped_name(feed));
    const std::uint64_t decided =
        at == dropped.end() ? stands : std::clamp(at->second, stands, feed.head.seq.value);
    found.dropped += decided - stands;
    found.entries += feed.head.seq.value - decided;
  }
  std::vector<SetAside> all;
  for (auto& [node, found] : by_node) all.push_back(std::move(found));
  return all;
}

// What it wrote into each field; null where it took something out.
Json fields_json(const ChangeView& change) {
  Json fields = Json::object();
  for (const OperationView& operation : change.operations) {
    const auto value = from_cbor(operation.value);
    fields[std::string(operation.field)] = value ? *value : Json();
  }
  return fields;
}

void show_piece(const ChapterKeys* keys,
                const StoredPiece& stored,
                const KnownFeed& feed,
                Sequence from,
                Json& rows) {
  const Piece piece = decoded(stored);
  Bytes opened;
  ChangeView change;
  for (std::size_t i = 0; i < piece.entries.size() && rows.size() < most_shown; ++i) {
    const Sequence seq = piece.first.plus(i);
    if (seq < from) continue;
    Json row = {{"audience", name_of(feed.intro.audience)},
                {"seq", seq.value},
                {"time_ms", piece.entries[i].time.instant().ms}};
    if (read_change(keys, feed.intro, piece.entries[i], opened, change) == ChangeVerdict::good) {
      row["kind"] = std::string(change.kind);
      row["record"] = to_text(change.record);
      row["fields"] = fields_json(change);
    }
    rows.push_back(std::move(row));
  }
}

Json rows_of(Reader& reader,
             const Directory& directory,
             const ChapterKeys* keys,
             const SetAside& found) {
  Json rows = Json::array();
  for (const KnownFeed& feed : found.feeds) {
    Sequence next = directory.standing_head(feed).seq.next();
    while (next <= feed.head.seq && rows.size() < most_shown) {
      const auto pieces = reader.pieces_of(feed.row, next, bytes_a_time);
      if (pieces.empty()) break;
      for (const StoredPiece& stored : pieces) show_piece(keys, stored, feed, next, rows);
      next = Sequence(pieces.back().seq.value + pieces.back().count);
    }
  }
  return rows;
}

Result<Json> list_set_aside(NodeAccess& node, const Json& args) {
  Arguments in(args);
  const std::string code = in.text_or("code", "");
  const bool with_dropped = in.flag("dropped");
  if (auto done = in.done(); !done) return forward(done);
  return node.read([&](Reader& reader, const Directory& directory) -> Result<Json> {
    const Authority& authority = directory.authority();
    const auto keys = node.parts().vault.keys();
    Json nodes = Json::array();
    for (const SetAside& found : set_aside(reader, directory, code)) {
      if (found.entries == 0 && !with_dropped) continue;
      nodes.push_back({{"fingerprint", fingerprint(found.node)},
                       {"code", code_of(authority, found.chapter)},
                       {"name", name_of(authority, found.chapter)},
                       {"revoked", authority.is_revoked(found.node)},
                       {"reason", authority.revoked_because(found.node)},
                       {"entries", found.entries},
                       {"dropped", found.dropped},
                       {"shown", rows_of(reader, directory, keys.get(), found)}});
    }
    return Json{{"nodes", std::move(nodes)}};
  });
}

tl::unexpected<Error> nothing_of(const std::string& code) {
  return fail(Errc::not_found, "quarantine.empty",
              "Nothing of " + shown(code) + " is set aside here.", unchanged,
              "See all with: chapterd quarantine list");
}

// What was revoked is admitted, what was ended is listed beside the other tips.
std::vector<Statement> admitting(const Directory& directory, const SetAside& found) {
  Admit admitted{found.node, {}};
  Close listed{found.node, {}};
  for (const KnownFeed& feed : found.feeds) {
    admitted.heads.push_back(feed.head);
    if (!directory.closing(feed).empty()) listed.tips.push_back(feed.head);
  }
  std::vector<Statement> statements;
  if (directory.authority().is_revoked(found.node))
    statements.push_back({directory.chapter(), 1, std::move(admitted)});
  if (!listed.tips.empty()) statements.push_back({directory.chapter(), 1, std::move(listed)});
  return statements;
}

Result<Json> admit(NodeAccess& node, const Json& args) {
  Arguments in(args);
  const std::string code = in.text("code");
  if (auto done = in.done(); !done) return forward(done);
  const auto authority = unlocked_authority(node);
  if (!authority) return forward(authority);
  return node.write_alone([&](Replica& replica) -> Result<Json> {
    const Directory& directory = replica.directory();
    if (auto checked = check_may_write(directory); !checked) return forward(checked);
    const std::vector<SetAside> found = set_aside(replica.store(), directory, code);
    if (found.empty()) return nothing_of(code);
    std::uint64_t before = 0;
    for (const SetAside& each : found) {
      before += each.entries + each.dropped;
      for (const Statement& statement : admitting(directory, each)) {
        const auto written = replica.write_statement(
            sign_statement(directory.authority().federation(), statement, **authority));
        if (!written) return forward(written);
      }
    }
    std::uint64_t left = 0;
    for (const SetAside& each : set_aside(replica.store(), directory, code))
      left += each.entries + each.dropped;
    return Json{{"code", code}, {"admitted", before - left}, {"left", left}};
  });
}

Result<Json> drop(NodeAccess& node, const Json& args) {
  Arguments in(args);
  const std::string code = in.text("code");
  if (auto done = in.done(); !done) return forward(done);
  return node.write([&](Replica& replica) -> Result<Json> {
    const std::vector<SetAside> found = set_aside(replica.store(), replica.directory(), code);
    if (found.empty()) return nothing_of(code);
    std::uint64_t dropped = 0;
    for (const SetAside& each : found) {
      dropped += each.entries;
      for (const KnownFeed& feed : each.feeds) {
        ByteWriter through;
        through.u64(feed.head.seq.value);
        replica.set_value(dropped_name(feed), through.take());
      }
    }
    return Json{{"code", code}, {"dropped", dropped}};
  });
}

constexpr std::array verbs{
    Verb{"quarantine.list", Needs::nothing, list_set_aside},
    Verb{"quarantine.admit", Needs::space, admit},
    Verb{"quarantine.drop", Needs::space, drop},
};

}  // namespace

std::span<const Verb> quarantine_verbs() {
  return verbs;
}

std::uint64_t entries_set_aside(Reader& reader, const Directory& directory) {
  std::uint64_t entries = 0;
  for (const SetAside& found : set_aside(reader, directory, "")) entries += found.entries;
  return entries;
}

}  // namespace chapterd
