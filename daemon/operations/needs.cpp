// The words of what needs a person.
#include "daemon/operations/needs.h"

#include "daemon/operations/arguments.h"
#include "daemon/operations/held.h"
#include "daemon/operations/strangers.h"
#include "daemon/operations/verbs.h"
#include "daemon/operations/where.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <string_view>

namespace chapterd {
namespace {

using Json = nlohmann::json;

// Ends of links that time alone does not mend.
struct LastingEnd {
  std::string_view code;
  const char* words;
};

constexpr std::array lasting_ends{
    LastingEnd{"federation.other", "it belongs to another federation. Ask there."},
    LastingEnd{"link.replaced",
               "another computer calls it with the key of this one: a copy of this data folder is "
               "in use. Nothing is lost. Stop one of the two. See: chapterd doctor"},
    LastingEnd{"node.revoked", "it says that this node was revoked. Ask there."},
    LastingEnd{"node.unknown", "it does not know this node. Ask there."},
    LastingEnd{"tls.other-key", "another computer answers at its address. Ask there."},
    LastingEnd{"version.none-shared", "the two programs share no version. Install the newer one."},
};

// Null for an end that may mend by itself.
const LastingEnd* lasting_end(std::string_view code) {
  constexpr std::string_view said_by_peer = "peer.";
  if (code.starts_with(said_by_peer)) code.remove_prefix(said_by_peer.size());
  const auto at = std::ranges::find(lasting_ends, code, &LastingEnd::code);
  return at == lasting_ends.end() ? nullptr : &*at;
}

// Nobody above can say what the global node lost.
std::optional<Need> unconfirmed(const Moment& moment) {
  const bool is_top = !stations_of(moment.directory).parent;
  if (!is_top || moment.reader.values(stored_name::waits).empty()) return std::nullopt;
  return Need{"restore.unconfirmed",
              "This node was put back to an older state and exchanges nothing but certificates "
              "until somebody confirms that. To fetch back what the chapters below hold: chapterd "
              "restore --recover"};
}

// "2026-11-20"
std::string day_of(std::int64_t ms) {
  const std::chrono::sys_time<std::chrono::milliseconds> at{std::chrono::milliseconds(ms)};
  const std::chrono::year_month_day day(std::chrono::floor<std::chrono::days>(at));
  char text[32];
  std::snprintf(text, sizeof text, "%04d-%02u-%02u", static_cast<int>(day.year()),
                static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()));
  return text;
}

// A copied folder, or a restored one that nobody could tell of it.
Need second_history(const Directory& directory, const OpenFork& fork) {
  const Authority& authority = directory.authority();
  const std::string since =
      fork.since_ms == 0 ? "" : " since " + day_of(fork.since_ms) + " (by its own clock)";
  if (fork.node == directory.self()) {
    return {"fork.own", "A copy of this computer's data folder was used on another computer" +
                            since +
                            ". Nothing is lost: what both wrote counts. Stop one of the two; "
                            "this one goes on by itself once it has met the chapter above. See: "
                            "chapterd fork list"};
  }
  const KnownNode* known = authority.node(fork.node);
  const std::string computer = known == nullptr ? "A computer" : shown(known->certificate.name);
  return {"fork", computer + " of " + name_of(authority, fork.chapter) + " has two histories" +
                      since +
                      ": a copy of its data folder was used on a second computer. Nothing is "
                      "lost: both count. Ask that chapter to stop one of the two. See: chapterd "
                      "fork list " +
                      code_of(authority, fork.chapter)};
}

std::optional<Need> cannot_unlock(const NodeParts& parts) {
  if (!parts.vault.is_locked() || !parts.locked_because) return std::nullopt;
  const Error& why = *parts.locked_because;
  return Need{why.code, "Private data cannot be opened. " + why.what + " " + why.next};
}

// Whoever writes with this node's key or for its chapter, and does not belong here.
void add_strangers(const Moment& moment, Instant now, Json& needs) {
  if (told_elsewhere(moment.reader, moment.directory, now))
    needs.push_back(
        to_json({"copy.likely",
                 "A copy of this computer's data folder is likely to be in use elsewhere. Nothing "
                 "is lost. See: chapterd doctor"}));
  if (!strange_computers(moment.directory).empty())
    needs.push_back(
        to_json({"chapter.other-computer",
                 "Another computer writes for this chapter that another authority key certified. "
                 "Nothing private is handed to it. See: chapterd doctor"}));
}

// Bytes of the database that are not what was written: all else goes on.
std::optional<Need> degraded(const NodeParts& parts) {
  const auto noticed = parts.damage.get();
  if (!noticed) return std::nullopt;
  return Need{noticed->error.code, "This node goes on, but its database is damaged. " +
                                       noticed->error.what + " " + noticed->error.next};
}

}  // namespace

