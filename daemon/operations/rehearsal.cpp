// Merges as the replica does, under hashes that no entry has.
#include "daemon/operations/rehearsal.h"

#include "base/contract.h"
#include "daemon/operations/store_trouble.h"
#include "replication/merge.h"

namespace chapterd {
namespace {

EntryHash made_up_hash(std::size_t number) {
  EntryHash hash;
  hash.bytes.fill(0xFF);
  for (std::size_t i = 0; i < sizeof number; ++i)
    hash.bytes[i] = static_cast<std::uint8_t>(number >> (8 * i));
  return hash;
}

}  // namespace

Rehearsal::Rehearsal(const Kind& kind, const HeldRecord& held) : kind_(kind), key_(held.key) {
  for (const HeldLayer& layer : held.layers) {
    auto state = decode_layer(layer.layer.state);
    if (!state) throw Damaged(state.error());
    layers_.push_back({layer.space.audience, layer.space.target, std::move(*state)});
  }
}

void Rehearsal::take(const std::vector<LayerChange>& changes) {
  for (const LayerChange& change : changes) {
    const Bytes& payload = payloads_.emplace_back(encode(change.change));
    ChangeView read;
    const auto decoded = decode_change(payload, read);
    CHECK(decoded.has_value());  // of a draft that was checked
    const std::size_t number = payloads_.size();
    merge(layer(change), read, made_up_hash(number), HybridTime{number});
  }
}

RecordView Rehearsal::view() const {
  return view_of(RecordNamed{key_, kind_.name, &kind_}, layers_);
}

LayerState& Rehearsal::layer(const LayerChange& change) {
  for (DecodedLayer& held : layers_) {
    if (held.audience == change.audience && held.target == change.target) return held.state;
  }
  return layers_.emplace_back(DecodedLayer{change.audience, change.target, {}}).state;
}

}  // namespace chapterd
