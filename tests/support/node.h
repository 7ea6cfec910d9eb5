// Whole nodes without a process: real SQLite, real keys, and a wire in memory that a test can cut.
#pragma once

#include "crypto/system_random.h"
#include "replication/format/cbor.h"
#include "replication/invite.h"
#include "replication/replica.h"
#include "replication/session.h"
#include "replication/store/sqlite/sqlite_store.h"
#include "tests/support/seeded.h"

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace chapterd::testing {

class TempFolder {
 public:
  TempFolder();
  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

using Values = std::vector<std::string>;  // of one field, sorted

// Where a chapter writes.
inline constexpr Address all{Audience::all, {}};
inline constexpr Address up{Audience::up, {}};
inline constexpr Address down{Audience::down, {}};
inline constexpr Address home{Audience::chapter, {}};

// A record's change with one text field, as a test writes it.
[[nodiscard]] Change a_change(const RecordId& record,
                              const std::string& field,
                              const std::string& value);
[[nodiscard]] RecordId record_named(const std::string& name);

class TestNode {
 public:
  // The global node of a new federation.
  static std::unique_ptr<TestNode> founder(SeededRandom& random, SetClock& clock);
  // A node of a new chapter below `parent`, joined by an invite.
  static std::unique_ptr<TestNode> below(TestNode& parent, const std::string& code);
  // Another node of the same chapter, certified by the chapter's own authority.
  static std::unique_ptr<TestNode> beside(TestNode& other);
  // The same, certified with another key that speaks for the chapter.
  static std::unique_ptr<TestNode> beside(TestNode& other, std::shared_ptr<SigningKey> authority);
  // A node of this chapter, certified with such a key, that begins with what another node knows.
  static std::unique_ptr<TestNode> beside(TestNode& knowing,
                                          const ChapterId& chapter,
                                          std::shared_ptr<SigningKey> authority);
  // A second machine that runs a copy of this one's folder.
  static std::unique_ptr<TestNode> copy_of(TestNode& other);

  // The node's X25519 key, which its certificate names.
  [[nodiscard]] BoxKey box() const { return BoxKey::from_seed(key->seed()); }

  // Forgets the chapter's keys, and opens them again.
  void lock();
  void unlock();

  // Closes and opens the database again, as after a crash or a restart; on the VFS of this name.
  void restart(const std::string& vfs = {});

  Written write(const Address& address, const Change& change);
  Written write_text(const Address& address,
                     const std::string& record,
                     const std::string& field,
                     const std::string& value);
  void commit();
  void revoke(const PublicKey& node, const std::vector<Head>& cuts = {});
  void statement(const Statement& body);

  // The values of a field in one layer, as text; empty when there is none.
  [[nodiscard]] std::vector<std::string> values(Audience audience,
                                                const std::string& record,
                                                const std::string& field);
  // Hash over all that the layers show, in an order that does not depend on arrival.
  [[nodiscard]] std::string view_hash();

  [[nodiscard]] std::uint64_t entries() { return replica->directory().arrival().value; }

  [[nodiscard]] Head head(Audience audience);

  [[nodiscard]] SessionContext context() { return {*directory, *store, *key, *random}; }

  [[nodiscard]] ChapterId chapter() const { return replica->directory().chapter(); }

  [[nodiscard]] const PublicKey& id() const { return key->public_key(); }

  SeededRandom* random = nullptr;
  SetClock* clock = nullptr;
  TempFolder folder;
  std::unique_ptr<SigningKey> key;
  std::shared_ptr<SigningKey> authority;
  std::unique_ptr<ChapterVault> vault;
  std::unique_ptr<SqliteStore> store;
  std::unique_ptr<MarkKeeper> mark;
  std::unique_ptr<Replica> replica;
  std::unique_ptr<Directory> directory;  // the loop's own

 private:
  TestNode(SeededRandom& random_, SetClock& clock_);
  void open_store(const std::string& vfs);
  void open();
  void begin(const Bytes& genesis, const std::vector<Bytes>& chain);
};

// A session between two nodes whose bytes pass through the test's hands. `dialler` dials.
class Wire {
 public:
  Wire(TestNode& dialler, TestNode& listener, bool push_at_once = false);
  // The dialler wants no more than these.
  Wire(TestNode& dialler, TestNode& listener, Lanes wanted);

  // Lets everything flow until nothing moves any more. Stops after `most_bytes` in total have
  // crossed; what was under way then is lost. Returns the bytes that crossed.
  std::size_t run(std::size_t most_bytes = SIZE_MAX);
  // Both ends have been told of the log of both nodes.
  void announce();
  // A liar in the place of the other end says this, and it is taken in.
  void say_to_dialler(const Frame& frame);
  void say_to_listener(const Frame& frame);

  [[nodiscard]] Session& dialler() { return *dialler_; }

  [[nodiscard]] Session& listener() { return *listener_; }

  [[nodiscard]] std::size_t bytes() const { return bytes_; }

  // Times that the direction of the conversation turned: two for each application round trip.
  [[nodiscard]] int turns() const { return turns_; }

 private:
  struct End {
    TestNode& node;
    Session& session;
  };

  Wire(TestNode& dialler, TestNode& listener, const SessionOptions& options);
  void pump(End& from, End& to, std::size_t& budget);
  static void store_inbound(End& end);
  static void say(End end, const Frame& frame);

  TestNode& a_;
  TestNode& b_;
  std::unique_ptr<Session> dialler_;
  std::unique_ptr<Session> listener_;
  std::size_t bytes_ = 0;
  int turns_ = 0;
  const Session* last_sender_ = nullptr;
};

}  // namespace chapterd::testing
