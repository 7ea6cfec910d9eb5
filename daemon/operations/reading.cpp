// Verbs that show records: list, show, where, explain.
#include "daemon/operations/arguments.h"
#include "daemon/operations/held.h"
#include "daemon/operations/verbs.h"
#include "daemon/operations/where.h"
#include "domain/names.h"
#include "replication/format/piece.h"
#include "replication/stored_piece.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <set>

namespace chapterd {
namespace {

using Json = nlohmann::json;

constexpr std::size_t rows_a_time = 4096;

// --- list ---

struct Wanted {
  std::string kind;
  std::string state;  // empty: any
  std::uint64_t limit = 0;
  LayerRow before;  // 0: from the newest on
  bool mine = false;
  std::optional<std::string> search;
};

Result<LayerRow> row_from(const std::string& token) {
  std::uint64_t row = 0;
  const auto end = std::from_chars(token.data(), token.data() + token.size(), row);
  const bool whole = end.ec == std::errc() && end.ptr == token.data() + token.size() && row > 0;
  if (token.empty() || whole) return LayerRow(row);
  return fail(Errc::usage, "argument.token", shown(token) + " is no place in a list.",
              "Nothing was changed.", "Take “next” of the list before, or begin anew without it.");
}

Result<Wanted> wanted_list(const NodeParts& parts, const Json& args) {
  Arguments in(args);
  Wanted wanted;
  wanted.kind = in.text("kind");
  wanted.limit = in.number_or("limit", 50, 1, 1000);
  const std::string token = in.text_or("after", "");
  wanted.state = in.text_or("state", "");
  wanted.mine = in.flag("mine");
  if (const std::string words = in.text_or("search", ""); !words.empty()) wanted.search = words;
  if (auto done = in.done(); !done) return forward(done);
  const auto row = row_from(token);
  if (!row) return forward(row);
  wanted.before = *row;
  const Kind* kind = parts.kinds.find(wanted.kind);
  std::vector<std::string> known;
  if (kind == nullptr || !kind->part_of.empty()) {
    for (const Kind* each : parts.kinds.records()) known.push_back(each->name);
    return fail(Errc::usage, "kind.unknown",
                "There is no kind " + shown(wanted.kind) + "." +
                    did_you_mean(wanted.kind.substr(0, 80), known),
                "Nothing was changed.", "See what there is with: chapterd --help");
  }
  if (wanted.search && wanted.kind != "member") {
    return fail(Errc::usage, "list.no-search", "Only members can be searched so far.",
                "Nothing was changed.", "Leave the words out to list all.");
  }
  if (!wanted.state.empty() && kind->state(wanted.state) == nullptr) {
    for (const State& state : kind->states) known.push_back(state.name);
    return fail(Errc::usage, "state.unknown",
                "There is no state " + shown(wanted.state) + " of " + kind->name + "." +
                    did_you_mean(wanted.state.substr(0, 80), known),
                "Nothing was changed.", "Leave it out to see all.");
  }
  return wanted;
}

// Limit: reads the rows of the whole kind, 3 us each, to begin with the newest; a list of a million
// records takes some seconds.
std::vector<StoredLayer> rows_of(Reader& reader, KindRow kind) {
  std::vector<StoredLayer> rows;
  for (;;) {
    auto page = reader.records_of(kind, rows.empty() ? LayerRow(0) : rows.back().row, rows_a_time);
    const bool last = page.size() < rows_a_time;
    std::ranges::move(page, std::back_inserter(rows));
    if (last) return rows;
  }
}

Json row_json(const RecordView& view, const Kind& kind, const Authority& authority) {
  const Json all = fields_json(view, &kind);
  Json fields = Json::object();
  for (const Field& field : kind.fields) {
    if (field.listed && all.contains(field.name)) fields[field.name] = all[field.name];
  }
  return {{"id", to_text(view.key.id)},
          {"home_code", code_of(authority, view.key.home)},
          {"title", title_of(view, kind)},
          {"state", view.state()},
          {"updated_ms", view.updated.instant().ms},
          {"conflict", view.has_conflict()},
          {"fields", std::move(fields)}};
}

Json list_json(Reader& reader,
               const Directory& directory,
               const NodeParts& parts,
               const Wanted& wanted) {
  const Kinds& kinds = parts.kinds;
  std::set<RecordKey> found;
  if (wanted.search)
    found = parts.members.search(reader, directory, parts.vault, kinds, *wanted.search);
  Json rows = Json::array();
  Json next;
  std::uint64_t locked = 0;
  const auto kind_row = directory.kind_row(wanted.kind);
  const auto stored = kind_row ? rows_of(reader, *kind_row) : std::vector<StoredLayer>();
  for (auto at = stored.rbegin(); at != stored.rend(); ++at) {
    if (wanted.before.value != 0 && at->row >= wanted.before) continue;
    if (at->space.value > directory.spaces().size()) continue;
    const ChapterId& home = directory.space(at->space).home;
    if (wanted.mine && home != directory.chapter()) continue;
    const bool is_found = !wanted.search || found.contains({home, at->record});
    if (!is_found && !parts.vault.is_locked()) continue;
    const HeldRecord record = held_record(reader, directory, {home, at->record});
    if (record.layers.empty()) {
      locked += record.is_locked ? 1 : 0;
      continue;
    }
    if (!is_found) continue;
    const RecordView view = view_of(record, kinds);
    if (view.deleted && !view.contested) continue;
    if (!wanted.state.empty() && view.state() != wanted.state) continue;
    if (rows.size() == wanted.limit) {
      next = std::to_string(at->row.value + 1);
      break;
    }
    rows.push_back(row_json(view, *kinds.find(wanted.kind), directory.authority()));
  }
  return {{"rows", std::move(rows)}, {"next", std::move(next)}, {"locked", locked}};
}

Result<Json> list(NodeAccess& node, const Json& args) {
  const auto wanted = wanted_list(node.parts(), args);
  if (!wanted) return forward(wanted);
  return node.read([&](Reader& reader, const Directory& directory) -> Result<Json> {
    return list_json(reader, directory, node.parts(), *wanted);
  });
}

// --- show, where ---

using OfRecord =
    std::function<Json(Reader&, const Directory&, const HeldRecord&, const RecordView&)>;

// Reads {"id"} and hands the record over.
Result<Json> with_record(NodeAccess& node, const Json& args, const OfRecord& answer) {
  Arguments in(args);
  const std::string id = in.text("id");
  if (auto done = in.done(); !done) return forward(done);
  return node.read([&](Reader& reader, const Directory& directory) -> Result<Json> {
    const auto record = find_record(reader, directory, id);
    if (!record) return forward(record);
    return answer(reader, directory, *record, view_of(*record, node.parts().kinds));
  });
}

Json layer_json(const SeenLayer& layer, const Authority& authority) {
  Json fields = Json::array();
  for (const SeenField& field : layer.fields) fields.push_back(field.name);
  Json json = {{"audience", name_of(layer.layer.audience)},
               {"target", nullptr},
               {"revision", to_hex(layer.newest_entry.view())},
               {"updated_ms", layer.newest.instant().ms},
               {"fields", std::move(fields)}};
  if (layer.layer.audience == Audience::to) json["target"] = code_of(authority, layer.layer.target);
  return json;
}

Result<Json> show(NodeAccess& node, const Json& args) {
  const Kinds& kinds = node.parts().kinds;
  return with_record(
      node, args,
      [&](Reader&, const Directory& directory, const HeldRecord& record, const RecordView& view) {
        Json json = to_json(view, kinds.find(view.kind));
        json["locked"] = record.is_locked;
        json["home_code"] = code_of(directory.authority(), view.key.home);
        json["title"] = title_of(view, kinds);
        json["layers"] = Json::array();
        for (const SeenLayer& layer : view.layers)
          json["layers"].push_back(layer_json(layer, directory.authority()));
        return json;
      });
}

Result<Json> where(NodeAccess& node, const Json& args) {
  const Kinds& kinds = node.parts().kinds;
  return with_record(
      node, args,
      [&](Reader& reader, const Directory& directory, const HeldRecord& record,
          const RecordView& view) {
        Json json = whereabouts(reader, directory, {record, view, kinds.find(view.kind)});
        json["title"] = title_of(view, kinds);
        return json;
      });
}

// --- explain ---

std::string_view word_of(Action action) {
  switch (action) {
    case Action::set:
      return "set";
    case Action::clear:
      return "clear";
    case Action::add:
      return "add";
    case Action::remove:
      return "remove";
  }
  return "?";
}

// An entry with what it says.
struct ToldEntry {
  Json json;
  std::uint64_t name = 0;  // first half of the names of its values
  std::string words;       // for why a field has its value
};

class Explanation {
 public:
  Explanation(Reader& reader, const Directory& directory, const ChapterVault& vault)
      : reader_(reader), directory_(directory), keys_(vault.keys()), holders_(reader, directory) {}

