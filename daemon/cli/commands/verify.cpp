// verify: everything that is stored, hashed and checked again.
#include "daemon/cli/answers.h"
#include "daemon/cli/commands.h"
#include "daemon/cli/context.h"

#include <algorithm>

namespace chapterd {
namespace {

void tell_faults(Output& output, const Json& answer, const std::string& all) {
  const Json& faults = list(answer, "faults");
  const std::uint64_t found = std::max<std::uint64_t>(count(answer, "found"), faults.size());
  output.print(output.paint(Shade::bad, "Not everything is sound") + ": " +
               counted(found, "fault", "faults") + ". Checked: " + all + ".");
  if (const std::uint64_t unread = count(answer, "unread"); unread > 0) {
    output.print("  " + counted(unread, "entry", "entries") +
                 " could not be checked, from the first damaged place of their feed on.");
  }
  for (const Json& fault : faults) {
    const std::string feed = plain(text(fault, "feed")).substr(0, 16);
    const std::string place =
        feed.empty() ? ""
                     : "feed " + feed + ", number " + std::to_string(count(fault, "seq")) + ": ";
    output.print("  " + place + plain(text(fault, "what")));
  }
  if (found > faults.size()) {
    output.print("  … and " + std::to_string(found - faults.size()) + " more");
  }
}

Result<void> verify_all(Context& context) {
  Output& output = context.output;
  output.say("Checking every piece, signature and page …");
  const auto answer = context.call("verify", Json::object());
  if (!answer) return forward(answer);
  const bool good = is_true(*answer, "ok");
  if (!output.answer(*answer)) {
    const std::string all = counted(count(*answer, "entries"), "entry", "entries") + " in " +
                            counted(count(*answer, "feeds"), "feed", "feeds") +
                            ", of this chapter and of others";
    if (good) output.print(output.paint(Shade::good, "Everything is as it was signed: ") + all);
    if (const std::uint64_t forked = count(*answer, "forked"); forked > 0) {
      output.say(counted(forked, "feed has", "feeds have") +
                 " more than one history, each signed by its author: chapterd fork list");
    }
    if (!good) tell_faults(output, *answer, all);
  }
  if (good) return {};
  return fail(Errc::check_failed, "verify.faults", "The check found something that is not right.",
              "Nothing was changed; other nodes keep their copies.",
              "Keep a copy of the whole data folder, then put the last backup back, or ask whoever "
              "helps you, with the lines above.");
}

}  // namespace

std::vector<Command> verify_commands() {
  return {Command{.path = {"verify"},
                  .help = "Hash and check everything that is stored, once more.",
                  .group = command_group::check,
                  .run = verify_all}};
}

}  // namespace chapterd
