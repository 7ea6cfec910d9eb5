// Sealed payloads and wrapped keys.
#include "replication/format/sealed.h"

#include "base/byte_stream.h"
#include "base/contract.h"
#include "crypto/guarded.h"
#include "crypto/hash.h"
#include "replication/format/limits.h"

#include <zstd.h>

#include <algorithm>

namespace chapterd {
namespace {

constexpr std::uint8_t version = 1;
constexpr int level = 3;

// The first byte inside a sealed payload.
enum class Form : std::uint8_t { plain = 0, zstd = 1 };

tl::unexpected<Error> malformed(const char* what) {
  return fail(Errc::malformed, "seal.malformed", what);
}

Result<Bytes> unpacked(ByteView packed) {
  const unsigned long long size = ZSTD_getFrameContentSize(packed.data(), packed.size());
  if (size > limits::payload_bytes)  // also the two values that stand for "not said" and "damaged"
    return malformed("A sealed payload unpacks to more than a payload may have.");
  Bytes plain(size);
  const std::size_t got = ZSTD_decompress(plain.data(), plain.size(), packed.data(), packed.size());
  if (ZSTD_isError(got) != 0U || got != size) return malformed("A sealed payload does not unpack.");
  return plain;
}

}  // namespace

ChapterKeyName name_chapter_key(const FederationId& federation,
                                const ChapterId& chapter,
                                std::uint32_t generation,
                                const ChapterKey& key) {
  const Digest digest = Hasher("chapterd/chapter-key/1")
                            .add(federation)
                            .add(chapter)
                            .u64(generation)
                            .add(key.secret())
                            .finish();
  ChapterKeyName name;
  name.generation = generation;
  std::copy_n(digest.bytes.begin(), ChapterKeyId::size, name.id.bytes.begin());
  return name;
}

Bytes payload_context(const FederationId& federation,
                      const ChapterId& chapter,
                      const PublicKey& author) {
  constexpr std::string_view label("chapterd/sealed-payload/1\0", 26);
  ByteWriter out;
  out.bytes(as_bytes(label)).fixed(federation).fixed(chapter).fixed(author);
  return out.take();
}

Bytes seal_payload(const ChapterKey& key,
                   std::uint32_t generation,
                   ByteView plain,
                   ByteView context,
                   Random& random) {
  Bytes packed(1 + ZSTD_compressBound(plain.size()));
  const std::size_t size =
      ZSTD_compress(packed.data() + 1, packed.size() - 1, plain.data(), plain.size(), level);
  CHECK(ZSTD_isError(size) == 0U);
  if (size < plain.size()) {
    packed[0] = static_cast<std::uint8_t>(Form::zstd);
    packed.resize(1 + size);
  } else {
    packed.assign(1, static_cast<std::uint8_t>(Form::plain));
    append(packed, plain);
  }
  ByteWriter out;
  out.u32(generation).bytes(key.seal(packed, context, random));
  wipe(packed);
  return out.take();
}

std::uint32_t generation_of(ByteView payload) {
  return payload.size() < 4 + seal_overhead_bytes + 1 ? 0 : ByteReader(payload).u32();
}

Result<Bytes> open_payload(const ChapterKey& key, ByteView payload, ByteView context) {
  if (generation_of(payload) == 0) return malformed("A payload is too short to be a sealed one.");
  auto opened = key.open(payload.subspan(4), context);
  if (!opened) return opened;
  switch (static_cast<Form>(opened->front())) {
    case Form::plain:
      opened->erase(opened->begin());
      return opened;
    case Form::zstd:
      return unpacked(ByteView(*opened).subspan(1));
  }
  return malformed("A sealed payload is packed in a way that is not known.");
}

Bytes encode(const std::vector<KeyWrap>& wraps) {
  CHECK(!wraps.empty() && wraps.size() <= limits::key_wraps);
  ByteWriter out;
  out.u8(version).varint(wraps.size());
  for (const KeyWrap& wrap : wraps) {
    out.u32(wrap.key.generation).fixed(wrap.key.id).u8(algorithm_ed25519).fixed(wrap.node);
    out.fixed(wrap.sealed);
  }
  return out.take();
}

Result<std::vector<KeyWrap>> decode_key_wraps(ByteView payload) {
  const auto broken = [] {
    return fail(Errc::malformed, "format.key-wraps", "Wrapped keys break the format.");
  };
  ByteReader in(payload);
  const std::uint8_t found = in.u8();
  if (in.good() && found > version)
    return fail(Errc::not_compatible, "format.newer", "Wrapped keys are of a later version.");
  const std::uint64_t count = in.varint();
  if (!in.good() || found != version || count == 0 || count > limits::key_wraps) return broken();
  std::vector<KeyWrap> wraps(count);
  for (KeyWrap& wrap : wraps) {
    wrap.key.generation = in.u32();
    wrap.key.id = in.fixed<ChapterKeyId>();
    if (in.u8() != algorithm_ed25519 || wrap.key.generation == 0) in.mark_bad();
    wrap.node = in.fixed<PublicKey>();
    wrap.sealed = in.fixed<decltype(wrap.sealed)>();
    if (!in.good()) return broken();
  }
  if (!in.finished()) return broken();
  return wraps;
}

}  // namespace chapterd
