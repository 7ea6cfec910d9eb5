// Text and bytes of record ids and links.

#include "domain/record.h"

namespace chapterd {
namespace {

constexpr std::size_t uuid_characters = 36;
constexpr std::size_t key_bytes = ChapterId::size + RecordId::size;

bool is_dash_place(std::size_t at) {
  return at == 8 || at == 13 || at == 18 || at == 23;
}

template <class F>
std::optional<F> fixed_from_hex(std::string_view hex) {
  const auto bytes = from_hex(hex);
  return bytes ? F::from(*bytes) : std::nullopt;
}

}  // namespace

std::string to_text(const RecordId& id) {
  std::string text = to_hex(id.view());
  for (const std::size_t at : {8U, 13U, 18U, 23U}) text.insert(at, 1, '-');
  return text;
}

std::optional<RecordId> record_id_from(std::string_view text) {
  if (text.size() != uuid_characters) return std::nullopt;
  std::string hex;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is_dash_place(i) != (text[i] == '-')) return std::nullopt;
    if (text[i] != '-') hex += text[i];
  }
  return fixed_from_hex<RecordId>(hex);
}

std::string to_text(const Link& link) {
  std::string text = to_hex(link.record.home.view()) + "/" + to_text(link.record.id);
  if (link.revision) text += "@" + to_hex(link.revision->view());
  return text;
}

std::optional<Link> link_from(std::string_view text, const ChapterId& own) {
  Link link{{own, {}}, std::nullopt};
  if (const std::size_t slash = text.find('/'); slash != std::string_view::npos) {
    const auto home = fixed_from_hex<ChapterId>(text.substr(0, slash));
    if (!home) return std::nullopt;
    link.record.home = *home;
    text.remove_prefix(slash + 1);
  }
  if (const std::size_t at = text.find('@'); at != std::string_view::npos) {
    link.revision = fixed_from_hex<EntryHash>(text.substr(at + 1));
    if (!link.revision) return std::nullopt;
    text = text.substr(0, at);
  }
  const auto id = record_id_from(text);
  if (!id) return std::nullopt;
  link.record.id = *id;
  return link;
}

Bytes to_bytes(const Link& link) {
  Bytes bytes;
  append(bytes, link.record.home.view());
  append(bytes, link.record.id.view());
  if (link.revision) append(bytes, link.revision->view());
  return bytes;
}

std::optional<Link> link_from(ByteView bytes) {
  if (bytes.size() != key_bytes && bytes.size() != key_bytes + EntryHash::size) return std::nullopt;
  Link link;
  link.record.home = *ChapterId::from(bytes.first(ChapterId::size));
  link.record.id = *RecordId::from(bytes.subspan(ChapterId::size, RecordId::size));
  if (bytes.size() > key_bytes) link.revision = EntryHash::from(bytes.subspan(key_bytes));
  return link;
}

}  // namespace chapterd
