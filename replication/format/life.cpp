// The codec, the names of lives, and what is left of those that were told.
#include "replication/format/life.h"

#include "base/byte_stream.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace chapterd {

Epoch epoch_after(Epoch last, Random& random) {
  constexpr unsigned random_bits = 40;
  constexpr std::uint64_t most = UINT64_MAX >> random_bits;
  const std::uint64_t number = std::min((last.value >> random_bits) + 1, most);
  const std::uint64_t next = number << random_bits | random.number() >> (64 - random_bits);
  return Epoch(std::max(next, last.value + (last.value == UINT64_MAX ? 0 : 1)));
}

Bytes encode(const Life& life) {
  ByteWriter out;
  out.u64(life.epoch.value);
  for (const Epoch& epoch : life.over) out.u64(epoch.value);
  return out.take();
}

std::optional<Life> decode_life(ByteView payload) {
  ByteReader in(payload);
  Life life{Epoch(in.u64()), {}};
  while (in.good() && in.remaining() > 0) life.over.emplace_back(in.u64());
  const bool is_well_formed =
      in.good() && !life.over.empty() && std::ranges::max(life.over) < life.epoch;
  return is_well_formed ? std::optional(std::move(life)) : std::nullopt;
}

bool ToldLives::note(const Life& life) {
  const std::size_t before = over_.size();
  told_.insert(life.epoch);
  over_.insert(life.over.begin(), life.over.end());
  return over_.size() != before;
}

std::vector<Epoch> ToldLives::going_on() const {
  std::vector<Epoch> lives;
  std::ranges::set_difference(told_, over_, std::back_inserter(lives));
  return lives;
}

}  // namespace chapterd
