// Keys at rest: layout, wrapping, refusals.
#include "crypto/key_file.h"

#include "base/byte_stream.h"
#include "base/contract.h"
#include "crypto/guarded.h"
#include "crypto/hash.h"

#include <sodium/crypto_aead_xchacha20poly1305.h>
#include <sodium/crypto_pwhash_argon2id.h>
#include <sodium/utils.h>

#include <algorithm>
#include <array>
#include <new>
#include <string>

namespace chapterd {

namespace {

constexpr std::string_view magic = "CHPTRKEY";
constexpr std::uint8_t version = 1;
constexpr std::string_view check_label = "chapterd/key-file-check/1";
constexpr std::string_view machine_label = "chapterd/key-file-machine/1";

constexpr std::size_t seed_size = 32;
constexpr std::size_t wrapping_key_size = crypto_aead_xchacha20poly1305_ietf_KEYBYTES;
constexpr std::size_t tag_size = crypto_aead_xchacha20poly1305_ietf_ABYTES;
constexpr std::size_t check_size = 8;
constexpr Argon2Cost least_argon2_cost = {crypto_pwhash_argon2id_MEMLIMIT_MIN / 1024,
                                          crypto_pwhash_argon2id_OPSLIMIT_MIN};

using KeySalt = Fixed<crypto_pwhash_argon2id_SALTBYTES, struct KeySaltTag>;
using KeyNonce = Fixed<crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, struct KeyNonceTag>;

constexpr std::size_t header_size = 8 + 1 + 1 + 1 + 4 + 4 + KeySalt::size + KeyNonce::size;
static_assert(header_size + seed_size + tag_size + check_size == key_file_bytes);

// Everything before the sealed seed, after magic and version.
struct Header {
  KeyPurpose purpose;
  Protection protection;
  Argon2Cost cost;
  KeySalt salt;
  KeyNonce nonce;
};

bool within_bounds(Argon2Cost cost) {
  return cost.memory_kib >= least_argon2_cost.memory_kib &&
         cost.memory_kib <= most_argon2_cost.memory_kib &&
         cost.passes >= least_argon2_cost.passes && cost.passes <= most_argon2_cost.passes;
}

bool above_bounds(Argon2Cost cost) {
  return cost.memory_kib > most_argon2_cost.memory_kib || cost.passes > most_argon2_cost.passes;
}

constexpr const char* key_unchanged =
    "The file is unchanged, and nothing else depends on this try.";

tl::unexpected<Error> damaged() {
  return fail(Errc::malformed, "key.damaged",
              "The key file is damaged: it was cut short or changed since it was written.",
              "The log and all records are safe; only this copy of the key cannot be used.",
              "Put back the copy of the key file from the backup or the stick.");
}

tl::unexpected<Error> newer_version(std::uint8_t found) {
  return fail(Errc::not_compatible, "key.newer-version",
              "The key file has version " + std::to_string(found) +
                  "; this chapterd reads up to version " + std::to_string(version) + ".",
              key_unchanged, "Install the chapterd that wrote the file, or a newer one.");
}

tl::unexpected<Error> wrong_purpose() {
  return fail(Errc::usage, "key.wrong-purpose",
              "This file holds a key for another purpose than the one asked for.", key_unchanged,
              "Name the right file: node, authority and chapter keys are three different files.");
}

tl::unexpected<Error> too_costly() {
  return fail(Errc::malformed, "key.too-costly",
              "The key file asks for more memory or work to check its passphrase than chapterd "
              "ever asks for: at most 1 GiB and 16 passes.",
              "Nothing was tried, and the file is unchanged.",
              "Do not trust this copy; put back the copy of the key file from the backup.");
}

tl::unexpected<Error> refused(Protection protection) {
  if (protection == Protection::passphrase) {
    return fail(Errc::check_failed, "key.wrong-passphrase",
                "The passphrase does not open this key file.", key_unchanged,
                "Check the keyboard layout and capital letters, then type it again.");
  }
  return fail(Errc::check_failed, "key.other-machine",
              "This key file was made on another machine, or this machine's secret has changed.",
              key_unchanged,
              "Use the file on the machine where it was made, or put back that machine's secret "
              "from the backup; otherwise have this node invited anew.");
}

tl::unexpected<Error> passphrase_needed() {
  return fail(Errc::needs_person, "key.passphrase-needed",
              "This key file is protected by a passphrase, and none was given.", key_unchanged,
              "Give the passphrase.");
}

tl::unexpected<Error> machine_secret_needed() {
  return fail(Errc::usage, "key.machine-secret-needed",
              "This key file is bound to its machine and opens with that machine's secret, not "
              "with a passphrase.",
              key_unchanged,
              "Start chapterd with the data folder of the machine that made this file.");
}

tl::unexpected<Error> no_memory(Argon2Cost cost) {
  return fail(Errc::failed, "key.no-memory",
              "Checking the passphrase needs " + std::to_string(cost.memory_kib / 1024) +
                  " MiB of memory, which is not free.",
              key_unchanged, "Close other programs, then try again.");
}

std::array<std::uint8_t, check_size> check_value(ByteView covered) {
  const Digest digest = hash(check_label, covered);
  std::array<std::uint8_t, check_size> value{};
  std::ranges::copy(digest.view().first(check_size), value.begin());
  return value;
}

void write_header(ByteWriter& out, const Header& header) {
  out.bytes(as_bytes(magic))
      .u8(version)
      .u8(static_cast<std::uint8_t>(header.purpose))
      .u8(static_cast<std::uint8_t>(header.protection))
      .u32(header.cost.memory_kib)
      .u32(header.cost.passes)
      .fixed(header.salt)
      .fixed(header.nonce);
}

// The order matters to people: a newer file is not called damaged, and a damaged one is not
// called wrong in any other way.
Result<Header> read_header(KeyPurpose wanted, ByteView file) {
  ByteReader in(file);
  if (as_text(in.bytes(magic.size())) != magic) return damaged();
  const std::uint8_t found = in.u8();
  if (in.good() && found > version) return newer_version(found);
  if (found != version || file.size() != key_file_bytes) return damaged();
  const ByteView covered = file.first(key_file_bytes - check_size);
  if (!std::ranges::equal(file.last(check_size), check_value(covered))) {
    return damaged();
  }
  const std::uint8_t purpose = in.u8();
  const std::uint8_t protection = in.u8();
  const Argon2Cost cost = {in.u32(), in.u32()};
  const auto salt = in.fixed<KeySalt>();
  const auto nonce = in.fixed<KeyNonce>();
  const Header header = {static_cast<KeyPurpose>(purpose), static_cast<Protection>(protection),
                         cost, salt, nonce};
  if (purpose < 1 || purpose > 4) return damaged();
  if (header.purpose != wanted) return wrong_purpose();
  switch (header.protection) {
    case Protection::machine:
      if (cost.memory_kib != 0 || cost.passes != 0) return damaged();
      return header;
    case Protection::passphrase:
      if (above_bounds(cost)) return too_costly();
      if (!within_bounds(cost)) return damaged();
      return header;
  }
  return damaged();
}

// False when there is not enough memory for Argon2id.
bool derive(GuardedBytes& key, const Header& header, ByteView secret) {
  const auto out = key.writable();
  if (header.protection == Protection::machine) {
    Digest digest = Hasher(machine_label).add(header.salt).add(secret).finish();
    std::ranges::copy(digest.bytes, out.begin());
    wipe(digest.bytes);
    return true;
  }
  return crypto_pwhash_argon2id(out.data(), out.size(), as_text(secret).data(), secret.size(),
                                header.salt.bytes.data(), header.cost.passes,
                                std::size_t{header.cost.memory_kib} * 1024,
                                crypto_pwhash_argon2id_ALG_ARGON2ID13) == 0;
}

Result<ByteView> secret_for(Protection protection, const Unwrapping& unwrapping) {
  if (protection == Protection::passphrase) {
    if (!unwrapping.passphrase) return passphrase_needed();
    return as_bytes(*unwrapping.passphrase);
  }
  if (!unwrapping.machine_secret) return machine_secret_needed();
  CHECK(unwrapping.machine_secret->size() == machine_secret_bytes);
  return *unwrapping.machine_secret;
}

Result<Bytes> open_seed(const Header& header, ByteView file, ByteView secret) {
  GuardedBytes key(wrapping_key_size);
  if (!derive(key, header, secret)) return no_memory(header.cost);
  const ByteView sealed = file.subspan(header_size, seed_size + tag_size);
  Bytes seed(seed_size);
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(
          seed.data(), nullptr, nullptr, sealed.data(), sealed.size(), file.data(), header_size,
          header.nonce.bytes.data(), key.view().data()) != 0) {
    return refused(header.protection);
  }
  return seed;
}

}  // namespace

