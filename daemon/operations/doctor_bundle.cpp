// What support may see: counts, codes and states.
#include "daemon/operations/doctor.h"
#include "daemon/operations/doctor_facts.h"
#include "daemon/operations/verbs.h"

#include <map>
#include <utility>

namespace chapterd {
namespace {

using Json = nlohmann::json;

constexpr std::size_t most_pending = 10'000;

bool has_value(Reader& reader, const char* name) {
  return !reader.values(name).empty();
}

// Chapters by number, so that nobody can be told from them.
class Numbers {
 public:
  int of(const std::string& code) {
    return code.empty()
               ? 0
               : numbers_.try_emplace(code, static_cast<int>(numbers_.size()) + 1).first->second;
  }

 private:
  std::map<std::string, int> numbers_;
};

Json peer_counts(const Json& peer, Numbers& numbers) {
  Json row = {{"chapter", numbers.of(peer.value("code", ""))}};
  for (const char* name :
       {"side", "state", "caught_up", "heard_ms_ago", "sent", "received", "end_code",
        "next_dial_ms", "is_parent", "stays_different", "clock_ahead_ms"}) {
    if (peer.contains(name)) row[name] = peer[name];
  }
  return row;
}

Json database_counts(const Facts& facts) {
  if (!facts.seen) return nullptr;
  std::map<std::string, std::uint64_t> feeds;
  for (const KnownFeed& feed : facts.seen->directory.feeds())
    feeds[std::string(name_of(feed.intro.audience))] += 1;
  std::map<std::string, std::uint64_t> pending;
  for (const StoredPending& each : facts.seen->reader->pending(Arrival(0), most_pending))
    pending[each.waits_for] += 1;
  return {{"entries", facts.seen->entries()},
          {"feeds", feeds},
          {"pending", pending},
          {"set_aside", entries_set_aside(*facts.seen->reader, facts.seen->directory)},
          {"chapters", facts.seen->directory.authority().chapters().size()},
          {"restored", has_value(*facts.seen->reader, stored_name::restored)},
          {"waits", has_value(*facts.seen->reader, stored_name::waits)}};
}

Json config_counts(const Config& config) {
  return {{"listens", !config.sync.listen.empty()},
          {"parents", config.sync.parents.size()},
          {"ancestors", config.sync.ancestors.size()},
          {"retry_min_s", config.sync.retry_min_s},
          {"retry_max_s", config.sync.retry_max_s},
          {"budget_session_bytes", config.sync.budget_session_bytes},
          {"budget_day_bytes", config.sync.budget_day_bytes},
          {"ping_s", config.sync.ping_s},
          {"dead_s", config.sync.dead_s},
          {"disk_low_bytes", config.store.disk_low_bytes}};
}

}  // namespace

Result<Json> redacted_bundle(const Config& config, const Json& args) {
  const Facts facts = gather_facts(config, args);
  Numbers numbers;
  Json peers = Json::array();
  for (const Json& peer : facts.peers) peers.push_back(peer_counts(peer, numbers));
  Json findings = Json::array();
  // Their sentences name chapters and folders; the codes say as much to whoever helps.
  for (const Diagnosis& finding : run_checks(facts))
    findings.push_back({{"severity", word_of(finding.severity)}, {"code", finding.code}});
  Json bundle = {{"made_ms", facts.now.ms},
                 {"daemon", !facts.daemon},
                 {"findings", std::move(findings)},
                 {"peers", std::move(peers)},
                 {"database", database_counts(facts)},
                 {"config", config_counts(config)},
                 {"disk", nullptr},
                 {"faults", facts.check.is_object() ? facts.check["found"] : Json()}};
  if (facts.disk) {
    bundle["disk"] = {{"free_bytes", facts.disk->free_bytes}, {"is_low", facts.disk->is_low}};
  }
  return bundle;
}

}  // namespace chapterd
