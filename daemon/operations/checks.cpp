// Verbs about the whole database: is it sound, is it the same elsewhere, make the records anew.
#include "crypto/hash.h"
#include "daemon/operations/arguments.h"
#include "daemon/operations/held.h"
#include "daemon/operations/store_trouble.h"
#include "daemon/operations/verbs.h"
#include "replication/erasure.h"
#include "replication/format/entry.h"
#include "replication/format/piece.h"
#include "replication/format/receipt.h"
#include "replication/merge.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <tuple>

namespace chapterd {
namespace {

using Json = nlohmann::json;

constexpr std::size_t most_faults = 100;
constexpr std::size_t bytes_a_time = 4 * 1024 * 1024;
constexpr std::size_t layers_a_time = 1000;

// --- verify ---

class Verification {
 public:
  Verification(Reader& reader, const Directory& directory)
      : reader_(reader), directory_(directory), erasures_(Erasures::load(reader)) {}

  void run() {
    for (const KnownFeed& feed : directory_.feeds()) {
      Head at{feed.head.feed, Sequence(0), EntryHash{}};
      try {
        check_feed(feed, at);
        check_receipts(feed);
      } catch (const Broken&) {
        unread_ += feed.head.seq.value - std::min(at.seq, feed.head.seq).value;
        find(feed, at.seq.next(), "The database cannot be read from here on.");
      }
    }
    check_records();
  }

  void find_in_file(const std::string& what) { put(Json(), 0, what); }

  [[nodiscard]] Json json() const {
    return {{"ok", faults_.empty()}, {"feeds", directory_.feeds().size()},
            {"entries", entries_},   {"unread", unread_},
            {"erased", erased_},     {"found", found_},
            {"faults", faults_}};
  }

 private:
  void find(const KnownFeed& feed, Sequence seq, const std::string& what) {
    put(to_hex(feed.head.feed.view()), seq.value, what);
  }

  void put(Json feed, std::uint64_t seq, const std::string& what) {
    ++found_;
    if (faults_.size() >= most_faults) return;
    faults_.push_back({{"feed", std::move(feed)}, {"seq", seq}, {"what", what}});
  }

  // Leaves `at` behind what was checked.
  void check_feed(const KnownFeed& feed, Head& at) {
    if (feed_id(directory_.authority().federation(), feed.intro_bytes) != feed.head.feed)
      find(feed, Sequence(0), "The intro does not belong to this feed.");
    while (at.seq < feed.head.seq) {
      const auto pieces = reader_.pieces_of(feed.row, at.seq.next(), bytes_a_time);
      if (pieces.empty()) return find(feed, at.seq.next(), "Entries are missing.");
      for (const StoredPiece& piece : pieces) {
        if (piece.seq > feed.head.seq) return;  // written since
        if (!check_piece(feed, piece, at)) return;
      }
    }
    if (at.seq == feed.head.seq && at.hash != feed.head.hash)
      find(feed, at.seq, "The newest entry is another one than noted.");
  }

  // Moves `at` behind the piece. False when the chain cannot be followed any further.
  bool check_piece(const KnownFeed& feed, const StoredPiece& stored, Head& at) {
    const auto piece = decode_piece(stored.body);
    if (!piece || piece->first != stored.seq || piece->entries.size() != stored.count) {
      find(feed, stored.seq, "The stored bytes are damaged.");
      return false;
    }
    if (stored.seq != at.seq.next() || stored.prev != at.hash) {
      find(feed, stored.seq, "An entry does not follow the one before it.");
      return false;
    }
    const std::vector<EntryHash> hashes = chain(*piece, feed.head.feed, stored.prev);
    check_payloads(feed, *piece, hashes);
    at.hash = hashes.back();
    at.seq = piece->last();
    entries_ += stored.count;
    if (at.hash != stored.last) {
      find(feed, at.seq, "The content does not have the hash that was noted for it.");
      return false;
    }
    check_checkpoint(feed, *piece, at);
    return true;
  }

  // A payload may be missing only by an order that counts.
  void check_payloads(const KnownFeed& feed,
                      const Piece& piece,
                      const std::vector<EntryHash>& hashes) {
    for (std::size_t i = 0; i < hashes.size(); ++i) {
      const PieceEntry& entry = piece.entries[i];
      if (!entry.erased) continue;
      ++erased_;
      const bool ordered =
          can_be_erased(entry) && erasures_.in_force(hashes[i], feed.intro, directory_);
      if (!ordered) {
        find(feed, piece.first.plus(i),
             "The content of this entry is missing, and no order to erase it is here.");
      }
    }
  }

  void check_checkpoint(const KnownFeed& feed, const Piece& piece, const Head& at) {
    if (!piece.checkpoint) {
      if (feed.intro.node != directory_.self()) find(feed, at.seq, "A signature is missing.");
    } else if (!verify_checkpoint(feed.intro.node, directory_.authority().federation(), at,
                                  *piece.checkpoint)) {
      find(feed, at.seq, "The signature of the author is wrong.");
    }
  }

