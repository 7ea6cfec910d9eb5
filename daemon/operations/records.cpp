// Verbs that write records: add, edit, move, delete.
#include "daemon/operations/arguments.h"
#include "daemon/operations/verbs.h"
#include "daemon/operations/writing.h"
#include "domain/names.h"

#include <nlohmann/json.hpp>

#include <array>

namespace chapterd {
namespace {

using Json = nlohmann::json;

Result<const Kind*> kind_named(const Kinds& kinds, const std::string& name) {
  const Kind* kind = kinds.find(name);
  if (kind != nullptr && kind->part_of.empty()) return kind;
  std::vector<std::string> known;
  for (const Kind* each : kinds.records()) known.push_back(each->name);
  return fail(Errc::usage, "kind.unknown",
              "There is no kind " + shown(name) + "." + did_you_mean(name.substr(0, 80), known),
              "Nothing was changed.", "See what there is with: chapterd --help");
}

Result<Json> add(NodeAccess& node, const Json& args) {
  Arguments in(args);
  const std::string name = in.text("kind");
  const Json fields = in.object("fields");
  if (auto done = in.done(); !done) return forward(done);
  const NodeParts& parts = node.parts();
  const auto kind = kind_named(parts.kinds, name);
  if (!kind) return forward(kind);
  return node.write([&](Replica& replica) -> Result<Json> {
    const RecordKey key{replica.directory().chapter(), new_record_id(parts.date, parts.random)};
    const auto whole = with_whole_links(replica, parts.kinds, **kind, fields);
    if (!whole) return forward(whole);
    return write_changes(replica, parts.kinds, key, accepted(draft_create(**kind, key, *whole)));
  });
}

// The edit with whole links in each of its parts.
Result<Json> whole_edit(Replica& replica, const Kinds& kinds, const Kind& kind, Json edit) {
  for (const char* part : {"set", "add", "remove"}) {
    const auto at = edit.find(part);
    if (at == edit.end()) continue;
    auto whole = with_whole_links(replica, kinds, kind, std::move(*at));
    if (!whole) return forward(whole);
    *at = std::move(*whole);
  }
  return edit;
}

Result<Json> edit(NodeAccess& node, const Json& args) {
  Arguments in(args);
  const std::string id = in.text("id");
  const Json wishes = in.object("edit");
  if (auto done = in.done(); !done) return forward(done);
  const Kinds& kinds = node.parts().kinds;
  return node.write([&](Replica& replica) -> Result<Json> {
    const auto own = own_record(replica, kinds, id);
    if (!own) return forward(own);
    const auto whole = whole_edit(replica, kinds, *own->kind, wishes);
    if (!whole) return forward(whole);
    return write_changes(replica, kinds, own->view.key,
                         accepted(draft_edit(*own->kind, own->view, *whole)));
  });
}

Result<Json> move(NodeAccess& node, const Json& args) {
  Arguments in(args);
  const std::string id = in.text("id");
  const std::string verb = in.text("verb");
  const Json fields = in.object("fields");
  if (auto done = in.done(); !done) return forward(done);
  const Kinds& kinds = node.parts().kinds;
  return node.write([&](Replica& replica) -> Result<Json> {
    const auto own = own_record(replica, kinds, id);
    if (!own) return forward(own);
    const auto whole = with_whole_links(replica, kinds, *own->kind, fields);
    if (!whole) return forward(whole);
    return write_changes(replica, kinds, own->view.key,
                         accepted(draft_transition(*own->kind, own->view, verb, *whole)));
  });
}

Result<Json> bury(NodeAccess& node, const Json& args) {
  Arguments in(args);
  const std::string id = in.text("id");
  if (auto done = in.done(); !done) return forward(done);
  const Kinds& kinds = node.parts().kinds;
  return node.write([&](Replica& replica) -> Result<Json> {
    const auto own = own_record(replica, kinds, id);
    if (!own) return forward(own);
    return write_changes(replica, kinds, own->view.key,
                         accepted(draft_delete(*own->kind, own->view)));
  });
}

constexpr std::array verbs{
    Verb{"record.add", Needs::space, add},
    Verb{"record.edit", Needs::space, edit},
    Verb{"record.move", Needs::space, move},
    Verb{"record.delete", Needs::nothing, bury},
};

}  // namespace

std::span<const Verb> record_verbs() {
  return verbs;
}

}  // namespace chapterd
