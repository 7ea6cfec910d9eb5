// where: how far one piece of work has got, whatever its kind.
#include "daemon/cli/answers.h"
#include "daemon/cli/commands.h"
#include "daemon/cli/context.h"
#include "daemon/cli/record_ids.h"
#include "daemon/cli/record_words.h"

namespace chapterd {
namespace {

Result<void> where(Context& context) {
  const auto id = find_record(context, context.given.text("ID"), kind_names(context.kinds));
  if (!id) return forward(id);
  const auto answer = context.call("record.where", {{"id", *id}});
  if (!answer) return forward(answer);
  if (context.output.answer(*answer)) return {};
  context.output.print(where_page(context.output, *answer));
  return {};
}

}  // namespace

std::vector<Command> where_commands() {
  return {Command{
      .path = {"where"},
      .help = "How far a record has got: saved, received above, received at the top.",
      .group = command_group::work,
      .arguments = {Argument{.name = "ID", .help = "Id, or characters of one of its ends."}},
      .run = where}};
}

}  // namespace chapterd
