// Verbs about bundles, run by run: files are the command line's affair, keys and the log ours.
#include "base/byte_stream.h"
#include "base/contract.h"
#include "daemon/operations/arguments.h"
#include "daemon/operations/held.h"
#include "daemon/operations/verbs.h"
#include "replication/bundle.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace chapterd {
namespace {

using Json = nlohmann::json;

constexpr const char* unchanged = "Nothing was changed.";

tl::unexpected<Error> bad_argument(const char* name) {
  return fail(Errc::usage, "argument.type",
              std::string("“") + name + "” is not what 'chapterd bundle' sends.", unchanged,
              "Use a command line of the daemon's own version.");
}

std::string chapter_of(const Authority& authority, const PublicKey& key) {
  const KnownNode* node = authority.node(key);
  return node == nullptr ? "" : code_of(authority, node->certificate.chapter);
}

// --- write ---

// All nodes of these chapters that may be written for.
Result<std::vector<PublicKey>> recipients(const Directory& directory,
                                          const std::vector<std::string>& codes) {
  const Authority& authority = directory.authority();
  std::vector<PublicKey> nodes;
  for (const std::string& code : codes) {
    const std::size_t before = nodes.size();
    for (const KnownNode* node : authority.nodes()) {
      const PublicKey& key = node->certificate.node;
      const bool wanted = chapter_of(authority, key) == code && key != directory.self();
      if (wanted && !authority.is_revoked(key) && std::ranges::find(nodes, key) == nodes.end())
        nodes.push_back(key);
    }
    if (nodes.size() != before || std::ranges::count(codes, code) > 1) continue;
    return fail(Errc::not_found, "bundle.unknown-chapter",
                "No node of a chapter " + shown(code) + " is known here.", "Nothing was written.",
                "See who is known with: chapterd peers list");
  }
  std::ranges::sort(nodes);
  return nodes;
}

// Where a writer stands, between two calls of the same program: opaque to it.
std::string to_text(const BundlePlace& place) {
  ByteWriter out;
  out.fixed(place.id).u32(place.part).u32(place.parts).u8(place.begun ? 1 : 0);
  for (const Arrival at : place.at) out.u64(at.value);
  out.fixed(place.state).u64(place.bytes);
  out.u64(place.counts.chunks).u64(place.counts.entries).u64(place.counts.receipts);
  return to_hex(out.view());
}

Result<BundlePlace> place_from(const std::string& text) {
  const auto bytes = from_hex(text);
  ByteReader in(bytes ? ByteView(*bytes) : ByteView());
  BundlePlace place;
  place.id = in.fixed<BundleId>();
  place.part = in.u32();
  place.parts = in.u32();
  place.begun = in.u8() != 0;
  for (Arrival& at : place.at) at = Arrival(in.u64());
  place.state = in.fixed<BundleState>();
  place.bytes = in.u64();
  place.counts.chunks = in.u64();
  place.counts.entries = in.u64();
  place.counts.receipts = in.u64();
  if (!in.finished() || place.part == 0) return bad_argument("place");
  return place;
}

struct Asked {
  std::vector<std::string> to;
  BundlePlan plan;
  bool estimate = false;
  std::uint64_t parts = 0;
  std::string place;
};

Result<Asked> asked_write(const Json& args) {
  Arguments in(args);
  Asked asked;
  asked.to = in.texts("to").value_or(std::vector<std::string>());
  asked.plan.kind = in.flag("ack") ? BundleKind::ack : BundleKind::data;
  asked.plan.whole = in.flag("whole");
  asked.plan.limit_bytes = in.number_or("limit", limits::bundle_part_bytes,
                                        2 * limits::bundle_run_bytes, limits::bundle_part_bytes);
  asked.estimate = in.flag("estimate");
  asked.parts = in.number_or("parts", 0, 0, UINT32_MAX);
  asked.place = in.text_or("place", "");
  if (auto done = in.done(); !done) return forward(done);
  return asked;
}

// Before anything of it is written: what is in a bundle has left this node.
Result<Json> note_recipients(NodeAccess& node, const std::vector<std::string>& codes) {
  return node.write([&](Replica& replica) -> Result<Json> {
    const auto nodes = recipients(replica.directory(), codes);
    if (!nodes) return forward(nodes);
    replica.note_handed(*nodes);
    return Json();
  });
}

Result<Json> write(NodeAccess& node, const Json& args) {
  auto asked = asked_write(args);
  if (!asked) return forward(asked);
  if (asked->place.empty() && !asked->estimate) {
    if (auto noted = note_recipients(node, asked->to); !noted) return noted;
  }
  const NodeParts& parts = node.parts();
  return node.read([&](Reader& reader, const Directory& directory) -> Result<Json> {
    const auto nodes = recipients(directory, asked->to);
    if (!nodes) return forward(nodes);
    asked->plan.recipients = *nodes;
    auto writer = BundleWriter::open({directory, reader, parts.key, parts.random, parts.date.now()},
                                     asked->plan);
    if (!writer) return forward(writer);
    BundlePlace place = writer->begin();
    place.parts = static_cast<std::uint32_t>(asked->parts);
    if (!asked->place.empty()) {
      const auto told = place_from(asked->place);
      if (!told) return forward(told);
      place = *told;
      // Only of the log that this database has.
      for (Arrival& at : place.at) at = std::min(at, directory.arrival());
    }
    const std::uint32_t part = place.part;
    const auto bytes = writer->next(place);
    if (!bytes) return forward(bytes);
    return Json{{"part", part},
                {"part_ended", !place.begun},
                {"ended", place.ended},
                {"bytes", bytes->size()},
                {"entries", place.counts.entries},
                {"receipts", place.counts.receipts},
                {"recipients", nodes->size()},
                {"place", to_text(place)},
                {"data", asked->estimate ? "" : to_hex(*bytes)}};
  });
}

// --- read ---

Json names_json(const BundleHeader& header, const Authority& authority) {
  Json to = Json::array();
  for (const BundleRecipient& recipient : header.recipients) {
    const std::string code = chapter_of(authority, recipient.node);
    to.push_back(code.empty() ? fingerprint(recipient.node) : code);
  }
  return Json{{"from", chapter_of(authority, header.sender)}, {"to", std::move(to)}};
}

// Whose a bundle is and for whom, as far as this node knows the names; also when it cannot read it.
Result<Json> names(NodeAccess& node, const Json& args) {
  Arguments in(args);
  const auto bytes = from_hex(in.text("header"));
  if (auto done = in.done(); !done) return forward(done);
  if (!bytes) return bad_argument("header");
  const auto header = decode_bundle_header(*bytes);
  if (!header) return forward(header);
  return node.read([&](Reader& reader, const Directory& directory) -> Result<Json> {
    Authority authority = directory.authority();
    for (const Bytes& statement : header->chain) static_cast<void>(authority.apply(statement));
    Json json = names_json(*header, authority);
    const auto box = node.parts().vault.box();
    const auto opened = BundleReader::open(directory, reader, box.get(), *bytes);
    json["readable"] = opened.has_value();
    json["why"] = opened ? "" : opened.error().what;
    return json;
  });
}

// Items of a bundle's file without its header.
Result<void> decode_items(ByteView bytes,
                          std::vector<BundleChunk>& chunks,
                          std::optional<BundleTrailer>& trailer) {
  BundleParser parser(BundleParser::After::header);
  parser.append(bytes);
  for (;;) {
    auto item = parser.next();
    if (!item) return forward(item);
    if (!*item) break;
    if (auto* chunk = std::get_if<BundleChunk>(&**item)) chunks.push_back(std::move(*chunk));
    if (auto* end = std::get_if<BundleTrailer>(&**item)) trailer = *end;
  }
  if (parser.pending() == 0) return {};
  return bad_argument("run");
}

std::string to_text(const BundleProgress& progress) {
  ByteWriter out;
  return to_hex(out.fixed(progress.state).u64(progress.chunks).u64(progress.refused).view());
}

Result<BundleProgress> progress_from(const std::string& text) {
  const auto bytes = from_hex(text);
  ByteReader in(bytes ? ByteView(*bytes) : ByteView());
  BundleProgress progress;
  progress.state = in.fixed<BundleState>();
  progress.chunks = in.u64();
  progress.refused = in.u64();
  if (!in.finished()) return bad_argument("progress");
  return progress;
}

struct Taken {
  Bytes header;
  std::vector<BundleChunk> chunks;
  std::optional<BundleTrailer> trailer;
  std::string progress;
};

Result<Taken> asked_read(const Json& args) {
  Arguments in(args);
  Taken taken;
  const auto header = from_hex(in.text("header"));
  const auto run = from_hex(in.text("run"));
  taken.progress = in.text_or("progress", "");
  if (auto done = in.done(); !done) return forward(done);
  if (!header) return bad_argument("header");
  if (!run) return bad_argument("run");
  taken.header = *header;
  if (auto decoded = decode_items(*run, taken.chunks, taken.trailer); !decoded)
    return forward(decoded);
  return taken;
}

// Checks on this thread, so that the writer only stores.
Result<Json> check_run(NodeAccess& node,
                       const Taken& taken,
                       BundleRun& run,
                       BundleProgress& progress) {
  return node.read([&](Reader& reader, const Directory& directory) -> Result<Json> {
    const auto box = node.parts().vault.box();
    const auto bundle = BundleReader::open(directory, reader, box.get(), taken.header);
    if (!bundle) return forward(bundle);
    const auto told = taken.progress.empty() ? bundle->begin() : progress_from(taken.progress);
    if (!told) return forward(told);
    progress = *told;
    auto checked = bundle->run(taken.chunks, taken.trailer, progress);
    if (!checked) return forward(checked);
    run = std::move(*checked);
    return names_json(bundle->header(), bundle->authority());
  });
}

// Whether both hold the same of what they may exchange by bundles; null when this one cannot tell.
Json agrees(NodeAccess& node, const BundleRun& run, const PublicKey& sender) {
  if (!run.end || run.end->digest.is_zero()) return nullptr;
  const auto same = node.read([&](Reader&, const Directory& directory) -> Result<Json> {
    return Json(digest_of(bundle_heads(directory, sender)) == run.end->digest);
  });
  return same ? *same : Json(nullptr);
}

Result<Json> read(NodeAccess& node, const Json& args) {
  const auto taken = asked_read(args);
  if (!taken) return forward(taken);
  BundleRun run;
  BundleProgress progress;
  auto answer = check_run(node, *taken, run, progress);
  if (!answer) return answer;
  const PublicKey sender = run.window.received.peer;
  auto stored = node.write([&](Replica& replica) -> Result<Json> {
    const Arrival before = replica.directory().arrival();
    Received received = replica.receive(std::move(run.window.received));
    for (RefusedPiece& refused : received.refused) run.window.refused.push_back(std::move(refused));
    progress.refused += received.refused.size();
    return Json(replica.directory().arrival().value - before.value);
  });
  if (!stored) return stored;
  Json refused = Json::array();
  for (const RefusedPiece& each : run.window.refused)
    refused.push_back({{"code", each.error.code}, {"what", each.error.what}});
  (*answer)["pieces"] = run.pieces;
  (*answer)["news"] = *stored;
  (*answer)["refused"] = std::move(refused);
  (*answer)["ended"] = run.end.has_value();
  (*answer)["agrees"] = agrees(node, run, sender);
  (*answer)["progress"] = to_text(progress);
  return answer;
}

constexpr std::array verbs{
    Verb{"bundle.write", Needs::nothing, write},
    Verb{"bundle.names", Needs::nothing, names},
    Verb{"bundle.read", Needs::space, read},
};

}  // namespace

std::span<const Verb> bundle_verbs() {
  return verbs;
}

}  // namespace chapterd
