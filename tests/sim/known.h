// Faults of the product that the simulator found and that are not mended yet. Each is worked round
// where it would hide others, so that a run without failures still means something; `--bare` runs
// without, and docs/reliability.md names a seed for each. An entry goes once its cause is gone.
#pragma once

namespace chapterd::sim {

enum class Known {
  // What a killed process had written to the WAL and not synced is read as committed by the next
  // one, which may hand it on before it is durable: a power cut then takes back what was given.
  recovered_is_not_durable,
};

}  // namespace chapterd::sim
