// Statements, genesis and receipts: what is accepted encodes to the same bytes but the signature.
#include "replication/format/receipt.h"
#include "replication/format/statements.h"
#include "tests/fuzz/target.h"

namespace chapterd {
namespace {

const SigningKey& some_key() {
  static const SigningKey key = SigningKey::from_seed(Bytes(32, 7));
  return key;
}

void check_same(ByteView signed_again, ByteView bytes) {
  CHECK(signed_again.size() == bytes.size());
  const std::size_t body = bytes.size() - Signature::size;
  CHECK(equal(signed_again.first(body), bytes.first(body)));
}

void check(ByteView bytes) {
  const auto statement = decode_statement(bytes);
  if (statement) check_same(sign_statement({}, *statement, some_key()), bytes);
  const auto genesis = decode_genesis(bytes);
  if (genesis) check_same(sign_genesis(*genesis, some_key()), bytes);
  const auto receipt = decode_receipt(bytes);
  if (receipt) check_same(sign_receipt({}, *receipt, some_key()), bytes);
  CHECK(!verify_statement({}, bytes, some_key().public_key()));
}

}  // namespace
}  // namespace chapterd

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  chapterd::check({data, size});
  return 0;
}
