// The pool's threads.
#include "daemon/verify_pool.h"

#include "base/contract.h"

#include <utility>

namespace chapterd {

VerifyPool::VerifyPool(unsigned threads) {
  CHECK(threads > 0);
  for (unsigned i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
}

VerifyPool::~VerifyPool() {
  stop();
}

void VerifyPool::submit(InboundWindow&& window,
                        const PublicKey& peer,
                        std::shared_ptr<PieceVerifier> verifier,
                        Done done) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    queue_.push_back({std::move(window), peer, std::move(verifier), std::move(done)});
  }
  wake_.notify_one();
}

void VerifyPool::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    queue_.clear();
  }
  wake_.notify_all();
  const std::lock_guard lock(stop_mutex_);
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

// Ends when the pool stops.
void VerifyPool::work() {
  for (;;) {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (stopping_) return;
    Work work = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    work.done(verify(std::move(work.window), work.peer, *work.verifier));
  }
}

}  // namespace chapterd
