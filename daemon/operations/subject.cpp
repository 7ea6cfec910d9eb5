// report.subject: everything that a node holds of one person, with where each came from.
#include "daemon/operations/arguments.h"
#include "daemon/operations/erasures.h"
#include "daemon/operations/finding.h"
#include "domain/value.h"
#include "replication/stored_piece.h"
#include "replication/vault.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <set>
#include <sstream>

namespace chapterd {
namespace {

using Json = nlohmann::json;

// What a person is recognised by.
constexpr std::array<std::string_view, 4> telling{"legal_name", "name", "email", "phone"};

// The operations of one entry, as written.
Json operations_json(const ChangeView& change) {
  constexpr std::array<const char*, 4> actions{"set", "clear", "add", "remove"};
  Json operations = Json::array();
  for (const OperationView& each : change.operations) {
    Json value;
    if (!each.value.empty()) {
      if (auto read = from_cbor(each.value)) value = std::move(*read);
    }
    operations.push_back({{"field", std::string(each.field)},
                          {"action", actions.at(static_cast<std::size_t>(each.action))},
                          {"value", std::move(value)}});
  }
  return operations;
}

Json entry_json(Reader& reader,
                const Directory& directory,
                const ChapterKeys* keys,
                const EntryPlace& place) {
  const auto stored = reader.piece_at(place.arrival);
  if (!stored) throw Damaged("an entry of a merged record is missing");
  const Piece piece = decoded(*stored);
  const PieceEntry& entry = piece.entries.at(place.arrival.value - stored->arrival.value);
  const KnownFeed& feed = directory.feed(place.feed);
  Json json = {{"audience", name_of(feed.intro.audience)},
               {"chapter", code_of(directory.authority(), feed.intro.home.chapter)},
               {"node", fingerprint(feed.intro.node)},
               {"feed", to_hex(feed.head.feed.view())},
               {"seq", place.seq.value},
               {"time_ms", entry.time.instant().ms},
               {"erased", entry.erased.has_value()}};
  Bytes opened;
  ChangeView change;
  if (entry.kind == EntryKind::erase) {
    json["order"] = "to erase";
  } else if (read_change(keys, feed.intro, entry, opened, change) == ChangeVerdict::good) {
    json["operations"] = operations_json(change);
  }
  return json;
}

Json history_json(Reader& reader,
                  const Directory& directory,
                  const ChapterKeys* keys,
                  const HeldRecord& record) {
  Json history = Json::array();
  for (const HeldLayer& held : record.layers) {
    for (const EntryPlace& place : entries_of(reader, directory, held.layer))
      history.push_back(entry_json(reader, directory, keys, place));
  }
  return history;
}

// What was looked for elsewhere, folded(); what is so short that it would be found everywhere.
struct Searched {
  std::set<std::string> words;
  std::set<std::string> too_short;
};

// The values by which the person may be named elsewhere, and each part of a name: people are called
// by one of them.
Searched words_of(const RecordView& view, const Kind* kind) {
  Searched searched;
  const auto take = [&](const std::string& word) {
    if (!word.empty())
      (word.size() < least_searched ? searched.too_short : searched.words).insert(word);
  };
  const Json fields = fields_json(view, kind);
  for (const std::string_view name : telling) {
    const auto at = fields.find(name);
    if (at == fields.end() || !at->is_string()) continue;
    const std::string whole = folded(at->get<std::string>());
    take(whole);
    if (name == "phone") take(without_gaps(whole));
    if (!name.ends_with("name")) continue;
    std::istringstream parts(whole);
    for (std::string part; parts >> part;) take(part);
  }
  return searched;
}

bool names_one(const Bytes& value, const Searched& searched) {
  const auto read = from_cbor(value);
  if (!read) return false;
  const std::string text = folded(read->is_string() ? read->get<std::string>() : read->dump());
  const std::string dense = without_gaps(text);
  return std::ranges::any_of(searched.words, [&](const std::string& word) {
    return stands_in(text, word) || (is_number(word) && stands_in(dense, word));
  });
}

// Records in whose text one of the words stands: a person must look whether it is the same person.
Json mentions_json(Reader& reader,
                   const Directory& directory,
                   const Kinds& kinds,
                   const RecordKey& key,
                   const Searched& searched) {
  Json mentions = Json::array();
  const auto is_named = [&](const Bytes& value) { return names_one(value, searched); };
  for (const Kind* kind : kinds.records()) {
    for_each_record(reader, directory, kinds, kind->name, [&](const RecordView& view) {
      if (view.key == key) return true;
      Json fields = Json::array();
      for (const ShownField& field : view.fields) {
        if (std::ranges::any_of(field.values, is_named)) fields.push_back(field.name);
      }
      if (!fields.empty()) {
        mentions.push_back({{"id", to_text(view.key.id)},
                            {"home", code_of(directory.authority(), view.key.home)},
                            {"kind", view.kind},
                            {"title", title_of(view, kinds)},
                            {"fields", std::move(fields)}});
      }
      return true;
    });
  }
  return mentions;
}

}  // namespace

Result<Json> subject_report(NodeAccess& node, const Json& args) {
  Arguments in(args);
  const std::string id = in.text("id");
  if (auto done = in.done(); !done) return forward(done);
  const NodeParts& parts = node.parts();
  return node.read([&](Reader& reader, const Directory& directory) -> Result<Json> {
    const auto record = find_record(reader, directory, id);
    if (!record) return forward(record);
    // Half of an answer would pass for the whole.
    if (parts.vault.is_locked()) return chapter_locked();
    const auto keys = parts.vault.keys();
    const Kind* kind = parts.kinds.find(record->kind);
    const RecordView view = view_of(*record, parts.kinds);
    Json linked = linking_records(reader, directory, parts.kinds, view.key);
    for (Json& each : linked) {
      const auto found = find_record(reader, directory, each["id"].get<std::string>());
      if (found)
        each["record"] = to_json(view_of(*found, parts.kinds), parts.kinds.find(found->kind));
    }
    const Searched searched = words_of(view, kind);
    return Json{{"about", title_of(view, parts.kinds)},
                {"chapter", code_of(directory.authority(), directory.chapter())},
                {"written_ms", parts.date.now().ms},
                {"record", to_json(view, kind)},
                {"history", history_json(reader, directory, keys.get(), *record)},
                {"linked", std::move(linked)},
                {"mentions", mentions_json(reader, directory, parts.kinds, view.key, searched)},
                {"searched", searched.words},
                {"too_short", searched.too_short}};
  });
}

}  // namespace chapterd
