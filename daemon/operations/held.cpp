// Finding, viewing and following records.
#include "daemon/operations/held.h"

#include "base/byte_stream.h"
#include "base/contract.h"
#include "daemon/operations/arguments.h"
#include "daemon/operations/store_trouble.h"

#include <algorithm>
#include <map>

namespace chapterd {
namespace {

constexpr std::size_t rows_a_time = 4096;

KnownFeed const* feed_at(const Directory& directory, FeedRow row) {
  return row.value == 0 || row.value > directory.feeds().size() ? nullptr : &directory.feed(row);
}

// What was given as the name of a record.
struct WantedRecord {
  RecordId id;
  std::optional<ChapterId> home;
};

Result<WantedRecord> wanted_record(std::string_view text, const ChapterId& own) {
  const auto link = link_from(text, own);
  if (!link) {
    return fail(Errc::usage, "record.id", shown(text) + " is not the id of a record.",
                "Nothing was changed.", "An id looks like 0190163d-8694-739b-aea5-966c26f8ad91.");
  }
  WantedRecord wanted{link->record.id, std::nullopt};
  if (text.find('/') != std::string_view::npos) wanted.home = link->record.home;
  return wanted;
}

Result<HeldRecord> choose(std::vector<HeldLayer> layers,
                          const Directory& directory,
                          std::string_view text,
                          const WantedRecord& wanted) {
  std::map<ChapterId, std::vector<HeldLayer>> by_home;
  for (HeldLayer& layer : layers) {
    if (!is_blank(layer.layer.state)) by_home[layer.space.home].push_back(std::move(layer));
  }
  auto chosen = by_home.find(wanted.home.value_or(directory.chapter()));
  if (chosen == by_home.end() && !wanted.home) chosen = by_home.begin();
  if (chosen == by_home.end()) return unknown_record(text);
  HeldRecord record{{chosen->first, wanted.id}, {}, std::move(chosen->second)};
  const std::size_t kind = record.layers.front().layer.kind.value;
  record.is_locked = std::erase_if(record.layers, [](const HeldLayer& layer) {
                       return is_sealed(layer.layer.state);
                     }) > 0;
  if (kind > directory.kinds().size()) throw Damaged("the kind of a record is missing");
  record.kind = directory.kind(KindRow(kind));
  return record;
}

Result<HeldRecord> readable(Result<HeldRecord> found) {
  if (!found || !found->layers.empty()) return found;
  return fail(Errc::needs_person, "record.locked",
              "This record is private to the chapter, and private data is locked here.",
              "It is safe; what is shared with other chapters can be read.",
              "Unlock it with: chapterd unlock");
}

// Position of the entry before this one in its layer; 0 for none.
Arrival link_at(const StoredPiece& piece, std::uint64_t index) {
  ByteReader links(piece.links);
  for (std::uint64_t i = 0; i < index; ++i) static_cast<void>(links.varint());
  return Arrival(links.varint());
}

}  // namespace

std::string decision_name(const char* what, const KnownFeed& branch) {
  return what + to_hex(branch.head.feed.view()) + "/" + std::to_string(branch.row.value) + "/";
}

tl::unexpected<Error> unknown_record(std::string_view id) {
  return fail(Errc::not_found, "record.unknown", "There is no record " + shown(id) + " here.",
              "Nothing was changed.",
              "Check the id; a record of another chapter may still be on "
              "its way.");
}

std::string code_of(const Authority& authority, const ChapterId& chapter) {
  const KnownChapter* known = authority.chapter(chapter);
  return known == nullptr ? to_hex(chapter.view()) : known->certificate.code;
}

std::string name_of(const Authority& authority, const ChapterId& chapter) {
  const KnownChapter* known = authority.chapter(chapter);
  if (known == nullptr) return code_of(authority, chapter);
  const bool is_global = known->statement.empty();
  if (!is_global && !known->certificate.name.empty()) return known->certificate.name;
  std::string name = known->certificate.code;
  for (std::size_t i = 1; i < name.size() && is_global; ++i) {
    if (name[i] >= 'A' && name[i] <= 'Z') name[i] = static_cast<char>(name[i] - 'A' + 'a');
  }
  return name;
}

std::string own_name(Reader& reader, const Directory& directory) {
  const auto own = reader.values(own_value::chapter_name);
  return own.empty() ? name_of(directory.authority(), directory.chapter())
                     : std::string(as_text(own.front().value));
}

std::string federation_name(const Directory& directory) {
  const KnownChapter* root = directory.authority().chapter(root_of(directory));
  CHECK(root != nullptr);
  return root->certificate.name;  // of genesis
}

std::string fingerprint(const PublicKey& key) {
  constexpr std::size_t shown_bytes = 4;
  return to_hex(key.view().first(shown_bytes));
}

const KnownChapter& own_chapter(const Directory& directory) {
  const KnownChapter* own = directory.authority().chapter(directory.chapter());
  CHECK(own != nullptr);
  return *own;
}

ChapterId root_of(const Directory& directory) {
  const ChapterPath path = directory.authority().path_of(directory.chapter());
  return path.above.empty() ? path.chapter : path.above.front();
}

std::vector<HeldLayer> layers_held(Reader& reader, const Directory& directory, const RecordId& id) {
  std::vector<HeldLayer> layers;
  for (StoredLayer& stored : reader.layers_of(id)) {
    // It came in a transaction after the directory was refreshed.
    if (stored.space.value > directory.spaces().size()) continue;
    layers.push_back({directory.space(stored.space), std::move(stored)});
  }
  return layers;
}

Result<HeldRecord> find_record(Reader& reader, const Directory& directory, std::string_view text) {
  const auto wanted = wanted_record(text, directory.chapter());
  if (!wanted) return forward(wanted);
  return readable(choose(layers_held(reader, directory, wanted->id), directory, text, *wanted));
}

Result<HeldRecord> find_record(Replica& replica, std::string_view text) {
  const Directory& directory = replica.directory();
  const auto wanted = wanted_record(text, directory.chapter());
  if (!wanted) return forward(wanted);
  return readable(choose(replica.layers_of(wanted->id), directory, text, *wanted));
}

HeldRecord held_record(Reader& reader, const Directory& directory, const RecordKey& key) {
  auto found = choose(layers_held(reader, directory, key.id), directory, "", {key.id, key.home});
  return found ? std::move(*found) : HeldRecord{key, {}, {}};
}

RecordView view_of(const HeldRecord& record, const Kinds& kinds) {
  std::vector<DecodedLayer> layers;
  for (const HeldLayer& held : record.layers) {
    auto state = decode_layer(held.layer.state);
    if (!state) throw Damaged(state.error());
    layers.push_back({held.space.audience, held.space.target, std::move(*state)});
  }
  return view_of(RecordNamed{record.key, record.kind, kinds.find(record.kind)}, layers);
}

std::string title_of(const RecordView& view, const Kinds& kinds) {
  const Kind* kind = kinds.find(view.kind);
  return kind == nullptr ? std::string() : title_of(view, *kind);
}

void for_each_record(Reader& reader,
                     const Directory& directory,
                     const Kinds& kinds,
                     std::string_view kind,
                     const std::function<bool(const RecordView&)>& visit) {
  const auto row = directory.kind_row(kind);
  if (!row) return;
  for (LayerRow after(0);;) {
    const auto records = reader.records_of(*row, after, rows_a_time);
    for (const StoredLayer& layer : records) {
      after = layer.row;
      if (layer.space.value > directory.spaces().size()) continue;
      const RecordKey key{directory.space(layer.space).home, layer.record};
      const HeldRecord record = held_record(reader, directory, key);
      if (record.layers.empty()) continue;
      const RecordView view = view_of(record, kinds);
      if (!view.deleted && !visit(view)) return;
    }
    if (records.size() < rows_a_time) return;
  }
}

std::vector<EntryPlace> entries_of(Reader& reader,
                                   const Directory& directory,
                                   const StoredLayer& layer) {
  std::vector<EntryPlace> entries;
  for (Arrival at = layer.newest; at.value != 0;) {
    const auto piece = reader.piece_at(at);
    if (!piece || at < piece->arrival) throw Damaged("an entry of a merged record is missing");
    const std::uint64_t index = at.value - piece->arrival.value;
    if (feed_at(directory, piece->feed) != nullptr)
      entries.push_back({at, piece->feed, piece->seq.plus(index)});
    const Arrival before = link_at(*piece, index);
    if (before >= at) throw Damaged("the links of a merged record are damaged");
    at = before;
  }
  return entries;
}

}  // namespace chapterd