  void add_layer(const HeldLayer& held) {
    for (const EntryPlace& place : entries_of(reader_, directory_, held.layer)) add(place);
  }

  [[nodiscard]] Json json(const RecordView& view) {
    std::ranges::sort(entries_, {}, [](const ToldEntry& entry) {
      return entry.json["arrival"].get<std::uint64_t>();
    });
    Json entries = Json::array();
    for (ToldEntry& entry : entries_) entries.push_back(std::move(entry.json));
    return {{"entries", std::move(entries)}, {"fields", fields_of(view)}};
  }

 private:
  void add(const EntryPlace& place) {
    const auto stored = reader_.piece_at(place.arrival);
    if (!stored) throw Damaged("a piece in the database is missing");
    const Piece piece = decoded(*stored);
    const std::size_t index = place.arrival.value - stored->arrival.value;
    const PieceEntry& entry = piece.entries[index];
    const KnownFeed& feed = directory_.feed(place.feed);
    const EntryHash hash = chain(piece, feed.head.feed, stored->prev)[index];
    const std::string home = code_of(directory_.authority(), feed.intro.home.chapter);
    const std::string audience(name_of(feed.intro.audience));
    ToldEntry told;
    told.name = name_part(hash);
    told.words = home + ", entry " + std::to_string(place.seq.value) + " of node " +
                 fingerprint(feed.intro.node) + " for " + audience + " (" +
                 to_hex(hash.view()).substr(0, 16) + ")";
    told.json = {{"audience", audience},
                 {"author", fingerprint(feed.intro.node)},
                 {"chapter", home},
                 {"seq", place.seq.value},
                 {"arrival", place.arrival.value},
                 {"hash", to_hex(hash.view())},
                 {"time_ms", entry.time.instant().ms},
                 {"erased", entry.erased.has_value()},
                 {"erases", entry.kind == EntryKind::erase},
                 {"operations", operations_of(feed.intro, entry)},
                 {"acknowledged_by", holders_.acknowledged_by(place.feed, place.seq)}};
    entries_.push_back(std::move(told));
  }

