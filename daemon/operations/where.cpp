// Receipts, feeds and stages.
#include "daemon/operations/where.h"

#include "base/byte_stream.h"
#include "domain/drafts.h"
#include "replication/entitlement.h"
#include "replication/format/piece.h"
#include "replication/stored_piece.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace chapterd {
namespace {

using Json = nlohmann::json;

// Time of one entry, as its author wrote it; 0 when it cannot be read.
std::int64_t time_of_entry(Reader& reader, FeedRow feed, Sequence seq) {
  for (const StoredPiece& stored : reader.pieces_of(feed, seq, 1)) {
    const auto piece = undamaged(stored);
    if (!piece || seq < piece->first || piece->last() < seq) return 0;
    return piece->entries[seq.value - piece->first.value].time.instant().ms;
  }
  return 0;
}

const SeenLayer* seen_in(const RecordView& view, const HeldLayer& held) {
  return view.layer(LayerRef{held.space.audience, held.space.target});
}

// What the record says in this layer; a draft that was carried on leaves an empty one behind.
bool has_content(const RecordView& view, const HeldLayer& held) {
  const SeenLayer* layer = seen_in(view, held);
  return layer != nullptr && !layer->fields.empty();
}

// One record on its way.
class Journey {
 public:
  Journey(Reader& reader, const Directory& directory, const ShownRecord& record)
      : reader_(reader),
        directory_(directory),
        record_(record.held),
        view_(record.view),
        holders_(reader, directory) {
    if (record.kind != nullptr) waits_ = waiting_fields(*record.kind, record.view);
  }

  Json stage(const char* at, const ChapterId& chapter) {
    const Authority& authority = directory_.authority();
    Json stage = {{"at", at},
                  {"chapter", code_of(authority, chapter)},
                  {"name", name_of(authority, chapter)},
                  {"earlier", false},
                  {"since_ms", nullptr}};
    if (chapter == directory_.chapter()) {
      stage["name"] = own_name(reader_, directory_);
      stage["reached"] = true;
      stage["leaves"] = true;
      stage["since_ms"] = view_.updated.instant().ms;
      return stage;
    }
    const HeldLayer* layer = widest_for(chapter);
    const bool held = layer != nullptr && is_held(chapter, *layer);
    stage["reached"] = held && waits_.empty();
    stage["earlier"] = held && !waits_.empty();
    stage["leaves"] = layer != nullptr;
    if (layer != nullptr && !held) stage["since_ms"] = seen_in(view_, *layer)->newest.instant().ms;
    return stage;
  }

  [[nodiscard]] const std::vector<std::string>& waits() const { return waits_; }

  // Whether anybody outside the record's home may hold it.
  [[nodiscard]] bool leaves(const HeldLayer& layer) const {
    const Audience audience = layer.space.audience;
    if (audience != Audience::up) return audience != Audience::chapter;
    return !directory_.authority().path_of(layer.space.home).above.empty();
  }

 private:
  // Layers are written by nodes of the record's home, whose path says who may hold them.
  [[nodiscard]] bool goes_with(const ChapterId& chapter, const HeldLayer& layer) const {
    const Authority& authority = directory_.authority();
    FeedIntro intro;
    intro.home = authority.path_of(layer.space.home);
    intro.audience = layer.space.audience;
    if (intro.audience == Audience::to) intro.target = authority.path_of(layer.space.target);
    return goes_to(directory_, chapter, intro);
  }

  [[nodiscard]] const HeldLayer* widest_for(const ChapterId& chapter) const {
    const HeldLayer* widest = nullptr;
    for (const HeldLayer& held : record_.layers) {
      if (!has_content(view_, held) || !goes_with(chapter, held)) continue;
      if (widest == nullptr || width_of(held.space.audience) > width_of(widest->space.audience))
        widest = &held;
    }
    return widest;
  }

  // After a move: the entry that took its place is in the layer too, and is asked for itself.
  [[nodiscard]] bool was_sent_anew(const EntryPlace& entry) {
    const KnownFeed& feed = directory_.feed(entry.feed);
    return std::ranges::any_of(reader_.values(decision_name(own_value::sent_anew, feed)),
                               [&](const NamedValue& through) {
                                 return ByteReader(through.value).u64() >= entry.seq.value;
                               });
  }

