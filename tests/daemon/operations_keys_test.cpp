// Authority keys in real folders: a rotation, a lost one, a stolen one, and the paper key.
#include "daemon/operations/backup_contents.h"
#include "daemon/operations/backups.h"
#include "daemon/operations/founding.h"
#include "daemon/operations/held.h"
#include "daemon/operations/opened_node.h"
#include "tests/daemon/operations_support.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace chapterd::testing {
namespace {

namespace fs = std::filesystem;

class Keys : public ::testing::Test {
 protected:
  Keys() { founded_ = found(top_); }

  void join(const Config& config, const std::string& code) {
    const std::string invite =
        must(ask(top_, "invite.create", {{"code", code}, {"name", code}}))["invite"];
    const Json asked = must(prepare_join(config, invite, "laptop"));
    const Json answer = must(ask(top_, "join.answer", {{"request", asked["request"]}}));
    must(finish_join(config, *from_base32(answer["answer"].get<std::string>())));
  }

  // All statements of one node's own feed, to another.
  static void carry(const Config& from, const Config& to) {
    std::vector<Bytes> statements;
    {
      const auto opened = OpenedNode::open(from);
      ASSERT_TRUE(opened) << opened.error().code;
      for (const StoredPiece& stored :
           (*opened)->store().pieces_after(Lane::auth, Arrival(0), SIZE_MAX)) {
        const auto piece = decode_piece(stored.body);
        for (const PieceEntry& entry : piece->entries)
          statements.emplace_back(entry.payload.begin(), entry.payload.end());
      }
    }
    const auto opened = OpenedNode::open(to);
    ASSERT_TRUE(opened) << opened.error().code;
    for (const Bytes& each : statements)
      static_cast<void>((*opened)->replica().write_statement(each));
    (*opened)->replica().commit();
  }

  static Json show(const Config& config) { return must(ask(config, "key.show", Json::object())); }

  static bool knows(const Config& config, const std::string& code) {
    const auto opened = OpenedNode::open(config);
    return opened &&
           (*opened)->replica().directory().authority().chapter_with_code(code) != nullptr;
  }

