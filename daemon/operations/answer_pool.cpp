// Verbs on the daemon's threads: reading here, writing through the writer.
#include "daemon/operations/answer_pool.h"

#include "daemon/control/wire.h"
#include "daemon/operations/disk.h"
#include "daemon/operations/operations.h"
#include "daemon/operations/store_trouble.h"
#include "replication/store/sqlite/sqlite_reader.h"

#include <nlohmann/json.hpp>

#include <future>
#include <optional>
#include <utility>

namespace chapterd {
namespace {

using Json = nlohmann::json;

// A write that must be the only one of its transaction.
class LoneJob final : public Writer::Job {
 public:
  explicit LoneJob(const NodeAccess::Write& write) : Job({Writer::alone_bytes, 1}), write_(write) {}

  std::future<Result<Json>> answer() { return promise_.get_future(); }

  void stage(Replica& replica) override {
    answer_ = write_(replica);
    if (!*answer_ && replica.has_staged()) replica.abandon();
  }

  void finish(const std::optional<Error>& error) override {
    const bool refused_itself = answer_ && !*answer_;
    if (error && !refused_itself) {
      promise_.set_value(fail(*error));
    } else {
      promise_.set_value(std::move(*answer_));
    }
  }

 private:
  const NodeAccess::Write& write_;
  std::optional<Result<Json>> answer_;
  std::promise<Result<Json>> promise_;
};

class DaemonAccess final : public NodeAccess {
 public:
  explicit DaemonAccess(const AnswerPool::Options& options)
      : options_(options),
        reader_(open_reader(options.parts.folder.database(), &options.parts.vault)) {}

  Result<Json> read(const Read& read) override {
    const Snapshot now(*reader_);
    if (directory_) {
      directory_->refresh(now);
    } else {
      auto loaded = Directory::load(now);
      if (!loaded) return forward(loaded);
      directory_.emplace(std::move(*loaded));
    }
    return read(*reader_, *directory_);
  }

  Result<Json> write(const Write& write) override {
    return options_.writer.run([&write](Replica& replica) { return write(replica); });
  }

  Result<Json> write_alone(const Write& write) override {
    auto job = std::make_unique<LoneJob>(write);
    auto answer = job->answer();
    options_.writer.post(std::move(job));
    return answer.get();
  }

  Connections* connections() override { return &options_.connections; }

  [[nodiscard]] Result<DiskSpace> disk() const override {
    const Config& config = options_.parts.config;
    return disk_space(config.node.data, config.store.disk_low_bytes);
  }

  [[nodiscard]] const NodeParts& parts() const override { return options_.parts; }

 private:
  const AnswerPool::Options& options_;
  std::unique_ptr<Reader> reader_;
  std::optional<Directory> directory_;
};

Result<Json> answer(NodeAccess& node, const Bytes& body) {
  const auto call = control::decode_body(body);
  if (!call) return call;
  const Json none = Json::object();
  const auto verb = call->find("verb");
  const auto args = call->find("args");
  if (!call->is_object() || verb == call->end() || !verb->is_string()) {
    return fail(Errc::malformed, "control.malformed", "A call names no verb.",
                "Nothing was changed.", "Use a command line of the daemon's own version.");
  }
  return perform(node, verb->get_ref<const std::string&>(), args == call->end() ? none : *args);
}

Error stopping() {
  return {Errc::unreachable, "daemon.stopping", "The daemon is stopping.",
          "Everything saved before is safe; this was not done.", "Try again once it runs again."};
}

}  // namespace

AnswerPool::AnswerPool(Options options) : options_(std::move(options)) {
  for (unsigned i = 0; i < options_.threads; ++i) threads_.emplace_back([this] { answer_calls(); });
}

AnswerPool::~AnswerPool() {
  stop();
}

void AnswerPool::submit(Bytes body, Done done) {
  {
    const std::lock_guard lock(mutex_);
    if (!stopping_) {
      queue_.push_back({std::move(body), std::move(done)});
      done = nullptr;
    }
  }
  if (done) return done(control::encode_answer(fail(stopping())));
  wake_.notify_one();
}

void AnswerPool::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  const std::lock_guard lock(stop_mutex_);
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

std::optional<AnswerPool::Work> AnswerPool::next() {
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
  if (queue_.empty()) return std::nullopt;
  Work work = std::move(queue_.front());
  queue_.pop_front();
  return work;
}

// Ends when the pool stops and all is answered. After trouble the connection is opened anew for the
// next call, should the daemon still be there to take one.
void AnswerPool::answer_calls() {
  std::unique_ptr<DaemonAccess> access;
  while (auto work = next()) {
    Bytes frame;
    try {
      if (!access) access = std::make_unique<DaemonAccess>(options_);
      frame = control::encode_answer(answer(*access, work->body));
    } catch (const Damaged& damaged) {  // all else can still be read
      access.reset();
      options_.parts.damage.note(damaged.error, options_.parts.date.now());
      frame = control::encode_answer(fail(damaged.error));
    } catch (const std::exception& thrown) {
      access.reset();
      options_.broken(thrown);
      frame = control::encode_answer(fail(store_trouble(thrown)));
    }
    work->done(std::move(frame));
  }
}

}  // namespace chapterd
