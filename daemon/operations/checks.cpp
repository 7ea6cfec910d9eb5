// Verbs about the whole database: is it sound, is it the same elsewhere, make the records anew.
#include "crypto/hash.h"
#include "daemon/operations/arguments.h"
#include "daemon/operations/held.h"
#include "daemon/operations/store_trouble.h"
#include "daemon/operations/verbs.h"
#include "daemon/operations/verification.h"
#include "replication/merge.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <tuple>

namespace chapterd {
namespace {

using Json = nlohmann::json;

constexpr std::size_t layers_a_time = 1000;

// --- verify ---

Result<Json> verify_all(NodeAccess& node, const Json& args) {
  if (auto done = Arguments(args).done(); !done) return forward(done);
  const auto pages = node.write_alone(
      [](Replica& replica) -> Result<Json> { return faults_of_file(replica.store()); });
  if (!pages) return pages;
  return node.read([&](Reader& reader, const Directory& directory) -> Result<Json> {
    Verification verification(reader, directory);
    for (const Json& page : *pages)
      verification.find_in_file("Database file: " + page.get<std::string>());
    verification.run();
    Json found = verification.json();
    if (found["ok"].get<bool>()) node.parts().damage.forget();
    return found;
  });
}

// --- rebuild ---

Result<Json> rebuild(NodeAccess& node, const Json& args) {
  if (auto done = Arguments(args).done(); !done) return forward(done);
  return node.write_alone([](Replica& replica) -> Result<Json> {
    const auto entries = replica.rebuild();
    if (!entries) return forward(entries);
    return Json{{"entries", *entries}};
  });
}

// --- views ---

// What one space shows: of each record a hash, in order of their ids.
using SpaceView = std::map<RecordId, Digest>;

// `locked`: private layers are left out.
std::map<std::uint64_t, SpaceView> view_spaces(Reader& reader,
                                               const Directory& directory,
                                               bool& locked) {
  std::map<std::uint64_t, SpaceView> spaces;
  for (LayerRow after(0);;) {
    const auto layers = reader.layers_after(after, layers_a_time);
    for (const StoredLayer& layer : layers) {
      after = layer.row;
      if (layer.space.value > directory.spaces().size() || is_blank(layer.state)) continue;
      if (is_sealed(layer.state)) {
        locked = true;
        continue;
      }
      const auto state = decode_layer(layer.state);
      if (!state) throw Damaged(state.error());
      spaces[layer.space.value][layer.record] = hash("chapterd/view-record/1", shown(*state));
    }
    if (layers.size() < layers_a_time) return spaces;
  }
}

Json space_json(const Directory& directory, const StoredSpace& space, const SpaceView& view) {
  Hasher hasher("chapterd/view-space/1");
  for (const auto& [record, content] : view) hasher.add(record).add(content);
  const Authority& authority = directory.authority();
  Json json = {{"home", code_of(authority, space.home)},
               {"audience", name_of(space.audience)},
               {"target", nullptr},
               {"records", view.size()},
               {"hash", to_hex(hasher.finish().view())}};
  if (space.audience == Audience::to) json["target"] = code_of(authority, space.target);
  return json;
}

Result<Json> views(NodeAccess& node, const Json& args) {
  if (auto done = Arguments(args).done(); !done) return forward(done);
  return node.read([](Reader& reader, const Directory& directory) -> Result<Json> {
    std::vector<Json> spaces;
    bool locked = false;
    for (const auto& [row, view] : view_spaces(reader, directory, locked))
      spaces.push_back(space_json(directory, directory.space(SpaceRow(row)), view));
    std::ranges::sort(spaces, {}, [](const Json& space) {
      return std::tuple(space["home"].get<std::string>(), space["audience"].get<std::string>(),
                        space["target"].is_string() ? space["target"].get<std::string>() : "");
    });
    return Json{{"spaces", std::move(spaces)}, {"locked", locked}};
  });
}

constexpr std::array verbs{
    Verb{"verify", Needs::nothing, verify_all},
    Verb{"rebuild", Needs::space, rebuild},
    Verb{"views", Needs::nothing, views},
};

}  // namespace

std::span<const Verb> check_verbs() {
  return verbs;
}

}  // namespace chapterd
