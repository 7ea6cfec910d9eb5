// doctor: what is wrong, whether the work is safe, what to do.
#include "daemon/cli/answers.h"
#include "daemon/cli/commands.h"
#include "daemon/cli/context.h"

#include <algorithm>
#include <array>

namespace chapterd {
namespace {

constexpr std::size_t page_columns = 84;

struct Look {
  std::string_view severity;
  const char* heading;
  Shade shade;
};

constexpr std::array looks{
    Look{"trouble", "Does not work", Shade::bad},
    Look{"person", "Needs you", Shade::waits},
    Look{"warning", "Worth knowing", Shade::waits},
    Look{"note", "By the way", Shade::faint},
};

bool has(const Json& answer, std::string_view severity) {
  return std::ranges::any_of(list(answer, "findings"), [&](const Json& finding) {
    return text(finding, "severity") == severity;
  });
}

std::string page_of(const Output& output, const Json& answer) {
  std::string page;
  for (const Look& look : looks) {
    if (!has(answer, look.severity)) continue;
    page += output.paint(look.shade, look.heading) + "\n";
    for (const Json& finding : list(answer, "findings")) {
      if (text(finding, "severity") != look.severity) continue;
      page += wrapped("! " + plain(text(finding, "what")), 2, page_columns);
      for (const char* part : {"safe", "do"}) {
        const std::string words = output.hint(plain(text(finding, part)));
        if (!words.empty()) page += wrapped(words, 4, page_columns);
      }
      page += "    " + output.paint(Shade::faint, plain(text(finding, "code"))) + "\n";
    }
    page += "\n";
  }
  return page;
}

Result<void> outcome(const Json& answer) {
  if (has(answer, "trouble")) {
    return fail(Errc::check_failed, "doctor.trouble", "Something does not work; see above.",
                "Nothing was changed.", "Do what stands beside it, the first one first.");
  }
  if (has(answer, "person")) {
    return fail(Errc::needs_person, "doctor.person", "Somebody has to decide something; see above.",
                "Nothing was changed.", "Do what stands beside it.");
  }
  return {};
}

Json asked(const Context& context) {
  Json args = Json::object();
  if (context.given.has("PEER")) args["peer"] = context.given.text("PEER");
  if (context.config_error) {
    args["config"] = context.config_error->what;
    args["config_code"] = context.config_error->code;
  }
  return args;
}

Result<void> write_bundle(Context& context) {
  auto file = context.new_file(context.given.text("bundle"));
  if (!file) return forward(file);
  auto bundle = context.doors.folder_work(context.config(), "doctor.bundle", asked(context));
  if (!bundle) return forward(bundle);
  (*bundle)["program"] = CHAPTERD_VERSION;
  const std::string text = bundle->dump(2) + "\n";
  if (auto written = context.write_text(*file, text); !written) return written;
  if (!*file) return {};
  Output& output = context.output;
  if (output.answer({{"file", context.given.text("bundle")}, {"bytes", text.size()}})) return {};
  output.print(context.given.text("bundle") + ": " + bytes_of(text.size()));
  output.say(
      "It holds counts, codes and states: no titles, names, addresses, folders or keys. Read "
      "it before you send it.");
  return {};
}

Result<void> doctor(Context& context) {
  if (context.given.has("bundle")) return write_bundle(context);
  context.output.say("Looking at the folder, the database and the links …");
  const auto answer = context.doors.folder_work(context.config(), "doctor", asked(context));
  if (!answer) return forward(answer);
  Output& output = context.output;
  if (!output.answer(*answer)) {
    if (list(*answer, "findings").empty()) {
      output.print(output.paint(Shade::good, "Everything works.") +
                   " Looked at: " + std::to_string(list(*answer, "checked").size()) + " things.");
    } else {
      output.print(page_of(output, *answer));
    }
  }
  return outcome(*answer);
}

}  // namespace

std::vector<Command> doctor_commands() {
  return {Command{
      .path = {"doctor"},
      .help = "What is wrong, whether your work is safe, and what to do.",
      .group = command_group::check,
      .arguments = {Argument{
          .name = "PEER", .help = "Only about the chapter with this code.", .required = false}},
      .flags = {Flag{.name = "bundle",
                     .value = "FILE",
                     .help = "Write what support needs, without names or content."}},
      .run = doctor,
      .more = "Changes nothing, and works without a daemon and with a damaged database. Ends with "
              "7 when something does not work, with 6 when somebody has to decide.",
      .bears_config_error = true}};
}

}  // namespace chapterd