Json to_json(const Need& need) {
  return {{"code", need.code}, {"text", need.text}};
}

std::optional<Need> trouble_with(const PeerRow& peer) {
  const std::string who = peer.name.empty() ? "Another node" : peer.name;
  if (peer.state == "revoked") {
    if (!peer.is_parent) return std::nullopt;
    return Need{"peer.revoked",
                who +
                    " was revoked, so this node calls nobody. Ask that chapter for a bundle from "
                    "its new computer, which says whom to call: chapterd bundle read FILE"};
  }
  if (peer.stays_different) {
    return Need{"peer.stays-different",
                who +
                    " holds something else than this node, and exchanging does not mend it. "
                    "Run: chapterd verify, here and there."};
  }
  const LastingEnd* end = lasting_end(peer.end_code);
  const bool is_tried = peer.state == "connected" || peer.state == "connecting";
  if (is_tried || end == nullptr) return std::nullopt;
  return Need{peer.end_code, "There is no connection with " + who + ": " + end->words};
}

std::optional<Need> revoked_here(const Authority& authority, const PublicKey& self) {
  if (authority.node(self) == nullptr) {
    return Need{"node.void",
                "The key that certified this node was replaced, and the new one does not vouch for "
                "it. Nothing is sent or taken any more. Ask the chapter above."};
  }
  if (!authority.is_revoked(self)) return std::nullopt;
  return Need{"node.revoked", "This node was revoked: " + shown(authority.revoked_because(self)) +
                                  ". Nothing is sent or taken any more. Ask the chapter above."};
}

Json needs_json(const Moment& moment, const NodeParts& parts, const DiskSpace& disk) {
  Json needs = Json::array();
  const Directory& directory = moment.directory;
  if (const auto need = revoked_here(directory.authority(), directory.self()))
    needs.push_back(to_json(*need));
  if (const auto need = unconfirmed(moment)) needs.push_back(to_json(*need));
  if (const auto need = cannot_unlock(parts)) needs.push_back(to_json(*need));
  if (const auto need = degraded(parts)) needs.push_back(to_json(*need));
  if (disk.is_low)
    needs.push_back(to_json({"disk.low",
                             "The disk is nearly full: nothing new is taken, while reading and "
                             "deleting still work. Free some space."}));
  if (const std::uint64_t entries = entries_set_aside(moment.reader, directory); entries > 0)
    needs.push_back(
        to_json({"quarantine", std::to_string(entries) + (entries == 1 ? " entry" : " entries") +
                                   " of revoked nodes or ended histories are set aside and count "
                                   "for nothing. Look at them: chapterd quarantine list"}));
  for (const OpenFork& fork : open_forks(moment.reader, directory))
    needs.push_back(to_json(second_history(directory, fork)));
  add_strangers(moment, parts.date.now(), needs);
  if (const std::uint64_t entries = entries_left_behind(moment.reader, directory); entries > 0)
    needs.push_back(to_json(
        {"move.left-behind",
         std::to_string(entries) + (entries == 1 ? " entry" : " entries") +
             " were written for the chapters above before this chapter moved, and did not reach "
             "them. Hand them to those above now: chapterd move send. Or leave them here: chapterd "
             "move leave. Or carry them the old way: chapterd bundle write --to CODE"}));
  for (const PeerRow& peer : moment.peers) {
    if (const auto need = trouble_with(peer)) needs.push_back(to_json(*need));
  }
  return needs;
}

}  // namespace chapterd
