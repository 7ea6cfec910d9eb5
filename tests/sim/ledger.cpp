// Histories and who holds them.
#include "tests/sim/ledger.h"

#include <algorithm>

namespace chapterd::sim {
namespace {

const TrueEntry* find(const FeedTruth& truth, Sequence seq, const EntryHash& hash) {
  if (seq == Sequence(0) || seq.value > truth.places.size()) return nullptr;
  for (const TrueEntry& entry : truth.places[seq.value - 1])
    if (entry.hash == hash) return &entry;
  return nullptr;
}

}  // namespace

bool FeedTruth::wrote(Sequence seq, const EntryHash& hash) const {
  return find(*this, seq, hash) != nullptr;
}

bool FeedTruth::leads_to(const Head& tip, Sequence seq, const EntryHash& hash) const {
  if (tip.seq < seq || !wrote(seq, hash)) return false;
  if (places[seq.value - 1].size() == 1) return wrote(tip.seq, tip.hash);
  Head at = tip;
  while (at.seq > seq) {
    const TrueEntry* entry = find(*this, at.seq, at.hash);
    if (entry == nullptr) return false;
    at.hash = entry->prev;
    at.seq = Sequence(at.seq.value - 1);
  }
  return at.hash == hash;
}

bool holds(const Promised& promised,
           const FeedTruth& truth,
           Sequence seq,
           const EntryHash& hash,
           const FeedId& feed) {
  for (auto at = promised.lower_bound({feed, FeedRow(0)});
       at != promised.end() && at->first.first == feed; ++at) {
    if (truth.leads_to(at->second, seq, hash)) return true;
  }
  return false;
}

}  // namespace chapterd::sim
