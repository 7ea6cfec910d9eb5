// One line a peer.
#include "daemon/cli/peer_words.h"

#include "daemon/cli/answers.h"
#include "daemon/cli/record_words.h"

#include <algorithm>

namespace chapterd {

std::string peer_name(const Json& peer) {
  const std::string name = plain(text(peer, "name"));
  const std::string code = plain(text(peer, "code"));
  if (!name.empty() && !code.empty() && name != code) return name + " (" + code + ")";
  if (!name.empty() || !code.empty()) return name.empty() ? code : name;
  return text(peer, "side") == "we dial" ? "the chapter above" : "not known yet";
}

std::string peer_name(const Json& peer, const Json& peers) {
  const auto of_chapter = std::ranges::count_if(
      peers, [&](const Json& other) { return text(other, "code") == text(peer, "code"); });
  const std::string computer = plain(text(peer, "computer"));
  return peer_name(peer) + (of_chapter > 1 && !computer.empty() ? ", " + computer : "");
}

std::string last_heard(const Json& peer) {
  if (const auto heard = number(peer, "heard_ms_ago")) return ", last heard " + ago(*heard);
  return text(peer, "state") == "never heard" ? "" : ", not heard yet";
}

std::string peer_state(const Output& output, const Json& peer) {
  const std::string state = text(peer, "state");
  if (state == "connected" && is_true(peer, "is_saving"))
    return output.paint(Shade::waits, "connected, the rest waits until tomorrow");
  if (state == "connected") {
    return is_true(peer, "caught_up") ? output.paint(Shade::good, "connected, up to date")
                                      : output.paint(Shade::waits, "connected, exchanging");
  }
  if (state == "revoked") return output.paint(Shade::bad, "revoked");
  std::string words = plain(state);
  const auto next = number(peer, "next_dial_ms");
  if (state == "offline" && next) words += ", next try " + ahead(*next);
  return output.paint(Shade::waits, words);
}

std::string budget_words(const Json& status) {
  const Json& budget = member(status, "budget");
  if (!budget.is_object()) return "";
  const std::string used =
      bytes_of(count(budget, "used_bytes")) + " of " + bytes_of(count(budget, "day_bytes"));
  if (!is_true(budget, "is_spent")) return "Moved today: " + used + ".";
  return "Today's budget is used up (" + used +
         "). Revocations and receipts still go; the rest waits until tomorrow (UTC).";
}

std::string ancestors_words(const Json& status) {
  const Json& ancestors = member(status, "ancestors");
  if (!ancestors.is_object()) return "";
  const std::string asked =
      number(ancestors, "asked_ms")
          ? "A node further up told all revocations " + since(ancestors, "asked_ms") + "."
          : std::string("No node further up has told its revocations yet.");
  const std::string why = text(ancestors, "end_code");
  return why.empty() ? asked : asked + " The last call failed: " + plain(why) + ".";
}

std::string peer_table(const Output& output, const Json& peers) {
  Table table({"Chapter", "State", "Heard", "Sent", "Received"});
  table.right(3);
  table.right(4);
  for (const Json& peer : peers) {
    const auto heard = number(peer, "heard_ms_ago");
    table.row({peer_name(peer, peers), peer_state(output, peer), heard ? ago(*heard) : "not yet",
               std::to_string(count(peer, "sent")), std::to_string(count(peer, "received"))});
  }
  return table.text(output);
}

}  // namespace chapterd
