// The one thread that writes: it takes everything that waits, commits once, answers each.
#pragma once

#include "replication/replica.h"

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace chapterd {

// Owns the Replica it is given, and the Store behind it, from construction until stop() returns:
// nobody else may touch them in between. Whatever needs them is a job.
class Writer {
 public:
  // Called on the writer thread. They must not block, and must not call the writer's stop().
  struct Events {
    // After each transaction that changed something, and before the jobs of its group finish.
    std::function<void(Arrival)> committed;
    // Once: the machine underneath is broken, nothing is written any more, the process should end
    // with an error.
    std::function<void(const std::exception& thrown)> broken;
    // A job met bytes that are not what was written. It failed alone, or with those that shared its
    // group, or passed over them; the writer goes on.
    std::function<void(const Error& error)> damaged;
  };

  // What a job adds to a transaction, roughly; what a group may hold is bounded by both.
  struct Load {
    std::size_t bytes = 0;
    std::size_t entries = 1;
  };

  // Of a job that must be the only one of its transaction: too large to share a group.
  static constexpr std::size_t alone_bytes = std::size_t{1} << 40U;

  // Work for the writer thread. Usually made by submit().
  class Job {
   public:
    explicit Job(Load load_) : load(load_) {}

    Job(const Job&) = delete;
    Job& operator=(const Job&) = delete;
    virtual ~Job() = default;

    // Stages changes, all or nothing: a job that refuses has staged none. Damaged takes back what
    // was staged with it; anything else that it may throw ends the writer (see Events::broken).
    virtual void stage(Replica& replica) = 0;
    // Exactly once: the group is on disk (no error), or it is not. On the writer thread; on the
    // posting thread when the writer takes no more jobs.
    virtual void finish(const std::optional<Error>& error) = 0;

    const Load load;
  };

  Writer(Replica& replica, Events events);
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  ~Writer();  // stop()

  // Any thread, never blocks. For work that its source bounds already, as sessions do by credit.
  void post(std::unique_ptr<Job> job);

  // Any thread, never blocks. `stage(Replica&)` gives a Result<T>; `done(Result<T>)` gets it once
  // it is on disk, or an error: that of `stage` or of the damage that it met; store.disk-full
  // (Errc::disk); writer.taken-back, writer.busy, writer.stopped, writer.broken. Nothing of the job
  // is written when it gets one. `done` runs as Job::finish() does.
  template <class Stage, class Done>
  void submit(Stage stage, Done done);

  // submit() and wait. Not on the writer's or the loop's thread.
  template <class Stage>
  [[nodiscard]] std::invoke_result_t<Stage, Replica&> run(Stage stage);

  // Finishes what was posted before, then ends the thread. Idempotent.
  void stop();

  // Any thread. Empty while all is well.
  [[nodiscard]] std::string broken_because() const;

 private:
  template <class Stage, class Done>
  class Task;

  using Group = std::vector<std::unique_ptr<Job>>;
  using Outcomes = std::vector<std::optional<Error>>;  // of the jobs of a group

  enum class Bounded { by_caller, here };

  void enqueue(std::unique_ptr<Job> job, Bounded bounded);
  [[nodiscard]] std::optional<Error> refusal(Bounded bounded) const;
  void work();
  void drop_remains();
  [[nodiscard]] bool is_idle() const;
  [[nodiscard]] Group take_group();
  void write_group(const Group& group, Outcomes& outcomes);
  void stage_group(const Group& group, Outcomes& outcomes);
  void break_down(const Group& group, const std::exception& thrown);

  Replica& replica_;               // writer thread only
  bool keeps_remains_ = false;     // writer thread only
  bool waits_for_reader_ = false;  // writer thread only: to drop the rest of what was erased
  const Events events_;            // immutable

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable wake_;
  std::deque<std::unique_ptr<Job>> queue_;
  bool stopping_ = false;
  std::string broken_;

  std::mutex stop_mutex_;  // one join at a time
  std::thread thread_;     // last: it uses all of the above
};

template <class Stage, class Done>
class Writer::Task final : public Job {
 public:
  using Answer = std::invoke_result_t<Stage, Replica&>;

  Task(Stage stage, Done done) : Job(Load{}), stage_(std::move(stage)), done_(std::move(done)) {}

  void stage(Replica& replica) override { answer_.emplace(stage_(replica)); }

  void finish(const std::optional<Error>& error) override {
    const bool refused_itself = answer_ && !*answer_;
    if (error && !refused_itself) {
      done_(Answer(fail(*error)));
    } else {
      done_(std::move(*answer_));
    }
  }

 private:
  Stage stage_;
  Done done_;
  std::optional<Answer> answer_;
};

template <class Stage, class Done>
void Writer::submit(Stage stage, Done done) {
  enqueue(std::make_unique<Task<Stage, Done>>(std::move(stage), std::move(done)), Bounded::here);
}

template <class Stage>
std::invoke_result_t<Stage, Replica&> Writer::run(Stage stage) {
  using Answer = std::invoke_result_t<Stage, Replica&>;
  std::promise<Answer> promise;
  auto future = promise.get_future();
  submit(std::move(stage), [&promise](Answer answer) { promise.set_value(std::move(answer)); });
  return future.get();
}

}  // namespace chapterd
