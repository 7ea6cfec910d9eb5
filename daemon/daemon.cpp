// What is built in which order, and how it ends in the reverse one.
#include "daemon/daemon.h"

#include "daemon/control/control_server.h"
#include "daemon/log.h"
#include "daemon/net/asio.h"
#include "daemon/net/peers.h"
#include "daemon/operations/answer_pool.h"
#include "daemon/operations/opened_node.h"
#include "daemon/operations/store_trouble.h"
#include "daemon/service.h"
#include "daemon/system_clock.h"
#include "daemon/verify_pool.h"
#include "daemon/writer.h"
#include "replication/store/sqlite/sqlite_reader.h"

#include <boost/asio/signal_set.hpp>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <csignal>
#include <future>
#include <mutex>
#include <sys/stat.h>
#include <thread>
#include <utility>

namespace chapterd {
namespace {

constexpr std::chrono::seconds control_patience(2);

unsigned verify_threads() {
  constexpr unsigned most = 4;
  return std::clamp(std::thread::hardware_concurrency(), 1U, most);
}

// Runs `work` on the loop and waits for it; the loop must be running.
template <class Work>
auto on_loop(asio::io_context& loop, Work work) {
  std::packaged_task<std::invoke_result_t<Work>()> task(std::move(work));
  auto outcome = task.get_future();
  asio::post(loop, [&task] { task(); });
  return outcome.get();
}

// Calls something that ends later, and waits for its `done`.
template <class Start>
void until_done(asio::io_context& loop, Start start) {
  std::promise<void> ended;
  asio::post(loop, [&] { start([&ended] { ended.set_value(); }); });
  ended.get_future().get();
}

class LiveConnections final : public Connections {
 public:
  LiveConnections(asio::io_context& loop, Peers& peers, const Clock& clock)
      : loop_(loop), peers_(peers), clock_(clock) {}

  LinksNow look() override {
    return on_loop(loop_, [this] {
      LinksNow links;
      links.peers = peers_.status();
      links.listens_at = peers_.listens_at();
      links.paused = peers_.is_paused();
      links.day_used_bytes = peers_.day_used_bytes();
      links.is_day_spent = peers_.is_day_spent();
      links.ancestors = peers_.ancestors();
      links.now = clock_.now();
      return links;
    });
  }

  void sync_now() override {
    on_loop(loop_, [this] { peers_.sync_now(); });
  }

  void ask_ancestors() override {
    on_loop(loop_, [this] { peers_.ask_ancestors(); });
  }

  void pause() override {
    on_loop(loop_, [this] { peers_.pause(); });
  }

  void resume() override {
    on_loop(loop_, [this] { peers_.resume(); });
  }

 private:
  asio::io_context& loop_;
  Peers& peers_;
  const Clock& clock_;
};

// Where the thread that called run() waits for a reason to stop.
class Reason {
 public:
  void stop() { set(std::nullopt); }

  void broken(const std::exception& thrown) { set(store_trouble(thrown)); }

  // What broke; nothing for an orderly end.
  std::optional<Error> wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return is_set_; });
    return broken_;
  }

  // Also what broke while everything ended.
  std::optional<Error> broken_because() {
    const std::lock_guard lock(mutex_);
    return broken_;
  }

 private:
  void set(std::optional<Error> broken) {
    {
      const std::lock_guard lock(mutex_);
      is_set_ = true;
      if (!broken_) broken_ = std::move(broken);
    }
    changed_.notify_all();
  }

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  bool is_set_ = false;
  std::optional<Error> broken_;
};

}  // namespace

// Members stand in the order in which they are made; each needs only those above it.
class Daemon::Parts {
 public:
  Parts(std::unique_ptr<OpenedNode> opened,
        std::unique_ptr<Reader> loop_reader,
        Directory loop_directory,
        TlsContext tls_context);

  Result<void> open_sockets();
  std::optional<Error> run();

  void stop() { reason_.stop(); }

  [[nodiscard]] const std::string& listens_at() const { return listens_at_; }

 private:
  Writer::Events writer_events();
  LinkContext link_context();
  void note_damage(const Error& error);
  void run_loop();
  void watch(std::chrono::milliseconds interval);
  void end();

  Reason reason_;
  std::unique_ptr<OpenedNode> node_;
  std::unique_ptr<Reader> reader_;  // of the loop, as is the directory
  Directory directory_;
  TlsContext tls_;
  EvenClock even_clock_;
  asio::io_context loop_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_{loop_.get_executor()};
  std::atomic<Peers*> told_ = nullptr;  // of commits; null before there are peers
  Writer writer_;
  VerifyPool pool_;
  Peers peers_;
  LiveConnections connections_;
  AnswerPool answers_;
  ControlServer control_;
  boost::asio::signal_set signals_;
  asio::steady_timer watchdog_;
  std::string listens_at_;
};

