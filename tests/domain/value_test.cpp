// JSON ↔ CBOR: round trips, one encoding per value, refusals.
#include "domain/value.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <limits>

namespace chapterd {
namespace {

using Json = nlohmann::json;

Json back(const Json& json) {
  const auto bytes = to_cbor(json);
  EXPECT_TRUE(bytes.has_value()) << json.dump();
  const auto again = from_cbor(*bytes);
  EXPECT_TRUE(again.has_value()) << json.dump();
  return *again;
}

TEST(Value, ComesBackAsItWas) {
  const Json json =
      Json::parse(R"({"a": [1, -1, 2.5, true, null, "né"], "bb": {"x": {}}, "c": []})");
  EXPECT_EQ(back(json), json);
  EXPECT_EQ(back(std::numeric_limits<std::int64_t>::min()),
            Json(std::numeric_limits<std::int64_t>::min()));
}

TEST(Value, KeysAreSortedAsTheFormatWants) {
  const auto bytes = to_cbor(Json{{"bb", 1}, {"a", 2}, {"c", 3}});
  ASSERT_TRUE(bytes.has_value());
  EXPECT_EQ(to_hex(*bytes), "a361610261630362626201");
}

TEST(Value, BytesAreShownAsHexAndComeBack) {
  const Json json = {{"$bytes", "00ff"}};
  EXPECT_EQ(to_hex(*to_cbor(json)), "4200ff");
  EXPECT_EQ(back(json), json);
  EXPECT_FALSE(to_cbor(Json{{"$bytes", "zz"}}).has_value());
  EXPECT_FALSE(to_cbor(Json{{"$bytes", 7}}).has_value());
}

TEST(Value, WhatHasNoOneFormIsRefused) {
  EXPECT_FALSE(to_cbor(Json(std::string("\xC3\x28"))).has_value());
  EXPECT_FALSE(to_cbor(Json{{std::string("\xFF"), 1}}).has_value());
  EXPECT_FALSE(to_cbor(std::numeric_limits<double>::quiet_NaN()).has_value());
  EXPECT_FALSE(to_cbor(std::numeric_limits<double>::infinity()).has_value());
  EXPECT_FALSE(to_cbor(std::uint64_t{1} << 63U).has_value());
}

TEST(Value, DepthIsLimitedBothWays) {
  Json json = 1;
  Bytes bytes;
  for (int i = 0; i < 32; ++i) {
    json = Json::array({json});
    bytes.push_back(0x81);
  }
  bytes.push_back(1);
  EXPECT_EQ(*to_cbor(json), bytes);
  EXPECT_TRUE(from_cbor(bytes).has_value());
  EXPECT_FALSE(to_cbor(Json::array({json})).has_value());
  bytes.insert(bytes.begin(), 0x81);
  EXPECT_FALSE(from_cbor(bytes).has_value());
}

TEST(Value, LooseBytesAreRefused) {
  for (const char* hex :
       {"", "01 01", "1801", "9f01ff", "a2616201616101", "c001", "61ff", "1bffffffffffffffff"}) {
    std::string digits(hex);
    std::erase(digits, ' ');
    EXPECT_FALSE(from_cbor(*from_hex(digits)).has_value()) << hex;
  }
}

RC_GTEST_PROP(Value,
              AnyBytesThatAreReadAreWrittenTheSame,
              (const std::vector<std::uint8_t>& bytes)) {
  const auto json = from_cbor(bytes);
  if (!json) return;
  const auto again = to_cbor(*json);
  if (again) RC_ASSERT(*again == bytes);
}

RC_GTEST_PROP(Value, NumbersAndTextsComeBack, (std::int64_t number, double real)) {
  RC_ASSERT(*from_cbor(*to_cbor(number)) == Json(number));
  if (std::isfinite(real)) RC_ASSERT(*from_cbor(*to_cbor(real)) == Json(real));
}

}  // namespace
}  // namespace chapterd
