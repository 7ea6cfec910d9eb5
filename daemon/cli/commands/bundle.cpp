// bundle: work for others in a file, when no network is there.
#include "base/bytes.h"
#include "daemon/cli/answers.h"
#include "daemon/cli/bundle_walk.h"
#include "daemon/cli/commands.h"
#include "daemon/cli/context.h"
#include "replication/format/statements.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <variant>

namespace chapterd {
namespace {

// --- write ---

struct Size {
  std::uint64_t bytes = 0;
  std::uint64_t entries = 0;
  std::uint64_t receipts = 0;
  std::uint64_t parts = 0;
};

// Called with each run: its answer, and its bytes.
using OnRun = std::function<Result<void>(const Json& run, const Bytes& bytes)>;

// Asks for run after run until the whole bundle is there.
Result<Size> each_run(Context& context, Json args, const OnRun& on_run) {
  Size size;
  for (;;) {
    const auto run = context.call("bundle.write", args);
    if (!run) return forward(run);
    const auto bytes = from_hex(text(*run, "data"));
    if (auto taken = on_run(*run, bytes.value_or(Bytes())); !taken) return forward(taken);
    size.bytes += count(*run, "bytes");
    if (is_true(*run, "part_ended")) {
      ++size.parts;
      size.entries += count(*run, "entries");
      size.receipts += count(*run, "receipts");
    }
    if (is_true(*run, "ended")) return size;
    args["place"] = text(*run, "place");
  }
}

Result<Json> asked_write(Context& context) {
  Json args = {{"to", context.given.all("to")},
               {"ack", context.given.has("ack")},
               {"whole", context.given.has("whole")}};
  if (context.given.has("limit")) {
    const auto limit = context.given.number("limit");
    if (!limit) return forward(limit);
    args["limit"] = *limit;
  }
  return args;
}

Json size_json(const Size& size) {
  return Json{{"bytes", size.bytes},
              {"entries", size.entries},
              {"receipts", size.receipts},
              {"parts", size.parts}};
}

std::string size_words(const Size& size) {
  return counted(size.entries, "entry", "entries") + " and " +
         counted(size.receipts, "receipt", "receipts") + ", " + bytes_of(size.bytes) +
         (size.parts > 1 ? " in " + std::to_string(size.parts) + " parts" : "");
}

std::string part_name(const std::string& out, std::uint64_t part, std::uint64_t parts) {
  return parts == 1 ? out : out + "." + std::to_string(part);
}

Result<Size> write_parts(Context& context, Json args, std::uint64_t parts, Json& files) {
  const std::string out = context.given.text("out");
  args["parts"] = parts;
  std::optional<BundleSink> sink;
  return each_run(context, args, [&](const Json& run, const Bytes& bytes) -> Result<void> {
    const std::string path = part_name(out, count(run, "part"), parts);
    if (!sink) {
      auto opened = BundleSink::open(path);
      if (!opened) return forward(opened);
      sink.emplace(std::move(*opened));
    }
    if (auto written = sink->write(bytes); !written) return written;
    if (!is_true(run, "part_ended")) return {};
    if (auto finished = sink->finish(); !finished) return finished;
    sink.reset();
    files.push_back(path);
    return {};
  });
}

Result<void> write(Context& context) {
  Output& output = context.output;
  const bool estimate = context.given.has("estimate");
  if (!estimate && !context.given.has("out")) {
    return fail(Errc::usage, "cli.missing-flag", "--out FILE says where the bundle goes.",
                "Nothing was done.", "Name a file, or ask for the size only with --estimate.");
  }
  const auto args = asked_write(context);
  if (!args) return forward(args);
  Json dry = *args;
  dry["estimate"] = true;
  output.say("Looking what to bring …");
  const auto expected =
      each_run(context, dry, [](const Json&, const Bytes&) -> Result<void> { return {}; });
  if (!expected) return forward(expected);
  if (estimate) {
    if (!output.answer(size_json(*expected))) output.print(size_words(*expected));
    return {};
  }
  Json files = Json::array();
  const auto size = write_parts(context, *args, expected->parts, files);
  if (!size) return forward(size);
  Json answer = size_json(*size);
  answer["files"] = files;
  if (output.answer(answer)) return {};
  for (const Json& file : files) output.print("Written to " + file.get<std::string>());
  output.say(size_words(*size) + ".");
  output.say("Nobody but the chapter it is for can read it. There: chapterd bundle read FILE");
  return {};
}

// --- read ---

// One file, whether it has a name or comes in on stdin.
class Source {
 public:
  static Result<Source> open(const Context& context, const std::string& path) {
    Source source;
    if (path == "-") {
      source.in_ = &context.around.in;
      return source;
    }
    source.file_ = std::make_unique<std::ifstream>(path, std::ios::binary);
    if (!*source.file_) {
      return fail(errno == ENOENT ? Errc::not_found : Errc::failed, "cli.no-file",
                  "The file “" + path + "” cannot be opened: " + std::strerror(errno) + ".",
                  "Nothing was done.", "Check its name and whether you may use it.");
    }
    source.in_ = source.file_.get();
    return source;
  }

