// Codes of a recovery kit.
#include "crypto/kit_code.h"

#include "base/byte_stream.h"
#include "base/contract.h"
#include "crypto/hash.h"

#include <algorithm>

namespace chapterd {
namespace {

constexpr std::uint8_t version = 1;
constexpr std::size_t federation_bytes = 4;
constexpr std::size_t check_bytes = 4;
constexpr std::size_t body_bytes = 2 + federation_bytes + kit_secret_bytes;

ByteView check_of(const Digest& digest) {
  return digest.view().first(check_bytes);
}

}  // namespace

std::string_view name_of(KitPart part) {
  switch (part) {
    case KitPart::authority:
      return "authority";
    case KitPart::chapter:
      return "chapter";
    case KitPart::recovery:
      return "recovery";
  }
  return "?";
}

std::string kit_code(KitPart part, ByteView federation, ByteView secret) {
  CHECK(federation.size() == Digest::size && secret.size() == kit_secret_bytes);
  ByteWriter out(body_bytes + check_bytes);
  out.u8(version).u8(static_cast<std::uint8_t>(part));
  out.bytes(federation.first(federation_bytes)).bytes(secret);
  const Digest digest = hash("chapterd/kit-check/1", out.view());
  Bytes code = out.bytes(check_of(digest)).take();
  const std::string text = to_base32(code);
  wipe(code);
  std::string grouped;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i > 0 && i % 5 == 0) grouped += '-';
    grouped += text[i];
  }
  return grouped;
}

Result<KitSecret> read_kit_code(std::string_view text, ByteView federation) {
  const auto mistyped = [] {
    return fail(Errc::malformed, "kit.mistyped", "This code is mistyped: its letters do not fit.",
                "Nothing was changed.",
                "Compare it with the paper letter by letter, group by group.");
  };
  auto code = from_base32(text);
  if (!code || code->size() != body_bytes + check_bytes) return mistyped();
  const ByteView body = ByteView(*code).first(body_bytes);
  const Digest digest = hash("chapterd/kit-check/1", body);
  ByteReader in(*code);
  const std::uint8_t found = in.u8();
  const std::uint8_t part = in.u8();
  const ByteView named = in.bytes(federation_bytes);
  const ByteView secret = in.bytes(kit_secret_bytes);
  const bool right =
      std::ranges::equal(in.rest(), check_of(digest)) && found == version && part >= 1 && part <= 3;
  if (!right) {
    wipe(*code);
    return mistyped();
  }
  if (!std::ranges::equal(named, federation.first(federation_bytes))) {
    wipe(*code);
    return fail(Errc::not_allowed, "kit.other-federation",
                "This code is right, but it belongs to another federation.", "Nothing was changed.",
                "Look for the kit of this federation.");
  }
  KitSecret kit;
  kit.part = static_cast<KitPart>(part);
  std::ranges::copy(secret, kit.secret.writable().begin());
  wipe(*code);
  return kit;
}

}  // namespace chapterd
