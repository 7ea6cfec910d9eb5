// From what a person filled in to changes, one a layer.
#include "domain/drafts.h"

#include "domain/drafting.h"
#include "domain/names.h"
#include "replication/format/cbor.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace chapterd {
namespace {

using Json = nlohmann::json;

constexpr std::string_view deleted_message =
    "The record is deleted, and nothing more is done with it. Write a new one.";

std::vector<std::string> state_names(const Kind& kind) {
  std::vector<std::string> names;
  for (const State& state : kind.states) names.push_back(state.name);
  return names;
}

std::vector<std::string> verbs_of(const std::vector<const Transition*>& steps) {
  std::vector<std::string> verbs;
  for (const Transition* step : steps) verbs.push_back(step->verb);
  return verbs;
}

std::string joined(const std::vector<std::string>& names) {
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
  return all.empty() ? "nothing" : all;
}

bool leads_from(const Transition& step, const std::string& state) {
  return std::find(step.from.begin(), step.from.end(), state) != step.from.end();
}

// `state` may be wished only where there is none, or to choose among states written apart.
void settle_state(Drafting& drafting, const Kind& kind, const RecordView& view) {
  const std::string wished = drafting.wishes().wished_state();
  const State* state = kind.state(wished);
  if (state == nullptr) {
    drafting.find(std::string(state_field), "state.unknown",
                  "“" + wished + "” is no state of " + kind.name + "." +
                      did_you_mean(wished, state_names(kind)));
    return;
  }
  const ShownField* shown = view.field(state_field);
  const Bytes stored = CborWriter().text(wished).take();
  if (shown != nullptr &&
      (!view.state_conflict() ||
       std::find(shown->values.begin(), shown->values.end(), stored) == shown->values.end())) {
    drafting.find(std::string(state_field), "state.verb",
                  "A state is moved on by a verb. From here: " +
                      joined(verbs_of(next_steps(kind, view))) + ".");
    return;
  }
  if (!drafting.wishes().touched().empty() && !drafting.wishes().wants_restored()) {
    drafting.find(std::string(state_field), "state.alone", "Choose the state by itself first.");
    return;
  }
  const LayerRef layer = drafting.layer_of(*state);
  if (!view.layers.empty()) drafting.check_widens(layer);
  drafting.move_state(wished, layer);
  drafting.move_fields(layer);
}

// Whether the verb may be used now; findings when not.
bool may_step(Drafting& drafting,
              const Kind& kind,
              const RecordView& view,
              const Transition& step) {
  if (view.deleted) {
    drafting.find("", "record.deleted", std::string(deleted_message));
  } else if (view.state_conflict()) {
    drafting.find(std::string(state_field), "state.conflict",
                  "The record was moved on in two ways apart; choose one state first.");
  } else if (!leads_from(step, view.state())) {
    drafting.find(std::string(state_field), "state.from",
                  "“" + step.verb + "” leads on from " + joined(step.from) + "; this record is “" +
                      view.state() +
                      "”. Possible now: " + joined(verbs_of(next_steps(kind, view))) + ".");
  }
  return drafting.sound();
}

// A closed record takes only what the step itself asks for.
void check_locked(Drafting& drafting, const Kind& kind, const Transition& step) {
  if (drafting.edits() != Edits::none) return;
  for (const std::string& name : drafting.wishes().touched()) {
    const Field* field = kind.field(name);
    const bool asked =
        std::find(step.needs.begin(), step.needs.end(), field->name) != step.needs.end();
    if (field->confidential || asked) continue;
    drafting.find(name, "state.locked", "The record is closed; this can no longer be changed.");
  }
}

}  // namespace

Result<std::vector<LayerChange>> accepted(Draft draft) {
  if (!draft.findings.empty()) return fail(to_error(draft.findings));
  return std::move(draft.changes);
}

Draft draft_create(const Kind& kind, const RecordKey& key, const Json& fields) {
  RecordView view;
  view.key = key;
  view.kind = kind.name;
  Drafting drafting(kind, view);
  if (kind.states.empty()) {
    drafting.find("", "kind.part", kind.name + " is a part of " + kind.part_of + ", no record.");
    return drafting.finish();
  }
  Json presets = Json::object();
  for (const Field& field : kind.fields) {
    if (field.preset.empty()) continue;
    presets[field.name] = field.many ? Json::array({field.preset}) : Json(field.preset);
  }
  drafting.wishes().read_fields(presets);
  drafting.wishes().read_fields(fields);
  if (!drafting.wishes().wished_state().empty() || drafting.wishes().wants_restored()) {
    drafting.find("", "state.verb", "A record begins as “" + kind.states.front().name + "”.");
  }
  drafting.check_whole({});
  if (!drafting.sound()) return drafting.finish();
  const State& first = kind.states.front();
  const LayerRef layer = drafting.layer_of(first);
  drafting.move_state(first.name, layer);
  drafting.write_wished(Edits::open, layer);
  return drafting.finish();
}

