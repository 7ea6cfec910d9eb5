// Genesis, statements and receipts: nothing in them can be changed without notice.
#include "replication/format/statements.h"

#include "replication/format/limits.h"
#include "tests/format/describe.h"
#include "tests/format/samples.h"

#include <gtest/gtest.h>

namespace chapterd {
namespace {

const samples::World& world() {
  static const samples::World made = samples::make_world();
  return made;
}

TEST(Genesis, WithAnyFlippedBitIsRefused) {
  for (std::size_t bit = 0; bit < world().genesis_bytes.size() * 8; ++bit) {
    Bytes bytes = world().genesis_bytes;
    bytes[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    EXPECT_FALSE(decode_genesis(bytes)) << bit;
  }
}

TEST(Genesis, IsRefusedWhenCutAtAnyByte) {
  const ByteView bytes = world().genesis_bytes;
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode_genesis(bytes.first(size))) << size;
  }
}

TEST(Genesis, SignedByAnotherKeyThanItNamesIsRefused) {
  EXPECT_FALSE(decode_genesis(sign_genesis(world().genesis, world().kenya_authority)));
}

TEST(Genesis, GivesEveryFederationAnotherId) {
  Genesis other = world().genesis;
  other.nonce.bytes[0] ^= 1U;
  EXPECT_NE(federation_id(sign_genesis(other, world().global_authority)), world().federation);
}

TEST(Statement, ComesBackAsItWas) {
  for (const auto& [name, each] : world().statements) {
    const auto read = decode_statement(each.bytes);
    ASSERT_TRUE(read) << name;
    EXPECT_EQ(describe(*read), describe(each.statement)) << name;
    EXPECT_EQ(read->body.index(), each.statement.body.index()) << name;
  }
}

TEST(Statement, WithAnyFlippedBitIsRefusedOrDoesNotVerify) {
  for (const auto& [name, each] : world().statements) {
    for (std::size_t bit = 0; bit < each.bytes.size() * 8; ++bit) {
      Bytes bytes = each.bytes;
      bytes[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
      if (!decode_statement(bytes)) continue;
      EXPECT_FALSE(verify_statement(world().federation, bytes, each.signer)) << name << bit;
    }
  }
}

TEST(Statement, IsRefusedOrDoesNotVerifyWhenCutAtAnyByte) {
  for (const auto& [name, each] : world().statements) {
    for (std::size_t size = 0; size < each.bytes.size(); ++size) {
      const ByteView cut = ByteView(each.bytes).first(size);
      const bool fine =
          decode_statement(cut) && verify_statement(world().federation, cut, each.signer);
      EXPECT_FALSE(fine) << name << size;
    }
  }
}

TEST(Statement, OfAnotherFederationDoesNotVerify) {
  const auto& each = world().statements.front().value;
  EXPECT_FALSE(verify_statement(samples::counting<FederationId>(1), each.bytes, each.signer));
}

TEST(Statement, SignedBySomebodyElseDoesNotVerify) {
  const auto& each = world().statements.front().value;
  const PublicKey other = world().kenya_authority.public_key();
  EXPECT_FALSE(verify_statement(world().federation, each.bytes, other));
}

TEST(Statement, ThatRevokesTwoHundredFeedsHasRoom) {
  Revoke revoke{world().india_node.public_key(), {}, "stolen"};
  revoke.cuts.assign(200, {samples::counting<FeedId>(1), Sequence(5), {}});
  const Statement statement{samples::counting<ChapterId>(1), 1, revoke};
  const Bytes bytes = sign_statement(world().federation, statement, world().global_authority);
  EXPECT_TRUE(decode_statement(bytes));
}

TEST(Statement, LongerThanTheLimitIsRefused) {
  const UnknownStatement body{9, Bytes(limits::statement_bytes, 0)};
  const Statement statement{samples::counting<ChapterId>(1), 1, body};
  EXPECT_FALSE(
      decode_statement(sign_statement(world().federation, statement, world().global_authority)));
}

TEST(Statement, KeepsNamesToTheirLimit) {
  NodeCertificate node;
  node.name = std::string(limits::name_bytes, 'n');
  const auto encoded = [&] {
    const Statement statement{samples::counting<ChapterId>(1), 1, node};
    return sign_statement(world().federation, statement, world().global_authority);
  };
  EXPECT_TRUE(decode_statement(encoded()));
  node.name += 'n';
  EXPECT_FALSE(decode_statement(encoded()));
}

TEST(Statement, OfAnUnknownKindKeepsItsBody) {
  const auto read = decode_statement(world().statements.back().value.bytes);
  ASSERT_TRUE(read);
  const auto* unknown = std::get_if<UnknownStatement>(&read->body);
  ASSERT_NE(unknown, nullptr);
  EXPECT_EQ(unknown->type, 77);
  EXPECT_EQ(unknown->body, (Bytes{0xDE, 0xAD, 0xBE, 0xEF}));
}

TEST(Receipt, ComesBackAndVerifies) {
  const auto& each = world().receipts.front().value;
  const auto read = decode_receipt(each.bytes);
  ASSERT_TRUE(read);
  EXPECT_EQ(describe(*read), describe(each.receipt));
  EXPECT_TRUE(verify_receipt(world().federation, each.bytes, each.receipt.node));
}

TEST(Receipt, WithAnyFlippedBitIsRefusedOrDoesNotVerify) {
  const auto& each = world().receipts.front().value;
  for (std::size_t bit = 0; bit < each.bytes.size() * 8; ++bit) {
    Bytes bytes = each.bytes;
    bytes[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    const auto read = decode_receipt(bytes);
    if (!read) continue;
    EXPECT_FALSE(verify_receipt(world().federation, bytes, each.receipt.node)) << bit;
  }
}

TEST(Receipt, IsRefusedWhenCutAtAnyByte) {
  const ByteView bytes = world().receipts.front().value.bytes;
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode_receipt(bytes.first(size))) << size;
    EXPECT_FALSE(
        verify_receipt(world().federation, bytes.first(size), world().kenya_node.public_key()));
  }
}

TEST(Receipt, OfAnotherFederationOrNodeDoesNotVerify) {
  const auto& each = world().receipts.front().value;
  EXPECT_FALSE(verify_receipt(samples::counting<FederationId>(1), each.bytes, each.receipt.node));
  EXPECT_FALSE(verify_receipt(world().federation, each.bytes, world().india_node.public_key()));
}

}  // namespace
}  // namespace chapterd
