// I3: everything held re-verifies from its bytes. I6, I7: what every node shows is what a second,
// much simpler merge makes of the same entries, which knows no clock and no order.
#include "replication/format/erase_order.h"
#include "replication/format/piece.h"
#include "replication/merge.h"
#include "replication/vault.h"
#include "tests/sim/invariants/invariants.h"

#include <algorithm>
#include <set>
#include <string>
#include <tuple>

namespace chapterd::sim {
namespace {

using Space = std::tuple<ChapterId, Audience, ChapterId>;
using LayerName = std::pair<Space, RecordId>;

// Fields, and in them the values by name.
using Layer = std::map<std::string, std::map<ValueName, Bytes>>;

struct Merged {
  int changes = 0;
  Layer values;
  std::map<std::string, std::set<ValueName>> superseded;
};

using Views = std::map<LayerName, Merged>;

Space space_of(const FeedIntro& intro) {
  return {intro.home.chapter, intro.audience, intro.target ? intro.target->chapter : ChapterId{}};
}

void add_change(Views& views,
                const FeedIntro& intro,
                const ChangeView& change,
                const EntryHash& hash) {
  Merged& merged = views[{space_of(intro), change.record}];
  merged.changes += 1;
  for (std::size_t i = 0; i < change.operations.size(); ++i) {
    const OperationView& operation = change.operations[i];
    const std::string field(operation.field);
    for (const ValueName& name : change.supersedes(operation))
      merged.superseded[field].insert(name);
    if (operation.action != Action::set && operation.action != Action::add) continue;
    merged.values[field][{name_part(hash), static_cast<std::uint16_t>(i)}] =
        Bytes(operation.value.begin(), operation.value.end());
  }
}

// What erased entries superseded stays so; nothing else of them is left.
void add_order(Views& views, const FeedIntro& intro, ByteView payload) {
  const auto order = decode_erase_order(payload);
  if (!order) return;
  Merged& merged = views[{space_of(intro), order->record}];
  for (const Superseded& each : order->superseded)
    merged.superseded[each.field].insert(each.names.begin(), each.names.end());
}

// Of forked feeds, the histories that their author's later feeds list: nothing else of them counts.
using Closings = std::map<FeedId, std::vector<Head>>;

Closings closings_in(const Directory& directory) {
  Closings closings;
  for (const KnownFeed& feed : directory.feeds())
    for (const Predecessor& each : feed.intro.predecessors)
      if (each.why == Continues::fork) closings[each.tip.feed].push_back(each.tip);
  return closings;
}

// Which entries of a feed count.
struct Judge {
  const FeedTruth* truth = nullptr;
  const std::vector<Head>* tips = nullptr;
  std::uint64_t stands = UINT64_MAX;

