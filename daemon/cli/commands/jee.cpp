// jee: scores of Joint External Evaluations into assessments, and the framework they belong to.
#include "daemon/cli/answers.h"
#include "daemon/cli/commands.h"
#include "daemon/cli/context.h"
#include "daemon/cli/record_ids.h"
#include "daemon/cli/waiting.h"

namespace chapterd {
namespace {

const std::vector<std::string> release_steps{"score", "validate", "release"};

Result<void> framework(Context& context) {
  auto waiting = check_waiting(context);
  if (!waiting) return waiting;
  const auto fields = context.read_text(context.given.text("FILE"));
  if (!fields) return forward(fields);
  const auto answer = context.call("jee.framework", {{"framework_json", *fields}});
  if (!answer) return forward(answer);
  const std::string id = text(*answer, "id");
  if (!context.output.answer(*answer)) {
    context.output.print(context.output.manner().quiet ? id : "Framework " + id + " saved.");
  }
  return wait_for(context, {id});
}

Result<void> release(Context& context, const std::vector<std::string>& ids) {
  for (const std::string& id : ids) {
    for (const std::string& verb : release_steps) {
      const auto moved =
          context.call("record.move", {{"id", id}, {"verb", verb}, {"fields", Json::object()}});
      if (!moved) return forward(moved);
    }
  }
  return {};
}

void tell(Context& context, const Json& answer) {
  Output& output = context.output;
  if (output.answer(answer)) return;
  const Json& made = list(answer, "assessments");
  if (output.manner().quiet) {
    for (const Json& assessment : made) output.print(text(assessment, "id"));
  } else {
    output.print(counted(made.size(), "assessment", "assessments") + " imported" +
                 (context.given.has("release") ? " and released." : "."));
    constexpr std::size_t shown = 5;
    for (std::size_t i = 0; i < std::min<std::size_t>(made.size(), shown); ++i) {
      output.print("  " + text(made[i], "id") + "  " + plain(text(made[i], "area")));
    }
    if (made.size() > shown) {
      output.print("  … and " + std::to_string(made.size() - shown) + " more");
    }
  }
  for (const Json& refused : list(answer, "refused")) {
    output.say("Refused: line " + std::to_string(count(refused, "line")) + ": " +
               plain(text(refused, "reason")));
  }
}

Result<void> import(Context& context) {
  auto waiting = check_waiting(context);
  if (!waiting) return waiting;
  const auto csv = context.read_text(context.given.text("FILE"));
  if (!csv) return forward(csv);
  const auto round = find_record(context, context.given.text("round"), {"round"});
  if (!round) return forward(round);
  Json args = {{"csv", *csv}, {"round", *round}};
  if (context.given.has("framework")) {
    const auto found = find_record(context, context.given.text("framework"), {"framework"});
    if (!found) return forward(found);
    args["framework"] = *found;
  }
  if (context.given.has("area")) args["areas"] = context.given.all("area");
  if (context.given.has("except")) args["except"] = context.given.all("except");
  const auto answer = context.call("jee.import", args);
  if (!answer) return forward(answer);
  std::vector<std::string> ids;
  for (const Json& made : list(*answer, "assessments")) ids.push_back(text(made, "id"));
  if (context.given.has("release")) {
    auto released = release(context, ids);
    if (!released) return released;
  }
  tell(context, *answer);
  return wait_for(context, ids);
}

std::vector<Flag> with_waiting(std::vector<Flag> flags) {
  for (Flag& flag : waiting_flags()) flags.push_back(std::move(flag));
  return flags;
}

}  // namespace

std::vector<Command> jee_commands() {
  Command made{.path = {"jee", "framework"},
               .help = "Save the framework that the scores belong to.",
               .group = command_group::figures,
               .arguments = {Argument{.name = "FILE", .help = "Its fields, as JSON."}},
               .flags = waiting_flags(),
               .run = framework};
  Command imported{
      .path = {"jee", "import"},
      .help = "Make assessments from a table of scores; bad lines are told and left out.",
      .group = command_group::figures,
      .arguments = {Argument{.name = "FILE", .help = "The scores, as CSV; - is stdin."}},
      .flags = with_waiting(
          {Flag{.name = "round",
                .value = "ID",
                .help = "Round that they belong to.",
                .required = true},
           Flag{.name = "framework", .value = "ID", .help = "Its framework; else the round's."},
           Flag{.name = "area", .value = "CODE", .help = "Only this area.", .many = true},
           Flag{.name = "except", .value = "CODE", .help = "All but this area.", .many = true},
           Flag{.name = "release",
                .value = "",
                .help = "Score, validate and release them at once."}}),
      .run = import};
  return {made, imported};
}

}  // namespace chapterd
