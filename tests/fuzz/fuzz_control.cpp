// What comes over the control socket: a call or an answer, or refused in words.
#include "daemon/control/wire.h"
#include "tests/fuzz/target.h"

#include <nlohmann/json.hpp>

namespace chapterd {
namespace {

void check_answer(ByteView body) {
  const auto answer = control::decode_answer(body);
  const Bytes frame = control::encode_answer(answer);
  CHECK(frame.size() >= control::length_bytes);
  const std::size_t size = control::body_bytes(ByteView(frame).first(control::length_bytes));
  CHECK(size == frame.size() - control::length_bytes);
  const auto again = control::decode_answer(ByteView(frame).subspan(control::length_bytes));
  CHECK(again.has_value() == answer.has_value());
}

void check(ByteView body) {
  const auto value = control::decode_body(body);
  if (!value) return check_answer(body);
  if (!control::check_texts(*value)) return;
  const auto call = control::encode_call("verb", *value);
  if (!call) return;
  const auto same = control::decode_body(ByteView(*call).subspan(control::length_bytes));
  CHECK(same && (*same)["args"] == *value);
  check_answer(body);
}

}  // namespace
}  // namespace chapterd

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size <= 65536) chapterd::check({data, size});
  return 0;
}
