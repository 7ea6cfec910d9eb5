// Bounds-checked reading and writing of integers, varints and length-prefixed bytes.
// Integers are big-endian; varints are unsigned LEB128 in their shortest form, at most 10 bytes.
#pragma once

#include "base/bytes.h"

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace chapterd {

// Reads from a borrowed buffer. The first read past the end (or of a malformed varint) makes the
// reader bad for good; every later read returns zeros, so that a decoder checks once at the end.
class ByteReader {
 public:
  explicit ByteReader(ByteView bytes) : rest_(bytes) {}

  [[nodiscard]] bool good() const { return good_; }

  // True when everything was read and nothing went wrong: what a strict decoder ends with.
  [[nodiscard]] bool finished() const { return good_ && rest_.empty(); }

  [[nodiscard]] std::size_t remaining() const { return rest_.size(); }

  [[nodiscard]] ByteView rest() const { return rest_; }

  void mark_bad() {
    good_ = false;
    rest_ = {};
  }

  std::uint8_t u8() { return static_cast<std::uint8_t>(big_endian<1>()); }

  std::uint16_t u16() { return static_cast<std::uint16_t>(big_endian<2>()); }

  std::uint32_t u32() { return static_cast<std::uint32_t>(big_endian<4>()); }

  std::uint64_t u64() { return big_endian<8>(); }

  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const std::uint8_t byte = u8();
      const std::uint64_t bits = byte & 0x7FU;
      if (shift == 63 && bits > 1) break;  // would not fit in 64 bits
      value |= bits << shift;
      if ((byte & 0x80U) == 0) {
        if (byte == 0 && shift > 0) break;  // not the shortest form
        return good_ ? value : 0;
      }
    }
    mark_bad();
    return 0;
  }

  // Signed number in zigzag form (0, -1, 1, -2 …).
  std::int64_t zigzag() {
    const std::uint64_t value = varint();
    return static_cast<std::int64_t>(value >> 1U) ^ -static_cast<std::int64_t>(value & 1U);
  }

  // Borrows `count` bytes from the buffer.
  ByteView bytes(std::uint64_t count) {
    if (count > rest_.size()) {
      mark_bad();
      return {};
    }
    const ByteView taken = rest_.first(count);
    rest_ = rest_.subspan(count);
    return taken;
  }

  // A varint length, then that many bytes; a length above `most` is malformed.
  ByteView sized_bytes(std::uint64_t most) {
    const std::uint64_t count = varint();
    if (count > most) {
      mark_bad();
      return {};
    }
    return bytes(count);
  }

  std::string_view sized_text(std::uint64_t most) { return as_text(sized_bytes(most)); }

  template <class F>
  F fixed() {
    F value;
    const ByteView taken = bytes(F::size);
    if (good_) std::memcpy(value.bytes.data(), taken.data(), F::size);
    return value;
  }

 private:
  template <std::size_t N>
  std::uint64_t big_endian() {
    const ByteView taken = bytes(N);
    if (!good_) return 0;
    std::uint64_t value = 0;
    for (const std::uint8_t byte : taken) value = value << 8U | byte;
    return value;
  }

  ByteView rest_;
  bool good_ = true;
};

// Appends to an owned buffer.
class ByteWriter {
 public:
  ByteWriter() = default;

  explicit ByteWriter(std::size_t reserve) { out_.reserve(reserve); }

  ByteWriter& u8(std::uint8_t value) {
    out_.push_back(value);
    return *this;
  }

  ByteWriter& u16(std::uint16_t value) { return big_endian<2>(value); }

  ByteWriter& u32(std::uint32_t value) { return big_endian<4>(value); }

  ByteWriter& u64(std::uint64_t value) { return big_endian<8>(value); }

  ByteWriter& varint(std::uint64_t value) {
    while (value >= 0x80U) {
      out_.push_back(static_cast<std::uint8_t>(value | 0x80U));
      value >>= 7U;
    }
    out_.push_back(static_cast<std::uint8_t>(value));
    return *this;
  }

  ByteWriter& zigzag(std::int64_t value) {
    return varint(static_cast<std::uint64_t>(value) << 1U ^
                  static_cast<std::uint64_t>(value >> 63));
  }

  ByteWriter& bytes(ByteView view) {
    append(out_, view);
    return *this;
  }

  ByteWriter& sized_bytes(ByteView view) { return varint(view.size()).bytes(view); }

  ByteWriter& sized_text(std::string_view text) { return sized_bytes(as_bytes(text)); }

  template <std::size_t N, class Tag>
  ByteWriter& fixed(const Fixed<N, Tag>& value) {
    return bytes(value.view());
  }

  [[nodiscard]] std::size_t size() const { return out_.size(); }

  [[nodiscard]] ByteView view() const { return out_; }

  [[nodiscard]] Bytes take() { return std::move(out_); }

 private:
  template <std::size_t N>
  ByteWriter& big_endian(std::uint64_t value) {
    for (std::size_t i = N; i-- > 0;) out_.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
    return *this;
  }

  Bytes out_;
};

}  // namespace chapterd
