// A node of a few canned answers, and one call of the program on it: what goes in, what comes out.
#pragma once

#include "daemon/cli/program.h"

#include <nlohmann/json.hpp>

#include <functional>
#include <map>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace chapterd::test {

using Json = nlohmann::json;

// What was asked of the node, in order.
struct Asked {
  std::string verb;
  Json args;
};

// Answers are looked up by verb; with several for one verb, the last goes on answering.
struct FakeNode {
  std::map<std::string, std::vector<Result<Json>>> answers;
  std::vector<Asked> asked;

  void answers_to(const std::string& verb, Result<Json> answer) {
    answers[verb].push_back(std::move(answer));
  }

  Result<Json> call(std::string_view verb, const Json& args) {
    asked.push_back({std::string(verb), args});
    auto& canned = answers[std::string(verb)];
    if (canned.empty()) return fail(Errc::not_found, "fake.no-answer", std::string(verb));
    Result<Json> answer = canned.front();
    if (canned.size() > 1) canned.erase(canned.begin());
    return answer;
  }

  // The arguments of the last call of the verb.
  [[nodiscard]] Json args_of(const std::string& verb) const {
    for (auto at = asked.rbegin(); at != asked.rend(); ++at) {
      if (at->verb == verb) return at->args;
    }
    return nullptr;
  }
};

struct Outcome {
  int exit = -1;
  std::string out;
  std::string err;
};

// The program, with a fake node behind every door.
class Program {
 public:
  FakeNode node;
  Terminal terminal;
  std::map<std::string, std::string> environment{{"HOME", "/nowhere"}};
  std::string in;
  std::string passphrase;  // as it was said
  Doors doors = make_doors();

  Outcome run(const std::vector<std::string>& words) {
    std::istringstream in_stream(in);
    std::ostringstream out;
    std::ostringstream err;
    const Surroundings around{in_stream, out, err, terminal, environment, "laptop"};
    const int exit = run_program(doors, around, words);
    return {exit, out.str(), err.str()};
  }

 private:
  struct FakeCaller final : Caller {
    explicit FakeCaller(FakeNode& node_) : node(node_) {}

    Result<Json> call(std::string_view verb, const Json& args) override {
      return node.call(verb, args);
    }

    FakeNode& node;
  };

  Doors make_doors() {
    Doors made;
    made.reach = [this](const Config&) -> Result<std::unique_ptr<Caller>> {
      return std::make_unique<FakeCaller>(node);
    };
    made.daemon_answers = [](const Config&) { return true; };
    made.found = [this](const Config&, const FoundingWords& words) {
      return node.call("found", {{"federation", words.federation}, {"code", words.code}});
    };
    made.join_online = [this](const Config&, const std::string& invite, const std::string& name) {
      return node.call("join_online", {{"invite", invite}, {"node", name}});
    };
    made.prepare_join = [this](const Config&, const std::string& invite, const std::string& name) {
      return node.call("prepare_join", {{"invite", invite}, {"node", name}});
    };
    made.finish_join = [this](const Config&, const Bytes& answer) {
      return node.call("finish_join", {{"bytes", answer.size()}});
    };
    made.run = [](const Config&) -> Result<void> { return {}; };
    made.say_passphrase = [this](const std::string& said) { passphrase = said; };
    made.say_unattended = [] {};
    made.show_kit = [this](const Config&, const Json& facts) {
      return node.call("show_kit", facts);
    };
    made.restore_kit = [this](const Config&, const std::vector<std::string>& codes) {
      return node.call("restore_kit", {{"codes", codes}});
    };
    return made;
  }
};

inline constexpr const char* insight_id = "019385f0-1111-7abc-8def-00004f2a91c7";
inline constexpr const char* theme_id = "019385f0-2222-7abc-8def-0000aaaabbbb";

// An answer to a write, and one to record.where of a chapter two levels below the top.
inline Json written(const std::string& state, const std::string& audience) {
  return {{"id", insight_id},
          {"kind", "insight"},
          {"state", state},
          {"written", Json::array({{{"audience", audience}}})}};
}

inline Json where(bool parent, bool global) {
  return {{"id", insight_id},
          {"title", "Boats carried vaccines"},
          {"stages",
           {{{"at", "saved"}, {"chapter", "KE-17"}, {"name", "Kisumu"}, {"reached", true}},
            {{"at", "parent"}, {"chapter", "KE"}, {"name", "Kenya"}, {"reached", parent}},
            {{"at", "global"}, {"chapter", "GLOBAL"}, {"name", "Global"}, {"reached", global}}}},
          {"stays", {"chapter"}},
          {"confidential", {"raw_notes"}}};
}

inline bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace chapterd::test