Wrapping Wrapping::with_passphrase(std::string_view passphrase, Argon2Cost cost) {
  CHECK(within_bounds(cost));
  return {Protection::passphrase, as_bytes(passphrase), cost};
}

Wrapping Wrapping::with_passphrase(std::string_view passphrase) {
  return with_passphrase(passphrase, Argon2Cost{});
}

Wrapping Wrapping::with_machine(ByteView machine_secret) {
  CHECK(machine_secret.size() == machine_secret_bytes);
  return {Protection::machine, machine_secret, {0, 0}};
}

Bytes encode_key_file(KeyPurpose purpose, ByteView seed, const Wrapping& wrapping, Random& random) {
  CHECK(seed.size() == seed_size);
  const auto salt = random.fixed<KeySalt>();
  const auto nonce = random.fixed<KeyNonce>();
  const Header header = {purpose, wrapping.protection(), wrapping.cost(), salt, nonce};
  GuardedBytes key(wrapping_key_size);
  if (!derive(key, header, wrapping.secret())) throw std::bad_alloc();

  ByteWriter out(key_file_bytes);
  write_header(out, header);
  std::array<std::uint8_t, seed_size + tag_size> sealed{};
  crypto_aead_xchacha20poly1305_ietf_encrypt(sealed.data(), nullptr, seed.data(), seed.size(),
                                             out.view().data(), out.size(), nullptr,
                                             nonce.bytes.data(), key.view().data());
  out.bytes(sealed);
  out.bytes(check_value(out.view()));
  return out.take();
}

Result<Protection> key_file_protection(KeyPurpose purpose, ByteView file) {
  const Result<Header> header = read_header(purpose, file);
  if (!header) return forward(header);
  return header->protection;
}

Result<Bytes> decode_key_file(KeyPurpose purpose, ByteView file, const Unwrapping& unwrapping) {
  const Result<Header> header = read_header(purpose, file);
  if (!header) return forward(header);
  const Result<ByteView> secret = secret_for(header->protection, unwrapping);
  if (!secret) return forward(secret);
  auto seed = open_seed(*header, file, *secret);
  if (seed || header->protection != Protection::passphrase) return seed;
  std::string with_end = std::string(as_text(*secret)) + '\r';
  auto older = open_seed(*header, file, as_bytes(with_end));
  sodium_memzero(with_end.data(), with_end.size());
  return older ? older : seed;
}

}  // namespace chapterd
