// The simulated federation: a tree of chapters with their machines, one queue of events, one seed.
#pragma once

#include "crypto/hash.h"
#include "replication/invite.h"
#include "tests/sim/controls.h"
#include "tests/sim/ledger.h"
#include "tests/sim/places.h"
#include "tests/sim/plan.h"
#include "tests/sim/rogue.h"
#include "tests/sim/sim_network.h"
#include "tests/sim/sim_node.h"

#include <concepts>
#include <deque>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace chapterd::sim {

// An invariant that does not hold.
class Failure : public std::runtime_error {
 public:
  Failure(std::string invariant_, const std::string& what)
      : std::runtime_error(what), invariant(std::move(invariant_)) {}

  std::string invariant;  // "I1"
};

struct Options {
  std::uint64_t seed = 1;
  int events = 300;
  Control control = Control::none;
  std::vector<int> only;            // numbers of the events to keep; all when empty
  std::vector<std::string> faults;  // kinds of faults that are on; the seed chooses when empty
  bool trace = false;               // print what happens
};

struct Figures {
  std::uint64_t events = 0;
  std::uint64_t steps = 0;
  std::uint64_t power_cuts = 0;  // recoveries that were checked, on machines and on copies of disks
  std::uint64_t kills = 0;
  std::uint64_t restores = 0;
  std::uint64_t clones = 0;
  std::uint64_t wipes = 0;
  std::uint64_t rekeys = 0;
  std::uint64_t moves = 0;
  std::uint64_t rotten = 0;   // copies of disks with changed bytes that were opened
  std::uint64_t struck = 0;   // saved changes that were on no other disk than one that was lost
  std::uint64_t forks = 0;    // second histories that nodes told of and proved in the end
  std::uint64_t awaited = 0;  // changes that came before what they were written over
  std::uint64_t repeats = 0;  // entries that a node was given again in the end
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
  std::uint64_t commits = 0;
  std::uint64_t saved = 0;
  std::uint64_t entries = 0;
  int nodes = 0;
  int fault_kinds = 0;
  std::int64_t virtual_ms = 0;
  std::int64_t healing_ms = 0;  // from the end of the chaos until all agreed
};

// A bundle on its way.
struct Carried {
  int machine = 0;  // that it is for
  Bytes file;
};

// people.cpp: a few changes at one node.
void write_some(World& world, SimNode& node, std::uint64_t salt);

class World {
 public:
  explicit World(const Options& options);
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  ~World();

  // Chaos, then healing. Throws Failure.
  void run();

  [[nodiscard]] SimNode& node(int machine) { return *nodes[static_cast<std::size_t>(machine)]; }

  [[nodiscard]] bool is_machine(int machine) const {
    return static_cast<std::size_t>(machine) < nodes.size();
  }

  [[nodiscard]] SimChapter& chapter_of(const SimNode& each) {
    return chapters[static_cast<std::size_t>(each.chapter)];
  }

  [[nodiscard]] bool is_listening(int machine);

  // What processes tell.
  void before_commit(SimNode& node);
  void after_commit(Process& process);
  void says(int from, int to, ByteView bytes);

  // Whether what is done to the nodes explains a refusal.
  [[nodiscard]] bool is_excused(const SimNode& node, const RefusedPiece& refused) const;

  // A control's hand in a window.
  void spoil(VerifiedWindow& window, Process& process);

  // How many entries of a feed stand: all, or up to the cut of its revoked author.
  [[nodiscard]] std::uint64_t standing(const FeedId& id, const FeedTruth& truth);
  // The machine with this key, or the one that took its place; -1: none.
  [[nodiscard]] int machine_called(const PublicKey& key) const;

  // Whether a machine that counts holds a saved change, its author's among them.
  [[nodiscard]] bool is_held(const Saved& saved);
  // The authority key of a chapter that is in use, as far as is known there.
  [[nodiscard]] static const SigningKey& authority_of(const SimChapter& chapter, Replica& replica);
  // Machines whose revocation this one knows of.
  [[nodiscard]] std::set<int> revoked_known(int machine) const;
  // Whether its key may have signed two histories, by declaration.
  [[nodiscard]] bool may_have_forked(const SimNode& each) const;
  // A disk was lost, by declaration: what was on no other is not expected any more.
  void strike_lost();
  // moves.cpp: which moves this node knows, and where chapters stand by all that is known.
  void follow_moves(Process& process);
  void settle_moves();

  // True once for each head: a signature that was checked is not checked again.
  bool must_verify(const Head& head) { return verified_.insert(head.hash).second; }

  void tell(const std::string& what);  // a line of the trace
  void require(bool holds, const char* invariant, const std::string& what) const;

  // Where something is looked at so often that the words are made only when it does not hold.
  template <std::invocable What>
  void require(bool holds, const char* invariant, const What& what) const {
    if (!holds) require(false, invariant, what());
  }

  // Copies of the disk that lose power, opened and checked.
  void check_probes(SimNode& node);
  void check_recovery(SimDisk& disk, SimNode& node);

  // Building: by world_founding.cpp.
  [[nodiscard]] SimChapter new_chapter(int parent, const std::string& code);
  int add_chapter(int parent, const std::string& code);
  void add_machine(int chapter);
  // An empty machine, and its first day: with its chapter's chain, certified by its chapter.
  SimNode& make_machine(int chapter);
  void begin_machine(SimNode& made);
  // The chapter above hands out an invite, staged.
  [[nodiscard]] Invite hand_out(Replica& replica, SimNode& parent, const SimChapter& chapter) const;
  // Somebody asks with it, staged: the statements that lead to the new chapter.
  [[nodiscard]] Result<std::vector<Bytes>> join(Replica& replica,
                                                SimNode& parent,
                                                const Invite& invite,
                                                const SimChapter& chapter,
                                                const SigningKey& key);

  const Options options;
  const Control control;
  Agenda agenda;
  testing::SeededRandom random;
  Network network;
  Ledger ledger;
  Figures figures;
  Plan plan;
  std::deque<SimChapter> chapters;  // each stays where it is when one joins
  Places places{chapters};
  std::vector<std::unique_ptr<SimNode>> nodes;
  std::vector<std::unique_ptr<Rogue>> rogues;
  std::vector<Carried> carried;
  Bytes genesis;
  FederationId federation;
  bool is_healing = false;
  bool has_healed = false;
  bool has_met = false;  // all agreed once: nobody goes by a path of before any more
  Hasher trace_hash{"sim/trace"};

 private:
  void found_tree();
  void heal();
  void converge();
  void run_until(Instant end);
  [[nodiscard]] bool has_converged();
  void check_now();
  void check_end();

  std::uint64_t steps_checked_ = 0;
  std::size_t looks_ = 0;  // at a node's whole log
  std::set<EntryHash> verified_;
};

}  // namespace chapterd::sim
