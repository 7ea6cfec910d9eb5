// How a session finds what differs: buckets, heads, and what is asked for again.
#include "replication/format/limits.h"
#include "replication/session.h"

#include <algorithm>

namespace chapterd {
namespace {

// Questions of a peer that are answered between two ENDs: each costs a walk over all feeds.
constexpr int most_buckets = 8;

}  // namespace

void Session::start_buckets(const std::vector<SharedHead>& heads) {
  BucketsFrame frame;
  frame.salt = random_.number();
  frame.bits = bucket_bits(heads.size());
  frame.hashes = bucket_hashes(heads, frame.salt, frame.bits);
  send(Frame(std::move(frame)));
}

Result<void> Session::on(BucketsFrame& buckets) {
  if (buckets_answered_++ >= most_buckets) return {};
  send(Frame(differing_heads(outflow_.heads(), buckets)));
  return {};
}

Result<void> Session::on(HeadsFrame& theirs) {
  const HeadOf head_of = outflow_.acknowledged_head_of();
  const Differences differences =
      compare(directory_, outflow_.heads(head_of), theirs, head_of, entries_in(reader_));
  for (const auto& send : differences.send) outflow_.backfill(send.row, send.from);
  // Asking with an empty list still makes the peer say END again.
  send(Frame(WantFrame{differences.want}));
  compare_later_ = !differences.send.empty();
  return {};
}

Result<void> Session::on(WantFrame& want) {
  std::unordered_map<std::uint64_t, FeedId> shared;
  for (const SharedHead& head : outflow_.heads())
    shared.emplace(short_name(head.head.feed), head.head.feed);
  for (const auto& each : want.feeds) {
    const auto at = shared.find(each.feed);
    // A feed that the peer may not hold is answered like one that does not exist.
    if (at == shared.end() || each.from.value == 0) continue;
    for (const FeedRow row : directory_.branches(at->second))
      outflow_.backfill(row, std::max(each.from, directory_.feed(row).fork.seq.next()));
  }
  end_due_ = true;
  return {};
}

// A piece of another branch than ours, and nobody knows where the two part: each time from eight
// times further back, in the end all of it.
void Session::ask_from_further_back(const FeedId& feed) {
  constexpr unsigned most_times = 5;
  AskedBack& asked = asked_back_[feed];
  if (asked.times >= most_times || asked.is_waiting) return;
  Sequence newest;
  for (const FeedRow row : directory_.branches(feed))
    newest = std::max(newest, directory_.feed(row).head.seq);
  const std::uint64_t back = limits::run_entries << (3 * ++asked.times);
  const bool is_all = asked.times == most_times || newest.value <= back;
  if (is_all) asked.times = most_times;
  asked.is_waiting = true;
  const Sequence from(is_all ? 1 : newest.value - back);
  send(Frame(WantFrame{{{short_name(feed), from}}}));
}

}  // namespace chapterd
