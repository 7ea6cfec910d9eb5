// The daemon's threads that answer verbs: each with its own read-only connection and directory.
#pragma once

#include "base/bytes.h"
#include "daemon/operations/node_access.h"
#include "daemon/writer.h"

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace chapterd {

class AnswerPool {
 public:
  using Done = std::function<void(Bytes frame)>;

  // Everything that it borrows must outlive it. The threads wait for the writer and the loop, so
  // stop() must come before theirs. `broken` is called on a thread of the pool, once or more: the
  // machine underneath is broken. Damage of what is stored ends only the call that met it.
  struct Options {
    const NodeParts& parts;
    Writer& writer;
    Connections& connections;
    std::function<void(const std::exception& thrown)> broken;
    unsigned threads = 2;
  };

  explicit AnswerPool(Options options);
  AnswerPool(const AnswerPool&) = delete;
  AnswerPool& operator=(const AnswerPool&) = delete;
  ~AnswerPool();  // stop()

  // Takes the body of a call, gives the frame of its answer (daemon/control/wire.h). Any thread,
  // never blocks. `done` runs on a thread of the pool; on this one when the pool stops.
  void submit(Bytes body, Done done);

  // Answers what was submitted before, then ends the threads. Idempotent.
  void stop();

 private:
  struct Work {
    Bytes body;
    Done done;
  };

  void answer_calls();
  [[nodiscard]] std::optional<Work> next();

  const Options options_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable wake_;
  std::deque<Work> queue_;
  bool stopping_ = false;

  std::mutex stop_mutex_;             // one join at a time
  std::vector<std::thread> threads_;  // last: they use all of the above
};

}  // namespace chapterd
