// Faults of the product that the simulator found and that are not mended yet. Each is worked round
// where it would hide others, so that a run without failures still means something; `--bare` runs
// without, and docs/reliability.md names a seed for each. An entry goes once its cause is gone.
#pragma once

namespace chapterd::sim {

enum class Known {
  // What a killed process had written to the WAL and not synced is read as committed by the next
  // one, which may hand it on before it is durable: a power cut then takes back what was given.
  recovered_is_not_durable,
  // A piece of which a part is held already is refused as a gap, although the protocol says that
  // entries already held are passed over; the mark behind it moves the cursor all the same. The
  // digest repairs it, up to ten minutes later: until then I9 does not hold for that feed.
  refusal_moves_the_cursor,
  // Digests count a revoked node's feeds at whatever each side holds instead of at their cut, so
  // that two links never say that they agree. Feeds of revoked nodes are left out of I6 and I15.
  digests_pass_the_cut,
};

}  // namespace chapterd::sim
