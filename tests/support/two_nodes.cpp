// Starting and stopping live nodes.
#include "tests/support/two_nodes.h"

#include <stdexcept>
#include <utility>

namespace chapterd::testing {
namespace {

constexpr auto patience = std::chrono::seconds(60);
constexpr std::size_t changes_a_job = 200;

template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().code + ": " + result.error().what);
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

}  // namespace

bool comes_true(const std::function<bool()>& condition) {
  const auto until = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

PeersOptions test_options() {
  PeersOptions options;
  options.listen = "127.0.0.1:0";
  options.retry_min_ms = 20;
  options.retry_max_ms = 100;
  options.tick_ms = 5;
  return options;
}

LiveNode::LiveNode(std::unique_ptr<TestNode> node, PeersOptions options)
    : authority(node->authority),
      chance_before_(node->random),
      writer_chance_(node->random->next()),
      loop_chance_(node->random->next()),
      node_(std::move(node)),
      tls_(must(TlsContext::make(*node_->key))) {
  node_->random = &writer_chance_;  // from here on it belongs to another thread
  node_->restart();
  reader_ = open_reader(node_->folder.file("chapterd.db"));
  directory_.emplace(must(Directory::load(Snapshot(*reader_))));
  writer_ = std::make_unique<Writer>(
      *node_->replica, Writer::Events{[this](Arrival) { peers_->committed(); }, nullptr, nullptr});
  pool_ = std::make_unique<VerifyPool>(1);
  const LinkContext context{loop_,
                            *directory_,
                            *reader_,
                            *writer_,
                            *pool_,
                            tls_,
                            *node_->key,
                            clock,
                            clock,
                            loop_chance_,
                            [this] { return authority; },
                            [this](const Error& error) {
                              if (damaged) damaged(error);
                            }};
  peers_ = std::make_unique<Peers>(context, std::move(options), [this](Arrival arrival) {
    if (grown) grown(arrival);
  });
}

LiveNode::~LiveNode() {
  stop();
}

void LiveNode::start() {
  must(peers_->start());
  address_ = peers_->listens_at();
  thread_ = std::thread([this] {
    const auto work = asio::make_work_guard(loop_);
    loop_.run();
  });
}

void LiveNode::stop() {
  if (thread_.joinable()) {
    std::promise<void> stopped;
    asio::post(loop_, [&] { peers_->stop([&] { stopped.set_value(); }); });
    stopped.get_future().wait();
    loop_.stop();
    thread_.join();
  }
  pool_->stop();
  writer_->stop();
}

void LiveNode::follow(const PublicKey& parent) {
  must(writer_->run([&](Replica& replica) -> Result<void> {
    replica.set_value(stored_name::parent_key, Bytes(parent.bytes.begin(), parent.bytes.end()));
    return {};
  }));
}

void LiveNode::write_text(const Address& address,
                          const std::string& record,
                          const std::string& value) {
  const Change change = a_change(record_named(record), "title", value);
  must(writer_->run([&](Replica& replica) { return replica.write(address, change); }));
}

void LiveNode::write_many(const Address& address, int count) {
  const std::string text(250, 'x');
  for (int done = 0; done < count;) {
    must(writer_->run([&](Replica& replica) -> Result<void> {
      for (std::size_t i = 0; i < changes_a_job && done < count; ++i, ++done) {
        const RecordId record = record_named(std::to_string(done));
        const Change change = a_change(record, "title", std::to_string(done) + text);
        if (auto written = replica.write(address, change); !written) return forward(written);
      }
      return {};
    }));
  }
}

void LiveNode::revoke(const PublicKey& node) {
  const ChapterId chapter = node_->chapter();
  must(writer_->run([&](Replica& replica) {
    const Statement statement{chapter, 1, Revoke{node, {}, "stolen"}};
    return replica.write_statement(
        sign_statement(replica.directory().authority().federation(), statement, *node_->authority));
  }));
}

std::vector<std::string> LiveNode::values(Audience audience, const std::string& record) {
  return must(writer_->run([&](Replica&) -> Result<std::vector<std::string>> {
    return node_->values(audience, record, "title");
  }));
}

std::size_t LiveNode::receipts(Audience audience) {
  return must(writer_->run([&](Replica& replica) -> Result<std::size_t> {
    const KnownFeed* feed = replica.directory().feed(node_->head(audience).feed);
    return feed == nullptr ? 0 : replica.store().receipts_of(feed->row).size();
  }));
}

std::uint64_t LiveNode::arrival() {
  return on_loop([this] { return directory_->arrival().value; });
}

void LiveNode::hold_writer(std::shared_future<void> until) {
  writer_->submit(
      [until = std::move(until)](Replica&) -> Result<void> {
        until.wait();
        return {};
      },
      [](const Result<void>&) {});
}

std::vector<PeerStatus> LiveNode::status() {
  return on_loop([this] { return peers_->status(); });
}

std::optional<PeerStatus> LiveNode::status_of(const PublicKey& peer) {
  for (PeerStatus& status : status()) {
    if (status.key == peer) return std::move(status);
  }
  return std::nullopt;
}

bool LiveNode::is_open_to(const PublicKey& peer) {
  const auto status = status_of(peer);
  return status && status->state == PeerState::open;
}

TwoNodes::TwoNodes() {
  auto top = TestNode::founder(random, date);
  auto below = TestNode::below(*top, "KE");
  uganda = TestNode::below(*top, "UG");
  kisumu = TestNode::below(*below, "KE-17");
  global = std::make_unique<LiveNode>(std::move(top), test_options());
  global->start();
  kenya = live(std::move(below), *global);
}

std::unique_ptr<LiveNode> TwoNodes::live(std::unique_ptr<TestNode> node, LiveNode& parent) {
  PeersOptions options = test_options();
  options.parents.push_back(parent.address());
  auto made = std::make_unique<LiveNode>(std::move(node), options);
  made->follow(parent.id());
  return made;
}

void TwoNodes::start() {
  kenya->start();
}

}  // namespace chapterd::testing
