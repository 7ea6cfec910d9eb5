// Strict reading and writing of deterministic CBOR.
#include "replication/format/cbor.h"

#include <bit>
#include <cmath>
#include <limits>

namespace chapterd {
namespace {

constexpr std::uint8_t major_uint = 0;
constexpr std::uint8_t major_negative = 1;
constexpr std::uint8_t major_bytes = 2;
constexpr std::uint8_t major_text = 3;
constexpr std::uint8_t major_array = 4;
constexpr std::uint8_t major_map = 5;
constexpr std::uint8_t byte_false = 0xF4;
constexpr std::uint8_t byte_true = 0xF5;
constexpr std::uint8_t byte_null = 0xF6;
constexpr std::uint8_t byte_half = 0xF9;
constexpr std::uint8_t byte_single = 0xFA;
constexpr std::uint8_t byte_double = 0xFB;
constexpr std::uint16_t half_nan = 0x7E00;

// IEEE 754 binary16 to double (RFC 8949, appendix D).
double from_half(std::uint16_t half) {
  const int exponent = half >> 10U & 0x1F;
  const int mantissa = half & 0x3FF;
  double value = 0;
  if (exponent == 0) {
    value = std::ldexp(mantissa, -24);
  } else if (exponent != 31) {
    value = std::ldexp(mantissa + 1024, exponent - 25);
  } else {
    value = mantissa == 0 ? std::numeric_limits<double>::infinity()
                          : std::numeric_limits<double>::quiet_NaN();
  }
  return (half & 0x8000U) != 0 ? -value : value;
}

// The binary16 that equals `value`, when there is one.
bool to_half(double value, std::uint16_t& half) {
  const std::uint64_t bits = std::bit_cast<std::uint64_t>(value);
  const auto sign = static_cast<std::uint16_t>(bits >> 48U & 0x8000U);
  if (std::isinf(value)) {
    half = sign | 0x7C00U;
    return true;
  }
  const double magnitude = std::fabs(value);
  if (magnitude == 0) {
    half = sign;
    return true;
  }
  if (magnitude > 65504 || magnitude < std::ldexp(1, -24)) return false;
  int exponent = 0;
  std::frexp(magnitude, &exponent);  // magnitude = m * 2^exponent, m in [0.5, 1)
  std::uint16_t candidate = 0;
  if (exponent - 1 < -14) {
    candidate = static_cast<std::uint16_t>(std::ldexp(magnitude, 24));
  } else {
    const double mantissa = std::ldexp(magnitude, 11 - exponent) - 1024;
    candidate = static_cast<std::uint16_t>(static_cast<unsigned>(exponent + 14) << 10U |
                                           static_cast<unsigned>(mantissa));
  }
  half = sign | candidate;
  return from_half(half) == value;
}

bool fits_single(double value) {
  return std::fabs(value) <= std::numeric_limits<float>::max() &&
         static_cast<double>(static_cast<float>(value)) == value;
}

bool is_continuation(unsigned char byte) {
  return (byte & 0xC0U) == 0x80U;
}

// Length of the well-formed sequence at `at`, 0 when there is none (RFC 3629, section 4).
std::size_t utf8_sequence(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const unsigned char first = byte(0);
  const std::size_t length = first < 0x80   ? 1
                             : first < 0xC2 ? 0
                             : first < 0xE0 ? 2
                             : first < 0xF0 ? 3
                             : first < 0xF5 ? 4
                                            : 0;
  if (length == 0 || at + length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if (!is_continuation(byte(i))) return 0;
  }
  if (first == 0xE0 && byte(1) < 0xA0) return 0;  // overlong
  if (first == 0xED && byte(1) > 0x9F) return 0;  // surrogate
  if (first == 0xF0 && byte(1) < 0x90) return 0;  // overlong
  if (first == 0xF4 && byte(1) > 0x8F) return 0;  // above U+10FFFF
  return length;
}

}  // namespace

bool is_utf8(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    if (at + 8 <= text.size()) {  // eight ASCII characters at a time
      std::uint64_t eight = 0;
      std::memcpy(&eight, text.data() + at, 8);
      if ((eight & 0x8080808080808080ULL) == 0) {
        at += 8;
        continue;
      }
    }
    const std::size_t length = utf8_sequence(text, at);
    if (length == 0) return false;
    at += length;
  }
  return true;
}