  [[nodiscard]] std::istream& in() const { return *in_; }

 private:
  std::unique_ptr<std::ifstream> file_;
  std::istream* in_ = nullptr;
};

// What has been read of one bundle.
struct Reading {
  Json answer = Json::object();  // of the newest run
  Json refused = Json::array();
  std::uint64_t news = 0;
  bool ended = false;
};

Result<void> send_run(Context& context, const Bytes& header, const Bytes& run, Reading& reading) {
  Json args = {{"header", to_hex(header)}, {"run", to_hex(run)}};
  if (!reading.answer.empty()) args["progress"] = text(reading.answer, "progress");
  auto answer = context.call("bundle.read", args);
  if (!answer) return forward(answer);
  reading.answer = std::move(*answer);
  reading.news += count(reading.answer, "news");
  reading.ended = is_true(reading.answer, "ended");
  for (const Json& each : list(reading.answer, "refused")) reading.refused.push_back(each);
  return {};
}

Result<void> too_long() {
  return fail(Errc::malformed, "bundle.damaged", "A run of this bundle is longer than allowed.",
              "Whatever was read before this place is kept.", "Ask for the file once more.");
}

// Run after run; what a truncated file has left of its last one as well.
Result<void> read_runs(Context& context, BundleWalk& walk, Reading& reading) {
  Bytes header;
  Bytes run;
  bool is_last = false;
  for (;;) {
    auto item = walk.next();
    if (!item) return forward(item);
    if (!*item) break;
    if (auto* first = std::get_if<BundleHeaderBytes>(&**item)) header = std::move(first->bytes);
    if (const auto* trailer = std::get_if<BundleTrailer>(&**item)) append(run, encode(*trailer));
    if (const auto* chunk = std::get_if<BundleChunk>(&**item)) {
      append(run, encode(*chunk));
      is_last = chunk->end == ChunkEnd::last;
      if (run.size() > limits::bundle_run_bytes) return too_long();
      if (chunk->end != ChunkEnd::run) continue;
    }
    if (run.empty()) continue;
    if (auto sent = send_run(context, header, run, reading); !sent) return sent;
    run.clear();
    if (is_last && !walk.complete()) continue;
  }
  if (header.empty()) return {};
  // A header alone says at least whether it is for this node.
  if (!run.empty() || reading.answer.empty()) return send_run(context, header, run, reading);
  return {};
}

Json reading_json(const Reading& reading, bool complete) {
  return Json{{"from", member(reading.answer, "from")},
              {"to", member(reading.answer, "to")},
              {"news", reading.news},
              {"refused", reading.refused},
              {"complete", complete},
              {"agrees", member(reading.answer, "agrees")}};
}

void tell_read(Context& context, const Reading& reading, bool complete) {
  Output& output = context.output;
  if (output.answer(reading_json(reading, complete))) return;
  const std::string from = plain(text(reading.answer, "from"));
  output.print("From " + from + ": " + counted(reading.news, "thing", "things") +
               " that this node did not hold yet.");
  for (const Json& each : reading.refused)
    output.print(output.paint(Shade::bad, "Not taken: ") + plain(text(each, "what")));
  if (is_true(reading.answer, "agrees")) {
    output.print(output.paint(Shade::good, "Both hold the same now."));
  }
  if (complete)
    output.say("The answer home: chapterd bundle write --ack --to " + from + " --out FILE");
}

Result<void> read(Context& context) {
  const std::string path = context.given.text("FILE");
  const auto source = Source::open(context, path);
  if (!source) return forward(source);
  BundleWalk walk(source->in());
  Reading reading;
  auto all = read_runs(context, walk, reading);
  const bool complete = all && walk.complete() && reading.ended;
  const std::string taken = counted(reading.news, "thing", "things") +
                            " that came before the break were taken and are kept.";
  if (!all) {
    if (reading.news > 0) all.error().safe = taken;
    return all;
  }
  if (walk.bytes() == 0) {
    return fail(Errc::malformed, "bundle.none", "This file is empty.", "Nothing was changed.",
                "Look for the file that 'chapterd bundle write' made.");
  }
  if (reading.answer.empty() || !complete) {
    if (!reading.answer.empty()) tell_read(context, reading, false);
    return fail(bundle_cut_short(taken));
  }
  tell_read(context, reading, true);
  if (reading.refused.empty()) return {};
  return fail(Errc::check_failed, "bundle.not-all", "Not everything in this bundle could be taken.",
              taken,
              "An earlier bundle or part may be missing: read that first, then this one again.");
}

// --- inspect ---

// What the sender's own statements call it.
std::string self_named(const BundleHeader& header) {
  std::string code;
  for (const Bytes& bytes : header.chain) {
    const auto statement = decode_statement(bytes);
    const auto* chapter = statement ? std::get_if<ChapterCertificate>(&statement->body) : nullptr;
    if (chapter != nullptr) code = chapter->code;
  }
  return code;
}

Json sight_json(Context& context, const BundleSight& sight) {
  const BundleHeader& header = sight.header;
  Json json = {{"federation", to_hex(header.federation.view())},
               {"kind", header.kind == BundleKind::ack ? "ack" : "data"},
               {"from", self_named(header)},
               {"part", header.part},
               {"parts", header.parts},
               {"written_ms", header.written.ms},
               {"bytes", sight.bytes},
               {"complete", sight.trailer.has_value() && !sight.damage},
               {"entries", nullptr},
               {"receipts", nullptr},
               {"readable", nullptr}};
  Json to = Json::array();
  for (const BundleRecipient& recipient : header.recipients)
    to.push_back(to_hex(recipient.node.view()).substr(0, 8));
  // A node, when there is one here, knows the names.
  const auto names = context.call("bundle.names", {{"header", to_hex(sight.header_bytes)}});
  if (names && !text(*names, "from").empty()) json["from"] = text(*names, "from");
  json["to"] = names ? member(*names, "to") : to;
  if (names) json["readable"] = member(*names, "readable");
  if (sight.trailer) {
    json["entries"] = sight.trailer->entries;
    json["receipts"] = sight.trailer->receipts;
  }
  return json;
}

std::string joined(const Json& texts) {
  std::string all;
  for (const Json& each : texts) all += (all.empty() ? "" : ", ") + each.get<std::string>();
  return plain(all);
}

void tell_sight(Context& context, const Json& json) {
  Output& output = context.output;
  if (output.answer(json)) return;
  const bool is_ack = text(json, "kind") == "ack";
  output.print(std::string(is_ack ? "An answer" : "Work") + " from " + plain(text(json, "from")) +
               " for " + joined(list(json, "to")) + ", written " +
               date_of(number(json, "written_ms").value_or(0)) + ".");
  if (count(json, "parts") > 1) {
    output.print("Part " + std::to_string(count(json, "part")) + " of " +
                 std::to_string(count(json, "parts")) + ".");
  }
  if (is_true(json, "complete")) {
    output.print(output.paint(Shade::good, "Complete: ") +
                 counted(count(json, "entries"), "entry", "entries") + ", " +
                 counted(count(json, "receipts"), "receipt", "receipts") + ", " +
                 bytes_of(count(json, "bytes")) + ".");
  }
  const Json& readable = member(json, "readable");
  if (readable.is_boolean()) {
    output.print(readable.get<bool>() ? "This node can read it."
                                      : "This node cannot read it; it can be its courier.");
  }
}

Result<void> inspect(Context& context) {
  const auto source = Source::open(context, context.given.text("FILE"));
  if (!source) return forward(source);
  const auto sight = look_at_bundle(source->in());
  if (!sight) return forward(sight);
  tell_sight(context, sight_json(context, *sight));
  if (sight->damage) return fail(*sight->damage);
  if (sight->trailer) return {};
  return fail(bundle_cut_short("What comes before the break can be read."));
}

}  // namespace

std::vector<Command> bundle_commands() {
  const Argument file{.name = "FILE", .help = "The bundle, or - for what comes in on stdin."};
  return {Command{.path = {"bundle", "write"},
                  .help = "Put what a chapter does not have yet into a file for it.",
                  .group = command_group::others,
                  .flags = {Flag{.name = "to",
                                 .value = "CODE",
                                 .help = "Chapter that it is for; several get what all of them may "
                                         "hold.",
                                 .many = true,
                                 .required = true},
                            Flag{.name = "out", .value = "FILE", .help = "Where it goes."},
                            Flag{.name = "limit",
                                 .value = "BYTES",
                                 .help = "Most that one file may have; the rest goes into FILE.2 "
                                         "and so on."},
                            Flag{.name = "ack",
                                 .value = "",
                                 .help = "Only the answer: what is held here, and receipts."},
                            Flag{.name = "whole",
                                 .value = "",
                                 .help = "Everything, also what they are known to have."},
                            Flag{.name = "estimate",
                                 .value = "",
                                 .help = "Say how large it would be, and write nothing."}},
                  .run = write,
                  .more = "Only the nodes of these chapters can read it, so anybody may carry it."},
          Command{.path = {"bundle", "read"},
                  .help = "Take in what is in a bundle for this node.",
                  .group = command_group::others,
                  .arguments = {file},
                  .run = read,
                  .more = "Reading one twice, or an old one, does no harm."},
          Command{.path = {"bundle", "inspect"},
                  .help = "Whose a bundle is, for whom, and whether it is complete.",
                  .group = command_group::others,
                  .arguments = {file},
                  .run = inspect}};
}

}  // namespace chapterd
