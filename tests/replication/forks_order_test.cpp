// Whatever order the pieces of several histories, what closes them and what revokes their author
// come in: every node comes to the same verdict, and to the one that the rule states.
#include "replication/forks.h"
#include "replication/reconcile.h"
#include "tests/support/node.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

namespace chapterd {
namespace {

using testing::SeededRandom;
using testing::SetClock;
using testing::TestNode;

// An entry of the tree that the author's key signed.
struct TreeEntry {
  Position at;
  std::size_t parent = 0;  // index; its own for the first ones
  bool is_root = false;
};

// What comes to a node in some order.
struct Item {
  std::shared_ptr<const FeedOffer> feed;  // null: a statement
  Bytes bytes;
};

class Tree {
 public:
  Tree(SeededRandom& random, TestNode& author) : random_(random), author_(author) {
    offer_ = offer({});
    const std::size_t branches = 2 + random.below(7);
    for (std::size_t i = 0; i < branches; ++i) grow(i == 0);
  }

  [[nodiscard]] Head some_entry() {
    const TreeEntry& entry = entries_[random_.below(entries_.size())];
    return {offer_->id, entry.at.seq, entry.at.hash};
  }

  // A later feed of the author that ends the forked one.
  void close_by_author(const std::vector<Head>& tips) {
    std::vector<Predecessor> ends;
    for (const Head& tip : tips) ends.push_back({tip, Continues::fork});
    const auto later = offer(ends);
    add_piece(*later, later, Position{}, 1);
  }

  std::vector<Item> items;
  std::vector<std::vector<Head>> lists;  // all must allow an entry

  // What the rule says: an entry counts when in each list one head is it or follows it.
  [[nodiscard]] std::set<EntryHash> standing() const {
    std::set<EntryHash> counts;
    for (std::size_t i = 0; i < entries_.size(); ++i) counts.insert(entries_[i].at.hash);
    for (const std::vector<Head>& heads : lists) {
      std::set<EntryHash> allowed;
      for (std::size_t i = 0; i < entries_.size(); ++i) {
        if (!std::ranges::any_of(heads,
                                 [&](const Head& h) { return h.hash == entries_[i].at.hash; }))
          continue;
        for (std::size_t at = i;; at = entries_[at].parent) {
          allowed.insert(entries_[at].at.hash);
          if (entries_[at].is_root) break;
        }
      }
      std::erase_if(counts, [&](const EntryHash& hash) { return !allowed.contains(hash); });
    }
    return counts;
  }

  [[nodiscard]] const FeedId& id() const { return offer_->id; }

 private:
  [[nodiscard]] std::shared_ptr<const FeedOffer> offer(const std::vector<Predecessor>& ends) {
    const Authority& authority = author_.replica->directory().authority();
    FeedIntro intro;
    intro.node = author_.id();
    intro.home = authority.path_of(author_.chapter());
    intro.audience = Audience::all;
    intro.incarnation = random_.fixed<Incarnation>();
    intro.predecessors = ends;
    Bytes bytes = encode(intro);
    const FeedId id = feed_id(authority.federation(), bytes);
    return std::make_shared<FeedOffer>(FeedOffer{id, std::move(intro), std::move(bytes)});
  }

  // One more branch from some entry, or from the beginning, in pieces of one to three entries.
  void grow(bool is_first) {
    std::size_t from = SIZE_MAX;
    if (!is_first && random_.below(6) != 0) from = random_.below(entries_.size());
    for (std::size_t left = 1 + random_.below(9); left > 0;) {
      const std::size_t count = std::min(left, 1 + random_.below(3));
      left -= count;
      const Position before = from == SIZE_MAX ? Position{} : entries_[from].at;
      for (const EntryHash& hash : add_piece(*offer_, offer_, before, count)) {
        const bool is_root = from == SIZE_MAX;
        const Sequence seq = is_root ? Sequence(1) : entries_[from].at.seq.next();
        entries_.push_back({{seq, hash}, is_root ? entries_.size() : from, is_root});
        from = entries_.size() - 1;
      }
    }
  }

  std::vector<EntryHash> add_piece(const FeedOffer& feed,
                                   std::shared_ptr<const FeedOffer> shared,
                                   const Position& before,
                                   std::size_t count) {
    std::vector<Bytes> payloads;
    for (std::size_t i = 0; i < count; ++i) {
      Change change = testing::a_change(testing::record_named(std::to_string(random_.below(3))),
                                        "title", std::to_string(random_.next()));
      for (int names = 0; names < 2 && !entries_.empty(); ++names)
        change.operations[0].supersedes.push_back(
            {name_part(entries_[random_.below(entries_.size())].at.hash), 0});
      std::ranges::sort(change.operations[0].supersedes);
      const auto same = std::ranges::unique(change.operations[0].supersedes);
      change.operations[0].supersedes.erase(same.begin(), same.end());
      payloads.push_back(encode(change));
    }
    Piece piece;
    piece.first = before.seq.next();
    piece.seed = random_.fixed<RunSeed>();
    for (const Bytes& payload : payloads) {
      PieceEntry entry;
      entry.time = HybridTime{random_.next() >> 20U};
      entry.payload = payload;
      entry.payload_bytes = static_cast<std::uint32_t>(payload.size());
      piece.entries.push_back(entry);
    }
    const auto hashes = chain(piece, feed.id, before.hash);
    if (before.seq != Sequence(0)) piece.prev = before.hash;
    piece.checkpoint =
        sign_checkpoint(*author_.key, author_.replica->directory().authority().federation(),
                        Head{feed.id, piece.last(), hashes.back()});
    items.push_back({std::move(shared), encode(piece)});
    return hashes;
  }

