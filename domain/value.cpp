// JSON ↔ deterministic CBOR.
#include "domain/value.h"

#include "replication/format/cbor.h"
#include "replication/format/limits.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace chapterd {
namespace {

using Json = nlohmann::json;

constexpr std::string_view bytes_key = "$bytes";
constexpr std::size_t any_size = std::numeric_limits<std::size_t>::max();

// Writes one value; what cannot be written is remembered as the first fault.
class JsonToCbor {
 public:
  void write(const Json& json, unsigned depth) {
    switch (json.type()) {
      case Json::value_t::null:
        out_.null();
        return;
      case Json::value_t::boolean:
        out_.boolean(json.get<bool>());
        return;
      case Json::value_t::number_integer:
        out_.integer(json.get<std::int64_t>());
        return;
      case Json::value_t::number_unsigned:
        write_unsigned(json.get<std::uint64_t>());
        return;
      case Json::value_t::number_float:
        write_real(json.get<double>());
        return;
      case Json::value_t::string:
        write_text(json.get_ref<const std::string&>());
        return;
      case Json::value_t::binary:
        out_.bytes(json.get_binary());
        return;
      case Json::value_t::array:
        write_array(json, depth);
        return;
      case Json::value_t::object:
        write_object(json, depth);
        return;
      case Json::value_t::discarded:
        break;
    }
    fault("This is not JSON.");
  }

  Result<Bytes> take() {
    if (!fault_.empty()) return fail(Errc::usage, "value.refused", fault_);
    return out_.take();
  }

 private:
  void fault(std::string what) {
    if (fault_.empty()) fault_ = std::move(what);
  }

  void write_unsigned(std::uint64_t value) {
    if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      fault("The integer " + std::to_string(value) + " is too large: 63 bits are the most.");
    }
    out_.uint(value);
  }

  void write_real(double value) {
    if (!std::isfinite(value)) fault("A number is infinite, or none.");
    out_.real(value);
  }

  void write_text(const std::string& text) {
    if (!is_utf8(text)) fault("A text is not valid UTF-8.");
    out_.text(text);
  }

  void write_array(const Json& json, unsigned depth) {
    if (depth == 0) return fault("Values are nested too deeply.");
    out_.array(json.size());
    for (const Json& item : json) write(item, depth - 1);
  }

  void write_object(const Json& json, unsigned depth) {
    if (json.size() == 1 && json.begin().key() == bytes_key) return write_bytes(*json.begin());
    if (depth == 0) return fault("Values are nested too deeply.");
    std::vector<const std::string*> keys;
    for (const auto& item : json.items()) keys.push_back(&item.key());
    std::sort(keys.begin(), keys.end(),
              [](const std::string* a, const std::string* b) { return cbor_key_less(*a, *b); });
    out_.map(keys.size());
    for (const std::string* key : keys) {
      write_text(*key);
      write(json.at(*key), depth - 1);
    }
  }

  void write_bytes(const Json& hex) {
    const auto bytes =
        hex.is_string() ? from_hex(hex.get_ref<const std::string&>()) : std::optional<Bytes>();
    if (!bytes) return fault("“$bytes” must be hexadecimal.");
    out_.bytes(*bytes);
  }

  CborWriter out_;
  std::string fault_;
};

Json read_value(CborReader& in, unsigned depth);

Json read_array(CborReader& in, unsigned depth) {
  Json array = Json::array();
  const std::uint64_t items = in.array(any_size);
  for (std::uint64_t i = 0; i < items && in.good(); ++i) array.push_back(read_value(in, depth - 1));
  return array;
}

Json read_map(CborReader& in, unsigned depth) {
  Json object = Json::object();
  const std::uint64_t pairs = in.map(any_size);
  std::string last;
  for (std::uint64_t i = 0; i < pairs && in.good(); ++i) {
    const std::string key(in.text(any_size));
    if (i > 0 && !cbor_key_less(last, key)) in.mark_bad();
    object[key] = read_value(in, depth - 1);
    last = key;
  }
  if (pairs == 1 && last == bytes_key) in.mark_bad();  // would come back as a byte string
  return object;
}

Json read_bytes(CborReader& in) {
  Json object = Json::object();
  object[bytes_key] = to_hex(in.bytes(any_size));
  return object;
}

double read_real(CborReader& in) {
  const double value = in.real();
  if (!std::isfinite(value)) in.mark_bad();  // JSON has no word for it
  return value;
}

Json read_value(CborReader& in, unsigned depth) {
  switch (in.peek()) {
    case CborType::uint:
    case CborType::negative:
      return in.integer();
    case CborType::bytes:
      return read_bytes(in);
    case CborType::text:
      return std::string(in.text(any_size));
    case CborType::boolean:
      return in.boolean();
    case CborType::null:
      in.null();
      return nullptr;
    case CborType::real:
      return read_real(in);
    case CborType::array:
      if (depth > 0) return read_array(in, depth);
      break;
    case CborType::map:
      if (depth > 0) return read_map(in, depth);
      break;
    case CborType::invalid:
      break;
  }
  in.mark_bad();
  return nullptr;
}

}  // namespace

Result<Bytes> to_cbor(const Json& json) {
  JsonToCbor writer;
  writer.write(json, limits::depth);
  return writer.take();
}

Result<Json> from_cbor(ByteView item) {
  CborReader in(item);
  Json json = read_value(in, limits::depth);
  if (!in.finished()) {
    return fail(Errc::malformed, "value.malformed", "A stored value is not deterministic CBOR.");
  }
  return json;
}

std::optional<std::int64_t> whole_number(double value) {
  constexpr double exact_integers = 9007199254740992.0;  // 2^53
  if (value != std::floor(value) || std::fabs(value) > exact_integers) return std::nullopt;
  return static_cast<std::int64_t>(value);
}

nlohmann::json json_number(double value) {
  if (const auto whole = whole_number(value)) return *whole;
  return value;
}

}  // namespace chapterd
