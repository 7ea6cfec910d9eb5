// Invites, and whom they let in: what a parent and its new child refuse of each other.
#include "replication/invite.h"

#include "replication/format/limits.h"
#include "tests/support/tree.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>

namespace chapterd {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the nodes and their words

struct Inviting : Pair {
  SigningKey node = SigningKey::generate(random);
  SigningKey key = SigningKey::generate(random);
  Invite invite = made("SO");

  // By the global node, for a chapter right below it.
  Invite made(const std::string& code) {
    Invite fresh;
    fresh.federation = global->directory->authority().federation();
    fresh.parent = global->id();
    fresh.addresses = {"collab.example.org:7468", "192.0.2.7:7468"};
    fresh.chapter = chapter_id_below(global->chapter(), code);
    fresh.code = code;
    fresh.name = "Soomaaliya";
    fresh.level = 1;
    fresh.secret = random.fixed<InviteSecret>();
    fresh.expires = clock.now().plus_ms(1000);
    keep(fresh, InviteState::open);
    return fresh;
  }

  void keep(const Invite& one, InviteState state, const PublicKey& used_by = {}) {
    global->replica->set_value(stored_invite_name(invite_id(one.secret)),
                               encode(KeptInvite{one, state, used_by}));
    global->commit();
  }

  Bytes request(const Invite& by) {
    const JoinRequest asked{invite_id(by.secret), node.public_key(), key.public_key(),
                            BoxKey::from_seed(node.seed()).public_key(), "laptop"};
    return make_join_request(by, asked, node, key);
  }

  Result<Bytes> answer(ByteView asked) {
    auto answered = answer_join(*global->replica, *global->authority, asked, clock.now());
    global->commit();
    return answered;
  }

  std::string refusal(ByteView asked) {
    const std::uint64_t before = global->entries();
    const auto answered = answer(asked);
    EXPECT_EQ(global->entries(), before) << "a refused request leaves nothing behind";
    return answered ? "" : answered.error().code;
  }

  std::string judged(const Bytes& answered) {
    const auto checked = check_answer(invite, key.public_key(), answered);
    return checked ? "" : checked.error().code;
  }
};

TEST_F(Inviting, ItsTextComesBackHoweverItIsCopied) {
  const std::string text = to_text(invite);
  std::string copied;
  for (const char c : text) {
    copied += c == '-' ? std::string("\r\n ") : std::string(1, static_cast<char>(std::tolower(c)));
  }
  const auto read = invite_from_text(copied);
  ASSERT_TRUE(read);
  EXPECT_EQ(to_text(*read), text);
  EXPECT_EQ(read->addresses, invite.addresses);
  EXPECT_EQ(read->name, "Soomaaliya");
  EXPECT_EQ(read->expires, invite.expires);
}

TEST_F(Inviting, EveryMistypedLetterAndEveryCutIsNoticed) {
  const std::string text = to_text(invite);
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '-') continue;
    std::string typed = text;
    typed[at] = typed[at] == 'Q' ? 'R' : 'Q';
    const auto read = invite_from_text(typed);
    EXPECT_TRUE(!read && read.error().code == "invite.mistyped") << at;
    EXPECT_FALSE(invite_from_text(text.substr(0, at))) << at;
  }
}

// What people and mail programs cannot make by accident: the checksum is right.
TEST_F(Inviting, WithTooManyAddressesOrANameThatIsNoTextIsNoInvite) {
  Invite crowded = invite;
  crowded.addresses.assign(limits::invite_addresses + 1, "a:1");
  EXPECT_FALSE(invite_from_text(to_text(crowded)));
  Invite garbled = invite;
  garbled.name = "\xC3\x28";
  EXPECT_FALSE(invite_from_text(to_text(garbled)));
  EXPECT_FALSE(decode_kept_invite(encode(KeptInvite{garbled, InviteState::open, {}})));
  EXPECT_FALSE(decode_kept_invite(encode(KeptInvite{invite, static_cast<InviteState>(3), {}})));
  Bytes kept = encode(KeptInvite{invite, InviteState::open, {}});
  kept[0] += 1;  // of a later program
  EXPECT_EQ(decode_kept_invite(kept).error().code, "store.damaged-invite");
}

TEST_F(Inviting, LetsOneMachineInWhichMayAskAgain) {
  const Bytes asked = request(invite);
  const auto answered = answer(asked);
  ASSERT_TRUE(answered);
  EXPECT_EQ(judged(*answered), "");
  EXPECT_EQ(*answer(asked), *answered) << "its answer was lost on the way";
  const SigningKey other = SigningKey::generate(random);
  const JoinRequest late{invite_id(invite.secret), other.public_key(), other.public_key(),
                         BoxKey::from_seed(other.seed()).public_key(), "another"};
  EXPECT_EQ(refusal(make_join_request(invite, late, other, other)), "invite.used");
}

// The same machine, with another key for its chapter than the one that was certified.
TEST_F(Inviting, AMachineThatWasLetInChangesNoKeyByAskingAgain) {
  ASSERT_TRUE(answer(request(invite)));
  key = SigningKey::generate(random);
  EXPECT_EQ(refusal(request(invite)), "invite.used");
}

