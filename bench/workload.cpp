// Making, reading and writing the changes of the benchmarks.
#include "bench/workload.h"

#include "crypto/hash.h"
#include "domain/value.h"
#include "tests/support/seeded.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <fstream>
#include <stdexcept>

namespace chapterd::bench {
namespace {

using testing::SeededRandom;

constexpr const char* words[] = {
    "clinic",  "vaccine", "cold",    "chain",  "outbreak", "staff",   "district", "report",
    "weekly",  "supply",  "fuel",    "flood",  "training", "nurse",   "ward",     "radio",
    "network", "market",  "village", "border", "measles",  "cholera", "sample",   "courier",
    "budget",  "delay",   "stock",   "permit", "road",     "bridge",  "season",   "harvest"};

std::string sentence(SeededRandom& random, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) text += ' ';
    text += words[random.below(std::size(words))];
  }
  return text;
}

RecordId record_of(const std::string& id) {
  const Digest digest = hash("chapterd/bench-record/1", as_bytes(id));
  RecordId record;
  std::copy_n(digest.bytes.begin(), RecordId::size, record.bytes.begin());
  return record;
}

}  // namespace

Lines make_lines(std::size_t count, std::uint64_t seed) {
  SeededRandom random(seed);
  Lines lines;
  std::size_t records = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const bool is_edit = records > 0 && random.below(10) < 3;
    const std::size_t record = is_edit ? random.below(records) : records++;
    nlohmann::json line{{"id", "insight-" + std::to_string(record)},
                        {"title", sentence(random, 5)},
                        {"place", "KE-" + std::to_string(1 + random.below(47))},
                        {"learned", sentence(random, 14)},
                        {"action", sentence(random, 8)},
                        {"confidence", random.below(5) + 1},
                        {"period", "2026-" + std::to_string(10 + random.below(3))}};
    lines.push_back(line.dump());
  }
  return lines;
}

Lines read_lines(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path);
  Lines lines;
  for (std::string line; std::getline(file, line);) {
    if (line.empty()) continue;
    const auto json = nlohmann::json::parse(line, nullptr, false);
    if (!json.is_object() || !json.contains("id")) {
      throw std::runtime_error(path + ":" + std::to_string(lines.size() + 1) +
                               ": no JSON object with an \"id\"");
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

bool LineWriter::write(Replica& replica, const std::string& line) {
  const auto json = nlohmann::json::parse(line);
  Change change;
  change.record = record_of(json["id"].dump());
  change.kind = "bench";
  auto& members = records_[change.record];
  std::vector<std::string> fields;  // of the operations that bring a value
  for (const auto& [field, member] : json.items()) {
    if (field == "id") continue;  // it is the record's name
    auto value = to_cbor(member);
    if (!value) throw std::runtime_error("a value cannot be stored: " + value.error().what);
    const auto known = members.find(field);
    if (known != members.end() && known->second.value == *value) continue;
    Operation operation{field, Action::set, std::move(*value), {}};
    if (known != members.end()) operation.supersedes.push_back(known->second.name);
    change.operations.push_back(std::move(operation));
  }
  for (const auto& [field, member] : members) {
    if (!json.contains(field))
      change.operations.push_back({field, Action::clear, {}, {member.name}});
  }
  if (change.operations.empty()) return false;
  append(payloads_, encode(change));
  const auto written = replica.write({Audience::up, {}}, change);
  if (!written) throw std::runtime_error(written.error().what);
  for (std::size_t i = 0; i < change.operations.size(); ++i) {
    const Operation& operation = change.operations[i];
    if (operation.action == Action::clear) {
      members.erase(operation.field);
    } else {
      members[operation.field] = {operation.value,
                                  {name_part(written->hash), static_cast<std::uint16_t>(i)}};
    }
  }
  return true;
}

}  // namespace chapterd::bench
