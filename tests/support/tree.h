// The small federations that most tests play in, joined by real certificates, and what is often
// asked of them.
#pragma once

#include "tests/support/node.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace chapterd::testing {

// GLOBAL ── KE. Nobody has met anybody since the invites.
struct PairOfNodes {
  SeededRandom random{5};
  SetClock clock;
  std::unique_ptr<TestNode> global = TestNode::founder(random, clock);
  std::unique_ptr<TestNode> kenya = TestNode::below(*global, "KE");
};

struct Pair : ::testing::Test, PairOfNodes {};

// GLOBAL ── KE ── KE-17, and UG beside KE.
struct Tree : Pair {
  std::unique_ptr<TestNode> uganda = TestNode::below(*global, "UG");
  std::unique_ptr<TestNode> kisumu = TestNode::below(*kenya, "KE-17");

  // As the global node knows it.
  [[nodiscard]] const Authority& authority() const { return global->directory->authority(); }

  // Of a feed that `author` may open; a letter to the chapter of `target`.
  [[nodiscard]] FeedIntro intro_of(TestNode& author,
                                   Audience audience,
                                   TestNode* target = nullptr) const {
    FeedIntro intro;
    intro.node = author.id();
    intro.home = authority().path_of(author.chapter());
    intro.audience = audience;
    if (target != nullptr) intro.target = authority().path_of(target->chapter());
    return intro;
  }
};

// ── KE-17-1 below KE-17. All know all certificates.
struct DeepTree : Tree {
  std::unique_ptr<TestNode> office = TestNode::below(*kisumu, "KE-17-1");

  DeepTree() { everybody_meets(); }

  void everybody_meets() {
    for (int round = 0; round < 2; ++round) {
      Wire(*office, *kisumu).run();
      Wire(*kisumu, *kenya).run();
      Wire(*uganda, *global).run();
      Wire(*kenya, *global).run();
    }
  }
};

// Codes of what both ends of a session refused, each after a space.
inline std::string refused_in(Wire& wire) {
  std::string codes;
  for (const Session* session : {&wire.dialler(), &wire.listener()}) {
    for (const RefusedPiece& fault : session->faults()) codes += " " + fault.error.code;
  }
  return codes;
}

// One session, at the end of which both hold the same. Tells what was refused, as refused_in().
inline std::string meet(TestNode& child, TestNode& parent) {
  Wire wire(child, parent);
  wire.run();
  const std::string refused = refused_in(wire);
  EXPECT_TRUE(wire.dialler().caught_up()) << wire.dialler().end_code() << refused;
  EXPECT_FALSE(wire.dialler().stays_different());
  return refused;
}

// As often as a daemon would call again, whatever comes of the first sessions.
inline void meet_again(TestNode& child, TestNode& parent) {
  for (int i = 0; i < 3; ++i) Wire(child, parent).run();
  meet(child, parent);
}

// What a node shows as the title of a record.
inline Values title(TestNode& at,
                    Audience audience = Audience::all,
                    const std::string& record = "insight") {
  return at.values(audience, record, "title");
}

// How many feeds for this audience the node has written.
inline std::size_t own_feeds(TestNode& node, Audience audience) {
  std::size_t count = 0;
  for (const FeedRow row : node.replica->directory().own_feeds())
    count += node.replica->directory().feed(row).intro.audience == audience ? 1 : 0;
  return count;
}

// Saves `count` records, named "0", "1" …, of which each holds this many bytes that do not pack.
inline void write_noise(TestNode& node, const Address& address, int count, std::size_t bytes) {
  for (int i = 0; i < count; ++i) {
    Bytes noise(bytes);
    node.random->fill(noise);
    node.write(address, a_change(record_named(std::to_string(i)), "t", to_hex(noise)));
  }
  node.commit();
}

}  // namespace chapterd::testing
