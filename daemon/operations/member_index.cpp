// Building and following.
#include "daemon/operations/member_index.h"

#include "crypto/guarded.h"
#include "domain/names.h"
#include "replication/erasure.h"
#include "replication/format/piece.h"
#include "replication/stored_piece.h"

#include <nlohmann/json.hpp>

#include <utility>

namespace chapterd {
namespace {

using Json = nlohmann::json;

constexpr const char* kind_name = "member";
constexpr std::size_t bytes_a_time = 1024 * 1024;

char small(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

void add_text(std::string& text, const Json& value) {
  if (value.is_string()) {
    for (const char letter : value.get_ref<const std::string&>()) text += small(letter);
    text += '\n';
  } else if (value.is_array() || value.is_object()) {
    for (const Json& item : value) add_text(text, item);
  }
}

bool has_all(const std::string& text, const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    if (text.find(word) == std::string::npos) return false;
  }
  return true;
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words(1);
  for (const char letter : text) {
    if (letter == ' ' || letter == '\t' || letter == '\n') {
      if (!words.back().empty()) words.emplace_back();
    } else {
      words.back() += small(letter);
    }
  }
  if (words.back().empty()) words.pop_back();
  return words;
}

}  // namespace

MemberIndex::~MemberIndex() {
  drop_held();
}

void MemberIndex::drop() {
  const std::lock_guard lock(mutex_);
  drop_held();
}

void MemberIndex::drop_held() {
  for (auto& [key, text] : texts_)
    wipe(std::span(reinterpret_cast<std::uint8_t*>(text.data()), text.size()));
  texts_.clear();
  built_ = false;
  keys_.reset();
}

void MemberIndex::take(const RecordView& view, const Kind& kind) {
  std::string text;
  const Json fields = fields_json(view, &kind);
  for (const Field& field : kind.fields) {
    const bool is_wanted = field.searchable || field.listed;
    if (is_wanted && fields.contains(field.name)) add_text(text, fields[field.name]);
  }
  texts_[view.key] = std::move(text);
}

void MemberIndex::read_all(Reader& reader, const Directory& directory, const Kinds& kinds) {
  const Kind* kind = kinds.find(kind_name);
  for_each_record(reader, directory, kinds, kind_name, [&](const RecordView& view) {
    take(view, *kind);
    return true;
  });
  at_ = directory.arrival();
}

// The members that new entries change.
void MemberIndex::read_new(Reader& reader, const Directory& directory, const Kinds& kinds) {
  std::set<RecordKey> changed;
  Bytes opened;
  ChangeView change;
  while (at_ < directory.arrival()) {
    const auto pieces = reader.pieces_after(Lane::live, at_, bytes_a_time);
    if (pieces.empty()) break;
    for (const StoredPiece& stored : pieces) {
      at_ = Arrival(stored.arrival.value + stored.count - 1);
      if (stored.feed.value > directory.feeds().size()) continue;
      const FeedIntro& intro = directory.feed(stored.feed).intro;
      const Piece piece = decoded(stored);
      for (const PieceEntry& entry : piece.entries) {
        if (read_change(keys_.get(), intro, entry, opened, change) == ChangeVerdict::good &&
            change.kind == kind_name)
          changed.insert({intro.home.chapter, change.record});
      }
    }
  }
  const Kind* kind = kinds.find(kind_name);
  for (const RecordKey& key : changed) {
    texts_.erase(key);
    const HeldRecord record = held_record(reader, directory, key);
    if (record.layers.empty()) continue;
    const RecordView view = view_of(record, kinds);
    if (!view.deleted || view.contested) take(view, *kind);
  }
}

void MemberIndex::follow_held(Reader& reader,
                              const Directory& directory,
                              const ChapterVault& vault,
                              const Kinds& kinds) {
  const auto keys = vault.keys();
  const std::uint64_t cuts = directory.authority().cut_version();
  const Arrival order = newest_order(reader);
  if (built_ && keys == keys_ && cuts == cuts_ && order == order_)
    return read_new(reader, directory, kinds);
  drop_held();
  keys_ = keys;
  cuts_ = cuts;
  order_ = order;
  read_all(reader, directory, kinds);
  built_ = true;
}

void MemberIndex::follow(Reader& reader,
                         const Directory& directory,
                         const ChapterVault& vault,
                         const Kinds& kinds) {
  const std::lock_guard lock(mutex_);
  follow_held(reader, directory, vault, kinds);
}

std::set<RecordKey> MemberIndex::search(Reader& reader,
                                        const Directory& directory,
                                        const ChapterVault& vault,
                                        const Kinds& kinds,
                                        std::string_view text) {
  const std::lock_guard lock(mutex_);
  follow_held(reader, directory, vault, kinds);
  const std::vector<std::string> words = words_of(text);
  std::set<RecordKey> found;
  for (const auto& [key, held] : texts_) {
    if (has_all(held, words)) found.insert(key);
  }
  return found;
}

}  // namespace chapterd
