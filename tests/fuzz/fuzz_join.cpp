// Invites, requests and answers: what is accepted says the same when it is written again, and no
// changed answer makes a key the key of a chapter.
#include "replication/invite.h"
#include "tests/fuzz/target.h"

namespace chapterd {
namespace {

const SigningKey& key_of(std::uint8_t number) {
  static const SigningKey node = SigningKey::from_seed(Bytes(32, 1));
  static const SigningKey authority = SigningKey::from_seed(Bytes(32, 2));
  return number == 1 ? node : authority;
}

void check_text(std::string_view text) {
  const auto invite = invite_from_text(text);
  if (!invite) return;
  const std::string again = to_text(*invite);
  const auto same = invite_from_text(again);
  CHECK(same && to_text(*same) == again);
}

void check_kept(ByteView bytes) {
  const auto kept = decode_kept_invite(bytes);
  if (kept) CHECK(equal(encode(*kept), bytes));
}

void check_request(ByteView bytes) {
  const auto request = decode_join_request(bytes);
  if (!request) return;
  if (request->node != key_of(1).public_key()) return;
  Invite invite;
  const Bytes again = make_join_request(invite, *request, key_of(1), key_of(2));
  CHECK(again.size() == bytes.size());
}

void check_answer_bytes(ByteView bytes) {
  const auto answer = check_answer(Invite{}, key_of(2).public_key(), bytes);
  // No genesis hashes to a federation of zeros.
  CHECK(!answer);
}

void check(ByteView bytes) {
  check_text(as_text(bytes));
  check_kept(bytes);
  check_request(bytes);
  check_answer_bytes(bytes);
}

}  // namespace
}  // namespace chapterd

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  chapterd::check({data, size});
  return 0;
}
