// What waits for somebody to decide: set aside, left behind, asked for by a person.
#include "daemon/operations/arguments.h"
#include "daemon/operations/doctor_facts.h"
#include "daemon/operations/erasures.h"
#include "daemon/operations/held.h"
#include "daemon/operations/strangers.h"
#include "daemon/operations/verbs.h"
#include "replication/invite.h"

#include <map>
#include <set>

namespace chapterd {
namespace {

// Of the newest orders to erase: whether each computer has obeyed takes a look at all of them.
constexpr std::size_t most_orders = 100;

constexpr std::size_t shown_digits = 8;  // of an invite's id

}  // namespace

void check_quarantine(const Facts& facts, Diagnoses& found) {
  if (!facts.seen) return;
  const std::uint64_t entries = entries_set_aside(*facts.seen->reader, facts.seen->directory);
  if (entries == 0) return;
  found.push_back({Severity::person, "quarantine",
                   how_many(entries, "entry", "entries") +
                       " of revoked nodes or ended histories are set aside and count for nothing.",
                   "They are kept as they came.", "Look at them: chapterd quarantine list"});
}

void check_forks(const Facts& facts, Diagnoses& found) {
  if (!facts.seen) return;
  const Directory& directory = facts.seen->directory;
  for (const OpenFork& fork : open_forks(*facts.seen->reader, directory)) {
    const std::string code = code_of(directory.authority(), fork.chapter);
    const bool is_own = fork.node == directory.self();
    found.push_back(
        {Severity::person, is_own ? "fork.own" : "fork",
         (is_own ? std::string("This computer") : "A computer of " + shown(code)) +
             " has two histories: a copy of its data folder was used on a second computer.",
         "Nothing is lost: what both wrote counts.",
         "Stop one of the two, and give there: chapterd restore --as-new-node. The other one ends "
         "this by itself. See: chapterd fork list " +
             code});
  }
}

// Two copies that call in turn. There is no proof: it is said while it keeps happening.
void check_elsewhere(const Facts& facts, Diagnoses& found) {
  if (!facts.seen) return;
  const auto told = told_elsewhere(*facts.seen->reader, facts.seen->directory, facts.now);
  if (!told) return;
  found.push_back(
      {Severity::person, "copy.likely",
       span_of(*told) + " ago this computer was told of work under its key that it never did: a "
                        "copy of its data folder is likely to be in use elsewhere.",
       "Nothing is lost: what both wrote counts.",
       "Look for the copy, stop it, and there give: chapterd restore --as-new-node. Once that "
       "has reached this computer, this is said no more. If there is none, because the whole "
       "folder was put back from a backup more than once, nothing is to be done: this is said "
       "for 30 days after it was seen last."});
}

// A new computer that the chapter above let join, or, seen from there, the one that it replaces.
void check_strangers(const Facts& facts, Diagnoses& found) {
  if (!facts.seen) return;
  for (const PublicKey& key : strange_computers(facts.seen->directory)) {
    const std::string name = fingerprint(key);
    found.push_back(
        {Severity::person, "chapter.other-computer",
         "A computer " + name +
             " writes for this chapter too, but another authority key certified it.",
         "What only this chapter may read is not handed to it, nor from it to this one.",
         "Is it lost, stolen or out of use: chapterd peers revoke " + name +
             ". Shall both go on, bring the authority.key of now into the folder of the other one "
             "and start it again. Does nobody here know of it, ask the chapter above."});
  }
}

void check_moves(const Facts& facts, Diagnoses& found) {
  if (!facts.seen) return;
  const std::uint64_t entries = entries_left_behind(*facts.seen->reader, facts.seen->directory);
  if (entries == 0) return;
  found.push_back({Severity::person, "move.left-behind",
                   how_many(entries, "entry", "entries") +
                       " for the chapters above from before this chapter moved did not reach them.",
                   work_is_safe,
                   "Hand them to the chapters above now: chapterd move send. Or leave them here: "
                   "chapterd move leave"});
}

void check_erasures(const Facts& facts, Diagnoses& found) {
  if (!facts.seen) return;
  const Directory& directory = facts.seen->directory;
  std::vector<HeldOrder> orders = held_orders(*facts.seen->reader, directory);
  std::erase_if(orders, [&](const HeldOrder& held) {
    return directory.feed(held.feed).intro.home.chapter != directory.chapter();
  });
  if (orders.size() > most_orders)
    orders.erase(orders.begin(), orders.end() - static_cast<std::ptrdiff_t>(most_orders));
  std::set<std::string> unproved;
  for (const HeldOrder& held : orders) {
    for (const auto& node : nodes_json(*facts.seen->reader, directory, held))
      if (node["state"] != "erased" && node["can_come"]) unproved.insert(node["fingerprint"]);
  }
  if (unproved.empty()) return;
  found.push_back({Severity::note, "erase.unproved",
                   "What this chapter ordered to be erased is not proved to be gone at " +
                       how_many(unproved.size(), "computer.", "computers."),
                   "The order goes to each by itself when it is heard again.",
                   "Wait. One that never comes back: chapterd peers revoke, and name it in your "
                   "answer to the person. See: chapterd erase list, then chapterd erase report "
                   "ID"});
}

// What is settled needs nobody: the chapter came by another invite, or somebody went on about it.
void check_invites(const Facts& facts, Diagnoses& found) {
  if (!facts.seen) return;
  std::map<std::string, KeptInvite> newest;  // by code
  for (const NamedValue& value : facts.seen->reader->values("invite/")) {
    auto kept = decode_kept_invite(value.value);
    if (!kept) continue;
    const auto at = newest.find(kept->invite.code);
    if (at != newest.end() && at->second.invite.expires > kept->invite.expires) continue;
    std::string code = kept->invite.code;
    newest.insert_or_assign(std::move(code), std::move(*kept));
  }
  for (const auto& [code, kept] : newest) {
    if (kept.state != InviteState::open || kept.invite.expires > facts.now) continue;
    if (facts.seen->directory.authority().chapter_with_code(code) != nullptr) continue;
    const std::string id = to_hex(invite_id(kept.invite.secret).view()).substr(0, shown_digits);
    found.push_back({Severity::note, "invite.expired",
                     "The invite of " + shown(code) + " expired and was not used.",
                     "Nothing was changed.",
                     "Make a new one: chapterd invite create " + code +
                         " --name NAME. If nobody shall come: chapterd invite revoke " + id});
  }
}

}  // namespace chapterd
