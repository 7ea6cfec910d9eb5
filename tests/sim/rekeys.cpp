// Authority keys that are replaced: by plan, signed with the key before, or by a chapter above
// because that key is lost. What is signed later is signed with the new one.
#include "tests/sim/world.h"

namespace chapterd::sim {
namespace {

using testing::SeededRandom;

void replace_key(World& world, const Event& event) {
  SeededRandom random(event.salt);
  const auto of = random.below(world.chapters.size());
  const int above = world.chapters[of].parent;
  const bool is_lost = above >= 0 && random.below(2) == 0;
  const auto issuer = is_lost ? static_cast<std::size_t>(above) : of;
  SimNode& by = world.node(world.chapters[issuer].machines.front());
  if (!by.counts() || !world.is_listening(by.machine)) return;
  world.chapters[of].later.push_back(std::make_shared<SigningKey>(SigningKey::generate(random)));
  const auto made = world.chapters[of].later.back();
  Job job;
  job.stage = [&world, of, issuer, is_lost, made](Replica& replica) {
    const SimChapter& signing = world.chapters[issuer];
    Successor body;
    body.chapter = world.chapters[of].id;
    body.authority = made->public_key();
    body.by = is_lost ? SuccessorBy::above : SuccessorBy::rotation;
    body.acceptance = accept_succession(world.federation, body.chapter, *made);
    const std::uint64_t number = replica.directory().authority().next_number(body.chapter);
    const Bytes statement = sign_statement(world.federation, Statement{signing.id, number, body},
                                           world.authority_of(signing, replica));
    // Refused where the chapter is not known yet: then nothing has changed.
    if (replica.write_statement(statement)) ++world.figures.rekeys;
  };
  job.finish = [](const std::optional<std::string>&) {};
  by.process->post(std::move(job));
}

}  // namespace

const std::vector<EventKind>& rekey_events() {
  static const std::vector<EventKind> all = {{"replace_key", "rekey", 1, replace_key}};
  return all;
}

}  // namespace chapterd::sim
