// Asks record.where until the stage is reached; never believes more than that answer says.
#include "daemon/cli/waiting.h"

#include "daemon/cli/answers.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <thread>

namespace chapterd {
namespace {

constexpr std::array<std::string_view, 3> stages{"saved", "parent", "global"};

struct Stage {
  bool reached = true;   // a stage that this chapter does not have (the root's parent) is behind it
  bool leaves = true;    // something of the record goes there
  bool earlier = false;  // it is there, but for what was edited since and not carried on
  std::string name;      // of the chapter there
};

Stage stage_of(const Json& where, std::string_view wanted) {
  for (const Json& stage : list(where, "stages")) {
    if (text(stage, "at") != wanted) continue;
    const bool leaves = !stage.contains("leaves") || is_true(stage, "leaves");
    return {is_true(stage, "reached"), leaves, is_true(stage, "earlier"),
            plain(text(stage, "name"))};
  }
  return {};
}

tl::unexpected<Error> stays_here(Context& context, const std::string& id, const Stage& stage) {
  const auto shown = context.call("record.show", {{"id", id}});
  const std::string kind = shown ? text(*shown, "kind") : "record";
  const std::string state = shown ? text(*shown, "state") : "";
  return fail(Errc::gave_up, "wait.stays-home",
              "As long as this " + kind + (state.empty() ? "" : " is “" + worded(state) + "”") +
                  ", nothing of it goes to " + stage.name + ", so there is nothing to wait for.",
              "The work is saved here.",
              "Move it on first; what leads it on is told by: chapterd where " + id);
}

// "chapterd insight correct ID"
std::string step_on(const Json& where) {
  for (const Json& verb : list(where, "next")) {
    if (!verb.is_string()) continue;
    return "Carry it on with: chapterd " + dashed(text(where, "kind")) + " " +
           dashed(verb.get<std::string>()) + " " + text(where, "id");
  }
  return "See: chapterd where " + text(where, "id");
}

tl::unexpected<Error> waits_here(const Json& where, const Stage& stage) {
  return fail(Errc::gave_up, "wait.stays-home",
              stage.name +
                  " has an earlier version; what was changed since stays here until it is "
                  "carried on, so there is nothing to wait for.",
              "The work is saved here.", step_on(where));
}

Result<void> tell_arrival(Context& context, const Stage& stage) {
  if (!stage.name.empty()) context.output.say("Received by " + stage.name + ".");
  return {};
}

Result<void> wait_for_one(Context& context, const std::string& id, std::string_view wanted) {
  auto where = context.call("record.where", {{"id", id}});
  if (!where) return forward(where);
  const Stage stage = stage_of(*where, wanted);
  if (stage.reached) return tell_arrival(context, stage);
  if (stage.earlier) return waits_here(*where, stage);
  if (!stage.leaves) return stays_here(context, id, stage);
  const auto status = context.call("status", Json::object());
  if (status && !is_true(*status, "daemon")) {
    return fail(Errc::gave_up, "wait.no-daemon", "No daemon is running, so nothing is being sent.",
                "The work is saved here.", "Start the daemon: chapterd run");
  }
  const auto seconds = context.given.number("timeout");
  if (!seconds) return forward(seconds);
  const std::string name = stage.name.empty() ? "the " + std::string(wanted) + " node" : stage.name;
  context.output.detail("Waiting until " + name + " confirms it …");
  const auto arrived = poll(*seconds, [&]() -> Result<bool> {
    where = context.call("record.where", {{"id", id}});
    if (!where) return forward(where);
    return stage_of(*where, wanted).reached;
  });
  if (!arrived) return forward(arrived);
  if (*arrived) return tell_arrival(context, stage);
  return fail(
      Errc::gave_up, "wait.timeout",
      "There is no confirmation from " + name + " within " + std::to_string(*seconds) + " s.",
      "The work is saved here and is sent by itself as soon as that is possible.",
      "See how far it is: chapterd where " + id);
}

}  // namespace

std::vector<Flag> waiting_flags() {
  return {Flag{.name = "wait",
               .value = "STAGE",
               .help = "End only when it is: saved (here), parent or global (received there)."},
          Flag{.name = "timeout",
               .value = "SECONDS",
               .help = "How long --wait waits at most; the work is safe all the same.",
               .preset = "60"}};
}

Result<void> check_waiting(const Context& context) {
  const std::string wanted = context.given.text("wait");
  if (!context.given.has("wait") || std::ranges::find(stages, wanted) != stages.end()) {
    const auto seconds = context.given.number("timeout");
    if (!seconds) return forward(seconds);
    return {};
  }
  return fail(Errc::usage, "cli.bad-wait", "--wait is “" + wanted + "”.", "Nothing was done.",
              "Choose one of: saved, parent, global");
}

Result<void> wait_for(Context& context, const std::vector<std::string>& ids) {
  const std::string wanted = context.given.text("wait");
  if (wanted.empty() || wanted == "saved") return {};  // an answered write is saved
  for (const std::string& id : ids) {
    auto waited = wait_for_one(context, id, wanted);
    if (!waited) return waited;
  }
  return {};
}

Result<bool> poll(std::uint64_t seconds, const std::function<Result<bool>()>& done) {
  using Time = std::chrono::steady_clock;
  constexpr std::chrono::milliseconds shortest{20};
  constexpr std::chrono::milliseconds longest{250};
  const auto end = Time::now() + std::chrono::seconds(std::min<std::uint64_t>(seconds, 1U << 30U));
  std::chrono::milliseconds pause = shortest;
  for (;;) {
    auto asked = done();
    if (!asked || *asked) return asked;
    if (Time::now() >= end) return false;
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, longest);
  }
}

}  // namespace chapterd