  [[nodiscard]] bool counts(Sequence seq, const EntryHash& hash) const {
    if (seq.value > stands) return false;
    if (tips == nullptr || truth == nullptr) return true;
    return std::ranges::any_of(*tips,
                               [&](const Head& tip) { return truth->leads_to(tip, seq, hash); });
  }
};

Judge judge_of(World& world, const FeedId& id, const Closings& closings) {
  Judge judge;
  if (const auto tips = closings.find(id); tips != closings.end()) judge.tips = &tips->second;
  const auto truth = world.ledger.feeds.find(id);
  if (truth == world.ledger.feeds.end()) return judge;
  judge.truth = &truth->second;
  judge.stands = world.standing(id, truth->second);
  return judge;
}

// Every byte of a feed at a node, checked anew; its changes go into `views`.
void read_feed(
    World& world, SimNode& node, const KnownFeed& feed, const Closings& closings, Views& views) {
  const std::string where = " (machine " + std::to_string(node.machine) + ")";
  Head head{feed.head.feed, feed.fork.seq, feed.fork.hash};
  const Judge judge = judge_of(world, feed.head.feed, closings);
  for (const StoredPiece& stored :
       node.process->store().pieces_of(feed.row, Sequence(1), SIZE_MAX)) {
    const auto piece = decode_piece(stored.body);
    world.require(piece && piece->first == head.seq.next(), "I3", "a piece is damaged" + where);
    const auto hashes = chain(*piece, head.feed, head.hash);
    head = Head{head.feed, piece->last(), hashes.back()};
    if (piece->checkpoint && world.must_verify(head))
      world.require(verify_checkpoint(feed.intro.node, world.federation, head, *piece->checkpoint),
                    "I3", "a checkpoint is wrong" + where);
    const auto keys = node.process->replica().vault().keys();
    Bytes opened;
    ChangeView change;
    for (std::size_t i = 0; i < hashes.size(); ++i) {
      const PieceEntry& entry = piece->entries[i];
      if (!judge.counts(piece->first.plus(i), hashes[i])) continue;
      if (read_change(keys.get(), feed.intro, entry, opened, change) == ChangeVerdict::good)
        add_change(views, feed.intro, change, hashes[i]);
      else if (entry.kind == EntryKind::erase)
        add_order(views, feed.intro, entry.payload);
    }
  }
  world.require(head == feed.head, "I3", "a feed does not lead to its head" + where);
}

Layer standing(const Merged& merged) {
  Layer layer;
  for (const auto& [field, values] : merged.values) {
    const auto gone = merged.superseded.find(field);
    for (const auto& [name, value] : values) {
      if (gone == merged.superseded.end() || !gone->second.contains(name))
        layer[field][name] = value;
    }
  }
  return layer;
}

Layer shown_by(World& world, const StoredLayer& stored) {
  const auto state = decode_layer(stored.state);
  world.require(state.has_value(), "I6", "a merged record is damaged");
  Layer layer;
  for (const LayerField& field : state->fields)
    for (const FieldValue& value : field.values)
      layer[std::string(field.field)][value.name] = Bytes(value.value.begin(), value.value.end());
  return layer;
}

std::string who_wrote(World& world, const ValueName& name) {
  for (const auto& [id, truth] : world.ledger.feeds)
    for (std::size_t i = 0; i < truth.places.size(); ++i)
      for (const TrueEntry& entry : truth.places[i])
        if (name_part(entry.hash) == name.entry)
          return "by machine " + std::to_string(truth.author) + " in entry " +
                 std::to_string(i + 1) + " of feed " + to_hex(id.view()).substr(0, 8) +
                 ", of which stand " + std::to_string(world.standing(id, truth));
  return "by nobody";
}

void tell_layer(World& world, const std::string& what, const Layer& layer) {
  for (const auto& [field, values] : layer)
    for (const auto& [name, value] : values)
      world.tell(what + " " + field + " = " + to_hex(value) + ", " + who_wrote(world, name));
}

void tell_difference(World& world, const Layer& shown, const Merged& merged) {
  tell_layer(world, "shown:", shown);
  tell_layer(world, "stands:", standing(merged));
  tell_layer(world, "ever:", merged.values);
}

// Which entries a node holds of a space. Without moves all who may hold a space hold the same of
// it.
using Holding = std::set<std::pair<FeedId, EntryHash>>;

std::map<Space, Holding> holdings_of(const World& world, const Directory& directory) {
  std::map<Space, Holding> held;
  if (!world.places.has_moves()) return held;
  for (const KnownFeed& feed : directory.feeds())
    if (feed.head.seq > feed.fork.seq)
      held[space_of(feed.intro)].insert({feed.head.feed, feed.head.hash});
  return held;
}

using Shown = std::map<std::pair<LayerName, Holding>, Bytes>;

void check_node(World& world, SimNode& node, Shown& shown_elsewhere) {
  Views views;
  Directory& directory = node.process->replica().directory();
  const Closings closings = closings_in(directory);
  std::map<Space, Holding> holdings = holdings_of(world, directory);
  for (const KnownFeed& feed : directory.feeds()) read_feed(world, node, feed, closings, views);
  std::size_t found = 0;
  if (node.is_revoked) return;  // it is told why, and nothing more
  for (const StoredLayer& stored : node.process->store().layers_after(LayerRow(0), 1'000'000)) {
    if (is_blank(stored.state)) continue;
    const StoredSpace& space = directory.space(stored.space);
    const LayerName name{{space.home, space.audience, space.target}, stored.record};
    const auto merged = views.find(name);
    world.require(merged != views.end(), "I6", "a record is shown that nobody wrote");
    ++found;
    if (world.options.trace && shown_by(world, stored) != standing(merged->second))
      tell_difference(world, shown_by(world, stored), merged->second);
    world.require(shown_by(world, stored) == standing(merged->second), "I7",
                  "machine " + std::to_string(node.machine) +
                      " shows other values than its entries say, audience " +
                      std::string(name_of(space.audience)));
    const Bytes bytes = shown(*decode_layer(stored.state));
    const auto [other, is_first] = shown_elsewhere.try_emplace({name, holdings[name.first]}, bytes);
    world.require(
        is_first || other->second == bytes, "I6",
        "two nodes show a record differently, audience " + std::string(name_of(space.audience)));
  }
  const auto written = std::count_if(views.begin(), views.end(),
                                     [](const auto& each) { return each.second.changes > 0; });
  world.require(found == static_cast<std::size_t>(written), "I6",
                "a record is missing that was written");
}

}  // namespace

void check_views(World& world) {
  Shown shown_elsewhere;
  for (const auto& node : world.nodes)
    if (!node->is_gone) check_node(world, *node, shown_elsewhere);
}

}  // namespace chapterd::sim