Daemon::Parts::Parts(std::unique_ptr<OpenedNode> opened,
                     std::unique_ptr<Reader> loop_reader,
                     Directory loop_directory,
                     TlsContext tls_context)
    : node_(std::move(opened)),
      reader_(std::move(loop_reader)),
      directory_(std::move(loop_directory)),
      tls_(std::move(tls_context)),
      writer_(node_->replica(), writer_events()),
      pool_(verify_threads()),
      peers_(link_context(), peers_options(node_->config()), nullptr),
      connections_(loop_, peers_, even_clock_),
      answers_({node_->parts(), writer_, connections_,
                [this](const std::exception& thrown) { reason_.broken(thrown); }}),
      control_(loop_,
               [this](Bytes body, std::function<void(Bytes)> done) {
                 answers_.submit(std::move(body), std::move(done));
               }),
      signals_(loop_),
      watchdog_(loop_) {
  told_ = &peers_;
}

Writer::Events Daemon::Parts::writer_events() {
  return {[this](Arrival) {
            node_->follow_authority();
            if (Peers* peers = told_) peers->committed();
          },
          [this](const std::exception& thrown) { reason_.broken(thrown); },
          [this](const Error& error) { note_damage(error); }};
}

// It goes on, and says so.
void Daemon::Parts::note_damage(const Error& error) {
  NoticedDamage& damage = node_->parts().damage;
  if (!damage.get()) log::error("store.damaged", {{"code", log::code(error.code)}});
  damage.note(error, node_->date().now());
}

LinkContext Daemon::Parts::link_context() {
  return {loop_,
          directory_,
          *reader_,
          writer_,
          pool_,
          tls_,
          node_->parts().key,
          even_clock_,
          node_->date(),
          node_->random(),
          [this] { return node_->parts().authority.get(); },
          [this](const Error& error) { note_damage(error); }};
}

Result<void> Daemon::Parts::open_sockets() {
  if (auto opened = control_.open(node_->config().control.socket); !opened) return opened;
  if (auto started = peers_.start(); !started) return started;
  listens_at_ = peers_.listens_at();
  return {};
}

// Something that nobody expected was thrown out of a handler: the daemon ends, and for that the
// loop must still turn.
void Daemon::Parts::run_loop() {
  for (;;) {
    try {
      loop_.run();
      return;
    } catch (const std::exception& thrown) {
      reason_.broken(thrown);
    }
  }
}

void Daemon::Parts::watch(std::chrono::milliseconds interval) {
  service::notify("WATCHDOG=1");
  watchdog_.expires_after(interval);
  watchdog_.async_wait([this, interval](asio::error_code cancelled) {
    if (!cancelled) watch(interval);
  });
}

std::optional<Error> Daemon::Parts::run() {
  signals_.add(SIGTERM);
  signals_.add(SIGINT);
  signals_.async_wait([this](asio::error_code cancelled, int) {
    if (!cancelled) reason_.stop();
  });
  if (const auto interval = service::watchdog_interval()) watch(*interval);
  std::thread loop([this] { run_loop(); });
  service::notify("READY=1");
  log::info("daemon.ready", {{"node", node_->parts().key.public_key()}});
  if (!reason_.wait()) log::info("daemon.stopping", {});
  service::notify("STOPPING=1");
  end();
  loop.join();
  return reason_.broken_because();
}

// From the outside in: nobody is taken on any more, then whoever still works finishes.
void Daemon::Parts::end() {
  until_done(loop_, [this](auto done) { control_.stop(control_patience, std::move(done)); });
  answers_.stop();
  until_done(loop_, [this](auto done) { peers_.stop(std::move(done)); });
  pool_.stop();
  writer_.stop();
  on_loop(loop_, [this] {
    boost::system::error_code ignored;
    signals_.cancel(ignored);
    watchdog_.cancel();
  });
  work_.reset();
  loop_.stop();
}

Daemon::Daemon(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Daemon::~Daemon() = default;

Result<std::unique_ptr<Daemon>> Daemon::open(const Config& config) {
  return without_throwing([&]() -> Result<std::unique_ptr<Daemon>> {
    log::start(config.log);
    ::umask(077);
    auto node = OpenedNode::open(config);
    if (!node) return forward(node);
    auto tls = TlsContext::make((*node)->parts().key);
    if (!tls) return forward(tls);
    auto reader = open_reader((*node)->parts().folder.database(), &(*node)->vault());
    auto directory = Directory::load(Snapshot(*reader));
    if (!directory) return forward(directory);
    auto parts = std::make_unique<Parts>(std::move(*node), std::move(reader), std::move(*directory),
                                         std::move(*tls));
    if (auto opened = parts->open_sockets(); !opened) return forward(opened);
    return std::unique_ptr<Daemon>(new Daemon(std::move(parts)));
  });
}

Result<void> Daemon::run() {
  const std::optional<Error> broken = parts_->run();
  if (!broken) {
    log::info("daemon.stopped", {});
    return {};
  }
  log::error("daemon.broken", {{"code", log::code(broken->code)}});
  return fail(*broken);
}

void Daemon::stop() {
  parts_->stop();
}

const std::string& Daemon::listens_at() const {
  return parts_->listens_at();
}

Result<void> run_daemon(const Config& config) {
  const auto daemon = Daemon::open(config);
  if (!daemon) return forward(daemon);
  return (*daemon)->run();
}

}  // namespace chapterd