bool cbor_key_less(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return a.size() < b.size();
  return a < b;
}

CborType CborReader::peek() const {
  if (in_.rest().empty()) return CborType::invalid;
  const std::uint8_t byte = in_.rest().front();
  switch (byte >> 5U) {
    case major_uint:
      return CborType::uint;
    case major_negative:
      return CborType::negative;
    case major_bytes:
      return CborType::bytes;
    case major_text:
      return CborType::text;
    case major_array:
      return CborType::array;
    case major_map:
      return CborType::map;
    default:
      break;
  }
  if (byte == byte_false || byte == byte_true) return CborType::boolean;
  if (byte == byte_null) return CborType::null;
  if (byte >= byte_half && byte <= byte_double) return CborType::real;
  return CborType::invalid;
}

CborReader::Initial CborReader::initial() {
  const std::uint8_t byte = in_.u8();
  const std::uint8_t low = byte & 0x1FU;
  std::uint64_t argument = low;
  std::uint64_t least = 0;  // what the next shorter form could not hold
  switch (low) {
    case 24:
      argument = in_.u8(), least = 24;
      break;
    case 25:
      argument = in_.u16(), least = 1ULL << 8U;
      break;
    case 26:
      argument = in_.u32(), least = 1ULL << 16U;
      break;
    case 27:
      argument = in_.u64(), least = 1ULL << 32U;
      break;
    default:
      break;
  }
  if (low > 27 || argument < least) in_.mark_bad();
  return {static_cast<std::uint8_t>(byte >> 5U), argument};
}

std::uint64_t CborReader::expect(std::uint8_t major) {
  const Initial head = initial();
  if (head.major != major) in_.mark_bad();
  return in_.good() ? head.argument : 0;
}

std::uint64_t CborReader::uint() {
  return expect(major_uint);
}

std::int64_t CborReader::integer() {
  const Initial head = initial();
  if (head.major > major_negative || head.argument > static_cast<std::uint64_t>(INT64_MAX)) {
    in_.mark_bad();
    return 0;
  }
  const auto value = static_cast<std::int64_t>(head.argument);
  return head.major == major_negative ? -1 - value : value;
}

ByteView CborReader::bytes(std::size_t most) {
  const std::uint64_t size = expect(major_bytes);
  if (size > most) in_.mark_bad();
  return in_.bytes(size);
}

std::string_view CborReader::text(std::size_t most) {
  const std::uint64_t size = expect(major_text);
  if (size > most) in_.mark_bad();
  const std::string_view text = as_text(in_.bytes(size));
  if (!is_utf8(text)) in_.mark_bad();
  return text;
}

bool CborReader::boolean() {
  const std::uint8_t byte = in_.u8();
  if (byte != byte_false && byte != byte_true) in_.mark_bad();
  return byte == byte_true;
}

void CborReader::null() {
  if (in_.u8() != byte_null) in_.mark_bad();
}

double CborReader::real() {
  const std::uint8_t byte = in_.u8();
  std::uint16_t half = 0;
  if (byte == byte_half) {
    half = in_.u16();
    const double value = from_half(half);
    if (std::isnan(value) && half != half_nan) in_.mark_bad();
    return value;
  }
  double value = 0;
  if (byte == byte_single) {
    value = static_cast<double>(std::bit_cast<float>(in_.u32()));
  } else if (byte == byte_double) {
    value = std::bit_cast<double>(in_.u64());
    if (fits_single(value)) in_.mark_bad();
  } else {
    in_.mark_bad();
  }
  if (std::isnan(value) || to_half(value, half)) in_.mark_bad();
  return value;
}

std::uint64_t CborReader::array(std::uint64_t most) {
  const std::uint64_t items = expect(major_array);
  if (items > most || items > in_.remaining()) in_.mark_bad();
  return in_.good() ? items : 0;
}

