// Key files: wrong passphrase, other machine, damage.
#include "crypto/key_file.h"

#include "crypto/hash.h"
#include "tests/crypto/seeded_random.h"
#include "tests/crypto/vectors.h"

#include <gtest/gtest.h>

#include <numeric>
#include <string>
#include <sys/resource.h>

namespace chapterd {
namespace {

constexpr Argon2Cost cheap = {8, 1};
constexpr std::string_view passphrase = "correct horse";
// Offsets of the layout in crypto/key_file.h.
constexpr std::size_t version_at = 8;
constexpr std::size_t memory_at = 11;
constexpr std::size_t passes_at = 15;

Bytes counting(std::uint8_t first) {
  Bytes bytes(32);
  std::iota(bytes.begin(), bytes.end(), first);
  return bytes;
}

const Bytes seed = counting(200);
const Bytes machine_secret = counting(0);
const Unwrapping by_passphrase = {.passphrase = passphrase, .machine_secret = {}};
const Unwrapping by_machine = {.passphrase = {}, .machine_secret = machine_secret};

Bytes passphrase_file() {
  SeededRandom random(1);
  return encode_key_file(KeyPurpose::authority, seed, Wrapping::with_passphrase(passphrase, cheap),
                         random);
}

Bytes machine_file() {
  SeededRandom random(1);
  return encode_key_file(KeyPurpose::node, seed, Wrapping::with_machine(machine_secret), random);
}

// What somebody does who changes a file on purpose: the check value fits again.
Bytes with_check_repaired(Bytes file) {
  const ByteView covered = ByteView(file).first(key_file_bytes - 8);
  const Digest digest = hash("chapterd/key-file-check/1", covered);
  std::copy_n(digest.bytes.begin(), 8, file.end() - 8);
  return file;
}

Bytes with_number(Bytes file, std::size_t offset, std::uint32_t number) {
  for (std::size_t i = 0; i < 4; ++i) {
    file[offset + i] = static_cast<std::uint8_t>(number >> (24 - 8 * i));
  }
  return with_check_repaired(std::move(file));
}

template <class T>
std::string code_of(const Result<T>& result) {
  return result ? "opened" : result.error().code;
}

std::string open_authority(ByteView file) {
  return code_of(decode_key_file(KeyPurpose::authority, file, by_passphrase));
}

std::string open_node(ByteView file) {
  return code_of(decode_key_file(KeyPurpose::node, file, by_machine));
}

TEST(KeyFile, OpensWithItsPassphrase) {
  const Bytes file = passphrase_file();
  EXPECT_EQ(file.size(), key_file_bytes);
  const auto opened = decode_key_file(KeyPurpose::authority, file, by_passphrase);
  ASSERT_TRUE(opened) << opened.error().what;
  EXPECT_EQ(*opened, seed);
}

TEST(KeyFile, OpensOnItsMachine) {
  const Bytes file = machine_file();
  EXPECT_EQ(file.size(), key_file_bytes);
  const auto opened = decode_key_file(KeyPurpose::node, file, by_machine);
  ASSERT_TRUE(opened) << opened.error().what;
  EXPECT_EQ(*opened, seed);
}

TEST(KeyFile, OpensWhenTheCallerHasBothSecretsAtHand) {
  const Unwrapping both = {.passphrase = passphrase, .machine_secret = machine_secret};
  EXPECT_TRUE(decode_key_file(KeyPurpose::authority, passphrase_file(), both));
  EXPECT_TRUE(decode_key_file(KeyPurpose::node, machine_file(), both));
}

// Both made by tests/crypto/make_key_file.py from the written layout.
TEST(KeyFile, OfAnotherImplementationOpens) {
  const auto machine = decode_key_file(
      KeyPurpose::node,
      hex("43485054524b45590101010000000000000000000102030405060708090a0b0c0d0e0f6465666768696a6b6c"
          "6d6e6f707172737475767778797a7bd7877ffd8c1e15f0ceed9529ad4256ab6670684fbebed1923dac2ce70d"
          "1c5de7d0ee8b8344fd2270c9101629e8e79099f61421db33c8fa79"),
      by_machine);
  ASSERT_TRUE(machine) << machine.error().code;
  EXPECT_EQ(*machine, seed);
  const auto protected_one = decode_key_file(
      KeyPurpose::authority,
      hex("43485054524b45590102020000000800000001000102030405060708090a0b0c0d0e0f6465666768696a6b6c"
          "6d6e6f707172737475767778797a7b26c4860bdc3cb10ac854aee3b1c513b1ab50f62a9004805544fc81009e"
          "9d513ba98ee43be43578b08f9c4091765fdda1c43e511dffd3c6e1"),
      by_passphrase);
  ASSERT_TRUE(protected_one) << protected_one.error().code;
  EXPECT_EQ(*protected_one, seed);
}

TEST(KeyFile, CostsSixtyFourMebibytesAndThreePassesUnlessToldOtherwise) {
  SeededRandom random(1);
  const Wrapping wrapping = Wrapping::with_passphrase(passphrase);
  const Bytes file = encode_key_file(KeyPurpose::authority, seed, wrapping, random);
  EXPECT_EQ(to_hex(ByteView(file).subspan(memory_at, 8)), "0001000000000003");
  EXPECT_EQ(open_authority(file), "opened");
}

TEST(KeyFile, DoesNotOpenWithAnotherPassphrase) {
  for (const std::string_view wrong : {"", "Correct horse", "correct horse ", "correct hors"}) {
    const Unwrapping unwrapping = {.passphrase = wrong, .machine_secret = {}};
    const auto opened = decode_key_file(KeyPurpose::authority, passphrase_file(), unwrapping);
    EXPECT_EQ(code_of(opened), "key.wrong-passphrase") << wrong;
  }
}

TEST(KeyFile, OpensThoughItsPassphraseWasTakenWithTheEndOfALineOnWindows) {
  SeededRandom random(1);
  const std::string with_end = std::string(passphrase) + '\r';
  const Bytes file = encode_key_file(KeyPurpose::authority, seed,
                                     Wrapping::with_passphrase(with_end, cheap), random);
  EXPECT_EQ(open_authority(file), "opened");
}

TEST(KeyFile, DoesNotOpenOnAnotherMachine) {
  const Bytes other = counting(1);
  const Unwrapping unwrapping = {.passphrase = {}, .machine_secret = other};
  EXPECT_EQ(code_of(decode_key_file(KeyPurpose::node, machine_file(), unwrapping)),
            "key.other-machine");
}

TEST(KeyFile, SaysWhichSecretIsMissing) {
  EXPECT_EQ(code_of(decode_key_file(KeyPurpose::authority, passphrase_file(), by_machine)),
            "key.passphrase-needed");
  EXPECT_EQ(code_of(decode_key_file(KeyPurpose::node, machine_file(), by_passphrase)),
            "key.machine-secret-needed");
}

TEST(KeyFile, TellsHowItIsProtectedBeforeAnySecretIsAsked) {
  EXPECT_EQ(key_file_protection(KeyPurpose::authority, passphrase_file()), Protection::passphrase);
  EXPECT_EQ(key_file_protection(KeyPurpose::node, machine_file()), Protection::machine);
  EXPECT_EQ(code_of(key_file_protection(KeyPurpose::node, Bytes(3))), "key.damaged");
}

TEST(KeyFile, IsRefusedForAnotherPurpose) {
  EXPECT_EQ(open_node(passphrase_file()), "key.wrong-purpose");
  EXPECT_EQ(open_authority(machine_file()), "key.wrong-purpose");
  EXPECT_EQ(code_of(decode_key_file(KeyPurpose::chapter, machine_file(), by_machine)),
            "key.wrong-purpose");
}

TEST(KeyFile, OfANewerVersionIsNamedSoWhateverFollows) {
  Bytes file = machine_file();
  file[version_at] = 2;
  EXPECT_EQ(open_node(file), "key.newer-version");
  file.resize(500);
  EXPECT_EQ(open_node(file), "key.newer-version");
  file.resize(9);
  EXPECT_EQ(open_node(file), "key.newer-version");
}

TEST(KeyFile, WithAnyByteChangedIsDamaged) {
  const Bytes whole = passphrase_file();
  for (std::size_t i = 0; i < whole.size(); ++i) {
    for (const unsigned mask : {0x01U, 0x80U, 0xFFU}) {
      Bytes file = whole;
      file[i] ^= static_cast<std::uint8_t>(mask);
      const auto expected = i == version_at && file[i] > 1 ? "key.newer-version" : "key.damaged";
      EXPECT_EQ(open_authority(file), expected) << "byte " << i << " by " << mask;
    }
  }
}

TEST(KeyFile, WithAnyByteChangedOnPurposeStillDoesNotOpen) {
  for (std::size_t i = 0; i < key_file_bytes - 8; ++i) {
    Bytes locked = passphrase_file();
    locked[i] ^= 1U;
    EXPECT_NE(open_authority(with_check_repaired(locked)), "opened") << "byte " << i;
    Bytes bound = machine_file();
    bound[i] ^= 1U;
    EXPECT_NE(open_node(with_check_repaired(bound)), "opened") << "byte " << i;
  }
}

TEST(KeyFile, CutShortAnywhereIsDamaged) {
  const Bytes whole = passphrase_file();
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_EQ(open_authority(ByteView(whole).first(length)), "key.damaged") << length;
  }
}

TEST(KeyFile, WithBytesBehindItIsDamaged) {
  Bytes file = machine_file();
  file.push_back(0);
  EXPECT_EQ(open_node(file), "key.damaged");
}

TEST(KeyFile, WithAMadeUpPurposeOrProtectionIsDamaged) {
  for (const std::uint8_t value : Bytes{0, 5, 255}) {
    Bytes purpose = machine_file();
    purpose[9] = value;
    EXPECT_EQ(open_node(with_check_repaired(purpose)), "key.damaged") << unsigned{value};
    Bytes protection = machine_file();
    protection[10] = value;
    EXPECT_EQ(open_node(with_check_repaired(protection)), "key.damaged") << unsigned{value};
  }
}

TEST(KeyFile, BoundToAMachineHasNoCost) {
  EXPECT_EQ(open_node(with_number(machine_file(), memory_at, 8)), "key.damaged");
  EXPECT_EQ(open_node(with_number(machine_file(), passes_at, 1)), "key.damaged");
}

TEST(KeyFile, WithLessThanAnyCostIsDamaged) {
  EXPECT_EQ(open_authority(with_number(passphrase_file(), memory_at, 7)), "key.damaged");
  EXPECT_EQ(open_authority(with_number(passphrase_file(), memory_at, 0)), "key.damaged");
  EXPECT_EQ(open_authority(with_number(passphrase_file(), passes_at, 0)), "key.damaged");
}

TEST(KeyFile, ThatAsksForTooMuchIsRefusedBeforeAnythingIsAllocated) {
  rusage before{};
  getrusage(RUSAGE_SELF, &before);
  for (const std::uint32_t memory_kib : {1024U * 1024U + 1U, 0x80000000U, 0xFFFFFFFFU}) {
    const Bytes file = with_number(passphrase_file(), memory_at, memory_kib);
    EXPECT_EQ(open_authority(file), "key.too-costly") << memory_kib;
  }
  for (const std::uint32_t passes : {17U, 0xFFFFFFFFU}) {
    const Bytes file = with_number(passphrase_file(), passes_at, passes);
    EXPECT_EQ(open_authority(file), "key.too-costly") << passes;
  }
  rusage after{};
  getrusage(RUSAGE_SELF, &after);
  EXPECT_LT(after.ru_maxrss - before.ru_maxrss, 64 * 1024);  // KiB
}

TEST(KeyFile, OfTheSameKeyLooksDifferentEachTime) {
  SeededRandom random(1);
  const Wrapping wrapping = Wrapping::with_machine(machine_secret);
  EXPECT_NE(encode_key_file(KeyPurpose::node, seed, wrapping, random),
            encode_key_file(KeyPurpose::node, seed, wrapping, random));
}

}  // namespace
}  // namespace chapterd
