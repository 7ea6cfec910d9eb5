// Frames and JSON of the control socket.
#include "daemon/control/wire.h"

#include "base/byte_stream.h"
#include "replication/format/cbor.h"

#include <nlohmann/json.hpp>

#include <array>
#include <utility>

namespace chapterd::control {
namespace {

using Json = nlohmann::json;

constexpr std::array<std::pair<Errc, std::string_view>, 11> kinds{{
    {Errc::failed, "failed"},
    {Errc::usage, "usage"},
    {Errc::malformed, "malformed"},
    {Errc::not_found, "not-found"},
    {Errc::not_allowed, "not-allowed"},
    {Errc::needs_person, "needs-person"},
    {Errc::check_failed, "check-failed"},
    {Errc::gave_up, "gave-up"},
    {Errc::not_compatible, "not-compatible"},
    {Errc::unreachable, "unreachable"},
    {Errc::disk, "disk"},
}};

Error bad_text() {
  return {Errc::usage, "argument.utf8", "A text is not valid UTF-8.", "Nothing was changed.",
          "Save the file or set the terminal as UTF-8, then try again."};
}

Error too_deep() {
  return {Errc::usage, "argument.depth",
          "The arguments lie more than " + std::to_string(most_depth) + " levels in each other.",
          "Nothing was changed.", "Write them flatter."};
}

tl::unexpected<Error> malformed() {
  return fail(Errc::malformed, "control.malformed",
              "This is not JSON as the control socket speaks it.", "Nothing was changed.",
              "Use a command line of the daemon's own version.");
}

Result<void> check_level(const Json& value, std::size_t levels_left) {
  if (value.is_string() && !is_utf8(value.get_ref<const std::string&>())) return fail(bad_text());
  if (!value.is_structured()) return {};
  if (levels_left == 0) return fail(too_deep());
  for (const auto& item : value.items()) {
    if (value.is_object() && !is_utf8(item.key())) return fail(bad_text());
    if (auto checked = check_level(item.value(), levels_left - 1); !checked) return checked;
  }
  return {};
}

Bytes framed(const std::string& body) {
  ByteWriter out(length_bytes + body.size());
  return out.u32(static_cast<std::uint32_t>(body.size())).bytes(as_bytes(body)).take();
}

std::string text_in(const Json& error, const char* name) {
  const auto at = error.find(name);
  return at != error.end() && at->is_string() ? at->get<std::string>() : std::string();
}

}  // namespace

std::string_view name_of(Errc kind) {
  for (const auto& [known, name] : kinds) {
    if (known == kind) return name;
  }
  return "failed";
}

Errc errc_from(std::string_view name) {
  for (const auto& [kind, known] : kinds) {
    if (known == name) return kind;
  }
  return Errc::failed;
}

Result<void> check_texts(const Json& value) {
  return check_level(value, most_depth);
}

std::size_t body_bytes(ByteView prefix) {
  return ByteReader(prefix).u32();
}

Result<Bytes> encode_call(std::string_view verb, const Json& args) {
  const Json call = {{"verb", std::string(verb)}, {"args", args}};
  if (auto checked = check_texts(call); !checked) return forward(checked);
  const std::string body = call.dump();
  if (body.size() > most_body_bytes) {
    return fail(Errc::usage, "control.too-large", "This is more than 8 MiB for one request.",
                "Nothing was changed.", "Split it into smaller parts.");
  }
  return framed(body);
}

Bytes encode_answer(const Result<Json>& answer) {
  const Json whole = answer ? Json{{"ok", *answer}} : Json{{"error", to_json(answer.error())}};
  // What peers wrote was checked when it came; should a text be damaged all the same, it is shown
  // so.
  const std::string body = whole.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (body.size() <= most_body_bytes) return framed(body);
  return encode_answer(fail(Errc::failed, "answer.too-large", "The answer is larger than 8 MiB.",
                            "What was asked for was done all the same.",
                            "Ask for less at a time."));
}

Result<Json> decode_body(ByteView body) {
  Json value = Json::parse(body.begin(), body.end(), nullptr, false);
  if (value.is_discarded()) return malformed();
  return value;
}

Result<Json> decode_answer(ByteView body) {
  auto whole = decode_body(body);
  if (!whole) return whole;
  if (!whole->is_object()) return malformed();
  if (const auto ok = whole->find("ok"); ok != whole->end()) return std::move(*ok);
  const auto error = whole->find("error");
  if (error == whole->end() || !error->is_object()) return malformed();
  return fail(errc_from(text_in(*error, "kind")), text_in(*error, "code"), text_in(*error, "what"),
              text_in(*error, "safe"), text_in(*error, "next"));
}

Json to_json(const Error& error) {
  return {{"kind", std::string(name_of(error.kind))},
          {"code", error.code},
          {"what", error.what},
          {"safe", error.safe},
          {"next", error.next}};
}

}  // namespace chapterd::control
