// Nodes as people have them: a folder, verbs called in this process or over a running daemon.
#pragma once

#include "config/config.h"
#include "daemon/daemon.h"
#include "daemon/operations/caller.h"
#include "daemon/operations/founding.h"

#include <nlohmann/json.hpp>

#include <functional>
#include <memory>
#include <string>
#include <thread>

namespace chapterd::testing {

using Json = nlohmann::json;

// A folder for one test, gone afterwards, with a machine key of its own beside the data folders.
class Place {
 public:
  Place();
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place();

  // Settings of a node in a folder of this name; it listens on a port that the system chooses.
  [[nodiscard]] Config config(const std::string& name) const;

  [[nodiscard]] std::string path(const std::string& name) const { return root_ + "/" + name; }

 private:
  std::string root_;
};

// Throws what is wrong, so that a test ends there.
Json must(Result<Json> result);
// The code of the error; "" when there is none.
[[nodiscard]] std::string code_of(const Result<Json>& result);

Json found(const Config& config, const std::string& code = "GLOBAL");

// One verb, in this process.
[[nodiscard]] Result<Json> ask(const Config& config, const std::string& verb, const Json& args);

class RunningDaemon {
 public:
  explicit RunningDaemon(const Config& config);
  RunningDaemon(const RunningDaemon&) = delete;
  RunningDaemon& operator=(const RunningDaemon&) = delete;
  ~RunningDaemon();

  // Over the control socket.
  [[nodiscard]] Result<Json> call(const std::string& verb, const Json& args);

  // What run() returned, once it ended by itself.
  Result<void> ended();
  // The same, told to stop.
  Result<void> stop();

  [[nodiscard]] std::string listens_at() const { return daemon_->listens_at(); }

 private:
  Config config_;
  std::unique_ptr<Daemon> daemon_;
  std::unique_ptr<Caller> caller_;
  std::thread thread_;
  Result<void> outcome_;
};

// True once the condition holds; false when it does not within a generous time.
[[nodiscard]] bool comes_true(const std::function<bool()>& condition);

// An insight that may be submitted, with a theme that exists.
Json complete_insight(const std::string& title, const std::string& theme);
// Adds and endorses one: its words are then in the layer `up`.
std::string endorsed_insight(
    const std::function<Result<Json>(const std::string&, const Json&)>& call,
    const std::string& title);

}  // namespace chapterd::testing
