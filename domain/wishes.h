// What a record would be after an edit: the fields shown, with what a person wished laid over them.
#pragma once

#include "domain/record.h"
#include "domain/validation.h"

#include <nlohmann/json_fwd.hpp>

#include <map>
#include <set>
#include <string>
#include <vector>

namespace chapterd {

// Reads wishes from JSON and checks each value by itself. `kind` and `view` must outlive it.
class Wishes {
 public:
  Wishes(const Kind& kind, const RecordView& view);

  // {"set": …, "clear": …, "add": …, "remove": …}, as in draft_edit().
  void read_edit(const nlohmann::json& edit);
  // An object of fields, as in draft_create().
  void read_fields(const nlohmann::json& fields);
  // Empties a field and all its keys, as if it had been wished.
  void clear(const std::string& name);

  // Values for `state` and `deleted`, which are no fields of the kind: empty when not wished.
  [[nodiscard]] const std::string& wished_state() const { return state_; }

  [[nodiscard]] bool wants_restored() const { return restored_; }

  // Stored names that were wished for.
  [[nodiscard]] const std::set<std::string>& touched() const { return touched_; }

  // The field as it would be; null when it would be empty.
  [[nodiscard]] const ShownField* after(const std::string& stored) const;
  // Every stored name that the field would have, for a keyed one one a key.
  [[nodiscard]] std::vector<std::string> names_of(const std::string& field) const;
  // The whole record as it would be, in the form of fields_json().
  [[nodiscard]] nlohmann::json fields_after() const;

  [[nodiscard]] const std::vector<Finding>& findings() const { return findings_; }

 private:
  struct Target {
    const Field* field = nullptr;
    std::string stored;
  };

  void find(std::string name, std::string code, std::string message);
  [[nodiscard]] Target target(const std::string& name);
  void set(const std::string& name, const nlohmann::json& value);
  void set_keys(const Field& field, const nlohmann::json& values);
  void set_one(const Target& target, const nlohmann::json& value);
  void set_reserved(const std::string& name, const nlohmann::json& value);
  void change_elements(const std::string& name, const nlohmann::json& value, Action action);
  [[nodiscard]] std::vector<Bytes> elements(const Target& target, const nlohmann::json& value);
  void write(const Target& target, std::vector<Bytes> values);

  const Kind& kind_;
  const RecordView& view_;
  std::map<std::string, ShownField> after_;
  std::set<std::string> touched_;
  std::string state_;
  bool restored_ = false;
  std::vector<Finding> findings_;
};

}  // namespace chapterd
