// status: one screen. Where the work is, who was heard, what needs a person.
#include "daemon/cli/answers.h"
#include "daemon/cli/commands.h"
#include "daemon/cli/context.h"
#include "daemon/cli/peer_words.h"
#include "daemon/cli/record_words.h"

namespace chapterd {
namespace {

constexpr std::size_t page_columns = 84;

// One sentence for each state that was proved; none says more than the node's answer.
std::string station_sentence(const Json& station, const std::string& name) {
  const std::string state = text(station, "state");
  const std::uint64_t waiting = count(station, "waiting");
  if (text(station, "at") == "saved") return "Everything you saved is on this disk.";
  const std::string wait =
      waiting == 1 ? "1 entry waits" : std::to_string(waiting) + " entries wait";
  if (state == "up to date" && count(station, "held") == 0) {
    return "Nothing that you saved goes to " + name + " so far.";
  }
  if (state == "up to date") return name + " has confirmed all that goes there.";
  if (state == "waiting") return wait + " until " + name + " confirms.";
  if (state == "sending") return wait + " and are being sent now.";
  if (state == "stalled") return wait + "; nothing has moved for a while.";
  if (state == "offline") return wait + ". Your work is safe here and will be sent.";
  if (state == "needs a person") return "Somebody has to decide something first; see below.";
  return "Not known yet: " + name + " has not confirmed anything.";
}

std::string station_name(const Json& station) {
  const std::string at = text(station, "at");
  if (at == "saved") return "On this computer";
  const std::string name = plain(text(station, "name"));
  return name.empty() ? "The chapter above" : name;
}

// Solid when caught up, dashed when something waits.
std::string station_lines(const Output& output, const Json& station, bool own) {
  const bool good = own || text(station, "state") == "up to date";
  const Shade shade = good ? Shade::good : Shade::waits;
  const std::string name = station_name(station);
  std::string lines = own ? "" : "  " + output.paint(shade, good ? "│" : "┊") + "\n";
  lines += "  " + output.paint(shade, good ? "●" : "○") + " " + output.paint(Shade::strong, name) +
           "  " + counted(count(station, "held"), "entry of yours", "entries of yours");
  if (!own && number(station, "since_ms").value_or(0) > 0) {
    lines += output.paint(Shade::faint, ", the oldest was written " + since(station, "since_ms"));
  }
  return lines + "\n    " + station_sentence(station, name) + "\n";
}

std::string stations(const Output& output, const Json& status) {
  std::string page = output.paint(Shade::strong, "Where your work is") + "\n";
  const Json& work = list(status, "work");
  for (const Json& station : work) {
    if (is_told_elsewhere(work, station)) continue;
    page += station_lines(output, station, &station == &work.front());
  }
  return page;
}

std::string heading(const Context& context, const Json& status) {
  const Output& output = context.output;
  const Json& chapter = member(status, "chapter");
  std::string page = output.paint(Shade::strong, plain(text(chapter, "name"))) + " (" +
                     plain(text(chapter, "code")) + ") of " +
                     plain(text(member(status, "federation"), "name")) + "\n" +
                     "Computer: " + plain(text(member(status, "node"), "name")) + ". ";
  page += is_true(status, "daemon")
              ? "The daemon is running.\n"
              : output.paint(Shade::waits, "The daemon is not running: " + context.command("run")) +
                    "\n";
  if (is_true(status, "paused")) {
    page += output.paint(Shade::waits, "Exchanging is paused: " + context.command("sync resume")) +
            "\n";
  }
  if (const std::string budget = budget_words(status); !budget.empty()) page += budget + "\n";
  const bool locked = is_true(member(status, "private"), "locked");
  if (status.contains("authority") && !is_true(status, "authority") && !locked) {
    page +=
        "The authority key is not here: requests to join are answered once authority.key is "
        "back.\n";
  }
  return page;
}

// While the node waits to hear what the others hold of it.
std::string restored(const Output& output, const Json& status) {
  if (!number(status, "restored_ms")) return {};
  const bool has_parent = list(status, "work").size() > 2;
  const std::string whom = has_parent ? "the chapter above" : "the chapters below";
  return output.paint(Shade::strong, "Restored from an older state") + "\n" +
         wrapped("Noticed " + since(status, "restored_ms") +
                     ". What you write is saved and will be sent. What was sent after that state "
                     "was kept comes back from " +
                     whom + " once this computer has met it; leave the daemon running.",
                 2, page_columns) +
         "\n";
}

// Whether the chapter's private data can be read here, and who else could.
std::string private_words(const Context& context, const Json& status) {
  const Json& state = member(status, "private");
  if (!state.is_object()) return "";
  if (is_true(state, "locked")) {
    std::string words = "Private data is locked; unlock it with: " + context.command("unlock");
    if (const std::uint64_t waiting = count(state, "waiting"); waiting > 0)
      words += "\n  " + counted(waiting, "entry waits", "entries wait") + " for it.";
    return words + "\n";
  }
  if (text(state, "protection") == "machine")
    return "Private data is open, and bound to this computer without a passphrase.\n";
  return "Private data is unlocked; lock it with: " + context.command("lock") + "\n";
}

std::string stock(const Json& status) {
  std::string words;
  const Json& records = member(status, "records");
  if (records.is_object()) {
    for (const auto& kind : records.items()) {
      if (!kind.value().is_number_unsigned() || kind.value() == 0) continue;
      words += (words.empty() ? "" : ", ") + plain(kind.key()) + " (" + kind.value().dump() + ")";
    }
  }
  if (words.empty()) words = "nothing yet";
  return "Records here: " + words + ".\n";
}

std::string needs(const Output& output, const Json& status) {
  const Json& open = list(status, "needs_person");
  std::string page = output.paint(Shade::strong, "What needs you") + "\n";
  if (open.empty()) return page + "  Nothing.\n";
  for (const Json& one : open) {
    const std::string words = output.hint(plain(text(one, "text")));
    page += wrapped("! " + (words.empty() ? plain(text(one, "code")) : words), 2, page_columns);
  }
  return page;
}

Result<void> show_status(Context& context) {
  const auto status = context.call("status", Json::object());
  if (!status) return forward(status);
  Output& output = context.output;
  if (output.answer(*status)) return {};
  std::string page = heading(context, *status) + "\n" + stations(output, *status) + "\n";
  page += restored(output, *status);
  page += output.paint(Shade::strong, "Other chapters") + "\n";
  const Json& peers = list(*status, "peers");
  if (peers.empty()) page += "  None yet.\n";
  for (const Json& peer : peers) {
    page +=
        "  " + peer_name(peer, peers) + ": " + peer_state(output, peer) + last_heard(peer) + "\n";
  }
  if (const std::string asked = ancestors_words(*status); !asked.empty())
    page += "  " + asked + "\n";
  page += "\n" + needs(output, *status) + "\n" + private_words(context, *status) + stock(*status);
  if (const std::uint64_t pending = count(*status, "pending"); pending > 0) {
    page += counted(pending, "entry waits", "entries wait") +
            " for something that has not come yet; nothing is lost.\n";
  }
  if (number(*status, "disk_free_bytes")) {
    page += "Free on the disk: " + bytes_of(count(*status, "disk_free_bytes")) + ".\n";
  }
  output.print(page);
  return {};
}

}  // namespace

std::vector<Command> status_commands() {
  return {Command{.path = {"status"},
                  .help = "One screen: where your work is, who was heard, what needs you.",
                  .group = command_group::work,
                  .run = show_status}};
}

}  // namespace chapterd
