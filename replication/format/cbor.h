// Deterministic CBOR (RFC 8949, section 4.2.1): one encoding per value, strict in both directions.
// Types: integers, bytes, text (valid UTF-8), arrays, maps with unique text keys in order of their
// encoding, booleans, null, floats in the shortest form that keeps the value. No tags, nothing
// indefinite.
#pragma once

#include "base/byte_stream.h"

#include <cstdint>
#include <string_view>

namespace chapterd {

enum class CborType { uint, negative, bytes, text, array, map, boolean, null, real, invalid };

// Reads items one after another from a borrowed buffer. A malformed item makes it bad for good.
class CborReader {
 public:
  explicit CborReader(ByteView bytes) : in_(bytes) {}

  [[nodiscard]] bool good() const { return in_.good(); }

  [[nodiscard]] bool finished() const { return in_.finished(); }

  void mark_bad() { in_.mark_bad(); }

  // Type of the next item, without reading it; `invalid` at the end or on a forbidden byte.
  [[nodiscard]] CborType peek() const;

  std::uint64_t uint();
  // Any integer that fits in 64 signed bits.
  std::int64_t integer();
  ByteView bytes(std::size_t most);
  std::string_view text(std::size_t most);
  bool boolean();
  void null();
  double real();
  // Number of items (array) or of pairs (map); at most `most`.
  std::uint64_t array(std::uint64_t most);
  std::uint64_t map(std::uint64_t most);

  // Checks one whole item, `depth` levels deep at most, and returns its bytes.
  ByteView item(unsigned depth);

 private:
  struct Initial {
    std::uint8_t major;
    std::uint64_t argument;
  };

  Initial initial();
  std::uint64_t expect(std::uint8_t major);
  void skip(unsigned depth);
  void skip_map(std::uint64_t pairs, unsigned depth);

  ByteReader in_;
};

// Writes items in the only form that CborReader accepts. Map keys must be written in order of their
// encoding (shorter first, then bytewise): callers sort by `cbor_key_less`.
class CborWriter {
 public:
  CborWriter& uint(std::uint64_t value);
  CborWriter& integer(std::int64_t value);
  CborWriter& bytes(ByteView value);
  CborWriter& text(std::string_view value);
  CborWriter& boolean(bool value);
  CborWriter& null();
  CborWriter& real(double value);
  CborWriter& array(std::uint64_t items);
  CborWriter& map(std::uint64_t pairs);
  // Appends one item that is already encoded.
  CborWriter& raw(ByteView item);

  [[nodiscard]] ByteView view() const { return out_.view(); }

  [[nodiscard]] Bytes take() { return out_.take(); }

 private:
  CborWriter& initial(std::uint8_t major, std::uint64_t argument);

  ByteWriter out_;
};

// Order of text keys in a map: that of their encodings (RFC 8949, section 4.2.1).
[[nodiscard]] bool cbor_key_less(std::string_view a, std::string_view b);

// RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
[[nodiscard]] bool is_utf8(std::string_view text);

}  // namespace chapterd
