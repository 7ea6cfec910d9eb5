// Verbs about the node itself: where its work is, whom it exchanges with, what needs a person.
#include "base/byte_stream.h"
#include "daemon/operations/arguments.h"
#include "daemon/operations/held.h"
#include "daemon/operations/peer_rows.h"
#include "daemon/operations/verbs.h"
#include "daemon/operations/where.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>

namespace chapterd {
namespace {

using Json = nlohmann::json;

constexpr std::size_t rows_a_time = 4096;
constexpr std::size_t most_pending = 10'000;       // counted; "more" is as good beyond it
constexpr std::int64_t stalled_after_ms = 60'000;  // of silence in the middle of sending

// Everything that status and sync are made of, at one moment.
struct Moment {
  Reader& reader;
  const Directory& directory;
  std::optional<LinksNow> links;
  std::vector<PeerRow> peers;
};

using OfMoment = std::function<Json(Moment&)>;

// The connections are asked first: their thread must not be waited for while the reader is used.
Result<Json> at_this_moment(NodeAccess& node, const OfMoment& answer) {
  std::optional<LinksNow> links;
  if (Connections* connections = node.connections()) links = connections->look();
  return node.read([&](Reader& reader, const Directory& directory) -> Result<Json> {
    Moment moment{reader, directory, links, {}};
    moment.peers = peer_rows(reader, directory, links, node.parts().date.now());
    return answer(moment);
  });
}

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

// Something that a person has to do.
struct Need {
  std::string code;
  std::string text;
};

// What stands between this node and another, and does not mend by itself.
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

const PeerRow* parent_row(const Moment& moment) {
  const auto at = std::ranges::find(moment.peers, true, &PeerRow::is_parent);
  return at == moment.peers.end() ? nullptr : &*at;
}

// Of work that has not arrived.
std::string state_of_waiting(const PeerRow& parent, bool daemon_runs) {
  if (parent.state == "revoked" || trouble_with(parent)) return "needs a person";
  if (!daemon_runs) return "offline";
  if (parent.state == "connected") {
    if (parent.caught_up) return "waiting";
    return parent.heard_ms_ago.value_or(0) > stalled_after_ms ? "stalled" : "sending";
  }
  return parent.state == "offline" || parent.state == "never heard" ? "offline" : "waiting";
}

// Never better than what was proved: as long as the chapter above was not heard, nothing was.
std::string state_of(const Moment& moment, const ChapterId& chapter, const WorkHeld& work) {
  if (moment.directory.authority().is_revoked(moment.directory.self())) return "needs a person";
  const PeerRow* parent = parent_row(moment);
  if (work.waiting > 0)
    return parent == nullptr ? "unknown" : state_of_waiting(*parent, moment.links.has_value());
  const bool heard = parent != nullptr && parent->heard_ms_ago;
  return chapter == moment.directory.chapter() || work.held > 0 || heard ? "up to date" : "unknown";
}

Json station(const Moment& moment, const char* at, const ChapterId& chapter) {
  const Authority& authority = moment.directory.authority();
  const WorkHeld work = work_held(moment.reader, moment.directory, chapter);
  Json json = {
      {"at", at},
      {"chapter", code_of(authority, chapter)},
      {"name", chapter == moment.directory.chapter() ? own_name(moment.reader, moment.directory)
                                                     : name_of(authority, chapter)},
      {"held", work.held},
      {"waiting", work.waiting},
      {"state", state_of(moment, chapter, work)},
      {"since_ms", nullptr}};
  if (work.waiting > 0 && work.waiting_since_ms > 0) json["since_ms"] = work.waiting_since_ms;
  return json;
}

Json work_json(const Moment& moment) {
  const Stations stations = stations_of(moment.directory);
  Json work = Json::array({station(moment, "saved", moment.directory.chapter())});
  if (stations.parent) work.push_back(station(moment, "parent", *stations.parent));
  work.push_back(station(moment, "global", stations.global));
  return work;
}

Json peers_json(const Moment& moment) {
  Json peers = Json::array();
  for (const PeerRow& row : moment.peers) peers.push_back(to_json(row));
  return peers;
}

// Limit: reads a row a record, 3 us each; deleted ones count.
Json counts_json(const Moment& moment) {
  Json counts = Json::object();
  for (const StoredKind& kind : moment.directory.kinds()) {
    std::size_t count = 0;
    for (LayerRow after(0);;) {
      const auto page = moment.reader.records_of(kind.row, after, rows_a_time);
      count += page.size();
      if (page.size() < rows_a_time) break;
      after = page.back().row;
    }
    counts[kind.name] = count;
  }
  return counts;
}

Json to_json(const Need& need) {
  return {{"code", need.code}, {"text", need.text}};
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

Json needs_json(const Moment& moment, const NodeParts& parts, const DiskSpace& disk) {
  Json needs = Json::array();
  const Directory& directory = moment.directory;
  if (const auto need = revoked_here(directory.authority(), directory.self()))
    needs.push_back(to_json(*need));
  if (const auto need = unconfirmed(moment)) needs.push_back(to_json(*need));
  if (const auto need = cannot_unlock(parts)) needs.push_back(to_json(*need));
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

// Why nothing can be exchanged with the chapter above until a person did something; else null.
Json blocked_json(const Moment& moment) {
  const Directory& directory = moment.directory;
  if (const auto need = revoked_here(directory.authority(), directory.self()))
    return to_json(*need);
  const PeerRow* parent = parent_row(moment);
  const auto need = parent == nullptr ? std::nullopt : trouble_with(*parent);
  return need ? to_json(*need) : Json();
}

Json identity_json(const Moment& moment) {
  const Directory& directory = moment.directory;
  const Authority& authority = directory.authority();
  const KnownNode* self = authority.node(directory.self());
  const KnownChapter& chapter = own_chapter(directory);
  return {{"node",
           {{"fingerprint", fingerprint(directory.self())},
            {"name", self == nullptr ? std::string() : self->certificate.name}}},
          {"chapter",
           {{"code", chapter.certificate.code},
            {"name", own_name(moment.reader, directory)},
            {"level", chapter.certificate.level}}},
          {"federation",
           {{"name", federation_name(directory)}, {"id", to_hex(authority.federation().view())}}}};
}

// Since when this database is known to be an older state than the others have seen; null when it is
// not, or when everything is back.
Json restored_json(Reader& reader) {
  const auto since = reader.values(stored_name::restored);
  if (since.empty()) return nullptr;
  return static_cast<std::int64_t>(ByteReader(since.front().value).u64());
}

Result<Json> status(NodeAccess& node, const Json& args) {
  if (auto done = Arguments(args).done(); !done) return forward(done);
  const auto disk = node.disk();
  if (!disk) return forward(disk);
  return at_this_moment(node, [&](Moment& moment) {
    std::uint64_t entries = 0;
    for (const KnownFeed& feed : moment.directory.feeds())
      entries += feed.head.seq.value - feed.fork.seq.value;
    Json json = identity_json(moment);
    json["daemon"] = moment.links.has_value();
    json["paused"] = moment.links && moment.links->paused;
    json["authority"] = node.parts().authority.get() != nullptr;
    json["entries"] = entries;
    json["records"] = counts_json(moment);
    json["work"] = work_json(moment);
    json["peers"] = peers_json(moment);
    json["needs_person"] = needs_json(moment, node.parts(), *disk);
    json["pending"] = moment.reader.pending(Arrival(0), most_pending).size();
    json["private"] = private_json(node, moment.reader);
    json["restored_ms"] = restored_json(moment.reader);
    json["restored_waits"] = !moment.reader.values(stored_name::waits).empty();
    json["disk_free_bytes"] = disk->free_bytes;
    return json;
  });
}

Result<Json> list_peers(NodeAccess& node, const Json& args) {
  if (auto done = Arguments(args).done(); !done) return forward(done);
  return at_this_moment(node, [](Moment& moment) { return Json{{"peers", peers_json(moment)}}; });
}

// Nothing moves, and nothing that could move now waits.
bool is_idle(const Moment& moment) {
  for (const PeerRow& peer : moment.peers) {
    if (peer.state == "connecting") return false;
    if (peer.state == "connected" && !peer.caught_up) return false;
  }
  const Stations stations = stations_of(moment.directory);
  if (!stations.parent) return true;
  const PeerRow* parent = parent_row(moment);
  if (parent == nullptr || parent->state != "connected") return false;
  return work_held(moment.reader, moment.directory, *stations.parent).waiting == 0;
}

Result<Json> sync_status(NodeAccess& node, const Json& args) {
  if (auto done = Arguments(args).done(); !done) return forward(done);
  return at_this_moment(node, [](Moment& moment) {
    return Json{{"idle", is_idle(moment)},
                {"paused", moment.links && moment.links->paused},
                {"blocked", blocked_json(moment)},
                {"work", work_json(moment)},
                {"peers", peers_json(moment)}};
  });
}

// What only a running daemon can do.
Result<Json> told(NodeAccess& node, const Json& args, void (Connections::*what)()) {
  if (auto done = Arguments(args).done(); !done) return forward(done);
  Connections* connections = node.connections();
  if (connections == nullptr) {
    return fail(Errc::unreachable, "daemon.not-running",
                "No daemon is running, so there are no connections.",
                "Everything that was saved is safe.", "Start it with: chapterd run");
  }
  (connections->*what)();
  return sync_status(node, args);
}

Result<Json> sync_now(NodeAccess& node, const Json& args) {
  Connections* connections = node.connections();
  if (connections != nullptr && connections->look().paused) {
    return fail(Errc::needs_person, "sync.paused", "Exchanging is paused, so nothing moves.",
                "All work is saved here.", "Go on with: chapterd sync resume");
  }
  return told(node, args, &Connections::sync_now);
}

Result<Json> sync_pause(NodeAccess& node, const Json& args) {
  return told(node, args, &Connections::pause);
}

Result<Json> sync_resume(NodeAccess& node, const Json& args) {
  return told(node, args, &Connections::resume);
}

constexpr std::array verbs{
    Verb{"status", Needs::nothing, status},
    Verb{"peers.list", Needs::nothing, list_peers},
    Verb{"sync.now", Needs::nothing, sync_now},
    Verb{"sync.status", Needs::nothing, sync_status},
    Verb{"sync.pause", Needs::nothing, sync_pause},
    Verb{"sync.resume", Needs::nothing, sync_resume},
};

}  // namespace

std::span<const Verb> status_verbs() {
  return verbs;
}

}  // namespace chapterd
