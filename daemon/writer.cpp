// Groups, commits, and what happens when a disk is full or broken.
#include "daemon/writer.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace chapterd {
namespace {

// A group's bounds: large enough that a commit costs little beside its content, small enough that
// nobody waits long behind it and a crash of the machine loses little work.
constexpr std::size_t group_bytes = 8 * 1024 * 1024;
constexpr std::size_t group_entries = 16 * 1024;
// Jobs of submit() that may wait. Whoever adds more is told to come back.
constexpr std::size_t most_waiting = 20'000;
// While a reader holds up that erased bytes leave the WAL.
constexpr std::chrono::milliseconds between_looks(500);

Error disk_full() {
  return Error(Errc::disk, "store.disk-full", "The disk is full or does not allow writing.",
               "Everything saved before is safe; this was not saved.",
               "Free some space, then try again.");
}

Error busy() {
  return Error(Errc::gave_up, "writer.busy", "Too much waits to be saved.",
               "This was not saved; everything saved before is safe.", "Try again in a moment.");
}

Error stopped() {
  return Error(Errc::unreachable, "writer.stopped", "The node is stopping.",
               "This was not saved; everything saved before is safe.",
               "Try again once it runs again.");
}

Error taken_back() {
  return Error(Errc::gave_up, "writer.taken-back",
               "What was being saved at the same moment met damage in the database.",
               "This was not saved; everything saved before is safe.", "Try again.");
}

Error broken() {
  return Error(Errc::failed, "writer.broken", "The disk or the database failed underneath.",
               "Everything confirmed before was on disk; this was not confirmed.",
               "Look at the log of the machine, then run 'chapterd doctor'.");
}

}  // namespace

Writer::Writer(Replica& replica, Events events)
    : replica_(replica), events_(std::move(events)), thread_([this] { work(); }) {}

Writer::~Writer() {
  stop();
}

void Writer::post(std::unique_ptr<Job> job) {
  enqueue(std::move(job), Bounded::by_caller);
}

void Writer::enqueue(std::unique_ptr<Job> job, Bounded bounded) {
  std::optional<Error> refused;
  {
    const std::lock_guard lock(mutex_);
    refused = refusal(bounded);
    if (!refused) queue_.push_back(std::move(job));
  }
  if (refused) {
    job->finish(refused);
  } else {
    wake_.notify_one();
  }
}

// Called with the mutex held.
std::optional<Error> Writer::refusal(Bounded bounded) const {
  if (!broken_.empty()) return broken();
  if (stopping_) return stopped();
  if (bounded == Bounded::here && queue_.size() >= most_waiting) return busy();
  return std::nullopt;
}

void Writer::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  const std::lock_guard lock(stop_mutex_);
  if (thread_.joinable()) thread_.join();
}

std::string Writer::broken_because() const {
  const std::lock_guard lock(mutex_);
  return broken_;
}

// Waits for work and takes what is there, within the bounds of a group; nothing once the writer
// stops and all is done, or when it is time to look whether a reader is done.
Writer::Group Writer::take_group() {
  std::unique_lock lock(mutex_);
  const auto is_due = [this] { return stopping_ || !queue_.empty(); };
  if (waits_for_reader_) {
    wake_.wait_for(lock, between_looks, is_due);
  } else {
    wake_.wait(lock, is_due);
  }
  Group group;
  Load sum{0, 0};
  while (!queue_.empty()) {
    const Load& load = queue_.front()->load;
    const bool fits =
        sum.bytes + load.bytes <= group_bytes && sum.entries + load.entries <= group_entries;
    if (!group.empty() && !fits) break;
    sum.bytes += load.bytes;
    sum.entries += load.entries;
    group.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  return group;
}

// Ends when the writer was told to stop and nothing waits any more, or when the machine broke.
void Writer::work() {
  for (;;) {
    const Group group = take_group();
    if (group.empty() && !waits_for_reader_) return;
    Outcomes outcomes(group.size());
    try {
      write_group(group, outcomes);
    } catch (const std::exception& thrown) {
      return break_down(group, thrown);
    }
    for (std::size_t i = 0; i < group.size(); ++i) group[i]->finish(outcomes[i]);
    try {
      drop_remains();
    } catch (const std::exception& thrown) {
      return break_down({}, thrown);
    }
  }
}

// While nobody waits. A database of which not every page can be read cannot be written anew: that
// is tried once in the life of a process.
void Writer::drop_remains() {
  waits_for_reader_ = false;
  if (keeps_remains_ || !is_idle()) return;
  try {
    waits_for_reader_ = !replica_.drop_remains();
  } catch (const Damaged& damaged) {
    keeps_remains_ = true;
    if (events_.damaged) events_.damaged(damaged.error);
  }
}

bool Writer::is_idle() const {
  const std::lock_guard lock(mutex_);
  return queue_.empty() && !stopping_;
}

// A job with an error is not on disk, and the replica is as it was before it.
void Writer::write_group(const Group& group, Outcomes& outcomes) {
  try {
    stage_group(group, outcomes);
    const bool changes = replica_.has_staged();
    replica_.commit();
    if (changes && events_.committed) events_.committed(replica_.directory().arrival());
  } catch (const DiskFull&) {
    // A commit that failed has taken everything back. Staging that fails halfway has not.
    if (replica_.has_staged()) throw;
    for (auto& outcome : outcomes) {
      if (!outcome) outcome = disk_full();
    }
  }
  const auto damage = replica_.take_damage();
  if (damage && events_.damaged) events_.damaged(*damage);
}

// Half of a job must not be committed, and nobody can tell its half from the rest: with what met
// damage, all that was staged before it is taken back. Later jobs are not touched by it.
void Writer::stage_group(const Group& group, Outcomes& outcomes) {
  for (std::size_t i = 0; i < group.size(); ++i) {
    try {
      group[i]->stage(replica_);
    } catch (const Damaged& damaged) {
      replica_.abandon();
      for (std::size_t before = 0; before < i; ++before) {
        if (!outcomes[before]) outcomes[before] = taken_back();
      }
      outcomes[i] = damaged.error;
      if (events_.damaged) events_.damaged(damaged.error);
    }
  }
}

// Nothing is acknowledged from here on, nothing is retried.
void Writer::break_down(const Group& group, const std::exception& thrown) {
  std::deque<std::unique_ptr<Job>> left;
  {
    const std::lock_guard lock(mutex_);
    broken_ = thrown.what();
    if (broken_.empty()) broken_ = "unknown";
    left = std::exchange(queue_, {});
  }
  if (events_.broken) events_.broken(thrown);
  const auto* damaged = dynamic_cast<const Damaged*>(&thrown);
  for (const auto& job : group) job->finish(damaged == nullptr ? broken() : damaged->error);
  for (const auto& job : left) job->finish(broken());
}

}  // namespace chapterd
