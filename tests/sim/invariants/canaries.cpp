// I10: what only a chapter may read is in no byte of any disk, its own among them: as it is, in
// hex, in base64 at each offset, in UTF-16.
#include "tests/sim/invariants/invariants.h"
#include "tests/support/forms.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>

namespace chapterd::sim {
namespace {

bool holds(std::string_view text, std::string_view form) {
  return text.size() >= form.size() &&
         memmem(text.data(), text.size(), form.data(), form.size()) != nullptr;
}

}  // namespace

void check_canaries(World& world) {
  static const std::vector<std::string> searched = testing::forms_of(canary_prefix);
  for (const auto& node : world.nodes) {
    for (const Bytes* content : node->disk->contents()) {
      for (const std::string& form : searched) {
        world.require(!holds(as_text(*content), form), "I10",
                      "what only a chapter may read lies open on the disk of machine " +
                          std::to_string(node->machine));
      }
    }
  }
}

}  // namespace chapterd::sim