Draft draft_edit(const Kind& kind, const RecordView& view, const Json& edit) {
  Drafting drafting(kind, view);
  drafting.wishes().read_edit(edit);
  if (!drafting.sound()) return drafting.finish();
  const bool restored = drafting.wishes().wants_restored();
  if (view.deleted && !restored) {
    drafting.find("", "record.deleted", std::string(deleted_message));
    return drafting.finish();
  }
  if (restored) {
    drafting.restore();
    drafting.check_whole({});
  } else {
    drafting.check_kept();
  }
  if (!drafting.wishes().wished_state().empty()) {
    settle_state(drafting, kind, view);
    return drafting.finish();
  }
  if (view.field(state_field) == nullptr) {
    drafting.find(std::string(state_field), "field.required",
                  "The record has no state: choose one of " + joined(state_names(kind)) + ".");
    return drafting.finish();
  }
  const LayerRef layer = view.current_layer();
  const bool shared = layer.audience != Audience::chapter;
  const Edits edits = drafting.edits();
  drafting.write_wished(edits == Edits::draft && !shared ? Edits::open : edits, layer);
  return drafting.finish();
}

Draft draft_transition(const Kind& kind,
                       const RecordView& view,
                       std::string_view verb,
                       const Json& fields) {
  Drafting drafting(kind, view);
  const Transition* step = kind.transition(verb);
  if (step == nullptr) {
    const auto possible = verbs_of(next_steps(kind, view));
    const std::string shown(verb.substr(0, 80));
    drafting.find("", "verb.unknown",
                  "“" + shown + "” is no verb of " + kind.name + "." +
                      did_you_mean(shown, possible) + " Possible now: " + joined(possible) + ".");
    return drafting.finish();
  }
  if (!may_step(drafting, kind, view, *step)) return drafting.finish();
  drafting.wishes().read_fields(fields);
  if (!drafting.wishes().wished_state().empty()) {
    drafting.find(std::string(state_field), "state.verb", "The verb says the state.");
  }
  check_locked(drafting, kind, *step);
  drafting.check_whole(step->needs);
  for (const std::string& name : step->clears) drafting.wishes().clear(name);
  if (!drafting.sound()) return drafting.finish();
  const LayerRef layer = drafting.layer_of(*kind.state(step->to));
  drafting.check_widens(layer);
  drafting.move_fields(layer);
  drafting.move_state(step->to, layer);
  drafting.move_card(step->card);
  for (const std::string& name : step->clears) drafting.clear_beyond(layer, name);
  return drafting.finish();
}

Draft draft_delete(const Kind& kind, const RecordView& view) {
  Drafting drafting(kind, view);
  if (view.layers.empty()) drafting.find("", "record.unknown", "There is no such record here.");
  drafting.bury();
  return drafting.finish();
}

std::vector<const Transition*> next_steps(const Kind& kind, const RecordView& view) {
  std::vector<const Transition*> steps;
  if (view.deleted || view.state_conflict()) return steps;
  const std::string state = view.state();
  for (const Transition& step : kind.transitions) {
    if (leads_from(step, state)) steps.push_back(&step);
  }
  return steps;
}

std::vector<const Transition*> carrying_steps(const Kind& kind, const RecordView& view) {
  std::vector<const Transition*> steps = next_steps(kind, view);
  std::erase_if(steps, [&](const Transition* step) {
    const State& to = *kind.state(step->to);
    return to.edits == Edits::none ||
           !reaches(view.current_layer(), Drafting(kind, view).layer_of(to));
  });
  return steps;
}

std::vector<std::string> waiting_fields(const Kind& kind, const RecordView& view) {
  std::vector<std::string> names;
  const LayerRef shared = view.current_layer();
  for (const SeenLayer& held : view.layers) {
    if (held.layer == shared || !reaches(held.layer, shared)) continue;
    for (const SeenField& seen : held.fields) {
      const Field* field = kind.field(seen.name);
      if (field != nullptr && !field->confidential) names.push_back(seen.name);
    }
  }
  return names;
}

}  // namespace chapterd