  bool is_held(const ChapterId& chapter, const HeldLayer& held) {
    return std::ranges::all_of(
        entries_of(reader_, directory_, held.layer), [&](const EntryPlace& entry) {
          return holders_.held_by(chapter, entry.feed) >= entry.seq || was_sent_anew(entry);
        });
  }

  Reader& reader_;
  const Directory& directory_;
  const HeldRecord& record_;
  const RecordView& view_;
  std::vector<std::string> waits_;  // fields that were edited since and not carried on
  Holders holders_;
};

// The furthest stage that was reached.
std::string furthest(const Json& stages) {
  std::string at;
  for (const Json& stage : stages) {
    if (stage["reached"] == true) at = stage["at"].get<std::string>();
  }
  return at;
}

Json confidential_fields(const ShownRecord& record) {
  Json names = Json::array();
  for (const ShownField& shown : record.view.fields) {
    const Field* field = record.kind == nullptr ? nullptr : record.kind->field(shown.name);
    if (field != nullptr && field->confidential) names.push_back(shown.name);
  }
  return names;
}

// Only the record's home takes steps.
Json next_verbs(const Directory& directory, const ShownRecord& record) {
  Json verbs = Json::array();
  if (record.kind == nullptr || record.view.key.home != directory.chapter()) return verbs;
  for (const Transition* step : carrying_steps(*record.kind, record.view))
    verbs.push_back(step->verb);
  return verbs;
}

}  // namespace

Stations stations_of(const Directory& directory) {
  const ChapterPath path = directory.authority().path_of(directory.chapter());
  if (path.above.empty()) return {std::nullopt, path.chapter};
  return {path.above.back(), path.above.front()};
}

bool goes_to(const Directory& directory, const ChapterId& chapter, const FeedIntro& intro) {
  const Authority& authority = directory.authority();
  const bool at_home = chapter == intro.home.chapter;
  switch (intro.audience) {
    case Audience::auth:
    case Audience::all:
      return true;
    case Audience::chapter:
      return at_home;
    case Audience::up:
      return at_home || is_above(chapter, intro.home);
    case Audience::down:
      return at_home || is_above(intro.home.chapter, authority.path_of(chapter));
    case Audience::to:
      return std::ranges::any_of(authority.nodes(), [&](const KnownNode* node) {
        return node->certificate.chapter == chapter &&
               may_hold(authority, node->certificate.node, intro);
      });
  }
  return false;
}

const std::map<ChapterId, Sequence>& Holders::receipts_of(FeedRow feed) {
  const auto [at, is_new] = by_feed_.try_emplace(feed.value);
  if (!is_new) return at->second;
  const Authority& authority = directory_.authority();
  for (const StoredReceipt& receipt : reader_.receipts_of(feed)) {
    const KnownNode* node = authority.node(receipt.node);
    if (node == nullptr || authority.is_revoked(receipt.node)) continue;
    Sequence& held = at->second[node->certificate.chapter];
    held = std::max(held, receipt.seq);
  }
  return at->second;
}

Sequence Holders::held_by(const ChapterId& chapter, FeedRow feed) {
  const KnownFeed& known = directory_.feed(feed);
  if (chapter == known.intro.home.chapter || chapter == directory_.chapter()) return known.head.seq;
  const auto& receipts = receipts_of(feed);
  const auto at = receipts.find(chapter);
  return at == receipts.end() ? Sequence(0) : at->second;
}

Sequence Holders::held_above_move(const KnownFeed& feed) {
  // The chapters right above that moved along say nothing of those beyond.
  std::vector<ChapterId> then = feed.intro.home.above;
  std::vector<ChapterId> now = directory_.authority().path_of(feed.intro.home.chapter).above;
  while (!then.empty() && !now.empty() && then.back() == now.back()) {
    then.pop_back();
    now.pop_back();
  }
  Sequence most(0);
  for (const auto& [chapter, held] : receipts_of(feed.row)) {
    const bool is_target = feed.intro.target && feed.intro.target->chapter == chapter;
    if (is_target || std::ranges::find(then, chapter) != then.end()) most = std::max(most, held);
  }
  return most;
}

