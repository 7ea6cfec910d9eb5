// views: what this node shows, as one hash a space, to be compared with another node.
#include "daemon/cli/answers.h"
#include "daemon/cli/commands.h"
#include "daemon/cli/context.h"

namespace chapterd {
namespace {

Result<void> views(Context& context) {
  const auto answer = context.call("views", Json::object());
  if (!answer) return forward(answer);
  if (context.output.answer(*answer)) return {};
  constexpr std::size_t shown_hash = 16;
  Table table({"Home", "Audience", "To", "Records", "Hash"});
  table.right(3);
  for (const Json& space : list(*answer, "spaces")) {
    table.row({plain(text(space, "home")), plain(text(space, "audience")),
               plain(text(space, "target")), std::to_string(count(space, "records")),
               plain(text(space, "hash")).substr(0, shown_hash)});
  }
  context.output.print(table.text(context.output));
  return {};
}

}  // namespace

std::vector<Command> views_commands() {
  return {Command{.path = {"views"},
                  .help = "One hash for each space; equal on two nodes means equal records.",
                  .group = command_group::check,
                  .run = views}};
}

}  // namespace chapterd
