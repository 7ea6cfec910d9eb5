// Frames, JSON and errors of the control socket.
#include "daemon/control/wire.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace chapterd {
namespace {

using Json = nlohmann::json;

Bytes body_of(const Bytes& frame) {
  EXPECT_EQ(control::body_bytes(ByteView(frame).first(control::length_bytes)),
            frame.size() - control::length_bytes);
  return {frame.begin() + control::length_bytes, frame.end()};
}

TEST(ControlWire, AnswersComeBackAsTheyWereGiven) {
  const Json value = {{"a", {1, 2}}, {"b", "ü"}};
  EXPECT_EQ(*control::decode_answer(body_of(control::encode_answer(value))), value);
}

TEST(ControlWire, ErrorsKeepTheirFourPartsAndTheirKind) {
  for (const Errc kind : {Errc::failed, Errc::usage, Errc::malformed, Errc::not_found,
                          Errc::not_allowed, Errc::needs_person, Errc::check_failed, Errc::gave_up,
                          Errc::not_compatible, Errc::unreachable, Errc::disk}) {
    const Result<Json> error = fail(kind, "a.code", "what", "safe", "next");
    const auto back = control::decode_answer(body_of(control::encode_answer(error)));
    ASSERT_FALSE(back);
    EXPECT_EQ(back.error().kind, kind);
    EXPECT_EQ(back.error().code, "a.code");
    EXPECT_EQ(back.error().what, "what");
    EXPECT_EQ(back.error().safe, "safe");
    EXPECT_EQ(back.error().next, "next");
  }
}

TEST(ControlWire, BadTextIsFoundWhereverItStands) {
  EXPECT_EQ(control::check_texts({{"a", {"\xFF"}}}).error().code, "argument.utf8");
  EXPECT_EQ(control::check_texts({{"\xC0\x80", 1}}).error().code, "argument.utf8");
  EXPECT_TRUE(control::check_texts({{"a", {"ü", "漢", "😀"}}}));
  EXPECT_FALSE(control::encode_call("a", {{"b", "\xED\xA0\x80"}}));
}

TEST(ControlWire, WhatLiesTooDeepIsRefused) {
  Json deep = 1;
  for (std::size_t i = 0; i < control::most_depth; ++i) deep = Json::array({deep});
  EXPECT_TRUE(control::check_texts(deep));
  EXPECT_EQ(control::check_texts(Json::array({deep})).error().code, "argument.depth");
}

TEST(ControlWire, CallsAndAnswersHaveALargestSize) {
  const Json large = {{"text", std::string(control::most_body_bytes, 'x')}};
  EXPECT_EQ(control::encode_call("a", large).error().code, "control.too-large");
  const auto answer = control::decode_answer(body_of(control::encode_answer(large)));
  EXPECT_EQ(answer.error().code, "answer.too-large");
}

TEST(ControlWire, WhatIsNoAnswerIsToldAsSuch) {
  for (const char* text : {"", "{", "3", "{}", R"({"error": 3})", "\xFF"}) {
    const auto answer = control::decode_answer(as_bytes(text));
    ASSERT_FALSE(answer) << text;
    EXPECT_EQ(answer.error().code, "control.malformed") << text;
  }
}

}  // namespace
}  // namespace chapterd
