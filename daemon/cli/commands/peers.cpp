// peers: who this node exchanges with, approving requests that came as files, and revoking.
#include "daemon/cli/answers.h"
#include "daemon/cli/commands.h"
#include "daemon/cli/context.h"
#include "daemon/cli/enrol_file.h"
#include "daemon/cli/peer_words.h"

#include <algorithm>
#include <iterator>
#include <optional>

namespace chapterd {
namespace {

constexpr std::size_t least_digits = 4;  // of a fingerprint

Result<void> list_peers(Context& context) {
  const auto answer = context.call("peers.list", Json::object());
  if (!answer) return forward(answer);
  Output& output = context.output;
  if (output.answer(*answer)) return {};
  const Json& peers = list(*answer, "peers");
  if (peers.empty()) {
    output.say(
        "No other chapter is known yet. Invite one: chapterd invite create CODE --name NAME");
    return {};
  }
  output.print(peer_table(output, peers));
  return {};
}

// Those that are meant: by the code, else by the chapter's name, the computer's, or at least four
// digits of the fingerprint.
std::vector<Json> meant_peers(const Json& peers, const std::string& wanted) {
  std::vector<Json> found;
  for (const char* part : {"code", "name", "computer"}) {
    std::ranges::copy_if(peers, std::back_inserter(found),
                         [&](const Json& peer) { return text(peer, part) == wanted; });
    if (!found.empty()) return found;
  }
  if (wanted.size() < least_digits) return found;
  std::ranges::copy_if(peers, std::back_inserter(found), [&](const Json& peer) {
    return text(peer, "fingerprint").starts_with(wanted);
  });
  return found;
}

// "Kenya (KE), office, 51f89785": there may be several computers of one chapter.
std::string whole_name(const Json& peer) {
  std::string name = peer_name(peer);
  for (const char* part : {"computer", "fingerprint"}) {
    if (const std::string more = plain(text(peer, part)); !more.empty()) name += ", " + more;
  }
  return name;
}

// The one that is meant; nothing when none here is called so.
Result<std::optional<Json>> find_peer(Context& context, const std::string& wanted) {
  const auto answer = context.call("peers.list", Json::object());
  if (!answer) return forward(answer);
  const std::vector<Json> found = meant_peers(list(*answer, "peers"), wanted);
  if (found.empty()) return std::nullopt;
  if (found.size() == 1) return found.front();
  std::string all;
  for (const Json& peer : found)
    all += "\n  " + whole_name(peer) + (text(peer, "state") == "revoked" ? ", revoked" : "");
  return fail(Errc::usage, "peers.ambiguous",
              "“" + wanted + "” is said of " + std::to_string(found.size()) + " computers:" + all,
              "Nothing was changed.", "Name one by its fingerprint.");
}

tl::unexpected<Error> unknown(const std::string& wanted) {
  return fail(Errc::not_found, "peers.unknown", "No chapter here is called “" + wanted + "”.",
              "Nothing was changed.", "See: chapterd peers list");
}

Result<void> show_peer(Context& context) {
  const std::string wanted = context.given.text("CODE");
  const auto found = find_peer(context, wanted);
  if (!found) return forward(found);
  if (!*found) return unknown(wanted);
  const Json* peer = &**found;
  Output& output = context.output;
  if (output.answer(*peer)) return {};
  output.print(output.paint(Shade::strong, peer_name(*peer)));
  if (const std::string computer = text(*peer, "computer"); !computer.empty())
    output.print("  Computer     " + plain(computer));
  output.print("  State        " + peer_state(output, *peer));
  const auto heard = number(*peer, "heard_ms_ago");
  output.print("  Heard        " + (heard ? ago(*heard) : std::string("not yet")));
  if (const std::string address = text(*peer, "address"); !address.empty())
    output.print("  Address      " + plain(address) + " (" + plain(text(*peer, "side")) + ")");
  output.print("  Exchanged    " + std::to_string(count(*peer, "sent")) + " entries sent, " +
               std::to_string(count(*peer, "received")) + " received in this session");
  const std::string fingerprint = plain(text(*peer, "fingerprint"));
  output.print("  Fingerprint  " + (fingerprint.empty() ? "not known yet" : fingerprint));
  if (const std::string end = text(*peer, "end_code"); !end.empty()) {
    output.print("  Last end     " + plain(end));
  }
  return {};
}

Result<void> approve(Context& context) {
  const auto letter = context.read_text(context.given.text("FILE"));
  if (!letter) return forward(letter);
  const auto request = enrol_base32(EnrolKind::request, *letter);
  if (!request) return forward(request);
  const bool chosen = context.given.has("out");
  auto file = chosen ? context.new_file(context.given.text("out"))
                     : Result<std::optional<NewFile>>(std::nullopt);
  if (!file) return forward(file);
  auto answer = context.call("join.answer", {{"request", *request}});
  if (!answer) return forward(answer);
  const std::string code = plain(text(*answer, "code"));
  const std::string words = text(*answer, "words");
  const std::string path = chosen ? context.given.text("out") : "join-answer-" + code + ".txt";
  // Only the answer tells the code; whoever asks again gets the same answer.
  if (!chosen) file = context.new_file(path);
  if (!file) return forward(file);
  auto written = context.write_text(
      *file, enrol_text(EnrolKind::answer, text(*answer, "answer"),
                        "Hand this file back to " + code + ". There: chapterd join FILE\n" +
                            "Compare by voice: " + words));
  if (!written) return written;
  (*answer)["file"] = path;
  Output& output = context.output;
  if (path == "-" || output.answer(*answer)) return {};
  output.print("Approved: " + code + ". The answer is in " + path);
  output.print("Compare these words by voice before you hand it back: " +
               output.paint(Shade::strong, words));
  return {};
}

// Which node that is, the node judges: it also knows computers that were never heard.
Json node_called(const std::string& wanted, const std::optional<Json>& peer) {
  if (peer && (text(*peer, "code") == wanted || text(*peer, "name") == wanted))
    return {{"code", text(*peer, "code")}};
  const bool is_fingerprint = wanted.size() >= least_digits &&
                              wanted.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (is_fingerprint) return {{"fingerprint", wanted}};
  return peer ? Json{{"fingerprint", text(*peer, "fingerprint")}} : Json{{"code", wanted}};
}

Result<void> revoke(Context& context) {
  const std::string wanted = context.given.text("CODE");
  const auto peer = find_peer(context, wanted);
  if (!peer) return forward(peer);
  const std::string name = *peer ? whole_name(**peer) : wanted;
  auto sure = context.confirm("Revoke " + name + "? This cannot be undone.");
  if (!sure) return sure;
  Json args = node_called(wanted, *peer);
  args["reason"] = context.given.text("reason");
  const auto answer = context.call("peers.revoke", args);
  if (!answer) return forward(answer);
  if (context.output.answer(*answer)) return {};
  context.output.print("Revoked: " + name);
  context.output.say("Every node that hears of it closes the link and takes nothing further.");
  return {};
}

}  // namespace

std::vector<Command> peers_commands() {
  const Argument code{
      .name = "CODE",
      .help = "Code or name of the chapter, name of its computer, or the fingerprint."};
  const auto row = [](const char* verb, const char* help) {
    return Command{.path = {"peers", verb}, .help = help, .group = command_group::others};
  };
  Command list = row("list", "Who this node exchanges with, and when they were last heard.");
  list.run = list_peers;
  Command show = row("show", "All about one of them, with the fingerprint of its key.");
  show.arguments = {code};
  show.run = show_peer;
  Command approved = row("approve", "Answer a request to join that came as a file.");
  approved.arguments = {Argument{.name = "FILE", .help = "The request; - is stdin."}};
  approved.flags = {Flag{.name = "out",
                         .value = "FILE",
                         .help = "Where the answer goes; - is stdout. Else join-answer-CODE.txt."}};
  approved.run = approve;
  Command revoked = row("revoke", "Shut a node out for good, such as a stolen laptop.");
  revoked.arguments = {code};
  revoked.flags = {
      Flag{.name = "reason", .value = "TEXT", .help = "Why, for the record.", .required = true},
      Flag{.name = "yes", .value = "", .help = "Do not ask."}};
  revoked.run = revoke;
  return {list, show, approved, revoked};
}

}  // namespace chapterd
