// sync: exchanging now, and pausing it.
#include "daemon/cli/answers.h"
#include "daemon/cli/commands.h"
#include "daemon/cli/context.h"
#include "daemon/cli/peer_words.h"
#include "daemon/cli/waiting.h"

#include <algorithm>

namespace chapterd {
namespace {

constexpr std::uint64_t starting_s = 10;

// "Kenya has all that goes there; 3 entries wait until Global confirms."
std::string what_waits(const Json& answer) {
  const Json& work = list(answer, "work");
  for (const Json& station : work) {
    const std::uint64_t waiting = count(station, "waiting");
    if (&station == &work.front() || waiting == 0) continue;
    return " " + counted(waiting, "entry still waits", "entries still wait") + " until " +
           plain(text(station, "name")) + " confirms.";
  }
  return "";
}

void tell(Context& context, const Json& answer) {
  Output& output = context.output;
  if (output.answer(answer)) return;
  output.print((is_true(answer, "paused") ? output.paint(Shade::waits, "Exchanging is paused.")
                : is_true(answer, "idle")
                    ? output.paint(Shade::good, "Nothing waits to be exchanged here.")
                    : output.paint(Shade::waits, "Exchanging, or waiting to.")) +
               what_waits(answer));
  for (const std::string& words : {budget_words(answer), ancestors_words(answer)})
    if (!words.empty()) output.print(words);
  if (const Json& peers = list(answer, "peers"); !peers.empty()) {
    output.print(peer_table(output, peers));
  }
}

// What waiting does not mend.
Result<void> check_moving(const Json& answer) {
  constexpr const char* safe = "All work is saved here; what arrived stays.";
  if (is_true(answer, "paused")) {
    return fail(Errc::needs_person, "sync.paused", "Exchanging is paused, so nothing moves.", safe,
                "Go on with: chapterd sync resume");
  }
  const Json& blocked = member(answer, "blocked");
  if (!blocked.is_object()) return {};
  const std::string code = text(blocked, "code");
  const bool by_version = code.ends_with("version.none-shared");
  return fail(by_version ? Errc::not_compatible : Errc::needs_person, code, text(blocked, "text"),
              safe, "Look at: chapterd status");
}

Result<void> status(Context& context) {
  const auto answer = context.call("sync.status", Json::object());
  if (!answer) return forward(answer);
  tell(context, *answer);
  return {};
}

Result<void> now(Context& context) {
  const auto seconds = context.given.number("timeout");
  if (!seconds) return forward(seconds);
  if (context.given.has("until-done")) {
    // The daemon may be starting just now; opening the folder meanwhile would be in its way.
    const auto there = poll(std::min(*seconds, starting_s), [&]() -> Result<bool> {
      return context.doors.daemon_answers(context.config());
    });
    if (!there) return forward(there);
  }
  Json args = Json::object();
  if (context.given.has("ancestors")) args["ancestors"] = true;
  auto answer = context.call("sync.now", args);
  if (!answer) return forward(answer);
  if (context.given.has("ancestors")) {
    if (!context.output.answer(*answer)) context.output.print("Asking a node further up now.");
    return {};
  }
  if (!context.given.has("until-done")) {
    if (!context.output.answer(*answer)) context.output.print("Exchanging now.");
    return {};
  }
  context.output.say("Exchanging …");
  const auto done = poll(*seconds, [&]() -> Result<bool> {
    answer = context.call("sync.status", Json::object());
    if (!answer) return forward(answer);
    if (auto moving = check_moving(*answer); !moving) return forward(moving);
    return is_true(*answer, "idle");
  });
  if (!done) return forward(done);
  tell(context, *answer);
  if (*done) return {};
  return fail(Errc::gave_up, "sync.timeout",
              "Not everything was exchanged within " + std::to_string(*seconds) + " s.",
              "All work is saved here; what arrived stays, and the rest goes on from there.",
              "See who is missing: chapterd peers list");
}

Result<void> pause(Context& context) {
  const auto answer = context.call("sync.pause", Json::object());
  if (!answer) return forward(answer);
  if (context.output.answer(*answer)) return {};
  context.output.print(
      "Paused until “chapterd sync resume”, or until the daemon is started again. Work goes on and "
      "is saved here.");
  return {};
}

Result<void> resume(Context& context) {
  const auto answer = context.call("sync.resume", Json::object());
  if (!answer) return forward(answer);
  if (context.output.answer(*answer)) return {};
  context.output.print("Exchanging again.");
  return {};
}

}  // namespace

std::vector<Command> sync_commands() {
  const auto row = [](const char* verb, const char* help, Result<void> (*run)(Context&)) {
    return Command{
        .path = {"sync", verb}, .help = help, .group = command_group::others, .run = run};
  };
  Command at_once = row("now", "Exchange now, whatever the schedule says.", now);
  at_once.flags = {Flag{.name = "until-done", .value = "", .help = "End when nothing waits."},
                   Flag{.name = "ancestors",
                        .value = "",
                        .help = "Ask a node further up for revocations instead."},
                   Flag{.name = "timeout",
                        .value = "SECONDS",
                        .help = "How long --until-done waits at most.",
                        .preset = "60"}};
  return {at_once, row("status", "What is being exchanged, with whom.", status),
          row("pause", "Close all connections until resume, or until the daemon is started again.",
              pause),
          row("resume", "Connect again.", resume)};
}

}  // namespace chapterd
