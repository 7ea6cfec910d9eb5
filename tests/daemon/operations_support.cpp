// Folders, daemons and records for tests.
#include "tests/daemon/operations_support.h"

#include "daemon/control/control_client.h"
#include "daemon/operations/node_caller.h"

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>

namespace chapterd::testing {

Place::Place() {
  std::string pattern = std::filesystem::temp_directory_path() / "chapterd-place-XXXXXX";
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
  root_ = pattern;
  setenv("CHAPTERD_MACHINE_KEY", path("state/machine.key").c_str(), 1);
}

Place::~Place() {
  std::error_code ignored;
  std::filesystem::remove_all(root_, ignored);
}

Config Place::config(const std::string& name) const {
  Config config;
  config.node.data = path(name);
  config.control.socket = path(name) + "/control.sock";
  config.sync.listen = "127.0.0.1:0";
  config.sync.retry_min_s = 1;
  config.sync.retry_max_s = 1;
  config.log.level = LogLevel::error;
  return config;
}

Json must(Result<Json> result) {
  if (!result) throw std::runtime_error(result.error().code + ": " + result.error().what);
  return std::move(*result);
}

std::string code_of(const Result<Json>& result) {
  return result ? std::string() : result.error().code;
}

Json found(const Config& config, const std::string& code) {
  return must(found_federation(config, {"Test federation", code, "The top", "top machine"}));
}

Result<Json> ask(const Config& config, const std::string& verb, const Json& args) {
  auto caller = NodeCaller::open(config);
  if (!caller) return forward(caller);
  return (*caller)->call(verb, args);
}

RunningDaemon::RunningDaemon(const Config& config) : config_(config) {
  auto opened = Daemon::open(config);
  if (!opened) throw std::runtime_error(opened.error().code + ": " + opened.error().what);
  daemon_ = std::move(*opened);
  thread_ = std::thread([this] { outcome_ = daemon_->run(); });
}

RunningDaemon::~RunningDaemon() {
  static_cast<void>(stop());
}

Result<void> RunningDaemon::ended() {
  if (thread_.joinable()) thread_.join();
  return outcome_;
}

Result<void> RunningDaemon::stop() {
  caller_.reset();
  daemon_->stop();
  return ended();
}

Result<Json> RunningDaemon::call(const std::string& verb, const Json& args) {
  if (!caller_) {
    auto connected = ControlClient::connect(config_.control.socket);
    if (!connected) return forward(connected);
    caller_ = std::move(*connected);
  }
  return caller_->call(verb, args);
}

bool comes_true(const std::function<bool()>& condition) {
  using Time = std::chrono::steady_clock;
  const auto end = Time::now() + std::chrono::seconds(30);
  while (!condition()) {
    if (Time::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return true;
}

Json complete_insight(const std::string& title, const std::string& theme) {
  return {{"title", title},
          {"what_happened", "The river rose."},
          {"what_was_learned", "Move the stock first."},
          {"places", {"KE"}},
          {"period", "2024-05"},
          {"themes", {theme}},
          {"confidence", "high"},
          {"attribution_consent", "anonymous"},
          {"publish_to", "all"},
          {"raw_notes", "Told by a nurse."}};
}

std::string endorsed_insight(
    const std::function<Result<Json>(const std::string&, const Json&)>& call,
    const std::string& title) {
  const Json theme = must(call(
      "record.add",
      {{"kind", "theme"}, {"fields", {{"code", "goods"}, {"title", {{"en", "Health goods"}}}}}}));
  const Json made = must(
      call("record.add", {{"kind", "insight"}, {"fields", complete_insight(title, theme["id"])}}));
  const std::string id = made["id"];
  for (const char* verb : {"submit", "endorse"})
    must(call("record.move", {{"id", id}, {"verb", verb}}));
  return id;
}

}  // namespace chapterd::testing
