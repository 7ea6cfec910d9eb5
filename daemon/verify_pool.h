// Threads that check what peers sent, before the writer sees it.
#pragma once

#include "replication/session.h"

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace chapterd {

class VerifyPool {
 public:
  // Runs on a thread of the pool; must not block.
  using Done = std::function<void(VerifiedWindow&&)>;

  explicit VerifyPool(unsigned threads);  // at least one
  VerifyPool(const VerifyPool&) = delete;
  VerifyPool& operator=(const VerifyPool&) = delete;
  ~VerifyPool();  // stop()

  // Any thread, never blocks. One window of a session at a time: hand in the next once `done` was
  // called with this one, so that a session's windows stay in order. `done` is never called when
  // the pool stops first.
  void submit(InboundWindow&& window,
              const PublicKey& peer,
              std::shared_ptr<PieceVerifier> verifier,
              Done done);

  // Finishes what is being verified, drops what waits, ends the threads. Idempotent.
  void stop();

 private:
  struct Work {
    InboundWindow window;
    PublicKey peer;
    std::shared_ptr<PieceVerifier> verifier;
    Done done;
  };

  void work();

  std::mutex mutex_;  // guards what follows
  std::condition_variable wake_;
  std::deque<Work> queue_;
  bool stopping_ = false;

  std::mutex stop_mutex_;             // one join at a time
  std::vector<std::thread> threads_;  // last: they use all of the above
};

}  // namespace chapterd
