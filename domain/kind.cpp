// The table of kinds.
#include "domain/kind.h"

#include "domain/kind_reader.h"
#include "domain/names.h"

#include <algorithm>

namespace chapterd {
namespace {

template <class T>
const T* named(const std::vector<T>& items, std::string T::*name, std::string_view wanted) {
  const auto at =
      std::find_if(items.begin(), items.end(), [&](const T& item) { return item.*name == wanted; });
  return at == items.end() ? nullptr : &*at;
}

tl::unexpected<Error> broken(const Kind& kind, const std::string& what) {
  return fail(Errc::malformed, "kind.file", kind.name + ".json: " + what + ".",
              "No other kind is affected.", "See docs/kinds.md for the form of a kind file.");
}

// Points a field at the kinds it names.
Result<void> connect(const Kinds& kinds, const Kind& kind, Field& field) {
  for (const std::string& name : field.of) {
    const Kind* other = kinds.find(name);
    if (other == nullptr) {
      return broken(kind, "field " + field.name + " names the unknown kind \"" + name + "\"");
    }
    const bool part = field.type == FieldType::part;
    if (part != !other->part_of.empty() || (part && other->part_of != kind.name)) {
      return broken(kind, "field " + field.name + " cannot be of kind \"" + name + "\"");
    }
    if (part) field.part = other;
  }
  return {};
}

}  // namespace

const Choice* Field::choice(std::string_view name_) const {
  return named(choices, &Choice::name, name_);
}

const Field* Kind::field(std::string_view name_) const {
  return named(fields, &Field::name, split_name(name_).field);
}

const State* Kind::state(std::string_view name_) const {
  return named(states, &State::name, name_);
}

const Transition* Kind::transition(std::string_view verb) const {
  return named(transitions, &Transition::verb, verb);
}

bool widens(Audience narrow, Audience wide) {
  if (narrow == wide) return true;
  return narrow == Audience::chapter || wide == Audience::all;
}

Result<Kinds> Kinds::load() {
  return parse(embedded_kinds());
}

Result<Kinds> Kinds::parse(std::span<const KindFile> files) {
  Kinds table;
  for (const KindFile& file : files) {
    auto kind = read_kind(file);
    if (!kind) return forward(kind);
    if (table.find(kind->name) != nullptr) return broken(*kind, "there are two kinds of this name");
    table.kinds_.push_back(std::make_unique<Kind>(std::move(*kind)));
  }
  std::sort(table.kinds_.begin(), table.kinds_.end(),
            [](const auto& a, const auto& b) { return a->name < b->name; });
  for (const auto& kind : table.kinds_) {
    for (Field& field : kind->fields) {
      const auto connected = connect(table, *kind, field);
      if (!connected) return forward(connected);
    }
    if (!kind->part_of.empty() && table.find(kind->part_of) == nullptr) {
      return broken(*kind, "it is part of the unknown kind \"" + kind->part_of + "\"");
    }
  }
  return table;
}

const Kind* Kinds::find(std::string_view name) const {
  const auto at = std::find_if(kinds_.begin(), kinds_.end(),
                               [&](const auto& kind) { return kind->name == name; });
  return at == kinds_.end() ? nullptr : at->get();
}

std::vector<const Kind*> Kinds::records() const {
  std::vector<const Kind*> records = all();
  std::erase_if(records, [](const Kind* kind) { return !kind->part_of.empty(); });
  return records;
}

std::vector<const Kind*> Kinds::all() const {
  std::vector<const Kind*> all;
  for (const auto& kind : kinds_) all.push_back(kind.get());
  return all;
}

}  // namespace chapterd