  Place place_;
  Config top_ = place_.config("top");
  Config kenya_ = place_.config("kenya");
  Json founded_;
};

TEST_F(Keys, ARotatedKeyIsInUseAtOnceAndWhatTheOldOneSignedStands) {
  join(kenya_, "KE");
  const Json before = show(top_);
  EXPECT_EQ(before["here"], true);
  const Json rotated = must(ask(top_, "key.rotate", Json::object()));
  const Json after = show(top_);
  EXPECT_EQ(after["authority"], rotated["authority"]);
  EXPECT_NE(after["authority"], before["authority"]);
  EXPECT_EQ(after["here"], true);
  EXPECT_FALSE(fs::exists(place_.path("top/authority.key.next")));
  EXPECT_TRUE(knows(top_, "KE"));
  const Config uganda = place_.config("uganda");
  join(uganda, "UG");
  EXPECT_TRUE(knows(uganda, "UG"));
}

TEST_F(Keys, ALostKeyComesBackFromAboveAfterFourWords) {
  join(kenya_, "KE");
  fs::remove(place_.path("kenya/authority.key"));
  EXPECT_EQ(show(kenya_)["here"], false);
  EXPECT_EQ(code_of(ask(kenya_, "key.rotate", Json::object())), "invite.authority-locked");
  const Json asked = must(ask(kenya_, "key.request", Json::object()));
  EXPECT_EQ(must(ask(kenya_, "key.request", Json::object()))["request"], asked["request"]);
  const Json seen =
      must(ask(top_, "key.recover", {{"request", asked["request"]}, {"only_look", true}}));
  EXPECT_EQ(seen["words"], asked["words"]);
  EXPECT_EQ(seen["code"], "KE");
  EXPECT_EQ(show(kenya_)["here"], false);
  must(ask(top_, "key.recover", {{"request", asked["request"]}}));
  carry(top_, kenya_);
  EXPECT_EQ(show(kenya_)["here"], true);
  EXPECT_FALSE(fs::exists(place_.path("kenya/authority.key.next")));
  must(ask(kenya_, "key.rotate", Json::object()));
}

TEST_F(Keys, APassphraseProtectsTheKeysInstead) {
  const Config other = place_.config("other");
  setenv("CHAPTERD_PASSPHRASE", "correct horse", 1);
  must(found_federation(other, {"F", "GLOBAL", "G", "n"}));
  EXPECT_TRUE(ask(other, "status", Json::object()));
  setenv("CHAPTERD_PASSPHRASE", "wrong horse", 1);
  EXPECT_EQ(code_of(ask(other, "status", Json::object())), "key.wrong-passphrase");
  unsetenv("CHAPTERD_PASSPHRASE");
  EXPECT_EQ(code_of(ask(other, "status", Json::object())), "key.passphrase-needed");
  std::ofstream(place_.path("words")) << "correct horse\n";
  setenv("CHAPTERD_PASSPHRASE_FILE", place_.path("words").c_str(), 1);
  EXPECT_TRUE(ask(other, "status", Json::object()));
  std::ofstream(place_.path("words")) << "correct horse\r\n";
  EXPECT_TRUE(ask(other, "status", Json::object())) << "saved on Windows";
  unsetenv("CHAPTERD_PASSPHRASE_FILE");
}

TEST_F(Keys, NoKeysAreMadeForAPassphraseThatIsEmptyOrTooShort) {
  const Config other = place_.config("other");
  const std::string invited =
      must(ask(top_, "invite.create", {{"code", "KE"}, {"name", "Kenya"}}))["invite"];
  setenv("CHAPTERD_PASSPHRASE_FILE", place_.path("words").c_str(), 1);
  for (const auto& [file, code] : {std::pair{"\n", "passphrase.empty"},
                                   {"\r\n", "passphrase.empty"},
                                   {"short\n", "passphrase.short"}}) {
    std::ofstream(place_.path("words")) << file;
    EXPECT_EQ(code_of(found_federation(other, {"F", "GLOBAL", "G", "n"})), code);
    EXPECT_EQ(code_of(prepare_join(other, invited, "n")), code);
    EXPECT_FALSE(fs::exists(place_.path("other/node.key")));
  }
  unsetenv("CHAPTERD_PASSPHRASE_FILE");
}

TEST_F(Keys, OfABackupAreNeverUnpackedToADisk) {
  const std::string file = place_.path("sealed");
  const std::string words = "correct horse battery staple";
  must(create_backup(top_, {{"out", file}, {"passphrase", words}}));
  for (const char* folder : {"looked", "restored"}) {
    fs::create_directory(place_.path(folder));
    KeyParts keys;
    KeyParts* const wanted = folder == std::string("looked") ? nullptr : &keys;
    ASSERT_TRUE(unpack_backup(file, words, place_.path(folder), wanted));
    EXPECT_EQ(keys.size(), wanted == nullptr ? 0U : 3U);
    for (const auto& entry : fs::directory_iterator(place_.path(folder)))
      EXPECT_EQ(entry.path().filename(), "chapterd.db");
  }
  const Config other = place_.config("other");
  must(restore_backup(other, {{"file", file}, {"passphrase", words}}));
  EXPECT_EQ(show(other), show(top_));
}

TEST_F(Keys, OnlyAChapterAboveGivesAKeyAndOnlyForAWholeRequest) {
  join(kenya_, "KE");
  const Json asked = must(ask(kenya_, "key.request", Json::object()));
  EXPECT_EQ(code_of(ask(kenya_, "key.recover", {{"request", asked["request"]}})), "key.not-below");
  Bytes changed = *from_base32(asked["request"].get<std::string>());
  changed[60] ^= 1U;
  EXPECT_EQ(code_of(ask(top_, "key.recover", {{"request", to_base32(changed)}})), "key.request");
  EXPECT_EQ(code_of(ask(top_, "key.recover", {{"request", "ABC"}})), "key.request");
}

TEST_F(Keys, WhatAStolenKeySignsAfterwardsIsVoid) {
  join(kenya_, "KE");
  const std::string thief = place_.path("thief.key");
  fs::copy_file(place_.path("kenya/authority.key"), thief);
  carry(kenya_, top_);
  const Json asked = must(ask(kenya_, "key.request", Json::object()));
  must(ask(top_, "key.recover", {{"request", asked["request"]}, {"stolen", true}}));
  // The thief certifies a chapter of its own with the old key.
  fs::remove(place_.path("kenya/authority.key"));
  fs::copy_file(thief, place_.path("kenya/authority.key"));
  const std::string invite =
      must(ask(kenya_, "invite.create", {{"code", "KE-99"}, {"name", "KE-99"}}))["invite"];
  const Config planted = place_.config("planted");
  const Json request = must(prepare_join(planted, invite, "laptop"));
  must(ask(kenya_, "join.answer", {{"request", request["request"]}}));
  EXPECT_TRUE(knows(kenya_, "KE-99"));
  carry(kenya_, top_);
  EXPECT_FALSE(knows(top_, "KE-99"));
  carry(top_, kenya_);
  EXPECT_FALSE(knows(kenya_, "KE-99"));
  EXPECT_TRUE(knows(kenya_, "KE"));
  EXPECT_EQ(show(kenya_)["here"], true);
}

TEST_F(Keys, ThePaperKeyGivesTheGlobalChapterItsAuthorityBack) {
  join(kenya_, "KE");
  fs::remove(place_.path("top/authority.key"));
  EXPECT_EQ(show(top_)["here"], false);
  const std::string paper = founded_["recovery_key"];
  std::string other = paper;
  other[0] = other[0] == 'A' ? 'B' : 'A';
  EXPECT_EQ(code_of(ask(top_, "key.recover_root", {{"recovery_key", other}})), "key.recovery");
  EXPECT_EQ(code_of(ask(kenya_, "key.recover_root", {{"recovery_key", paper}})), "key.not-global");
  must(ask(top_, "key.recover_root", {{"recovery_key", paper}}));
  EXPECT_EQ(show(top_)["here"], true);
  EXPECT_TRUE(knows(top_, "KE"));
}

}  // namespace
}  // namespace chapterd::testing
