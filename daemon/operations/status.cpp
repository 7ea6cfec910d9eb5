// Verbs about the node itself: where its work is, whom it exchanges with, what needs a person.
#include "base/byte_stream.h"
#include "daemon/operations/arguments.h"
#include "daemon/operations/held.h"
#include "daemon/operations/needs.h"
#include "daemon/operations/verbs.h"
#include "daemon/operations/where.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace chapterd {
namespace {

using Json = nlohmann::json;

constexpr std::size_t rows_a_time = 4096;
constexpr std::size_t most_pending = 10'000;       // counted; "more" is as good beyond it
constexpr std::int64_t stalled_after_ms = 60'000;  // of silence in the middle of sending

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

const PeerRow* parent_row(const Moment& moment) {
  const auto at = std::ranges::find(moment.peers, true, &PeerRow::is_parent);
  return at == moment.peers.end() ? nullptr : &*at;
}

// Of work that has not arrived.
std::string state_of_waiting(const PeerRow& parent, bool daemon_runs) {
  if (parent.state == "revoked" || trouble_with(parent)) return "needs a person";
  if (!daemon_runs) return "offline";
  if (parent.state == "connected") {
    if (parent.caught_up || parent.is_saving) return "waiting";
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

// What the links may move in a day, and what they did; null without a budget or a daemon.
Json budget_json(const Moment& moment, const Config& config) {
  const std::uint64_t limit = config.sync.budget_day_bytes;
  if (limit == 0 || !moment.links) return nullptr;
  return {{"day_bytes", limit},
          {"used_bytes", moment.links->day_used_bytes},
          {"is_spent", moment.links->is_day_spent}};
}

// When a node further up last told all its statements; null when none is asked.
Json ancestors_json(const Moment& moment) {
  if (!moment.links || !moment.links->ancestors) return nullptr;
  const AncestorsStatus& ancestors = *moment.links->ancestors;
  return {{"asked_ms", ancestors.asked ? Json(ancestors.asked->ms) : Json()},
          {"end_code", ancestors.end_code}};
}

// Since when damage of the database is known; null when none is.
Json degraded_json(const NodeParts& parts) {
  const auto noticed = parts.damage.get();
  return noticed ? Json(noticed->date.ms) : Json();
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
    json["ancestors"] = ancestors_json(moment);
    json["budget"] = budget_json(moment, node.parts().config);
    json["authority"] = node.parts().authority.get() != nullptr;
    json["entries"] = entries;
    json["records"] = counts_json(moment);
    json["work"] = work_json(moment);
    json["peers"] = peers_json(moment);
    json["degraded_ms"] = degraded_json(node.parts());
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
    if (peer.state == "connected" && !peer.caught_up && !peer.is_saving) return false;
  }
  const Stations stations = stations_of(moment.directory);
  if (!stations.parent) return true;
  const PeerRow* parent = parent_row(moment);
  if (parent == nullptr || parent->state != "connected") return false;
  return work_held(moment.reader, moment.directory, *stations.parent).waiting == 0;
}

Result<Json> sync_status(NodeAccess& node, const Json& args) {
  if (auto done = Arguments(args).done(); !done) return forward(done);
  return at_this_moment(node, [&](Moment& moment) {
    return Json{{"idle", is_idle(moment)},
                {"paused", moment.links && moment.links->paused},
                {"budget", budget_json(moment, node.parts().config)},
                {"ancestors", ancestors_json(moment)},
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
  Arguments given(args);
  const bool further_up = given.flag("ancestors");
  if (auto done = given.done(); !done) return forward(done);
  if (further_up && connections != nullptr) {
    if (!connections->look().ancestors) {
      return fail(Errc::not_found, "sync.no-ancestors",
                  "No address of a node further up than the chapter above is known here.",
                  "Nothing was changed.", "Set one: chapterd config explain sync.ancestors");
    }
    return told(node, Json::object(), &Connections::ask_ancestors);
  }
  return told(node, Json::object(), &Connections::sync_now);
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
