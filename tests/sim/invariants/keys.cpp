// I15: once all have met, all know one authority key in use of each chapter, and where it stands.
#include "tests/sim/invariants/invariants.h"

#include <map>
#include <string>

namespace chapterd::sim {

void check_keys(World& world) {
  std::map<ChapterId, PublicKey> in_use;
  for (const auto& node : world.nodes) {
    if (!node->counts()) continue;
    for (const KnownChapter* known : node->process->replica().directory().authority().chapters()) {
      const ChapterCertificate& said = known->certificate;
      const auto [other, is_first] = in_use.try_emplace(said.chapter, said.authority);
      world.require(is_first || other->second == said.authority, "I15",
                    "machine " + std::to_string(node->machine) +
                        " knows another authority key of " + said.code + " than others do");
      const int chapter = world.places.index_of(said.chapter);
      world.require(chapter < 0 || world.places.path_of(chapter).above == said.above, "I15",
                    "machine " + std::to_string(node->machine) + " does not know where " +
                        said.code + " stands");
    }
  }
}

}  // namespace chapterd::sim
