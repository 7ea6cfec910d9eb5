// The committed bundle: the code still writes these bytes, opens them, and refuses the broken ones.
#include "tests/format/bundle_sample.h"
#include "tests/format/document.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace chapterd {
namespace {

std::string committed() {
  std::ifstream in(CHAPTERD_SOURCE_DIR "/tests/vectors/bundle.json");
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

const Json& document() {
  static const Json parsed = Json::parse(committed());
  return parsed;
}

Bytes unhex(const Json& text) {
  return from_hex(text.get<std::string>()).value();
}

BundleKey key_of_vector() {
  return BundleKey::from_secret(unhex(document()["key"]));
}

// The plain content of each chunk; nothing when anything of the file is refused or missing.
std::optional<std::vector<Bytes>> opened(const Bytes& file) {
  BundleParser parser;
  parser.append(file);
  std::vector<Bytes> plain;
  std::optional<BundleHeader> header;
  const BundleKey key = key_of_vector();
  BundleState state;
  for (auto item = parser.next(); item && *item; item = parser.next()) {
    if (const auto* bytes = std::get_if<BundleHeaderBytes>(&**item)) {
      auto decoded = decode_bundle_header(bytes->bytes);
      if (!decoded) return std::nullopt;
      header = std::move(*decoded);
      state = bundle_state(bytes->bytes);
    } else if (const auto* chunk = std::get_if<BundleChunk>(&**item)) {
      auto content = open_chunk(key, state, *chunk);
      if (!content) return std::nullopt;
      plain.push_back(std::move(*content));
    } else {
      const auto& trailer = std::get<BundleTrailer>(**item);
      if (!verify_bundle_trailer(trailer, state, header->sender)) return std::nullopt;
    }
  }
  if (!parser.complete()) return std::nullopt;
  return plain;
}

TEST(BundleVectors, AreWhatTheCodeWrites) {
  EXPECT_EQ(text_of(make_bundle_document(samples::make_world())), committed());
}

TEST(BundleVectors, OpenToTheirFrames) {
  const auto plain = opened(unhex(document()["hex"]));
  ASSERT_TRUE(plain);
  ASSERT_EQ(plain->size(), document()["chunks"].size());
  for (std::size_t i = 0; i < plain->size(); ++i)
    EXPECT_EQ(to_hex((*plain)[i]), document()["chunks"][i]["plain"]);
}

TEST(BundleVectors, ThatBreakARuleAreRefused) {
  for (const Json& vector : document()["refused"])
    EXPECT_FALSE(opened(unhex(vector["hex"]))) << vector["why"];
}

}  // namespace
}  // namespace chapterd
