// Key files: what opens wraps to the same bytes again. The check value is put right first, since
// no amount of trying would.
#include "crypto/hash.h"
#include "crypto/key_file.h"
#include "tests/fuzz/target.h"

namespace chapterd {
namespace {

constexpr std::size_t check_at = 107;
constexpr std::size_t salt_at = 19;

// Gives the salt and nonce of a file once more.
class Replay : public Random {
 public:
  explicit Replay(ByteView rest) : rest_(rest) {}

  void fill(std::span<std::uint8_t> out) override {
    CHECK(out.size() <= rest_.size());
    std::copy_n(rest_.begin(), out.size(), out.begin());
    rest_ = rest_.subspan(out.size());
  }

 private:
  ByteView rest_;
};

void open(KeyPurpose purpose, ByteView file) {
  const Bytes secret(machine_secret_bytes, 0);
  // No passphrase: Argon2id would cost what the file says.
  const Unwrapping unwrapping{std::nullopt, secret};
  const auto protection = key_file_protection(purpose, file);
  const auto seed = decode_key_file(purpose, file, unwrapping);
  if (!seed) return;
  CHECK(protection && *protection == Protection::machine);
  Replay random(file.subspan(salt_at));
  CHECK(equal(encode_key_file(purpose, *seed, Wrapping::with_machine(secret), random), file));
}

void check(ByteView bytes) {
  Bytes file(bytes.begin(), bytes.end());
  if (file.size() == key_file_bytes) {
    const Digest right = hash("chapterd/key-file-check/1", bytes.first(check_at));
    std::copy_n(right.bytes.begin(), key_file_bytes - check_at, file.begin() + check_at);
  }
  for (const auto purpose : {KeyPurpose::node, KeyPurpose::authority, KeyPurpose::chapter}) {
    open(purpose, bytes);
    open(purpose, file);
  }
}

}  // namespace
}  // namespace chapterd

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  chapterd::check({data, size});
  return 0;
}
