// Opening and sealing with whatever keys are at hand.
#include "replication/vault.h"

#include "base/byte_stream.h"
#include "base/contract.h"
#include "replication/merge.h"

#include <algorithm>
#include <utility>

namespace chapterd {
namespace {

constexpr std::size_t mark_bytes = sizeof sealed_state_mark;

Bytes layer_context(const ChapterKeys& keys, const RecordId& record) {
  constexpr std::string_view label("chapterd/sealed-layer/1\0", 24);
  ByteWriter out;
  out.bytes(as_bytes(label)).fixed(keys.federation).fixed(keys.chapter).fixed(record);
  return out.take();
}

ChangeVerdict decoded(ByteView payload, ChangeView& change) {
  const auto result = decode_change(payload, change);
  if (result) return ChangeVerdict::good;
  return result.error().kind == Errc::not_compatible ? ChangeVerdict::newer
                                                     : ChangeVerdict::malformed;
}

}  // namespace

bool ChapterKeys::holds(const ChapterKeyName& name) const {
  return std::ranges::any_of(keys, [&](const Held& each) { return each->name == name; });
}

Result<Bytes> ChapterKeys::open(const PublicKey& author, ByteView payload, Held& by) const {
  const std::uint32_t generation = generation_of(payload);
  const Bytes context = payload_context(federation, chapter, author);
  // Nodes that started a generation at the same time have a key each.
  for (const Held& each : keys) {
    if (each->name.generation != generation) continue;
    auto opened = open_payload(each->key, payload, context);
    if (!opened && opened.error().code == "seal.refused") continue;
    by = each;
    return opened;
  }
  return fail(Errc::check_failed, "seal.refused", "No key that is held opens this.");
}

Bytes ChapterKeys::seal(const NamedChapterKey& key,
                        const PublicKey& author,
                        ByteView plain,
                        Random& random) const {
  return seal_payload(key.key, key.name.generation, plain,
                      payload_context(federation, chapter, author), random);
}

std::shared_ptr<const ChapterKeys> ChapterVault::keys() const {
  const std::lock_guard lock(mutex_);
  return keys_;
}

std::shared_ptr<const BoxKey> ChapterVault::box() const {
  const std::lock_guard lock(mutex_);
  return box_;
}

void ChapterVault::unlock(std::shared_ptr<const BoxKey> box,
                          std::shared_ptr<const ChapterKeys> keys) {
  const std::lock_guard lock(mutex_);
  box_ = std::move(box);
  keys_ = std::move(keys);
}

void ChapterVault::lock() {
  unlock(nullptr, nullptr);
}

bool ChapterVault::can_seal() const {
  const auto keys = this->keys();
  return keys != nullptr && !keys->keys.empty();
}

Bytes ChapterVault::seal(const RecordId& record, ByteView state) const {
  const auto keys = this->keys();
  if (keys == nullptr || keys->keys.empty()) {
    CHECK(is_blank(state));  // what is private was opened before
    return {state.begin(), state.end()};
  }
  const NamedChapterKey& newest = *keys->keys.back();
  ByteWriter out;
  out.bytes(sealed_state_mark)
      .u32(newest.name.generation)
      .bytes(newest.key.seal(state, layer_context(*keys, record), random_));
  return out.take();
}

Bytes ChapterVault::open(const RecordId& record, Bytes stored) const {
  const auto keys = this->keys();
  if (keys == nullptr) return stored;
  ByteReader in(ByteView(stored).subspan(mark_bytes));
  const std::uint32_t generation = in.u32();
  bool tried = false;
  for (const ChapterKeys::Held& each : keys->keys) {
    if (each->name.generation != generation) continue;
    tried = true;
    if (auto opened = each->key.open(in.rest(), layer_context(*keys, record))) return *opened;
  }
  // It was merged here, so its key was held: by name it is here, and the bytes are others. An empty
  // state would be taken for that of a new record.
  if (tried) return {std::begin(damaged_state), std::end(damaged_state)};
  return stored;
}

ChangeVerdict read_change(const ChapterKeys* keys,
                          const FeedIntro& intro,
                          const PieceEntry& entry,
                          Bytes& opened,
                          ChangeView& change,
                          ChapterKeys::Held* by) {
  if (entry.kind != EntryKind::data || entry.erased) return ChangeVerdict::none;
  const bool is_private = intro.audience == Audience::chapter;
  if ((entry.flags & flag_sealed) == 0)
    return is_private ? ChangeVerdict::malformed : decoded(entry.payload, change);
  if (!is_private || keys == nullptr || keys->chapter != intro.home.chapter)
    return ChangeVerdict::sealed;
  ChapterKeys::Held used;
  auto plain = keys->open(intro.node, entry.payload, used);
  if (!plain) {
    return plain.error().code == "seal.malformed" ? ChangeVerdict::malformed
                                                  : ChangeVerdict::sealed;
  }
  opened = std::move(*plain);
  if (by != nullptr) *by = std::move(used);
  return decoded(opened, change);
}

}  // namespace chapterd