std::uint64_t CborReader::map(std::uint64_t most) {
  const std::uint64_t pairs = expect(major_map);
  if (pairs > most || pairs > in_.remaining() / 2) in_.mark_bad();
  return in_.good() ? pairs : 0;
}

ByteView CborReader::item(unsigned depth) {
  const ByteView before = in_.rest();
  skip(depth);
  if (!in_.good()) return {};
  return before.first(before.size() - in_.remaining());
}

void CborReader::skip(unsigned depth) {
  const CborType type = peek();
  constexpr std::size_t any = std::numeric_limits<std::size_t>::max();
  switch (type) {
    case CborType::uint:
    case CborType::negative:
      integer();
      return;
    case CborType::bytes:
      bytes(any);
      return;
    case CborType::text:
      text(any);
      return;
    case CborType::boolean:
      boolean();
      return;
    case CborType::null:
      null();
      return;
    case CborType::real:
      real();
      return;
    case CborType::invalid:
      in_.mark_bad();
      return;
    case CborType::array:
    case CborType::map:
      break;
  }
  if (depth == 0) {
    in_.mark_bad();
  } else if (type == CborType::map) {
    skip_map(map(any), depth - 1);
  } else {
    const std::uint64_t items = array(any);
    for (std::uint64_t i = 0; i < items && in_.good(); ++i) skip(depth - 1);
  }
}

void CborReader::skip_map(std::uint64_t pairs, unsigned depth) {
  std::string_view last;
  for (std::uint64_t i = 0; i < pairs && in_.good(); ++i) {
    const std::string_view key = text(std::numeric_limits<std::size_t>::max());
    if (i > 0 && !cbor_key_less(last, key)) in_.mark_bad();
    last = key;
    skip(depth);
  }
}

CborWriter& CborWriter::initial(std::uint8_t major, std::uint64_t argument) {
  const auto top = static_cast<std::uint8_t>(major << 5U);
  if (argument < 24) {
    out_.u8(static_cast<std::uint8_t>(top | argument));
  } else if (argument <= 0xFFU) {
    out_.u8(top | 24U).u8(static_cast<std::uint8_t>(argument));
  } else if (argument <= 0xFFFFU) {
    out_.u8(top | 25U).u16(static_cast<std::uint16_t>(argument));
  } else if (argument <= 0xFFFFFFFFU) {
    out_.u8(top | 26U).u32(static_cast<std::uint32_t>(argument));
  } else {
    out_.u8(top | 27U).u64(argument);
  }
  return *this;
}

CborWriter& CborWriter::uint(std::uint64_t value) {
  return initial(major_uint, value);
}

CborWriter& CborWriter::integer(std::int64_t value) {
  if (value >= 0) return initial(major_uint, static_cast<std::uint64_t>(value));
  return initial(major_negative, static_cast<std::uint64_t>(-(value + 1)));
}

CborWriter& CborWriter::bytes(ByteView value) {
  initial(major_bytes, value.size());
  return raw(value);
}

CborWriter& CborWriter::text(std::string_view value) {
  initial(major_text, value.size());
  return raw(as_bytes(value));
}

CborWriter& CborWriter::boolean(bool value) {
  out_.u8(value ? byte_true : byte_false);
  return *this;
}

CborWriter& CborWriter::null() {
  out_.u8(byte_null);
  return *this;
}

CborWriter& CborWriter::real(double value) {
  std::uint16_t half = 0;
  if (std::isnan(value)) {
    out_.u8(byte_half).u16(half_nan);
  } else if (to_half(value, half)) {
    out_.u8(byte_half).u16(half);
  } else if (fits_single(value)) {
    out_.u8(byte_single).u32(std::bit_cast<std::uint32_t>(static_cast<float>(value)));
  } else {
    out_.u8(byte_double).u64(std::bit_cast<std::uint64_t>(value));
  }
  return *this;
}

CborWriter& CborWriter::array(std::uint64_t items) {
  return initial(major_array, items);
}

CborWriter& CborWriter::map(std::uint64_t pairs) {
  return initial(major_map, pairs);
}

CborWriter& CborWriter::raw(ByteView item) {
  out_.bytes(item);
  return *this;
}

}  // namespace chapterd
