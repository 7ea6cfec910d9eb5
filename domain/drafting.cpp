// The steps that drafts are made of.
#include "domain/drafting.h"

#include "domain/names.h"
#include "replication/format/cbor.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace chapterd {
namespace {

using Json = nlohmann::json;

constexpr LayerRef chapter_layer{};

Bytes stored_text(std::string_view text) {
  return CborWriter().text(text).take();
}

std::string text_of(ByteView value) {
  const Json json = to_shown(nullptr, value);
  return json.is_string() ? json.get<std::string>() : std::string();
}

bool is_conflict(const ShownField* field) {
  return field != nullptr && field->shape == ShownField::Shape::conflict;
}

std::optional<Link> link_in(const ShownField* field) {
  if (field == nullptr || field->values.empty()) return std::nullopt;
  const ByteView value = field->values.back();
  CborReader in(value);
  return link_from(in.bytes(value.size()));
}

// A field as a draft holds it: one value, null for "emptied", a set as one array.
Bytes draft_value(const Field& field, const ShownField* shown) {
  CborWriter out;
  if (!field.many) return shown == nullptr ? out.null().take() : shown->values.back();
  std::vector<Bytes> elements = shown == nullptr ? std::vector<Bytes>() : shown->values;
  std::sort(elements.begin(), elements.end());
  out.array(elements.size());
  for (const Bytes& element : elements) out.raw(element);
  return out.take();
}

}  // namespace

bool reaches(const LayerRef& narrow, const LayerRef& wide) {
  return narrow == wide ||
         (narrow.audience != wide.audience && widens(narrow.audience, wide.audience));
}

Drafting::Drafting(const Kind& kind, const RecordView& view)
    : kind_(kind), view_(view), wishes_(kind, view), out_(kind, view) {}

void Drafting::find(std::string field, std::string code, std::string message) {
  findings_.push_back({std::move(field), std::move(code), std::move(message)});
}

Draft Drafting::finish() {
  if (auto all = all_findings(); !all.empty()) return {{}, std::move(all)};
  return out_.take();
}

void Drafting::check_whole(const std::vector<std::string>& needs) {
  if (!wishes_.findings().empty()) return;  // what was refused would only be missed again
  const Json fields = wishes_.fields_after();
  std::vector<std::string> all;
  for (const Field& field : kind_.fields) {
    if (field.required) all.push_back(field.name);
  }
  for (const std::string& name : needs) {
    if (std::find(all.begin(), all.end(), name) == all.end()) all.push_back(name);
  }
  append_findings(check_filled(kind_, fields, all));
  append_findings(check_rules(kind_, fields));
}

void Drafting::check_kept() {
  for (const std::string& name : wishes_.touched()) {
    const Field* field = kind_.field(name);
    if (field->required && wishes_.names_of(field->name).empty()) {
      find(field->name, "field.required", "This cannot be cleared.");
    }
  }
  append_findings(check_rules(kind_, wishes_.fields_after()));
}

void Drafting::check_widens(const LayerRef& layer) {
  const LayerRef now = view_.current_layer();
  if (reaches(now, layer)) return;
  find("", "state.narrows",
       "The record is held by everybody in “" + std::string(name_of(now.audience)) +
           "”; it cannot go back to “" + std::string(name_of(layer.audience)) + "”.");
}

LayerRef Drafting::layer_of(const State& state) {
  const AudienceRule& rule = state.audience;
  const ShownField* field = wishes_.after(rule.field);
  if (rule.how == AudienceRule::How::fixed) return {rule.audience, {}};
  if (rule.how == AudienceRule::How::stay) return view_.current_layer();
  if (is_conflict(field)) {
    find(rule.field, "field.conflict", "This says who may see the record; choose one.");
    return view_.current_layer();
  }
  if (rule.how == AudienceRule::How::by_field && field != nullptr) {
    const Choice* choice = kind_.field(rule.field)->choice(text_of(field->values.back()));
    if (choice != nullptr) return {*audience_from(choice->name), {}};
  }
  if (rule.how == AudienceRule::How::to_home_of) {
    const auto link = link_in(field);
    if (link && link->record.home == view_.key.home) return chapter_layer;
    if (link) return {Audience::to, link->record.home};
  }
  find(rule.field, "field.required", "This says who may see the record.");
  return view_.current_layer();
}

Edits Drafting::edits() const {
  const ShownField* shown = view_.field(state_field);
  Edits strictest = Edits::open;
  if (shown == nullptr) return strictest;
  for (const Bytes& value : shown->values) {
    const State* state = kind_.state(text_of(value));
    strictest = std::max(strictest, state == nullptr ? Edits::none : state->edits);
  }
  return strictest;
}

void Drafting::write_wished(Edits edits, const LayerRef& layer) {
  for (const std::string& name : wishes_.touched()) {
    if (kind_.field(name)->confidential || edits == Edits::open) {
      write_through(layer, name);
    } else if (edits == Edits::none) {
      find(name, "state.locked", "The record is closed; this can no longer be changed.");
    } else {
      write_draft(name);
    }
  }
}

