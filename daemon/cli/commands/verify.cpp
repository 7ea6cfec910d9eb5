// verify: everything that is stored, hashed and checked again.
#include "daemon/cli/answers.h"
#include "daemon/cli/commands.h"
#include "daemon/cli/context.h"

namespace chapterd {
namespace {

Result<void> verify_all(Context& context) {
  Output& output = context.output;
  output.say("Checking every piece, signature and page …");
  const auto answer = context.call("verify", Json::object());
  if (!answer) return forward(answer);
  const bool good = is_true(*answer, "ok");
  if (!output.answer(*answer)) {
    const std::string all = counted(count(*answer, "entries"), "entry", "entries") + " in " +
                            counted(count(*answer, "feeds"), "feed", "feeds");
    if (good) output.print(output.paint(Shade::good, "Everything is as it was signed: ") + all);
    if (!good) output.print(output.paint(Shade::bad, "Not everything is sound") + ": " + all);
    for (const Json& fault : list(*answer, "faults")) {
      output.print("  feed " + plain(text(fault, "feed")).substr(0, 16) + ", number " +
                   std::to_string(count(fault, "seq")) + ": " + plain(text(fault, "what")));
    }
  }
  if (good) return {};
  return fail(Errc::check_failed, "verify.faults", "The check found something that is not right.",
              "Nothing was changed; other nodes keep their copies.",
              "Do not delete the folder. Ask whoever helps you, with the lines above.");
}

}  // namespace

std::vector<Command> verify_commands() {
  return {Command{.path = {"verify"},
                  .help = "Hash and check everything that is stored, once more.",
                  .group = command_group::check,
                  .run = verify_all}};
}

}  // namespace chapterd