  void check_receipts(const KnownFeed& feed) {
    for (const StoredReceipt& stored : reader_.receipts_of(feed.row)) {
      const auto receipt = decode_receipt(stored.bytes);
      const bool good =
          receipt && receipt->node == stored.node && receipt->head.feed == feed.head.feed &&
          receipt->head.seq == stored.seq &&
          verify_receipt(directory_.authority().federation(), stored.bytes, stored.node);
      if (!good) find(feed, stored.seq, "A receipt is damaged.");
    }
  }

  // What is shown is merged from the entries: damaged, it can be made anew.
  void check_records() {
    std::uint64_t damaged = 0;
    try {
      for (LayerRow after(0);;) {
        const auto layers = reader_.layers_after(after, layers_a_time);
        for (const StoredLayer& layer : layers) {
          after = layer.row;
          if (!decode_layer(layer.state)) ++damaged;
        }
        if (layers.size() < layers_a_time) break;
      }
    } catch (const Broken&) {
      return put(Json(), 0, "Records cannot be read from some place on. Mend it: chapterd rebuild");
    }
    if (damaged > 0)
      put(Json(), 0, std::to_string(damaged) + " records are damaged. Mend it: chapterd rebuild");
  }

  Reader& reader_;
  const Directory& directory_;
  const Erasures erasures_;
  std::uint64_t entries_ = 0;
  std::uint64_t erased_ = 0;  // of them, by order or not
  std::uint64_t unread_ = 0;  // entries that the database no longer hands out
  std::uint64_t found_ = 0;   // faults, of which the first are told
  Json faults_ = Json::array();
};

// One sentence a fault. What makes the check itself fail is a fault too, and nothing was written.
Json faults_of_file(Store& store) {
  try {
    return store.check();
  } catch (const Broken&) {
    return {"It is damaged so much that its pages cannot be checked one by one."};
  }
}

Result<Json> verify_all(NodeAccess& node, const Json& args) {
  if (auto done = Arguments(args).done(); !done) return forward(done);
  const auto pages = node.write_alone(
      [](Replica& replica) -> Result<Json> { return faults_of_file(replica.store()); });
  if (!pages) return pages;
  return node.read([&](Reader& reader, const Directory& directory) -> Result<Json> {
    Verification verification(reader, directory);
    for (const Json& page : *pages)
      verification.find_in_file("Database file: " + page.get<std::string>());
    verification.run();
    return verification.json();
  });
}

// --- rebuild ---

Result<Json> rebuild(NodeAccess& node, const Json& args) {
  if (auto done = Arguments(args).done(); !done) return forward(done);
  return node.write_alone([](Replica& replica) -> Result<Json> {
    const auto entries = replica.rebuild();
    if (!entries) return forward(entries);
    return Json{{"entries", *entries}};
  });
}

// --- views ---

// What one space shows: of each record a hash, in order of their ids.
using SpaceView = std::map<RecordId, Digest>;

std::map<std::uint64_t, SpaceView> view_spaces(Reader& reader, const Directory& directory) {
  std::map<std::uint64_t, SpaceView> spaces;
  for (LayerRow after(0);;) {
    const auto layers = reader.layers_after(after, layers_a_time);
    for (const StoredLayer& layer : layers) {
      after = layer.row;
      if (layer.space.value > directory.spaces().size() || is_blank(layer.state)) continue;
      const auto state = decode_layer(layer.state);
      if (!state) throw DamagedRecord(state.error());
      spaces[layer.space.value][layer.record] = hash("chapterd/view-record/1", shown(*state));
    }
    if (layers.size() < layers_a_time) return spaces;
  }
}

Json space_json(const Directory& directory, const StoredSpace& space, const SpaceView& view) {
  Hasher hasher("chapterd/view-space/1");
  for (const auto& [record, content] : view) hasher.add(record).add(content);
  const Authority& authority = directory.authority();
  Json json = {{"home", code_of(authority, space.home)},
               {"audience", name_of(space.audience)},
               {"target", nullptr},
               {"records", view.size()},
               {"hash", to_hex(hasher.finish().view())}};
  if (space.audience == Audience::to) json["target"] = code_of(authority, space.target);
  return json;
}

Result<Json> views(NodeAccess& node, const Json& args) {
  if (auto done = Arguments(args).done(); !done) return forward(done);
  return node.read([](Reader& reader, const Directory& directory) -> Result<Json> {
    std::vector<Json> spaces;
    for (const auto& [row, view] : view_spaces(reader, directory))
      spaces.push_back(space_json(directory, directory.space(SpaceRow(row)), view));
    std::ranges::sort(spaces, {}, [](const Json& space) {
      return std::tuple(space["home"].get<std::string>(), space["audience"].get<std::string>(),
                        space["target"].is_string() ? space["target"].get<std::string>() : "");
    });
    return Json{{"spaces", std::move(spaces)}};
  });
}

constexpr std::array verbs{
    Verb{"verify", Needs::nothing, verify_all},
    Verb{"rebuild", Needs::space, rebuild},
    Verb{"views", Needs::nothing, views},
};

}  // namespace

std::span<const Verb> check_verbs() {
  return verbs;
}

}  // namespace chapterd
