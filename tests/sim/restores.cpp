// Old disks that come back: the database with the file beside it, or the database alone.
#include "replication/format/statements.h"
#include "tests/sim/world.h"

#include <algorithm>

namespace chapterd::sim {
namespace {

using testing::SeededRandom;

// The file beside a database keeps them.
std::set<int> revoked_beside(const World& world, SimDisk& disk) {
  std::set<int> known;
  for (const Bytes& bytes : SimMark(disk).read_revocations()) {
    const auto statement = decode_statement(bytes);
    const auto* revoke = statement ? std::get_if<Revoke>(&statement->body) : nullptr;
    for (const auto& each : world.nodes)
      if (revoke != nullptr && each->id() == revoke->node) known.insert(each->machine);
  }
  return known;
}

void back_up(World& world, const Event& event) {
  SeededRandom random(event.salt);
  SimNode& node = *world.nodes[random.below(world.nodes.size())];
  if (!node.counts() || node.copy_of >= 0 || !world.is_listening(node.machine)) return;
  const auto mark = mark_in(node.process->store());
  if (node.disk->is_dead() || !mark) return;
  const Directory& directory = node.process->replica().directory();
  node.yesterday = Backup{node.disk->copy(random.next()),
                          world.ledger.promised[static_cast<std::size_t>(node.machine)],
                          directory.incarnation(),
                          directory.epoch(),
                          *mark,
                          world.revoked_known(node.machine)};
}

// What the two copies of the mark can tell, by their own rule: the file has seen a newer database.
bool can_be_noticed(SimDisk& disk, const ExportMark& database) {
  const auto file = SimMark(disk).read();
  return !file || file->token != database.token || file->number > database.number;
}

// Who holds what of its feeds that the older disk does not.
PutBack witnessed(const World& world, const SimNode& node, const Backup& backup, bool is_noticed) {
  PutBack put{is_noticed, {}};
  for (const auto& other : world.nodes) {
    if (!other->counts() || other->id() == node.id()) continue;
    auto& [life, heads] = put.witnesses[other->machine];
    life = other->life;
    for (const auto& [branch, head] :
         world.ledger.promised[static_cast<std::size_t>(other->machine)]) {
      const auto truth = world.ledger.feeds.find(branch.first);
      if (truth == world.ledger.feeds.end() || truth->second.author != node.machine) continue;
      if (!holds(backup.promised, truth->second, head.seq, head.hash, branch.first))
        heads.push_back(head);
    }
  }
  return put;
}

// From here on nothing is expected but what the older disk holds, and what others bring back to it.
void declare(World& world, SimNode& node, const Backup& backup, bool is_noticed) {
  Ledger& ledger = world.ledger;
  auto& promised = ledger.promised[static_cast<std::size_t>(node.machine)];
  for (Moving& move : world.places.moves()) move.known_by.erase(node.machine);
  ledger.past.push_back({node.id(), std::exchange(node.epochs, {}), promised});
  promised = backup.promised;
  node.incarnation = backup.incarnation;
  node.token = backup.mark.token;
  node.has_come_back = false;
  node.may_come_back = true;
  ++node.life;
  for (Saved& saved : ledger.saved) {
    if (saved.machine != node.machine) continue;
    const bool is_there =
        holds(promised, ledger.feeds[saved.feed], saved.seq, saved.hash, saved.feed);
    saved.life = is_there ? node.life : -1;
  }
  ledger.put_back[node.machine] = witnessed(world, node, backup, is_noticed);
  if (!is_noticed) {
    ledger.may_fork.insert({node.id(), backup.incarnation});
    ledger.doubtful.insert(backup.epoch);
  }
  world.strike_lost();
}

void put_back(World& world, const Event& event) {
  SeededRandom random(event.salt);
  std::vector<SimNode*> nodes;
  for (const auto& each : world.nodes)
    if (each->yesterday && each->counts()) nodes.push_back(each.get());
  if (nodes.empty()) return;
  SimNode& node = *nodes[random.below(nodes.size())];
  const bool whole = random.below(2) == 0 && world.control != Control::reuses_sequence;
  node.kill();
  const Backup& backup = *node.yesterday;
  node.disk->put_back(*backup.disk,
                      whole ? std::set<std::string>{} : std::set<std::string>{SimMark::file});
  const bool is_noticed = can_be_noticed(*node.disk, backup.mark);
  std::set<int> revoked = backup.revoked;
  revoked.merge(revoked_beside(world, *node.disk));
  std::erase_if(world.ledger.knows_revoked, [&](const auto& pair) {
    return pair.first == node.machine && !revoked.contains(pair.second);
  });
  world.tell("machine " + std::to_string(node.machine) + " is put back to an older " +
             (whole ? "disk" : "database") + (is_noticed ? "" : ", which nothing there can tell"));
  ++world.figures.restores;
  declare(world, node, backup, is_noticed);
  if (random.below(3) != 0) node.yesterday.reset();
}

}  // namespace

const std::vector<EventKind>& restore_events() {
  static const std::vector<EventKind> all = {
      {"back_up", "restore", 4, back_up},
      {"put_back", "restore", 2, put_back},
  };
  return all;
}

}  // namespace chapterd::sim
