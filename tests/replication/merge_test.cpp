// What a layer shows does not depend on the order in which its changes came.
#include "replication/merge.h"

#include "replication/format/cbor.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <random>

namespace chapterd {
namespace {

// A change with the hash that names its values. Hashes are made up: merging only compares them.
struct Made {
  Bytes payload;
  EntryHash hash;
  HybridTime time;
};

EntryHash hash_number(std::uint64_t number) {
  EntryHash hash;
  for (unsigned i = 0; i < 8; ++i) hash.bytes[7 - i] = static_cast<std::uint8_t>(number >> (8 * i));
  return hash;
}

Bytes text(const std::string& value) {
  return CborWriter().text(value).take();
}

Made made(std::uint64_t number, std::vector<Operation> operations, std::uint64_t time = 0) {
  Change change;
  change.kind = "note";
  change.operations = std::move(operations);
  return {encode(change), hash_number(number), HybridTime{time == 0 ? number : time}};
}

ValueName name(std::uint64_t number, std::uint16_t operation = 0) {
  return {number, operation};
}

Bytes merged(const std::vector<Made>& changes, const std::vector<std::size_t>& order) {
  LayerState layer;
  Bytes kept;
  ChangeView view;
  for (const std::size_t i : order) {
    // Through the store's bytes each time, as in a node.
    if (!kept.empty()) layer = *decode_layer(kept);
    if (!decode_change(changes[i].payload, view))
      throw std::runtime_error("a made change does not decode");
    merge(layer, view, changes[i].hash, changes[i].time);
    kept = encode(layer);
    layer = *decode_layer(kept);
  }
  return shown(layer);
}

std::vector<std::string> values(const std::vector<Made>& changes, const std::string& field) {
  LayerState layer;
  std::vector<ChangeView> views(changes.size());
  for (std::size_t i = 0; i < changes.size(); ++i) {
    if (!decode_change(changes[i].payload, views[i]))
      throw std::runtime_error("a made change does not decode");
    merge(layer, views[i], changes[i].hash, changes[i].time);
  }
  std::vector<std::string> texts;
  for (const LayerField& each : layer.fields) {
    if (each.field != field) continue;
    for (const FieldValue& value : each.values)
      texts.emplace_back(CborReader(value.value).text(100));
  }
  return texts;
}

TEST(Merge, AnEditTakesTheValueItsAuthorSaw) {
  const auto first = made(1, {{"title", Action::set, text("a"), {}}});
  const auto second = made(2, {{"title", Action::set, text("b"), {name(1)}}});
  EXPECT_EQ(values({first, second}, "title"), std::vector<std::string>{"b"});
}

TEST(Merge, ConcurrentValuesAreAllKept) {
  const auto base = made(1, {{"title", Action::set, text("a"), {}}});
  const auto one = made(2, {{"title", Action::set, text("b"), {name(1)}}});
  const auto other = made(3, {{"title", Action::set, text("c"), {name(1)}}});
  EXPECT_EQ(values({base, one, other}, "title"), (std::vector<std::string>{"b", "c"}));
}

TEST(Merge, AnEditOutlivesAConcurrentClear) {
  const auto base = made(1, {{"title", Action::set, text("a"), {}}});
  const auto edit = made(2, {{"title", Action::set, text("b"), {name(1)}}});
  const auto clear = made(3, {{"title", Action::clear, {}, {name(1)}}});
  EXPECT_EQ(values({base, edit, clear}, "title"), std::vector<std::string>{"b"});
  EXPECT_EQ(values({base, clear}, "title"), std::vector<std::string>{});
}

TEST(Merge, AnAddWinsOverAConcurrentRemove) {
  const auto add = made(1, {{"tags", Action::add, text("cholera"), {}}});
  const auto remove = made(2, {{"tags", Action::remove, text("cholera"), {name(1)}}});
  const auto again = made(3, {{"tags", Action::add, text("cholera"), {}}});
  EXPECT_EQ(values({add, remove}, "tags"), std::vector<std::string>{});
  EXPECT_EQ(values({add, remove, again}, "tags"), std::vector<std::string>{"cholera"});
}

TEST(Merge, ANameMayComeBeforeItsValue) {
  const auto base = made(1, {{"title", Action::set, text("a"), {}}});
  const auto edit = made(2, {{"title", Action::set, text("b"), {name(1)}}});
  EXPECT_EQ(values({edit, base}, "title"), std::vector<std::string>{"b"});
}

TEST(Merge, AClockDecidesNothing) {
  const auto first = made(1, {{"title", Action::set, text("a"), {}}}, UINT64_MAX);
  const auto second = made(2, {{"title", Action::set, text("b"), {name(1)}}}, 1);
  EXPECT_EQ(values({first, second}, "title"), std::vector<std::string>{"b"});
}

Bytes a_stored_layer() {
  LayerState layer;
  ChangeView view;
  const auto change = made(1, {{"title", Action::set, text("a"), {name(9)}}});
  EXPECT_TRUE(decode_change(change.payload, view));
  merge(layer, view, change.hash, change.time);
  return encode(layer);
}

TEST(Merge, ADamagedLayerIsRefusedAtEveryLength) {
  const Bytes whole = a_stored_layer();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(decode_layer(ByteView(whole).first(size))) << size;
  }
}

// A history: each change supersedes some of what some subset of the earlier ones shows.
std::vector<Made> history(std::mt19937_64& chance, std::size_t count) {
  std::vector<Made> changes;
  for (std::size_t i = 0; i < count; ++i) {
    std::vector<Operation> operations;
    for (std::size_t o = 0; o < 1 + chance() % 3; ++o) {
      Operation operation;
      operation.field = std::string(1, static_cast<char>('a' + chance() % 3));
      operation.action = static_cast<Action>(chance() % 4);
      if (operation.action != Action::clear) operation.value = text(std::to_string(chance() % 4));
      for (std::size_t s = 0; i > 0 && s < chance() % 3; ++s) {
        operation.supersedes.push_back(
            name(1 + chance() % i, static_cast<std::uint16_t>(chance() % 2)));
      }
      if (operation.action == Action::clear && operation.supersedes.empty())
        operation.supersedes.push_back(name(77));
      operations.push_back(std::move(operation));
    }
    changes.push_back(made(i + 1, std::move(operations), 1 + chance() % 5));
  }
  return changes;
}

RC_GTEST_PROP(MergeProperty, AnyOrderShowsTheSameBytes, ()) {
  std::mt19937_64 chance(*rc::gen::arbitrary<std::uint64_t>());
  const auto changes = history(chance, 2 + chance() % 12);
  std::vector<std::size_t> order(changes.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  const Bytes expected = merged(changes, order);
  std::shuffle(order.begin(), order.end(), chance);
  RC_ASSERT(merged(changes, order) == expected);
}

}  // namespace
}  // namespace chapterd
