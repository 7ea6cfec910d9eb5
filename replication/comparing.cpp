// How a session finds what differs: buckets, heads, and what is asked for again.
#include "replication/format/limits.h"
#include "replication/session.h"

#include <algorithm>

namespace chapterd {
namespace {

// Questions of a peer that are answered between two ENDs: each costs a walk over all feeds.
constexpr int most_buckets = 8;
constexpr int most_asked_receipts = 100;  // feeds; whoever asks names no more in a session

}  // namespace

void Session::start_buckets(const std::vector<SharedHead>& heads) {
  BucketsFrame frame;
  frame.salt = random_.number();
  frame.bits = bucket_bits(heads.size());
  frame.hashes = bucket_hashes(heads, frame.salt, frame.bits);
  awaits_heads_ = true;
  send(Frame(std::move(frame)));
}

Result<void> Session::on(BucketsFrame& buckets) {
  if (buckets_answered_++ >= most_buckets) return {};
  send(Frame(differing_heads(outflow_.heads(), buckets)));
  return {};
}

// Comparing costs a walk over all feeds: only what was asked for.
Result<void> Session::on(HeadsFrame& theirs) {
  if (!std::exchange(awaits_heads_, false)) return {};
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
  for (const auto& each : want.feeds) {
    if (each.from.value == 0) continue;
    const auto [at, is_new] = wanted_.try_emplace(each.feed, Wanted{each.from, each.from});
    at->second.first = std::min(at->second.first, each.from);
    at->second.last = std::max(at->second.last, each.from);
  }
  end_due_ = true;
  return {};
}

// All that came in one slice of the stream, in one walk over the feeds.
void Session::answer_wants() {
  if (wanted_.empty()) return;
  const auto wanted = std::exchange(wanted_, {});
  FeedId last;  // of a forked feed there are several heads
  for (const SharedHead& head : outflow_.heads()) {
    const auto at = wanted.find(short_name(head.head.feed));
    // A feed that the peer may not hold is answered like one that does not exist.
    if (at == wanted.end() || std::exchange(last, head.head.feed) == head.head.feed) continue;
    const std::vector<FeedRow> rows = directory_.branches(head.head.feed);
    const Wanted& wants = at->second;
    for (const FeedRow row : rows) {
      if (wants.first <= directory_.feed(row).head.seq)
        outflow_.backfill(row, std::max(wants.first, directory_.feed(row).fork.seq.next()));
    }
    const bool is_behind = std::ranges::all_of(
        rows, [&](FeedRow row) { return wants.last > directory_.feed(row).head.seq; });
    if (is_behind && lanes_ != Lanes::statements && receipts_answered_++ < most_asked_receipts) {
      for (const FeedRow row : rows) outflow_.send_receipts(row);
    }
  }
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
