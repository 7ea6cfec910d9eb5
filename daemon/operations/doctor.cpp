// The table of checks.
#include "daemon/operations/doctor.h"

#include "daemon/operations/arguments.h"
#include "daemon/operations/doctor_facts.h"
#include "daemon/operations/held.h"
#include "daemon/operations/node_folder.h"
#include "daemon/operations/verbs.h"
#include "daemon/operations/where.h"
#include "replication/store/folder.h"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>
#include <sys/statvfs.h>

namespace chapterd {
namespace {

using Json = nlohmann::json;

constexpr std::size_t most_pending = 10'000;

Diagnosis from(Severity severity, const Error& error) {
  return {severity, error.code, error.what, error.safe, error.next};
}

void check_config(const Facts& facts, Diagnoses& found) {
  if (facts.config_error) found.push_back(from(Severity::trouble, *facts.config_error));
}

void check_folder(const Facts& facts, Diagnoses& found) {
  if (facts.folder) found.push_back(from(Severity::trouble, *facts.folder));
}

void check_daemon(const Facts& facts, Diagnoses& found) {
  if (!facts.daemon || !facts.has_database) return;
  if (facts.is_held) {
    found.push_back({Severity::trouble, "daemon.no-answer",
                     "Another process uses the data folder " + facts.config.node.data +
                         ", but does not answer at " + facts.config.control.socket + ".",
                     work_is_safe,
                     "If it was started with another control.socket, name that. Else stop it and "
                     "start again: chapterd run"});
  } else if (facts.daemon->code == "daemon.not-running") {
    found.push_back({Severity::trouble, "daemon.not-running",
                     "The daemon is not running, so nothing is exchanged.", work_is_safe,
                     "Start it: chapterd run"});
  } else {
    found.push_back(from(Severity::trouble, *facts.daemon));
  }
}

void check_disk(const Facts& facts, Diagnoses& found) {
  struct statvfs disk = {};
  if (::statvfs(facts.config.node.data.c_str(), &disk) == 0 && (disk.f_flag & ST_RDONLY) != 0) {
    found.push_back({Severity::trouble, "disk.read-only",
                     "The disk of the data folder can only be read.", work_is_safe,
                     "Often a failing disk does that to itself: make a backup to another one, "
                     "then look at the log of the machine."});
  }
  if (facts.disk && facts.disk->is_low) {
    found.push_back({Severity::trouble, "disk.low",
                     "The disk is nearly full: " + std::to_string(facts.disk->free_bytes >> 20U) +
                         " MiB are free. Nothing new is taken, from people or from other nodes.",
                     "Everything that was saved is safe; reading and deleting still work.",
                     "Free some space. The limit: chapterd config explain store.disk_low_bytes"});
  }
}

void check_database(const Facts& facts, Diagnoses& found) {
  if (facts.folder && facts.folder->code != "folder.open-to-others") return;
  if (!facts.has_database) {
    const Error none = no_node(facts.config.node.data);
    const bool is_lost = none.code == "node.database-lost";
    found.push_back(from(is_lost ? Severity::trouble : Severity::person, none));
    if (is_lost) found.back().next = "Put the last backup back: chapterd backup restore FILE";
    return;
  }
  if (facts.database && facts.database->code == "store.newer-schema") {
    found.push_back(from(Severity::trouble, *facts.database));
    return;
  }
  const bool has_faults = facts.check.is_object() && !facts.check.value("ok", true);
  if (facts.database || has_faults) {
    found.push_back({Severity::trouble, "store.damaged",
                     "The database is damaged: not all of it is as it was written.",
                     "What other nodes have received is safe there. Nothing was changed.",
                     "See what is wrong with: chapterd verify. Keep a copy of the whole folder, "
                     "then put the last backup back: chapterd backup restore FILE --replace. A "
                     "disk that damages one file will damage others: replace it."});
  }
  const bool is_told = facts.database || has_faults;
  const bool is_degraded = facts.status.is_object() && facts.status.contains("degraded_ms") &&
                           !facts.status["degraded_ms"].is_null();
  if (is_degraded && !is_told) {
    found.push_back({Severity::trouble, "store.damaged",
                     "The daemon met damage in the database and goes on without what it concerns.",
                     "All else can be used. What other nodes have received is safe there.",
                     "See what is wrong with: chapterd verify. It says what to do."});
  }
  if (facts.check.is_null() && !facts.database) {
    found.push_back({Severity::note, "store.not-checked",
                     "The database is large and was not checked in full.", "",
                     "That takes a while: chapterd verify"});
  }
}

// It is asked for when it is needed.
bool waits_for_passphrase(const std::optional<Error>& key) {
  return key && key->code == "key.passphrase-needed";
}

void check_keys(const Facts& facts, Diagnoses& found) {
  if (!facts.has_database) return;
  if (facts.node_key && !waits_for_passphrase(facts.node_key))
    found.push_back(from(Severity::trouble, *facts.node_key));
  if (!facts.authority_key || waits_for_passphrase(facts.authority_key)) return;
  if (facts.authority_key->kind == Errc::not_found) {
    found.push_back({Severity::note, "key.no-authority",
                     "The authority key of the chapter is not in this folder.",
                     "That is right when it is kept on a stick.",
                     "To invite, approve or revoke, bring authority.key here. If it is lost, make "
                     "it anew from the recovery kit: chapterd kit restore. Without the kit ask the "
                     "chapter above for a new one: chapterd key request"});
  } else {
    found.push_back(from(Severity::warning, *facts.authority_key));
  }
}

void check_private(const Facts& facts, Diagnoses& found) {
  if (!facts.has_database) return;
  constexpr const char* goes_on =
      "It lies sealed on the disk; what is shared with other chapters goes on being exchanged.";
  if (facts.chapter_key && !waits_for_passphrase(facts.chapter_key)) {
    found.push_back(
        {Severity::person, "chapter.no-key",
         "The private data of this chapter cannot be opened here: " + facts.chapter_key->what,
         goes_on,
         "Put chapter.key back from a backup, or make it anew from the recovery kit: "
         "chapterd kit restore"});
    return;
  }
  if (!facts.status.is_object() || !facts.status.contains("private")) return;
  if (!facts.status["private"].value("locked", false)) return;
  found.push_back({Severity::person, "chapter.locked",
                   "The private data of this chapter is locked on this computer.", goes_on,
                   "Unlock it with: chapterd unlock"});
}

bool has_value(const Facts& facts, const char* name) {
  return facts.seen && !facts.seen->reader->values(name).empty();
}

bool is_top(const Facts& facts) {
  return !stations_of(facts.seen->directory).parent;
}

void check_restored(const Facts& facts, Diagnoses& found) {
  if (facts.mark && *facts.mark != MarkVerdict::same && *facts.mark != MarkVerdict::fresh) {
    found.push_back({Severity::warning, "restore.noticed",
                     "The database is an older state than this folder has seen, or it was copied "
                     "without its file “instance”.",
                     "The node notices that at its next start and signs nothing twice.",
                     "Start it: chapterd run. Then look at: chapterd status"});
  }
  if (!has_value(facts, stored_name::restored)) return;
  if (has_value(facts, stored_name::waits) && is_top(facts)) {
    found.push_back({Severity::person, "restore.unconfirmed",
                     "This node was put back to an older state and has nobody above to tell what "
                     "it lost. It exchanges nothing but certificates.",
                     "What it holds is safe; what the chapters below hold is safe there.",
                     "Fetch back what they hold: chapterd restore --recover. If what is here shall "
                     "count as all there is: chapterd restore --reassert"});
  } else {
    found.push_back({Severity::warning, "restore.recovering",
                     "This node was put back to an older state, and not all that others hold of "
                     "it is back yet.",
                     "What is written now is saved and will be sent.",
                     is_top(facts) ? "Leave it running until the chapters below have called."
                                   : "Leave it running until it has met the chapter above."});
  }
}

void check_revoked(const Facts& facts, Diagnoses& found) {
  if (!facts.seen) return;
  const Authority& authority = facts.seen->directory.authority();
  const PublicKey& self = facts.seen->directory.self();
  if (authority.node(self) == nullptr) {
    found.push_back({Severity::trouble, "node.void",
                     "The key that certified this node was replaced, and the new one does not "
                     "vouch for it. Nothing is sent or taken any more.",
                     "What it holds stays readable here.", go_on_anew});
  }
  if (!authority.is_revoked(self)) return;
  found.push_back({Severity::trouble, "node.revoked",
                   "This node was revoked: " + shown(authority.revoked_because(self)) +
                       ". Nothing is sent or taken any more.",
                   "What it holds stays readable here.", go_on_anew});
}

void check_work(const Facts& facts, Diagnoses& found) {
  if (!facts.seen) return;
  const Stations stations = stations_of(facts.seen->directory);
  if (!stations.parent) return;
  const WorkHeld work = work_held(*facts.seen->reader, facts.seen->directory, *stations.parent);
  if (work.waiting == 0) return;
  const std::int64_t waited = work.waiting_since_ms == 0
                                  ? 0
                                  : std::max<std::int64_t>(0, facts.now.ms - work.waiting_since_ms);
  found.push_back({waited > long_silence_ms ? Severity::warning : Severity::note, "work.waiting",
                   how_many(work.waiting, "entry waits", "entries wait") +
                       " for the chapter above, the oldest for " + span_of(waited) + ".",
                   work_is_safe,
                   "It goes by itself once both are connected. See: chapterd status"});
}

// By what they wait for.
struct Waiting {
  std::string_view code;
  const char* what;
  const char* next;
};

constexpr std::array waitings{
    Waiting{"format", " written by a newer program.", "Install the newer program here."},
    Waiting{"sealed", " sealed with a key of the chapter that is locked or not here.",
            "Unlock it with: chapterd unlock. Else let another computer of the chapter hand the "
            "key over."},
    Waiting{"malformed", " signed, but against the rules of the format.",
            "Tell the author's chapter; it has to write anew."},
};

void check_pending(const Facts& facts, Diagnoses& found) {
  if (!facts.seen) return;
  std::map<std::string, std::uint64_t> counts;
  for (const StoredPending& pending : facts.seen->reader->pending(Arrival(0), most_pending))
    counts[pending.waits_for] += 1;
  for (const auto& [code, count] : counts) {
    const auto at = std::ranges::find(waitings, code, &Waiting::code);
    const bool is_known = at != waitings.end();
    found.push_back({Severity::note, "pending." + code,
                     how_many(count, "entry is", "entries are") + " kept and not shown yet:" +
                         (is_known ? at->what : " something is still to come (" + code + ")."),
                     "They are kept and passed on.",
                     is_known ? at->next : "Leave the daemon running."});
  }
}

// One row a check; they run in this order, and what is worse is told first.
struct Check {
  const char* name;
  void (*look)(const Facts&, Diagnoses&);
};

constexpr std::array checks{
    Check{"configuration", check_config},
    Check{"folder", check_folder},
    Check{"disk", check_disk},
    Check{"database", check_database},
    Check{"keys", check_keys},
    Check{"private data", check_private},
    Check{"daemon", check_daemon},
    Check{"restored", check_restored},
    Check{"revoked", check_revoked},
    Check{"peers", check_peers},
    Check{"work", check_work},
    Check{"pending", check_pending},
    Check{"quarantine", check_quarantine},
    Check{"forks", check_forks},
    Check{"copies", check_elsewhere},
    Check{"computers", check_strangers},
    Check{"moves", check_moves},
    Check{"erasures", check_erasures},
    Check{"invites", check_invites},
};

}  // namespace

Diagnoses run_checks(const Facts& facts) {
  Diagnoses found;
  for (const Check& check : checks) {
    try {
      check.look(facts, found);
    } catch (const std::exception&) {
      found.push_back({Severity::trouble, "store.damaged",
                       std::string("The check “") + check.name + "” could not read the database.",
                       "Nothing was changed. What other nodes have received is safe there.",
                       "Put the last backup back: chapterd backup restore FILE --replace"});
    }
  }
  std::ranges::stable_sort(found, std::ranges::greater{}, &Diagnosis::severity);
  return found;
}

const char* word_of(Severity severity) {
  switch (severity) {
    case Severity::trouble:
      return "trouble";
    case Severity::person:
      return "person";
    case Severity::warning:
      return "warning";
    case Severity::note:
      return "note";
  }
  return "note";
}

Result<Json> diagnose(const Config& config, const Json& args) {
  const Facts facts = gather_facts(config, args);
  if (!facts.peer.empty() && std::ranges::none_of(facts.peers, [&](const Json& peer) {
        return peer.value("code", "") == facts.peer;
      })) {
    return fail(Errc::not_found, "peer.unknown",
                "No node of a chapter " + shown(facts.peer) + " is known here.",
                "Nothing was changed.", "See who is: chapterd peers list");
  }
  Json answer = {
      {"daemon", !facts.daemon}, {"findings", Json::array()}, {"checked", Json::array()}};
  for (const Diagnosis& finding : run_checks(facts)) {
    answer["findings"].push_back({{"severity", word_of(finding.severity)},
                                  {"code", finding.code},
                                  {"what", finding.what},
                                  {"safe", finding.safe},
                                  {"do", finding.next}});
  }
  for (const Check& check : checks) answer["checked"].push_back(check.name);
  return answer;
}

}  // namespace chapterd