std::vector<std::string> Holders::acknowledged_by(FeedRow feed, Sequence seq) {
  std::vector<std::string> codes;
  for (const auto& [chapter, held] : receipts_of(feed)) {
    if (held >= seq) codes.push_back(code_of(directory_.authority(), chapter));
  }
  std::ranges::sort(codes);
  return codes;
}

Sequence settled_through(Reader& reader, Holders& holders, const KnownFeed& feed) {
  Sequence settled = holders.held_above_move(feed);
  for (const char* name : {own_value::sent_anew, own_value::left_there}) {
    for (const NamedValue& through : reader.values(decision_name(name, feed)))
      settled = std::max(settled, Sequence(ByteReader(through.value).u64()));
  }
  return settled;
}

std::uint64_t changes_after(Reader& reader, const KnownFeed& feed, Sequence through) {
  constexpr std::size_t bytes_a_time = 1024 * 1024;
  std::uint64_t changes = 0;
  for (Sequence next = through.next(); next <= feed.head.seq;) {
    const auto pieces = reader.pieces_of(feed.row, next, bytes_a_time);
    if (pieces.empty()) break;
    for (const StoredPiece& stored : pieces) {
      const Piece piece = decoded(stored);
      for (std::size_t i = 0; i < piece.entries.size(); ++i) {
        if (piece.first.plus(i) > through && piece.entries[i].kind == EntryKind::data) ++changes;
      }
    }
    next = Sequence(pieces.back().seq.value + pieces.back().count);
  }
  return changes;
}

WorkHeld work_held(Reader& reader, const Directory& directory, const ChapterId& at) {
  WorkHeld work;
  Holders holders(reader, directory);
  for (const KnownFeed& feed : directory.feeds()) {
    if (feed.intro.node != directory.self() || feed.intro.audience == Audience::auth) continue;
    if (!goes_to(directory, at, feed.intro)) continue;
    const std::uint64_t shared = feed.fork.seq.value;  // counted with the branch that it leaves
    const bool is_old = directory.authority().path_of(directory.chapter()) != feed.intro.home;
    if (is_old && at != directory.chapter()) {
      // From before a move: those sign receipts who stood above then.
      const Sequence settled = settled_through(reader, holders, feed);
      const Sequence held = std::min(holders.held_above_move(feed), feed.head.seq);
      work.held += std::max(held, feed.fork.seq).value - shared;
      work.waiting += changes_after(reader, feed, settled);
      continue;
    }
    // What is set aside stays here.
    const bool is_here = at == directory.chapter();
    const Sequence end = is_here ? feed.head.seq : Directory::standing_head(feed).seq;
    const Sequence there = std::clamp(holders.held_by(at, feed.row), feed.fork.seq, end);
    work.held += there.value - shared;
    if (there == end) continue;
    work.waiting += end.value - there.value;
    const std::int64_t since = time_of_entry(reader, feed.row, there.next());
    if (work.waiting_since_ms == 0 || since < work.waiting_since_ms) work.waiting_since_ms = since;
  }
  return work;
}

Json whereabouts(Reader& reader, const Directory& directory, const ShownRecord& record) {
  Journey journey(reader, directory, record);
  const Stations stations = stations_of(directory);
  Json stages = Json::array({journey.stage("saved", directory.chapter())});
  if (stations.parent) stages.push_back(journey.stage("parent", *stations.parent));
  stages.push_back(journey.stage("global", stations.global));
  Json stays = Json::array();
  bool leaves = !stations.parent;
  for (const HeldLayer& held : record.held.layers) {
    if (!has_content(record.view, held)) continue;
    if (journey.leaves(held)) {
      leaves = true;
    } else {
      stays.push_back(name_of(held.space.audience));
    }
  }
  std::string summary = leaves ? furthest(stages) : "stays";
  return Json{{"id", to_text(record.view.key.id)},
              {"kind", record.view.kind},
              {"state", record.view.state()},
              {"stages", std::move(stages)},
              {"summary", std::move(summary)},
              {"stays", std::move(stays)},
              {"confidential", confidential_fields(record)},
              {"waits", journey.waits()},
              {"next", next_verbs(directory, record)}};
}

}  // namespace chapterd
