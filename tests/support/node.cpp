// Building and connecting test nodes.
#include "tests/support/node.h"

#include "base/contract.h"
#include "replication/merge.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <stdexcept>

namespace chapterd::testing {
namespace {

NodeCertificate certificate_for(const FederationId& federation,
                                const SigningKey& node,
                                const ChapterId& chapter) {
  NodeCertificate certificate;
  certificate.node = node.public_key();
  certificate.box = BoxKey::from_seed(node.seed()).public_key();
  certificate.chapter = chapter;
  certificate.name = "test";
  certificate.proof = prove_node(federation, certificate, node);
  return certificate;
}

void require(const auto& result) {
  if (!result) throw std::runtime_error(result.error().code + ": " + result.error().what);
}

}  // namespace

TempFolder::TempFolder() {
  std::string pattern = std::filesystem::temp_directory_path() / "chapterd-test-XXXXXX";
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
  path_ = pattern;
}

TempFolder::~TempFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

RecordId record_named(const std::string& name) {
  RecordId id;
  const Digest digest = hash("test/record", as_bytes(name));
  std::copy_n(digest.bytes.begin(), RecordId::size, id.bytes.begin());
  return id;
}

Change a_change(const RecordId& record, const std::string& field, const std::string& value) {
  CborWriter text;
  Change change;
  change.record = record;
  change.kind = "note";
  change.operations.push_back({field, Action::set, text.text(value).take(), {}});
  return change;
}

TestNode::TestNode(SeededRandom& random_, SetClock& clock_)
    : random(&random_),
      clock(&clock_),
      key(std::make_unique<SigningKey>(SigningKey::generate(random_))) {
  require(start_crypto());
  open_store({});
}

void TestNode::open_store(const std::string& vfs) {
  vault = std::make_unique<ChapterVault>(*random);
  SqliteOptions options;
  options.vfs = vfs;
  options.seal = vault.get();
  auto opened = SqliteStore::open(folder.file("chapterd.db"), options);
  require(opened);
  store = std::move(*opened);
}

void TestNode::lock() {
  replica->lock();
}

void TestNode::unlock() {
  require(replica->unlock(box()));
  replica->commit();
  directory->refresh(Snapshot(*store));
}

void TestNode::open() {
  auto opened = Replica::open(*store, *clock, *random, *key, *vault);
  require(opened);
  replica = std::move(*opened);
  mark = std::make_unique<MarkFile>(folder.file("instance"));
  replica->keep_mark(*mark);
  auto loaded = Directory::load(Snapshot(*store));
  require(loaded);
  directory = std::make_unique<Directory>(std::move(*loaded));
  if (replica->directory().authority().node(id()) != nullptr) unlock();
}

void TestNode::begin(const Bytes& genesis, const std::vector<Bytes>& chain) {
  require(Replica::initialise(*store, *random, genesis, key->public_key()));
  open();
  require(replica->introduce(chain));
  commit();
  unlock();
}

std::unique_ptr<TestNode> TestNode::founder(SeededRandom& random, SetClock& clock) {
  std::unique_ptr<TestNode> node(new TestNode(random, clock));
  node->authority = std::make_shared<SigningKey>(SigningKey::generate(random));
  Genesis genesis;
  genesis.name = "Test federation";
  genesis.created = clock.now();
  genesis.chapter = random.fixed<ChapterId>();
  genesis.code = "GLOBAL";
  genesis.authority = node->authority->public_key();
  const Bytes bytes = sign_genesis(genesis, *node->authority);
  const Statement own{genesis.chapter, 1,
                      certificate_for(federation_id(bytes), *node->key, genesis.chapter)};
  node->begin(bytes, {sign_statement(federation_id(bytes), own, *node->authority)});
  return node;
}

std::unique_ptr<TestNode> TestNode::below(TestNode& parent, const std::string& code) {
  std::unique_ptr<TestNode> node(new TestNode(*parent.random, *parent.clock));
  node->authority = std::make_shared<SigningKey>(SigningKey::generate(*parent.random));
  Invite invite;
  invite.federation = parent.replica->directory().authority().federation();
  invite.parent = parent.id();
  invite.chapter = chapter_id_below(parent.chapter(), code);
  invite.code = code;
  invite.name = code;
  const auto& above =
      parent.replica->directory().authority().chapter(parent.chapter())->certificate;
  invite.level = static_cast<std::uint8_t>(above.level + 1);
  invite.secret = parent.random->fixed<InviteSecret>();
  invite.expires = parent.clock->now().plus_ms(1000);
  parent.replica->set_value(stored_invite_name(invite_id(invite.secret)),
                            encode(KeptInvite{invite, InviteState::open, {}}));
  parent.commit();
  JoinRequest request{invite_id(invite.secret), node->id(), node->authority->public_key(),
                      BoxKey::from_seed(node->key->seed()).public_key(), code};
  const Bytes asked = make_join_request(invite, request, *node->key, *node->authority);
  const auto answered = answer_join(*parent.replica, *parent.authority, asked, parent.clock->now());
  require(answered);
  parent.commit();
  auto answer = check_answer(invite, node->authority->public_key(), *answered);
  require(answer);
  const Statement own{invite.chapter, 1,
                      certificate_for(invite.federation, *node->key, invite.chapter)};
  answer->chain.push_back(sign_statement(invite.federation, own, *node->authority));
  node->begin(answer->genesis, answer->chain);
  return node;
}

std::unique_ptr<TestNode> TestNode::beside(TestNode& other) {
  return beside(other, other.authority);
}

std::unique_ptr<TestNode> TestNode::beside(TestNode& other, std::shared_ptr<SigningKey> authority) {
  return beside(other, other.chapter(), std::move(authority));
}

std::unique_ptr<TestNode> TestNode::beside(TestNode& knowing,
                                           const ChapterId& chapter,
                                           std::shared_ptr<SigningKey> authority) {
  std::unique_ptr<TestNode> node(new TestNode(*knowing.random, *knowing.clock));
  node->authority = std::move(authority);
  const Authority& known = knowing.replica->directory().authority();
  std::vector<Bytes> chain = known.line(chapter);
  const Statement own{chapter, 1, certificate_for(known.federation(), *node->key, chapter)};
  chain.push_back(sign_statement(known.federation(), own, *node->authority));
  node->begin(known.genesis(), chain);
  return node;
}

std::unique_ptr<TestNode> TestNode::copy_of(TestNode& other) {
  std::unique_ptr<TestNode> node(new TestNode(*other.random, *other.clock));
  node->store.reset();
  node->key = std::make_unique<SigningKey>(SigningKey::from_seed(other.key->seed()));
  node->authority = other.authority;
  for (const char* file : {"chapterd.db", "chapterd.db-wal", "chapterd.db-shm", "instance"})
    std::filesystem::remove(node->folder.file(file));
  for (const char* file : {"chapterd.db", "chapterd.db-wal", "instance"}) {
    if (std::filesystem::exists(other.folder.file(file)))
      std::filesystem::copy_file(other.folder.file(file), node->folder.file(file));
  }
  node->restart();
  return node;
}

void TestNode::restart(const std::string& vfs) {
  directory.reset();
  replica.reset();
  store.reset();
  open_store(vfs);
  open();
}

void TestNode::commit() {
  replica->commit();
  directory->refresh(Snapshot(*store));
}

Written TestNode::write(const Address& address, const Change& change) {
  const auto written = replica->write(address, change);
  require(written);
  return *written;
}

Written TestNode::write_text(const Address& address,
                             const std::string& record,
                             const std::string& field,
                             const std::string& value) {
  Change change = a_change(record_named(record), field, value);
  // Supersedes what this author sees, as an edit does.
  for (const HeldLayer& held : replica->layers_of(change.record)) {
    if (held.space.audience != address.audience || held.space.target != address.target) continue;
    const auto state = decode_layer(held.layer.state);
    require(state);
    for (const LayerField& each : state->fields) {
      if (each.field != field) continue;
      for (const FieldValue& seen : each.values)
        change.operations[0].supersedes.push_back(seen.name);
    }
  }
  const Written written = write(address, change);
  commit();
  return written;
}

void TestNode::statement(const Statement& body) {
  require(replica->write_statement(
      sign_statement(replica->directory().authority().federation(), body, *authority)));
  commit();
}

void TestNode::revoke(const PublicKey& node, const std::vector<Head>& cuts) {
  statement(Statement{chapter(), 1, Revoke{node, cuts, "stolen"}});
}

std::vector<std::string> TestNode::values(Audience audience,
                                          const std::string& record,
                                          const std::string& field) {
  std::vector<std::string> texts;
  for (const HeldLayer& held : replica->layers_of(record_named(record))) {
    if (held.space.audience != audience) continue;
    const auto state = decode_layer(held.layer.state);
    require(state);
    for (const LayerField& each : state->fields) {
      if (each.field != field) continue;
      for (const FieldValue& value : each.values) {
        texts.emplace_back(CborReader(value.value).text(1000));
      }
    }
  }
  std::sort(texts.begin(), texts.end());
  return texts;
}

std::string TestNode::view_hash() {
  std::map<Bytes, Bytes> views;
  for (LayerRow after(0);;) {
    const auto layers = store->layers_after(after, 1000);
    if (layers.empty()) break;
    for (const StoredLayer& layer : layers) {
      if (is_blank(layer.state)) continue;
      const StoredSpace& space = replica->directory().space(layer.space);
      ByteWriter name;
      name.fixed(space.home)
          .u8(static_cast<std::uint8_t>(space.audience))
          .fixed(space.target)
          .fixed(layer.record);
      const auto state = decode_layer(layer.state);
      require(state);
      views.emplace(name.take(), shown(*state));
    }
    after = layers.back().row;
  }
  Hasher hasher("test/views");
  for (const auto& [name, view] : views) hasher.add(name).add(view);
  return to_hex(hasher.finish().view());
}

Head TestNode::head(Audience audience) {
  for (const KnownFeed& feed : replica->directory().feeds()) {
    if (feed.intro.node == id() && feed.intro.audience == audience) return feed.head;
  }
  return {};
}

Wire::Wire(TestNode& dialler, TestNode& listener, bool push_at_once)
    : Wire(dialler, listener, {Side::dialler, 0, push_at_once, {}, Lanes::all}) {}

Wire::Wire(TestNode& dialler, TestNode& listener, Lanes wanted)
    : Wire(dialler, listener, {Side::dialler, 0, false, {}, wanted}) {}

Wire::Wire(TestNode& dialler, TestNode& listener, const SessionOptions& options)
    : a_(dialler), b_(listener) {
  dialler_ = std::make_unique<Session>(a_.context(), b_.id(), options, a_.clock->now());
  listener_ = std::make_unique<Session>(b_.context(), a_.id(), SessionOptions{}, b_.clock->now());
}

void Wire::announce() {
  for (auto* node : {&a_, &b_}) node->directory->refresh(Snapshot(*node->store));
  dialler_->committed();
  listener_->committed();
}

void Wire::store_inbound(End& end) {
  while (end.session.has_inbound()) {
    VerifiedWindow window =
        verify(end.session.take_inbound(), end.session.peer(), *end.session.verifier());
    StoredWindow stored{std::move(window.refused), window.received.held, window.account};
    Received received = end.node.replica->receive(std::move(window.received));
    end.node.commit();
    std::move(received.refused.begin(), received.refused.end(), std::back_inserter(stored.refused));
    end.session.stored(stored);
    static_cast<void>(end.session.resume());
    end.session.committed();
  }
}

void Wire::say(End end, const Frame& frame) {
  static_cast<void>(end.session.receive(encode(frame), end.node.clock->now()));
  store_inbound(end);
}

void Wire::say_to_dialler(const Frame& frame) {
  say({a_, *dialler_}, frame);
}

void Wire::say_to_listener(const Frame& frame) {
  say({b_, *listener_}, frame);
}

void Wire::pump(End& from, End& to, std::size_t& budget) {
  Bytes out = from.session.take_output();
  if (out.empty()) return;
  if (last_sender_ != &from.session) ++turns_;
  last_sender_ = &from.session;
  out.resize(std::min(out.size(), budget));
  budget -= out.size();
  bytes_ += out.size();
  // An error closes the session, which the test sees in its state.
  static_cast<void>(to.session.receive(out, to.node.clock->now()));
  store_inbound(to);
}

std::size_t Wire::run(std::size_t most_bytes) {
  End a{a_, *dialler_};
  End b{b_, *listener_};
  std::size_t budget = most_bytes;
  for (std::size_t before = SIZE_MAX; before != bytes_ && budget > 0;) {
    before = bytes_;
    pump(a, b, budget);
    pump(b, a, budget);
  }
  return most_bytes - budget;
}

}  // namespace chapterd::testing
