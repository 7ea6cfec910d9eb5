// The committed vectors: the code still yields exactly these bytes, and reads them.
#include "base/byte_stream.h"
#include "replication/format/packing.h"
#include "replication/format/sealed.h"
#include "tests/format/document.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace chapterd {
namespace {

std::string file_text(const std::string& name) {
  std::ifstream in(std::string(CHAPTERD_SOURCE_DIR "/tests/vectors/") + name);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

const Json& document() {
  static const Json parsed = Json::parse(file_text("format.json"));
  return parsed;
}

Bytes bytes_of(const Json& vector) {
  return from_hex(vector["hex"].get<std::string>()).value();
}

template <class F>
F fixed_of(const Json& json) {
  return F::from(from_hex(json.get<std::string>()).value()).value();
}

FederationId federation() {
  return FederationId{fixed_of<Digest>(document()["genesis"]["federation"]).bytes};
}

PublicKey key_of(const Json& json) {
  return fixed_of<PublicKey>(json);
}

TEST(Vectors, AreWhatTheCodeWrites) {
  const Json made = make_document(samples::make_world());
  for (const auto& [section, expected] : document().items()) {
    EXPECT_EQ(made[section].dump(1), expected.dump(1)) << section;
  }
  EXPECT_EQ(text_of(made), file_text("format.json"));
}

TEST(Vectors, OfGenesisReadBack) {
  const Json& vector = document()["genesis"];
  const auto genesis = decode_genesis(bytes_of(vector));
  ASSERT_TRUE(genesis) << genesis.error().what;
  EXPECT_EQ(describe(*genesis), vector["fields"]);
  EXPECT_EQ(hex_of(federation_id(bytes_of(vector))), vector["federation"]);
}

TEST(Vectors, OfStatementsReadBackAndVerify) {
  for (const Json& vector : document()["statements"]) {
    const auto statement = decode_statement(bytes_of(vector));
    ASSERT_TRUE(statement) << vector["name"] << statement.error().what;
    EXPECT_EQ(describe(*statement), vector["fields"]);
    EXPECT_TRUE(verify_statement(federation(), bytes_of(vector), key_of(vector["signer"])));
  }
}

TEST(Vectors, OfFeedIntrosReadBackAndGiveTheFeedId) {
  for (const Json& vector : document()["feeds"]) {
    const auto intro = decode_feed_intro(bytes_of(vector));
    ASSERT_TRUE(intro) << vector["name"] << intro.error().what;
    EXPECT_EQ(describe(*intro), vector["fields"]);
    EXPECT_EQ(encode(*intro), bytes_of(vector));
    EXPECT_EQ(hex_of(feed_id(federation(), bytes_of(vector))), vector["id"]);
  }
}

TEST(Vectors, OfPiecesReadBackAndChainToTheirHashes) {
  for (const Json& vector : document()["pieces"]) {
    const Bytes bytes = bytes_of(vector);
    const auto piece = decode_piece(bytes);
    ASSERT_TRUE(piece) << vector["name"] << piece.error().what;
    EXPECT_EQ(describe(*piece), vector["fields"]);
    EXPECT_EQ(encode(*piece), bytes);
    const auto feed = fixed_of<FeedId>(vector["feed"]);
    const auto hashes = chain(*piece, feed, fixed_of<EntryHash>(vector["prev"]));
    ASSERT_EQ(hashes.size(), vector["hashes"].size());
    for (std::size_t i = 0; i < hashes.size(); ++i) {
      EXPECT_EQ(hex_of(hashes[i]), vector["hashes"][i]);
    }
    if (!piece->checkpoint) continue;
    const Head head{feed, piece->last(), hashes.back()};
    EXPECT_TRUE(
        verify_checkpoint(key_of(vector["signer"]), federation(), head, *piece->checkpoint));
  }
}

TEST(Vectors, OfPiecesHashTheSameWithAndWithoutTheErasedEntry) {
  const Json& pieces = document()["pieces"];
  EXPECT_EQ(pieces[0]["hashes"], pieces[1]["hashes"]);
}

TEST(Vectors, OfChangesReadBack) {
  ChangeView change;
  for (const Json& vector : document()["changes"]) {
    const Bytes bytes = bytes_of(vector);
    const auto read = decode_change(bytes, change);
    ASSERT_TRUE(read) << vector["name"] << read.error().what;
    EXPECT_EQ(describe(change), vector["fields"]);
  }
}

TEST(Vectors, OfEraseOrdersReadBackAndVerify) {
  for (const Json& vector : document()["erase_orders"]) {
    const Bytes bytes = bytes_of(vector);
    const auto order = decode_erase_order(bytes);
    ASSERT_TRUE(order) << vector["name"] << order.error().what;
    EXPECT_EQ(describe(*order), vector["fields"]);
    EXPECT_EQ(encode(*order), bytes);
    const auto signer = PublicKey::from(from_hex(vector["signer"].get<std::string>()).value());
    EXPECT_EQ(verify_erase_order(federation(), bytes, PublicKey{signer->bytes}),
              order->chapter_signature.has_value());
  }
}

TEST(Vectors, OfLivesReadBack) {
  for (const Json& vector : document()["lives"]) {
    const auto life = decode_life(bytes_of(vector));
    ASSERT_TRUE(life) << vector["name"];
    EXPECT_EQ(describe(*life), vector["fields"]);
    EXPECT_EQ(encode(*life), bytes_of(vector));
  }
}

TEST(Vectors, OfReceiptsReadBackAndVerify) {
  for (const Json& vector : document()["receipts"]) {
    const auto receipt = decode_receipt(bytes_of(vector));
    ASSERT_TRUE(receipt) << receipt.error().what;
    EXPECT_EQ(describe(*receipt), vector["fields"]);
    EXPECT_TRUE(verify_receipt(federation(), bytes_of(vector), receipt->node));
  }
}

TEST(Vectors, OfFramesReadBack) {
  for (const Json& vector : document()["frames"]) {
    FrameParser parser;
    parser.append(bytes_of(vector));
    const auto frame = parser.next();
    ASSERT_TRUE(frame && *frame) << vector["name"];
    EXPECT_EQ(describe(**frame), vector["fields"]);
    if ((*frame)->index() + 1 == vector["type"]) {
      EXPECT_EQ(encode(**frame), bytes_of(vector));
    } else {
      EXPECT_TRUE(std::holds_alternative<UnknownFrame>(**frame));
    }
  }
}

TEST(Vectors, OfPackedFramesUnpackToTheSegment) {
  Unpacker unpacker;
  for (const Json& vector : document()["frames"]) {
    if (!vector["fields"].value("packed", false)) continue;
    const auto packed = from_hex(vector["fields"]["content"].get<std::string>()).value();
    const auto content = unpacker.unpack(packed, vector["fields"]["size"].get<std::size_t>());
    ASSERT_TRUE(content) << content.error().what;
    EXPECT_EQ(*content, bytes_of(document()["segment"]));
    const auto segment = decode_segment(Audience::all, *content);
    ASSERT_TRUE(segment);
    EXPECT_EQ(describe(*segment), document()["segment"]["pieces"]);
  }
}

// True when the decoder that `as` names accepts the bytes.
bool accepts(const std::string& as, const Bytes& bytes) {
  ChangeView change;
  if (as == "genesis") return decode_genesis(bytes).has_value();
  if (as == "statement") return decode_statement(bytes).has_value();
  if (as == "feed") return decode_feed_intro(bytes).has_value();
  if (as == "piece") return decode_piece(bytes).has_value();
  if (as == "change") return decode_change(bytes, change).has_value();
  if (as == "erase order") return decode_erase_order(bytes).has_value();
  if (as == "receipt") return decode_receipt(bytes).has_value();
  if (as == "life") return decode_life(bytes).has_value();
  if (as == "keys") return decode_key_wraps(bytes).has_value();
  if (as == "segment") return decode_segment(Audience::all, bytes).has_value();
  FrameParser parser;
  parser.append(bytes);
  EXPECT_EQ(as, "frame");
  return parser.next().has_value();
}

TEST(Vectors, ThatBreakARuleAreRefused) {
  for (const Json& vector : document()["refused"]) {
    const auto as = vector["as"].get<std::string>();
    EXPECT_FALSE(accepts(as, bytes_of(vector))) << as << ": " << vector["why"];
  }
}

}  // namespace
}  // namespace chapterd
