// What the links with other nodes say, in words.
#include "daemon/operations/doctor_facts.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>

namespace chapterd {
namespace {

using Json = nlohmann::json;

constexpr std::int64_t wrong_clock_ms = 10LL * 60 * 1000;

// Ends of a link, what they mean and what to do.
struct EndOfLink {
  std::string_view code;  // without "peer." in front
  Severity severity;
  const char* what;  // after the name of the peer
  const char* next;
};

constexpr std::array ends_of_links{
    EndOfLink{"net.unreachable", Severity::warning,
              " cannot be reached: its address refuses or does not answer.",
              "Check the network here, and whether the daemon there runs and listens. Its address "
              "is set by: chapterd config explain sync.parent. Without a network: chapterd bundle "
              "write"},
    EndOfLink{"tls.other-key", Severity::person,
              " is not who answers at its address: that computer has another key.",
              "Ask there whether the computer was replaced. A new one needs a new invite; do not "
              "trust it before somebody confirms it by voice."},
    EndOfLink{"federation.other", Severity::person, " says that it belongs to another federation.",
              "Check the address; a training federation and the live one never mix."},
    EndOfLink{"version.none-shared", Severity::person, " and this node speak no common version.",
              "Install the newer program on both."},
    EndOfLink{"node.unknown", Severity::person, " does not know this node.",
              "Ask there whether its database was restored or its chapter re-founded; else join "
              "anew with an invite."},
    EndOfLink{"node.revoked", Severity::person, " says that this node was revoked.", go_on_anew},
    // A link of this node's own that died is not told so: somebody else has called.
    EndOfLink{"link.replaced", Severity::person,
              " hung up because another computer calls with the key of this one: a copy of this "
              "data folder is in use.",
              "Stop one of the two, and give there: chapterd restore --as-new-node"},
    EndOfLink{"disk.low", Severity::warning, " takes nothing because its disk is nearly full.",
              "Tell the people there; this node tries again by itself."},
    EndOfLink{"budget.session", Severity::note,
              " was hung up on because the budget of a session was spent.",
              "It goes on with the next call. The limit: chapterd config explain "
              "sync.budget_session_bytes"},
    EndOfLink{"budget.day", Severity::note,
              " and this node exchange only statements and receipts until tomorrow: the budget of "
              "the day is used up on one side.",
              "The rest goes tomorrow. The limit: chapterd config explain sync.budget_day_bytes"},
    EndOfLink{"node.rolled-back", Severity::warning,
              " told this node, or was told, that it was put back to an older state.",
              "Nothing: both recover by themselves. See: chapterd status. If nobody put a backup "
              "back, a copy of a data folder is in use: stop one of the two computers, and give "
              "there: chapterd restore --as-new-node"},
};

const EndOfLink* meaning_of(std::string_view code) {
  if (code.starts_with("peer.")) code.remove_prefix(5);
  const auto at = std::ranges::find(ends_of_links, code, &EndOfLink::code);
  return at == ends_of_links.end() ? nullptr : &*at;
}

void check_peer(const Json& peer, bool daemon_runs, Diagnoses& found) {
  const std::string who = called(peer);
  const std::string state = peer.value("state", "");
  const std::string code = peer.value("end_code", "");
  const bool is_parent = peer.value("is_parent", false);
  if (state == "revoked") {
    found.push_back({is_parent ? Severity::person : Severity::note, "peer.revoked",
                     who + " was revoked; nothing is exchanged with it.", work_is_safe,
                     is_parent ? "Ask that chapter for a bundle from its new computer, which says "
                                 "whom to call from now on: chapterd bundle read FILE"
                               : "See what it wrote since: chapterd quarantine list"});
    return;
  }
  if (peer.value("stays_different", false)) {
    found.push_back({Severity::trouble, "peer.stays-different",
                     who + " holds something else than this node, and exchanging does not mend it.",
                     "Nothing was lost or overwritten.", "Run chapterd verify, here and there."});
  }
  const EndOfLink* end = state == "connected" ? nullptr : meaning_of(code);
  if (end != nullptr) {
    found.push_back({end->severity, code, who + end->what, work_is_safe, end->next});
  } else if (is_parent && state == "never heard" && daemon_runs) {
    found.push_back({Severity::warning, "parent.never-met",
                     who + ", the chapter above, has never answered.", work_is_safe,
                     "Check its address with: chapterd config show. Without a network: chapterd "
                     "bundle write"});
  }
  const auto heard = peer.find("heard_ms_ago");
  const bool has_heard = heard != peer.end() && heard->is_number_integer();
  if (is_parent && state != "connected" && has_heard &&
      heard->get<std::int64_t>() > long_silence_ms) {
    found.push_back({Severity::warning, "parent.silent",
                     who + ", the chapter above, was last heard " +
                         span_of(heard->get<std::int64_t>()) + " ago.",
                     work_is_safe,
                     "Ask there. Without a network, work travels in files: chapterd bundle write"});
  }
  const auto ahead = peer.find("clock_ahead_ms");
  if (ahead == peer.end() || !ahead->is_number_integer()) return;
  const std::int64_t ms = ahead->get<std::int64_t>();
  if (std::llabs(ms) < wrong_clock_ms) return;
  found.push_back({Severity::warning, "clock.differs",
                   "The clock of this computer is " + span_of(ms) +
                       (ms > 0 ? " behind" : " ahead of") + " that of " + who + ".",
                   "A wrong clock loses nothing and changes no order; only dates look odd.",
                   "Set the clock of whichever is wrong."});
}

}  // namespace

void check_peers(const Facts& facts, Diagnoses& found) {
  for (const Json& peer : facts.peers) {
    if (!facts.peer.empty() && peer.value("code", "") != facts.peer) continue;
    check_peer(peer, !facts.daemon, found);
  }
  if (facts.status.is_object() && facts.status.value("paused", false)) {
    found.push_back({Severity::person, "sync.paused", "Exchanging is paused.", work_is_safe,
                     "Go on with: chapterd sync resume"});
  }
}

}  // namespace chapterd
