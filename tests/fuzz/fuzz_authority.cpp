// Statements in two orders: one verdict. And about revocations the verdict of a model that looks at
// the whole set at once, by the words of docs/protocol.md section 4.
#include "base/byte_stream.h"
#include "crypto/hash.h"
#include "crypto/system_random.h"
#include "replication/authority.h"
#include "tests/fuzz/target.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <optional>
#include <vector>

namespace chapterd {
namespace {

SigningKey key_of(std::uint8_t number) {
  return SigningKey::from_seed(Bytes(32, number));
}

struct Cut {
  std::size_t node;
  unsigned rank;  // of the issuer
  std::uint64_t seq;
};

// Global above two national chapters, one of which has one below it; two nodes in each; and what
// may be said about all of them, signed once.
struct World {
  World();

  void say(const ChapterId& issuer,
           const SigningKey& signer,
           std::uint64_t number,
           auto body,
           std::optional<Cut> cut = std::nullopt) {
    statements.push_back(sign_statement(federation, Statement{issuer, number, body}, signer));
    cuts.push_back(cut);
  }

  void certify(std::size_t chapter, std::size_t node, std::uint64_t number, const char* name);
  void revoke(std::size_t issuer, std::size_t node, std::uint64_t number, std::uint64_t seq);

  Bytes genesis;
  FederationId federation;
  std::array<SigningKey, 4> authorities{key_of(1), key_of(2), key_of(3), key_of(4)};
  std::array<ChapterId, 4> chapters;
  std::array<SigningKey, 4> nodes{key_of(11), key_of(12), key_of(13), key_of(14)};
  std::array<FeedIntro, 4> intros;
  std::array<FeedId, 4> feeds;
  std::vector<Bytes> statements;
  std::vector<std::optional<Cut>> cuts;  // beside the statements: which of them cut what
};

constexpr std::array<std::size_t, 4> parent_of{0, 0, 0, 1};
constexpr std::array<std::uint8_t, 4> level_of{0, 1, 1, 2};
constexpr std::array<const char*, 4> code_of{"GLOBAL", "KE", "TZ", "KE-1"};
constexpr std::array<std::size_t, 4> chapter_of{1, 2, 3, 3};  // of a node

void World::certify(std::size_t chapter, std::size_t node, std::uint64_t number, const char* name) {
  NodeCertificate certificate;
  certificate.node = nodes[node].public_key();
  certificate.box = BoxKey::from_seed(nodes[node].seed()).public_key();
  certificate.chapter = chapters[chapter_of[node]];
  certificate.name = name;
  certificate.proof = prove_node(federation, certificate, nodes[node]);
  say(chapters[chapter], authorities[chapter], number, certificate);
}

void World::revoke(std::size_t issuer, std::size_t node, std::uint64_t number, std::uint64_t seq) {
  const Head head{feeds[node], Sequence(seq), hash_as<EntryHash>("fuzz/cut", Bytes(1, seq & 0xFF))};
  Revoke revoke{nodes[node].public_key(), {head}, "because"};
  say(chapters[issuer], authorities[issuer], number, revoke, Cut{node, level_of[issuer], seq});
}

World::World() {
  CHECK(start_crypto().has_value());
  Genesis founding;
  founding.name = "Fuzz";
  founding.code = code_of[0];
  founding.chapter.bytes.fill(7);
  founding.authority = authorities[0].public_key();
  genesis = sign_genesis(founding, authorities[0]);
  federation = federation_id(genesis);
  chapters[0] = founding.chapter;
  for (std::size_t i = 1; i < chapters.size(); ++i) {
    const std::size_t above = parent_of[i];
    chapters[i] = chapter_id_below(chapters[above], code_of[i]);
    ChapterCertificate certificate{
        chapters[i], authorities[i].public_key(), code_of[i], "One", level_of[i], {chapters[0]}};
    if (above != 0) certificate.above.push_back(chapters[above]);
    for (const char* name : {"One", "Two", "Three"}) {
      certificate.name = name;
      say(chapters[above], authorities[above], name[1] == 'n' ? 1 : 2, certificate);
    }
  }
  for (std::size_t node = 0; node < nodes.size(); ++node) {
    const std::size_t own = chapter_of[node];
    intros[node].node = nodes[node].public_key();
    intros[node].home = {chapters[own], {chapters[0]}};
    if (parent_of[own] != 0) intros[node].home.above.push_back(chapters[parent_of[own]]);
    intros[node].audience = Audience::up;
    feeds[node] = feed_id(federation, encode(intros[node]));
    certify(own, node, 1, "own 1");
    certify(own, node, 1, "own 1, other bytes");
    certify(own, node, 2, "own 2");
    certify(parent_of[own], node, 5, "from above");
    for (const std::uint64_t seq : {3U, 9U}) {
      revoke(own, node, 1, seq);
      revoke(parent_of[own], node, seq, 12 - seq);
    }
    revoke(0, node, 1, 6);
  }
}

const World& world() {
  static const World made;
  return made;
}

// The last sequence that every list allows, by any of its heads; nullopt: all.
std::optional<std::uint64_t> cut_of(const Authority& authority, std::size_t node) {
  std::optional<std::uint64_t> shortest;
  for (const auto& heads : authority.cuts(world().intros[node], world().feeds[node])) {
    std::uint64_t longest = 0;
    for (const Head& head : heads) longest = std::max(longest, head.seq.value);
    shortest = std::min(shortest.value_or(UINT64_MAX), longest);
  }
  return shortest;
}

Bytes verdict(const Authority& authority) {
  ByteWriter out;
  for (const ChapterId& chapter : world().chapters) {
    const KnownChapter* known = authority.chapter(chapter);
    out.u8(known != nullptr ? 1 : 0);
    if (known != nullptr) out.sized_bytes(known->statement);
  }
  for (std::size_t i = 0; i < world().nodes.size(); ++i) {
    const PublicKey key = world().nodes[i].public_key();
    const KnownNode* known = authority.node(key);
    out.u8(known != nullptr ? 1 : 0).u8(authority.is_revoked(key) ? 1 : 0);
    if (known != nullptr) out.sized_bytes(known->statement);
    out.u64(cut_of(authority, i).value_or(UINT64_MAX));
  }
  return out.take();
}

Authority judged(const std::vector<std::size_t>& order) {
  auto authority = Authority::found(world().genesis);
  CHECK(authority.has_value());
  for (const std::size_t at : order) authority->apply_or_keep(world().statements[at]);
  return std::move(*authority);
}

// The highest authority's cut holds, at one rank the shortest; all who speak may hold the feeds.
void check_cuts(const Authority& authority, const std::vector<std::size_t>& said) {
  for (std::size_t node = 0; node < world().nodes.size(); ++node) {
    std::optional<std::pair<unsigned, std::uint64_t>> best;
    const bool is_certain = authority.node(world().nodes[node].public_key()) != nullptr;
    for (const std::size_t at : said) {
      const auto& cut = world().cuts[at];
      if (!cut || cut->node != node) continue;
      const auto statement = decode_statement(world().statements[at]);
      if (authority.chapter(statement->issuer) == nullptr) continue;
      const std::pair<unsigned, std::uint64_t> found{cut->rank, cut->seq};
      if (!best || found < *best) best = found;
    }
    if (!is_certain) continue;  // whether an issuer stands above it is not known yet
    CHECK(authority.is_revoked(world().nodes[node].public_key()) == best.has_value());
    const auto held = cut_of(authority, node);
    CHECK(held.has_value() == best.has_value());
    if (best) CHECK(*held == best->second);
  }
}

void check(ByteView bytes) {
  ByteReader in(bytes);
  std::vector<std::size_t> order;
  for (std::size_t count = in.u8() % 32; count > 0; --count)
    order.push_back(in.u8() % world().statements.size());
  const Authority one = judged(order);
  check_cuts(one, order);
  const Bytes first = verdict(one);
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[in.u8() % i]);
  CHECK(verdict(judged(order)) == first);
}

}  // namespace
}  // namespace chapterd

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  chapterd::check({data, size});
  return 0;
}
