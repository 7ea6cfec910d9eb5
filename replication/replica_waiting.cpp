// What waited for a key of the chapter: applied once the key is here, in transactions of bounded
// size, at its place among the other entries of its record.
#include "base/contract.h"
#include "replication/replica.h"
#include "replication/stored_piece.h"

#include <utility>

namespace chapterd {
namespace {

constexpr std::size_t entries_a_time = 2000;
constexpr std::size_t layers_a_time = 500;

bool has(const StoredPiece& piece, Arrival at) {
  return piece.arrival <= at && at < piece.arrival.plus(piece.count);
}

}  // namespace

// Called with nothing staged. When the disk is full the rest is tried again after the next commit.
void Replica::apply_waiting() {
  CHECK(!staged_);
  try {
    waiting_ = false;
    if (vault_.can_seal() && !value(stored_name::stale).empty()) {
      merge_private_anew();
      commit();
    }
    for (Arrival after(0);;) {
      const auto page = store_.pending(after, entries_a_time);
      std::vector<Arrival> waiting;
      for (const StoredPending& mark : page) {
        if (mark.waits_for == waits_for_key) waiting.push_back(mark.arrival);
      }
      apply_late(waiting);
      commit();
      if (page.size() < entries_a_time) return;
      after = page.back().arrival;
    }
  } catch (const DiskFull&) {
    waiting_ = true;
  } catch (const Damaged& damaged) {
    // The group before is on disk, and its answer must not depend on what waits.
    if (!damage_) damage_ = damaged.error;
    abandon();
  }
}

void Replica::apply_late(const std::vector<Arrival>& waiting) {
  std::size_t next = 0;
  const auto apply_piece = [&] {
    // A copy: making room for other pieces may move those that are staged.
    const StoredPiece stored = piece_with(waiting[next]);
    const KnownFeed& feed = directory_.feed(stored.feed);
    const Piece piece = decoded(stored);
    const auto hashes = hashes_in(stored, piece, feed.head.feed);
    for (; next < waiting.size() && has(stored, waiting[next]); ++next) {
      const std::size_t index = waiting[next].value - stored.arrival.value;
      const Written written{waiting[next], stored.feed, stored.seq.plus(index), hashes[index]};
      if (apply_entry(feed.intro, piece.entries[index], written))
        batch_.settled.push_back(waiting[next]);
    }
  };
  while (next < waiting.size()) {
    if (!unless_damaged(apply_piece)) ++next;  // this one waits on, those behind it do not
  }
}

// False when it waits on.
bool Replica::apply_entry(const FeedIntro& intro, const PieceEntry& entry, const Written& written) {
  Bytes opened;
  ChangeView change;
  if (read_change(intro, entry, opened, change) != ChangeVerdict::good) return false;
  const SpaceRow space = space_for(intro);
  staged_ = true;
  if (!link_late(space, change, written.arrival) || is_damaged(staged_layer(space, change).state)) {
    // It was linked before a rebuild that could not read it, so it may be merged already; or all of
    // its record must be merged anew.
    merge_anew(space, change.record);
    return true;
  }
  const Arrival newest = staged_layer(space, change).newest;
  if (written.seq <= stands(written.feed)) {
    merge_into(space, change, written, entry.time);
  } else {
    link_only(space, change, written);
  }
  staged_layer(space, change).newest = newest;  // its place is that which link_late() gave it
  return true;
}

// A cut moved, or something was erased, while private records could not be merged.
void Replica::merge_private_anew() {
  bool all = true;
  for (LayerRow after(0);;) {
    const auto layers = store_.layers_after(after, layers_a_time);
    for (const StoredLayer& layer : layers) {
      after = layer.row;
      if (!is_private(layer.space)) continue;
      all = unless_damaged([&] { merge_anew(layer.space, layer.record); }) && all;
    }
    if (layers.size() < layers_a_time) break;
    commit();
  }
  if (all) set_value(stored_name::stale, {});
}

}  // namespace chapterd
