// Founding the federation: chapters, machines, certificates, who calls whom.
#include "tests/sim/world.h"

namespace chapterd::sim {
namespace {

NodeCertificate certificate_for(const FederationId& federation,
                                const SigningKey& key,
                                const ChapterId& chapter) {
  NodeCertificate certificate;
  certificate.node = key.public_key();
  certificate.box = BoxKey::from_seed(key.seed()).public_key();
  certificate.chapter = chapter;
  certificate.name = "sim";
  certificate.proof = prove_node(federation, certificate, key);
  return certificate;
}

void must(const auto& result) {
  if (!result) throw std::runtime_error(result.error().code + ": " + result.error().what);
}

}  // namespace

Invite World::hand_out(Replica& replica, SimNode& parent, const SimChapter& chapter) const {
  Invite invite;
  invite.federation = federation;
  invite.parent = parent.id();
  invite.chapter = chapter.id;
  invite.code = chapter.code;
  invite.name = chapter.code;
  const Authority& known = replica.directory().authority();
  const KnownChapter* above = known.chapter(replica.directory().chapter());
  invite.level = static_cast<std::uint8_t>(above->certificate.level + 1);
  invite.secret = parent.random.fixed<InviteSecret>();
  invite.expires = parent.clock.now().plus_ms(1'000'000);
  replica.set_value(stored_invite_name(invite_id(invite.secret)),
                    encode(KeptInvite{invite, InviteState::open, {}}));
  return invite;
}

Result<std::vector<Bytes>> World::join(Replica& replica,
                                       SimNode& parent,
                                       const Invite& invite,
                                       const SimChapter& chapter,
                                       const SigningKey& key) {
  const JoinRequest request{invite_id(invite.secret), key.public_key(),
                            chapter.authority->public_key(),
                            BoxKey::from_seed(key.seed()).public_key(), chapter.code};
  const Bytes asked = make_join_request(invite, request, key, *chapter.authority);
  const SigningKey& authority = authority_of(chapter_of(parent), replica);
  const auto answered = answer_join(replica, authority, asked, parent.clock.now());
  if (!answered) return forward(answered);
  auto answer = check_answer(invite, chapter.authority->public_key(), *answered);
  require(answer.has_value(), "I21", "what a door answers to an invite is not good");
  return std::move(answer->chain);
}

SimChapter World::new_chapter(int parent, const std::string& code) {
  SimChapter chapter;
  chapter.id = parent < 0 ? random.fixed<ChapterId>()
                          : chapter_id_below(chapters[static_cast<std::size_t>(parent)].id, code);
  chapter.code = code;
  chapter.parent = parent;
  chapter.founded_below = parent;
  chapter.authority = std::make_shared<SigningKey>(SigningKey::generate(random));
  return chapter;
}

int World::add_chapter(int parent, const std::string& code) {
  chapters.push_back(new_chapter(parent, code));
  return static_cast<int>(chapters.size()) - 1;
}

SimNode& World::make_machine(int chapter) {
  const int machine = static_cast<int>(nodes.size());
  nodes.push_back(std::make_unique<SimNode>(*this, machine, chapter, random.next()));
  ledger.promised.emplace_back();
  ledger.read.emplace_back();
  return *nodes.back();
}

void World::begin_machine(SimNode& made) {
  SimChapter& chapter = chapter_of(made);
  std::vector<Bytes> chain = chapter.chain;
  const Statement own{chapter.id, 1, certificate_for(federation, *made.key, chapter.id)};
  chain.push_back(sign_statement(federation, own, *chapter.authority));
  chapter.machines.push_back(made.machine);
  std::string calls;
  for (const int peer : made.peers) calls += " " + std::to_string(peer);
  tell("machine " + std::to_string(made.machine) + " is of " + chapter.code + ", calls" + calls);
  made.found(genesis, chain);
  made.start();
}

// The first machine of a chapter joins by an invite of the chapter above and calls it; a further
// one is certified by its own chapter and calls its first machine too.
void World::add_machine(int index) {
  SimChapter& chapter = chapters[static_cast<std::size_t>(index)];
  SimNode& made = make_machine(index);
  if (chapter.parent >= 0) {
    const SimChapter& above = chapters[static_cast<std::size_t>(chapter.parent)];
    const int call = above.machines[random.below(above.machines.size())];
    made.peers.push_back(call);
    if (chapter.machines.empty()) {
      Replica& replica = node(call).process->replica();
      const Invite invite = hand_out(replica, node(call), chapter);
      auto chain = join(replica, node(call), invite, chapter, *made.key);
      must(chain);
      chapter.chain = std::move(*chain);
      replica.commit();
    }
  }
  if (!chapter.machines.empty()) made.peers.push_back(chapter.machines.front());
  begin_machine(made);
}

// Global, two or three national chapters, two to four below them; two chapters have two machines.
void World::found_tree() {
  add_chapter(-1, "GLOBAL");
  Genesis founding;
  founding.name = "Simulated federation";
  founding.created = year_2026;
  founding.chapter = chapters[0].id;
  founding.code = "GLOBAL";
  founding.authority = chapters[0].authority->public_key();
  genesis = sign_genesis(founding, *chapters[0].authority);
  federation = federation_id(genesis);
  add_machine(0);
  const std::size_t nations = 2 + random.below(2);
  for (std::size_t nation = 0; nation < nations; ++nation) {
    const int chapter = add_chapter(0, "N" + std::to_string(nation));
    add_machine(chapter);
    const std::size_t below = nation < 2 ? 1 + random.below(2) : random.below(2);
    for (std::size_t i = 0; i < below; ++i)
      add_machine(add_chapter(
          chapter, chapters[static_cast<std::size_t>(chapter)].code + "-" + std::to_string(i)));
  }
  add_machine(static_cast<int>(1 + random.below(chapters.size() - 1)));
  if (random.below(2) == 0) add_machine(static_cast<int>(random.below(chapters.size())));
}

}  // namespace chapterd::sim