TEST_F(Inviting, OpensNothingOnceItIsWithdrawnExpiredOrUnknown) {
  const Bytes asked = request(invite);
  Invite stranger = invite;
  stranger.secret = random.fixed<InviteSecret>();
  EXPECT_EQ(refusal(request(stranger)), "invite.unknown");
  keep(invite, InviteState::revoked);
  EXPECT_EQ(refusal(asked), "invite.revoked");
  keep(invite, InviteState::open);
  clock.advance_ms(1001);
  EXPECT_EQ(refusal(asked), "invite.expired");
  clock.advance_ms(-1);
  EXPECT_TRUE(answer(asked)) << "to the last moment";
}

// Whoever saw the id of an invite, but not its text.
TEST_F(Inviting, IsNotAnsweredToWhomDoesNotKnowItsSecret) {
  Bytes asked = request(invite);
  constexpr std::size_t proof_at = 32 + 2 * Signature::size;
  asked[asked.size() - proof_at] ^= 1U;
  EXPECT_EQ(refusal(asked), "invite.proof");
}

TEST_F(Inviting, ARequestThatIsCutShortChangedOrTooLongIsNone) {
  const Bytes asked = request(invite);
  for (std::size_t size = 0; size < asked.size(); size += 7)
    EXPECT_EQ(refusal(ByteView(asked).first(size)), "invite.request") << size;
  const std::size_t body = asked.size() - 32 - 2 * Signature::size;
  for (std::size_t at = 0; at < body; ++at) {
    Bytes changed = asked;
    changed[at] ^= 1U;
    EXPECT_EQ(refusal(changed), "invite.request") << at;
  }
  for (const std::size_t key_at : {asked.size() - 1, asked.size() - Signature::size - 1}) {
    Bytes changed = asked;
    changed[key_at] ^= 1U;  // not signed by both keys
    EXPECT_EQ(refusal(changed), "invite.request");
  }
  Bytes longer = asked;
  longer.resize(limits::statement_bytes + 1);
  EXPECT_EQ(refusal(longer), "invite.request");
}

TEST_F(Inviting, AnAnswerIsTakenOnlyWholeOfThisFederationAndForThisKey) {
  const Bytes answered = *answer(request(invite));
  for (std::size_t size = 0; size < answered.size(); size += 11)
    EXPECT_NE(judged({answered.begin(), answered.begin() + static_cast<std::ptrdiff_t>(size)}), "");
  Bytes later = answered;
  later[0] += 1;
  EXPECT_EQ(judged(later), "invite.answer");
  Bytes changed = answered;
  changed.back() ^= 1U;
  EXPECT_NE(judged(changed), "") << "a certificate in it";
  const auto whole = check_answer(invite, node.public_key(), answered);
  EXPECT_EQ(whole.error().code, "invite.answer") << "for another key";
  Invite training = invite;
  training.federation = random.fixed<FederationId>();
  EXPECT_EQ(check_answer(training, key.public_key(), answered).error().code, "federation.other");
}

TEST_F(Inviting, ToReplaceAComputerMakesItsKeyTheOneOfTheChapter) {
  Invite again = made("KE");
  const auto answered = answer(request(again));
  ASSERT_TRUE(answered);
  EXPECT_TRUE(check_answer(again, key.public_key(), *answered));
  const Authority& known = global->replica->directory().authority();
  EXPECT_EQ(known.chapter(kenya->chapter())->certificate.authority, key.public_key());
  EXPECT_EQ(known.keys_of(kenya->chapter()).size(), 2U) << "what the one before signed stands";
}

// The chapter at the top named a key for it; a word of the one in between would change nothing.
TEST_F(Inviting, ToReplaceIsRefusedWhereAHigherChapterNamedTheKey) {
  auto kisumu = TestNode::below(*kenya, "KE-17");
  Wire(*kisumu, *kenya).run();
  Wire(*kenya, *global).run();
  const SigningKey given = SigningKey::generate(random);
  Successor successor;
  successor.chapter = kisumu->chapter();
  successor.authority = given.public_key();
  successor.by = SuccessorBy::above;
  successor.acceptance = accept_succession(invite.federation, successor.chapter, given);
  global->statement(Statement{global->chapter(), 9, successor});
  Wire(*kenya, *global).run();
  Invite again = made("KE-17");
  again.parent = kenya->id();
  again.chapter = kisumu->chapter();
  kenya->replica->set_value(stored_invite_name(invite_id(again.secret)),
                            encode(KeptInvite{again, InviteState::open, {}}));
  kenya->commit();
  const auto answered =
      answer_join(*kenya->replica, *kenya->authority, request(again), clock.now());
  ASSERT_FALSE(answered);
  EXPECT_EQ(answered.error().code, "invite.outranked");
}

TEST(FourWords, AreTheSameOnBothSidesAndOthersForOtherKeys) {
  SeededRandom random{3};
  const PublicKey parent = SigningKey::generate(random).public_key();
  const PublicKey child = SigningKey::generate(random).public_key();
  const std::string words = four_words(parent, child);
  EXPECT_EQ(std::ranges::count(words, ' '), 3);
  EXPECT_EQ(words.size(), 4U * 5U + 3U);
  EXPECT_EQ(four_words(parent, child), words);
  EXPECT_NE(four_words(child, parent), words);
}

}  // namespace
}  // namespace chapterd
