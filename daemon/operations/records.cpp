// Verbs that write records: add, edit, move, delete.
#include "base/contract.h"
#include "daemon/operations/arguments.h"
#include "daemon/operations/rehearsal.h"
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

// What is written, and the steps that are taken right behind it.
struct Chain {
  const Kind& kind;
  RecordKey key;
  std::vector<LayerChange> changes;
  std::vector<std::string> verbs;
};

Result<std::vector<LayerChange>> step_of(const Kind& kind,
                                         const RecordView& view,
                                         const std::string& verb) {
  return accepted(draft_transition(kind, view, verb, Json::object()));
}

// Whether all of it can be written. `rehearsal` is of the record before it.
Result<void> rehearse(const Replica& replica, Rehearsal rehearsal, const Chain& chain) {
  rehearsal.take(chain.changes);
  for (const std::string& verb : chain.verbs) {
    const auto step = step_of(chain.kind, rehearsal.view(), verb);
    const auto checked = step ? check_changes(replica, *step) : Result<void>(forward(step));
    if (!checked) {
      Error error = checked.error();
      error.what = "The step " + shown(verb) + " cannot follow. " + error.what;
      error.safe = "Nothing was written, neither this step nor what comes before it.";
      return fail(std::move(error));
    }
    rehearsal.take(*step);
  }
  return {};
}

// After rehearse(), in the same write. The answer is that of the last step.
Result<Json> write_chain(Replica& replica, const Kinds& kinds, const Chain& chain) {
  auto answer = write_changes(replica, kinds, chain.key, chain.changes);
  for (const std::string& verb : chain.verbs) {
    if (!answer) return answer;
    const auto own = own_record(replica, kinds, to_text(Link{chain.key, std::nullopt}));
    CHECK(own.has_value());
    answer = write_changes(replica, kinds, chain.key, step_of(chain.kind, own->view, verb));
    CHECK(answer.has_value());
  }
  return answer;
}

Result<Json> add(NodeAccess& node, const Json& args) {
  Arguments in(args);
  const std::string name = in.text("kind");
  const Json fields = in.object("fields");
  const auto then = in.texts("then");
  if (auto done = in.done(); !done) return forward(done);
  const NodeParts& parts = node.parts();
  const auto kind = kind_named(parts.kinds, name);
  if (!kind) return forward(kind);
  return node.write([&](Replica& replica) -> Result<Json> {
    const RecordKey key{replica.directory().chapter(), new_record_id(parts.date, parts.random)};
    const auto whole = with_whole_links(replica, parts.kinds, **kind, fields);
    if (!whole) return forward(whole);
    auto changes = accepted(draft_create(**kind, key, *whole));
    if (!changes) return forward(changes);
    const Chain chain{**kind, key, std::move(*changes), then.value_or(std::vector<std::string>())};
    auto rehearsed = rehearse(replica, Rehearsal(**kind, key), chain);
    if (!rehearsed) return forward(rehearsed);
    return write_chain(replica, parts.kinds, chain);
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
  const auto then = in.texts("then");
  if (auto done = in.done(); !done) return forward(done);
  const Kinds& kinds = node.parts().kinds;
  return node.write([&](Replica& replica) -> Result<Json> {
    const auto own = own_record(replica, kinds, id);
    if (!own) return forward(own);
    const auto whole = whole_edit(replica, kinds, *own->kind, wishes);
    if (!whole) return forward(whole);
    auto changes = accepted(draft_edit(*own->kind, own->view, *whole));
    if (!changes) return forward(changes);
    const Chain chain{*own->kind, own->view.key, std::move(*changes),
                      then.value_or(std::vector<std::string>())};
    const auto held = find_record(replica, id);
    if (!held) return forward(held);
    auto rehearsed = rehearse(replica, Rehearsal(*own->kind, *held), chain);
    if (!rehearsed) return forward(rehearsed);
    return write_chain(replica, kinds, chain);
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