  SeededRandom& random_;
  TestNode& author_;
  std::shared_ptr<const FeedOffer> offer_;
  std::vector<TreeEntry> entries_;
};

class ForksInAnyOrder : public ::testing::Test {
 protected:
  ForksInAnyOrder() { testing::Wire(*kenya, *global).run(); }

  SeededRandom random{5};
  SetClock clock;
  std::unique_ptr<TestNode> global = TestNode::founder(random, clock);
  std::unique_ptr<TestNode> kenya = TestNode::below(*global, "KE");

  [[nodiscard]] Item statement(TestNode& by, std::uint64_t number, decltype(Statement::body) body) {
    const FederationId federation = by.replica->directory().authority().federation();
    return {nullptr, sign_statement(federation, Statement{by.chapter(), number, std::move(body)},
                                    *by.authority)};
  }

  [[nodiscard]] std::vector<Head> some_entries(Tree& tree) {
    std::vector<Head> heads;
    for (std::size_t i = 0; i < 1 + random.below(3); ++i) heads.push_back(tree.some_entry());
    return heads;
  }

  // Several closings are one list, each revocation of the highest is one of its own.
  void judge(Tree& tree) {
    std::vector<Head> closed;
    const auto close = [&](const std::vector<Head>& tips) {
      closed.insert(closed.end(), tips.begin(), tips.end());
      return tips;
    };
    for (std::size_t i = random.below(3); i > 0; --i)
      tree.items.push_back(statement(random.below(2) == 0 ? *global : *kenya, i,
                                     Close{kenya->id(), close(some_entries(tree))}));
    const bool is_revoked = random.below(3) == 0;
    // Nothing that the author says later counts then.
    if (random.below(2) == 0) {
      const std::vector<Head> tips = some_entries(tree);
      tree.close_by_author(tips);
      if (!is_revoked) close(tips);
    }
    if (!closed.empty()) tree.lists.push_back(closed);
    if (!is_revoked) return;
    for (std::uint64_t number = 1; number <= 1 + random.below(2); ++number) {
      const std::vector<Head> cuts = some_entries(tree);
      tree.lists.push_back(cuts);
      tree.items.push_back(statement(*global, number, Revoke{kenya->id(), cuts, "stolen"}));
    }
  }

  void take(TestNode& node, const Tree& tree) {
    std::vector<const Item*> order;
    for (const Item& item : tree.items) order.push_back(&item);
    for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
    while (!order.empty()) {
      std::vector<const Item*> again;
      for (const Item* item : order) {
        if (!give(node, *item)) again.push_back(item);
        if (random.below(3) == 0) node.commit();
      }
      ASSERT_LT(again.size(), order.size()) << "nothing of the rest is taken";
      order = std::move(again);
    }
    node.commit();
  }

  // False when it must come again: what it follows is not there yet.
  static bool give(TestNode& node, const Item& item) {
    if (item.feed == nullptr) {
      EXPECT_TRUE(node.replica->write_statement(item.bytes));
      return true;
    }
    PieceVerifier verifier(node.replica->directory().authority().federation());
    auto checked =
        verifier.verify({item.feed, Head{item.feed->id, Sequence(0), {}}, item.bytes, false});
    EXPECT_TRUE(checked);
    ReceivedWindow window;
    window.peer = PublicKey{};
    window.pieces.push_back(std::move(*checked));
    const Received received = node.replica->receive(std::move(window));
    for (const RefusedPiece& refused : received.refused)
      EXPECT_TRUE(refused.error.kind == Errc::not_found) << refused.error.code;
    return received.refused.empty();
  }

  static std::set<EntryHash> counted(TestNode& node, const FeedId& id) {
    std::set<EntryHash> counts;
    for (const FeedRow row : node.directory->branches(id)) {
      const KnownFeed& branch = node.directory->feed(row);
      for (Sequence seq = branch.fork.seq.next(); seq <= Directory::standing_head(branch).seq;
           seq = seq.next())
        counts.insert(hash_in(*node.store, branch, seq).value());
    }
    return counts;
  }

  Digest digest(TestNode& node) const {
    auto heads = shared_heads(*node.directory, global->id());
    std::erase_if(heads, [&](const SharedHead& shared) {
      return node.directory->feed(shared.row).intro.audience == Audience::auth;
    });
    return digest_of(heads);
  }
};

TEST_F(ForksInAnyOrder, EveryNodeComesToTheSameVerdict) {
  for (int round = 0; round < 15; ++round) {
    Tree tree(random, *kenya);
    judge(tree);
    std::vector<std::unique_ptr<TestNode>> nodes;
    for (int i = 0; i < 3; ++i) {
      nodes.push_back(TestNode::beside(*global));
      testing::Wire(*nodes.back(), *global).run();  // who Kenya is
      take(*nodes.back(), tree);
      if (HasFatalFailure()) return;
    }
    const std::set<EntryHash> expected = tree.standing();
    const std::string view = nodes[0]->view_hash();
    for (const auto& node : nodes) {
      EXPECT_EQ(counted(*node, tree.id()), expected) << "round " << round;
      EXPECT_EQ(digest(*node), digest(*nodes[0])) << "round " << round;
      EXPECT_EQ(node->view_hash(), view) << "round " << round;
    }
    ASSERT_TRUE(nodes[1]->replica->rebuild());
    nodes[2]->restart();
    EXPECT_EQ(nodes[1]->view_hash(), view) << "round " << round;
    EXPECT_EQ(counted(*nodes[2], tree.id()), expected) << "round " << round;
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace chapterd