void Drafting::move_fields(const LayerRef& layer) {
  std::set<std::string> names = wishes_.touched();
  for (const SeenLayer& held : view_.layers) {
    if (held.layer == layer || !reaches(held.layer, layer)) continue;
    for (const SeenField& field : held.fields) names.insert(field.name);
  }
  for (const std::string& name : names) {
    // A field that this version does not know may be confidential: it stays where it is.
    const Field* field = kind_.field(name);
    if (field == nullptr || (field->confidential && !wishes_.touched().contains(name))) continue;
    if (is_conflict(wishes_.after(name))) {
      find(name, "field.conflict", "This was changed apart; choose one before it goes further.");
    } else {
      write_through(layer, name);
    }
  }
}

void Drafting::move_state(const std::string& state, const LayerRef& layer) {
  const std::string name(state_field);
  out_.set(layer, name, stored_text(state));
  for (const SeenLayer& held : view_.layers) {
    if (!(held.layer == layer)) out_.clear(held.layer, name);
  }
}

void Drafting::move_card(CardMove move) {
  if (move == CardMove::leave || !kind_.card) return;
  const LayerRef layer{kind_.card->audience, {}};
  const ShownField* shown_by = wishes_.after(kind_.card->shown_by);
  for (const Choice& choice : kind_.field(kind_.card->shown_by)->choices) {
    const bool shown = move == CardMove::show && shown_by != nullptr &&
                       std::find(shown_by->values.begin(), shown_by->values.end(),
                                 stored_text(choice.name)) != shown_by->values.end();
    show_on_card(layer, choice.name, shown);
  }
}

void Drafting::clear_beyond(const LayerRef& layer, const std::string& field) {
  for (const SeenLayer& held : view_.layers) {
    if (reaches(held.layer, layer)) continue;
    for (const SeenField& seen : held.fields) {
      if (split_name(seen.name).field == field) out_.clear(held.layer, seen.name);
    }
  }
}

void Drafting::restore() {
  for (const SeenLayer& held : view_.layers) out_.clear(held.layer, std::string(deleted_field));
}

void Drafting::bury() {
  for (const SeenLayer& held : view_.layers) {
    for (const SeenField& field : held.fields) {
      if (field.name != deleted_field) out_.clear(held.layer, field.name);
    }
    out_.set(held.layer, std::string(deleted_field), CborWriter().boolean(true).take());
  }
}

// Writes the wished content of a field into `layer` and clears what lies over it there.
void Drafting::write_through(const LayerRef& layer, const std::string& name) {
  const Field* field = kind_.field(name);
  const LayerRef place = field->confidential ? chapter_layer : layer;
  const ShownField* after = wishes_.after(name);
  if (field->many) {
    out_.set_elements(place, name, after == nullptr ? std::vector<Bytes>() : after->values);
  } else if (after == nullptr) {
    out_.clear(place, name);
  } else {
    out_.set(place, name, after->values.back());
  }
  for (const SeenLayer& held : view_.layers) {
    if (!(held.layer == place) && reaches(held.layer, place)) out_.clear(held.layer, name);
  }
}

// Writes it over what others see, into the chapter layer only.
void Drafting::write_draft(const std::string& name) {
  const Field* field = kind_.field(name);
  Bytes wished = draft_value(*field, wishes_.after(name));
  if (wished == shared_value(*field, name)) return out_.clear(chapter_layer, name);
  out_.set(chapter_layer, name, std::move(wished));
}

// What the layers above the chapter's show of a field, in the form of draft_value().
Bytes Drafting::shared_value(const Field& field, const std::string& name) const {
  for (const SeenLayer& held : view_.layers) {
    const SeenField* seen = held.layer == chapter_layer ? nullptr : held.field(name);
    if (seen == nullptr) continue;
    ShownField shown;
    for (const SeenValue& value : seen->values) {
      if (std::find(shown.values.begin(), shown.values.end(), value.value) == shown.values.end()) {
        shown.values.push_back(value.value);
      }
    }
    if (!field.many && shown.values.size() > 1) return {};  // to be settled: equal to nothing
    return draft_value(field, &shown);
  }
  return draft_value(field, nullptr);
}

void Drafting::show_on_card(const LayerRef& layer, const std::string& field, bool shown) {
  std::set<std::string> names;
  for (const std::string& name : wishes_.names_of(field)) names.insert(name);
  if (const SeenLayer* held = view_.layer(layer); held != nullptr) {
    for (const SeenField& seen : held->fields) {
      if (split_name(seen.name).field == field) names.insert(seen.name);
    }
  }
  for (const std::string& name : names) {
    const ShownField* after = shown ? wishes_.after(name) : nullptr;
    if (is_conflict(after)) {
      find(name, "field.conflict", "This was changed apart; choose one before it is shown.");
    } else if (after == nullptr) {
      out_.clear(layer, name);
    } else if (after->shape == ShownField::Shape::set) {
      out_.set_elements(layer, name, after->values);
    } else {
      out_.set(layer, name, after->values.back());
    }
  }
}

std::vector<Finding> Drafting::all_findings() const {
  std::vector<Finding> all = wishes_.findings();
  all.insert(all.end(), findings_.begin(), findings_.end());
  return all;
}

void Drafting::append_findings(const std::vector<Finding>& more) {
  findings_.insert(findings_.end(), more.begin(), more.end());
}

}  // namespace chapterd
