// Log lines, and what cannot get into them.
#include "daemon/log.h"

#include <gtest/gtest.h>

namespace chapterd {
namespace {

std::string text(log::Fields fields) {
  return log::line(LogLevel::info, LogFormat::text, -1, "test.event", fields);
}

std::string json(log::Fields fields) {
  return log::line(LogLevel::warn, LogFormat::json, 1'780'000'000'123, "test.event", fields);
}

TEST(Log, ATextLineNamesEventAndFields) {
  EXPECT_EQ(text({{"entries", 12}, {"code", log::code("disk.low")}}),
            "info test.event entries=12 code=disk.low\n");
}

TEST(Log, AJsonLineIsOneObject) {
  EXPECT_EQ(json({{"entries", 12}, {"chapter", log::chapter("KE-17")}}),
            "{\"time\":\"2026-05-28T20:26:40.123Z\",\"level\":\"warn\",\"event\":\"test.event\","
            "\"entries\":12,\"chapter\":\"KE-17\"}\n");
}

TEST(Log, AKeyIsShownAsEightDigits) {
  PublicKey key;
  key.bytes.fill(0xAB);
  EXPECT_EQ(text({{"peer", key}}), "info test.event peer=abababab\n");
}

TEST(Log, WhatAPeerSentAsACodeCannotBreakTheLine) {
  EXPECT_EQ(text({{"code", log::code("peer.a\"\n{b} Achieng")}}),
            "info test.event code=peer.a???b???chieng\n");
}

TEST(Log, CodesAreCutShort) {
  EXPECT_EQ(log::code(std::string(200, 'a')).text().size(), 60U);
  EXPECT_EQ(log::chapter(std::string(200, 'a')).text().size(), 20U);
}

}  // namespace
}  // namespace chapterd