  [[nodiscard]] Json operations_of(const FeedIntro& intro, const PieceEntry& entry) const {
    Json operations = Json::array();
    Bytes opened;
    ChangeView change;
    const ChangeVerdict verdict = read_change(keys_.get(), intro, entry, opened, change);
    if (verdict != ChangeVerdict::good) return operations;
    for (const OperationView& operation : change.operations) {
      operations.push_back({{"field", std::string(operation.field)},
                            {"action", word_of(operation.action)},
                            {"supersedes", operation.name_count}});
    }
    return operations;
  }

  [[nodiscard]] Json fields_of(const RecordView& view) const {
    Json fields = Json::object();
    for (const ShownField& shown : view.fields) {
      Json& why = fields[shown.name] = Json::array();
      const SeenLayer* layer = view.layer(shown.layer);
      const SeenField* field = layer == nullptr ? nullptr : layer->field(shown.name);
      if (field == nullptr) continue;
      for (const SeenValue& value : field->values) {
        const auto entry = std::ranges::find(entries_, value.name.entry, &ToldEntry::name);
        if (entry != entries_.end()) why.push_back(entry->words);
      }
    }
    return fields;
  }

  Reader& reader_;
  const Directory& directory_;
  const std::shared_ptr<const ChapterKeys> keys_;
  Holders holders_;
  std::vector<ToldEntry> entries_;
};

Result<Json> explain(NodeAccess& node, const Json& args) {
  return with_record(node, args,
                     [&](Reader& reader, const Directory& directory, const HeldRecord& record,
                         const RecordView& view) {
                       Explanation explanation(reader, directory, node.parts().vault);
                       for (const HeldLayer& layer : record.layers) explanation.add_layer(layer);
                       return explanation.json(view);
                     });
}

constexpr std::array verbs{
    Verb{"record.list", Needs::nothing, list},
    Verb{"record.show", Needs::nothing, show},
    Verb{"record.where", Needs::nothing, where},
    Verb{"record.explain", Needs::nothing, explain},
};

}  // namespace

std::span<const Verb> reading_verbs() {
  return verbs;
}

}  // namespace chapterd
