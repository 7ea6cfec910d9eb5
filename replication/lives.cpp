// From named values, and from the intros of the node's own feeds.
#include "replication/lives.h"

#include "base/byte_stream.h"
#include "replication/forks.h"

#include <algorithm>

namespace chapterd {
namespace {

constexpr std::size_t most_lives = 256;  // a statement has room for them

std::vector<Incarnation> lives_in(ByteReader& in) {
  std::vector<Incarnation> lives;
  while (in.remaining() >= Incarnation::size) lives.push_back(in.fixed<Incarnation>());
  return lives;
}

}  // namespace

Bytes encode(const LedElsewhere& led) {
  ByteWriter out;
  out.u64(static_cast<std::uint64_t>(led.told.ms));
  for (const Incarnation& life : led.lives) out.fixed(life);
  return out.take();
}

std::optional<LedElsewhere> decode_led_elsewhere(ByteView stored) {
  if (stored.empty()) return std::nullopt;
  ByteReader in(stored);
  LedElsewhere led;
  led.told = Instant{static_cast<std::int64_t>(in.u64())};
  led.lives = lives_in(in);
  return led;
}

std::vector<Incarnation> lives_told(Reader& reader) {
  const auto values = reader.values(stored_name::lives);
  if (values.empty()) return {};
  ByteReader in(values.front().value);
  return lives_in(in);
}

std::vector<Incarnation> lives_led(Reader& reader, const Directory& directory) {
  std::vector<Incarnation> led{directory.incarnation()};
  const std::vector<FeedRow>& own = directory.own_feeds();
  for (auto row = own.rbegin(); row != own.rend(); ++row) {
    const KnownFeed& feed = directory.feed(*row);
    const Incarnation& life = feed.intro.incarnation;
    const bool is_listed = std::ranges::find(led, life) != led.end();
    if (!is_listed && led.size() < most_lives && wrote_tip_in(reader, feed)) led.push_back(life);
  }
  return led;
}

}  // namespace chapterd
