// Verbs about who takes part: invites, answers to requests, revocation.
#include "base/contract.h"
#include "daemon/operations/arguments.h"
#include "daemon/operations/chapter_names.h"
#include "daemon/operations/held.h"
#include "daemon/operations/verbs.h"
#include "daemon/operations/writing.h"
#include "replication/format/limits.h"
#include "replication/invite.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace chapterd {
namespace {

using Json = nlohmann::json;

constexpr const char* unchanged = "Nothing was changed.";
constexpr std::uint64_t most_hours = 24 * 366;
constexpr std::size_t most_addresses = 8;
constexpr std::int64_t hour_ms = 3'600'000;

// What is read here from the store and then changed is written alone: another request of the same
// group would not see it.

// --- invites ---

struct Asked {
  std::string code;
  std::string name;
  std::uint64_t level = 0;  // 0: the one below this chapter's
  std::uint64_t hours = 0;
  std::optional<std::vector<std::string>> addresses;
  bool replace = false;  // for a new computer of a chapter that is there
};

Result<Asked> asked_invite(const Json& args) {
  Arguments in(args);
  Asked asked;
  asked.code = in.text("code");
  asked.replace = in.flag("replace");
  asked.name = in.text_or("name", asked.code);
  asked.level = in.number_or("level", 0, 1, limits::path_chapters);
  asked.hours = in.number_or("hours", 72, 1, most_hours);
  asked.addresses = in.texts("addresses");
  if (auto done = in.done(); !done) return forward(done);
  if (auto checked = check_code(asked.code); !checked) return forward(checked);
  if (auto checked = check_name("name", asked.name); !checked) return forward(checked);
  if (!asked.addresses) return asked;
  const auto is_address = [](const std::string& address) {
    const HostPort at = split_address(address);
    return !at.host.empty() && at.port != 0 && address.size() <= limits::name_bytes;
  };
  if (asked.addresses->size() > most_addresses ||
      !std::ranges::all_of(*asked.addresses, is_address)) {
    return fail(
        Errc::usage, "invite.address",
        "“addresses” must be at most " + std::to_string(most_addresses) + " of the form host:port.",
        unchanged, "Correct them and try again.");
  }
  return asked;
}

// Only programs on this computer reach it there.
bool is_of_this_machine(const std::string& address) {
  const std::string host = split_address(address).host;
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

std::vector<KeptInvite> kept_invites(Reader& reader) {
  std::vector<KeptInvite> invites;
  for (const NamedValue& value : reader.values(invite_prefix)) {
    auto kept = decode_kept_invite(value.value);
    if (!kept) throw Damaged("an invite in the database is damaged");
    invites.push_back(std::move(*kept));
  }
  return invites;
}

bool is_open(const KeptInvite& kept, Instant now) {
  return kept.state == InviteState::open && kept.invite.expires >= now;
}

Result<void> check_code_is_free(Replica& replica, const Asked& asked, Instant now) {
  const bool is_invited = std::ranges::any_of(kept_invites(replica.store()), [&](const auto& kept) {
    return kept.invite.code == asked.code && is_open(kept, now);
  });
  if (is_invited) {
    return fail(Errc::not_allowed, "chapter.code-taken",
                "There is an open invite with the code " + shown(asked.code) + ".", unchanged,
                "Use that one, or withdraw it first: chapterd invite revoke " + asked.code);
  }
  const bool is_there = replica.directory().authority().chapter_with_code(asked.code) != nullptr;
  if (is_there == asked.replace) return {};
  if (asked.replace) {
    return fail(Errc::not_found, "chapter.unknown",
                "There is no chapter with the code " + shown(asked.code) + " here.", unchanged,
                "For a new chapter leave --replace out.");
  }
  return fail(Errc::not_allowed, "chapter.code-taken",
              "There is a chapter with the code " + shown(asked.code) + ".", unchanged,
              "Has it lost its computer and has no backup with keys, invite a new one for it: "
              "chapterd invite create " +
                  asked.code + " --replace. Else choose another code.");
}

// A new chapter below this one.
Result<Invite> for_new(const Directory& directory, const Asked& asked) {
  const std::uint8_t own = own_chapter(directory).certificate.level;
  const std::uint64_t level = asked.level != 0 ? asked.level : own + std::uint64_t{1};
  if (level <= own || level >= limits::path_chapters) {
    return fail(Errc::usage, "invite.level",
                "A chapter below this one has a level below its own, which is " +
                    std::to_string(own) +
                    ": national is 1, subnational 2, field 3, and the last one is " +
                    std::to_string(limits::path_chapters - 1) + ".",
                unchanged, "Leave the level out, or correct it.");
  }
  Invite invite;
  invite.chapter = chapter_id_below(directory.chapter(), asked.code);
  invite.name = asked.name;
  invite.level = static_cast<std::uint8_t>(level);
  return invite;
}

// A chapter that stands right below this one keeps its name, its level and its id.
Result<Invite> for_known(const Directory& directory, const Asked& asked) {
  const Authority& authority = directory.authority();
  const ChapterCertificate& known = authority.chapter_with_code(asked.code)->certificate;
  if (known.above.empty() || known.above.back() != directory.chapter()) {
    const std::string above =
        known.above.empty() ? asked.code : code_of(authority, known.above.back());
    return fail(Errc::not_allowed, "invite.not-below",
                shown(asked.code) + " does not stand right below this chapter.", unchanged,
                "The chapter that may invite a new computer of it: " + above);
  }
  Invite invite;
  invite.chapter = known.chapter;
  invite.name = known.name;
  invite.level = known.level;
  return invite;
}

// Computers of the chapter that may go on as if nothing had happened.
Json unrevoked(const Authority& authority, const ChapterId& chapter) {
  Json nodes = Json::array();
  for (const KnownNode* node : authority.nodes()) {
    if (node->certificate.chapter != chapter || authority.is_revoked(node->certificate.node))
      continue;
    nodes.push_back(
        {{"fingerprint", fingerprint(node->certificate.node)}, {"name", node->certificate.name}});
  }
  return nodes;
}

Result<Json> create(NodeAccess& node, const Json& args) {
  const auto asked = asked_invite(args);
  if (!asked) return forward(asked);
  const auto addresses = asked->addresses ? *asked->addresses : own_addresses(node);
  const NodeParts& parts = node.parts();
  return node.write_alone([&](Replica& replica) -> Result<Json> {
    const Directory& directory = replica.directory();
    const Instant now = parts.date.now();
    if (auto checked = check_may_write(directory); !checked) return forward(checked);
    if (auto checked = check_code_is_free(replica, *asked, now); !checked) return forward(checked);
    auto invite = asked->replace ? for_known(directory, *asked) : for_new(directory, *asked);
    if (!invite) return forward(invite);
    invite->federation = directory.authority().federation();
    invite->parent = directory.self();
    invite->addresses = addresses;
    invite->code = asked->code;
    invite->secret = parts.random.fixed<InviteSecret>();
    invite->expires = now.plus_ms(static_cast<std::int64_t>(asked->hours) * hour_ms);
    const InviteId id = invite_id(invite->secret);
    replica.set_value(stored_invite_name(id), encode(KeptInvite{*invite, InviteState::open, {}}));
    return Json{{"invite", to_text(*invite)},
                {"id", to_hex(id.view())},
                {"code", invite->code},
                {"name", invite->name},
                {"replaces", asked->replace},
                {"nodes", unrevoked(directory.authority(), invite->chapter)},
                {"addresses", invite->addresses},
                {"reachable", !std::ranges::all_of(invite->addresses, is_of_this_machine)},
                {"authority", parts.authority.get() != nullptr},
                {"expires_ms", invite->expires.ms}};
  });
}

const char* word_of(const KeptInvite& kept, Instant now) {
  if (kept.state == InviteState::used) return "used";
  if (kept.state == InviteState::revoked) return "revoked";
  return is_open(kept, now) ? "open" : "expired";
}

Result<Json> list_invites(NodeAccess& node, const Json& args) {
  if (auto done = Arguments(args).done(); !done) return forward(done);
  return node.read([&](Reader& reader, const Directory&) -> Result<Json> {
    Json invites = Json::array();
    for (const KeptInvite& kept : kept_invites(reader)) {
      invites.push_back({{"id", to_hex(invite_id(kept.invite.secret).view())},
                         {"code", kept.invite.code},
                         {"name", kept.invite.name},
                         {"state", word_of(kept, node.parts().date.now())},
                         {"expires_ms", kept.invite.expires.ms}});
    }
    return Json{{"invites", std::move(invites)}};
  });
}

Result<Json> revoke_invite(NodeAccess& node, const Json& args) {
  Arguments in(args);
  const std::string text = in.text("id");
  if (auto done = in.done(); !done) return forward(done);
  return node.write_alone([&](Replica& replica) -> Result<Json> {
    for (KeptInvite& kept : kept_invites(replica.store())) {
      const InviteId id = invite_id(kept.invite.secret);
      if (to_hex(id.view()) != text) continue;
      if (kept.state == InviteState::used) {
        return fail(Errc::not_allowed, "invite.used", "Somebody has joined with this invite.",
                    unchanged, "To shut that node out: chapterd peers revoke " + kept.invite.code);
      }
      kept.state = InviteState::revoked;
      replica.set_value(stored_invite_name(id), encode(kept));
      return Json{{"id", text}, {"code", kept.invite.code}, {"state", "revoked"}};
    }
    return fail(Errc::not_found, "invite.unknown", "There is no invite " + shown(text) + ".",
                unchanged, "See what there is with: chapterd invite list");
  });
}

// --- requests ---

Result<Json> answer_request(NodeAccess& node, const Json& args) {
  Arguments in(args);
  const std::string text = in.text("request");
  if (auto done = in.done(); !done) return forward(done);
  const auto bytes = from_base32(text);
  const auto request = decode_join_request(bytes ? *bytes : Bytes());
  if (!request) return forward(request);
  const auto authority = unlocked_authority(node);
  if (!authority) return forward(authority);
  return node.write_alone([&](Replica& replica) -> Result<Json> {
    if (auto checked = check_may_write(replica.directory()); !checked) return forward(checked);
    const auto answer = answer_join(replica, **authority, *bytes, node.parts().date.now());
    if (!answer) return forward(answer);
    const auto kept = replica.store().values(stored_invite_name(request->invite));
    const auto invite = decode_kept_invite(kept.front().value);
    if (!invite) return forward(invite);
    return Json{{"answer", to_base32(*answer)},
                {"code", invite->invite.code},
                {"words", four_words(replica.directory().self(), request->node)}};
  });
}

// --- revocation ---

struct Candidate {
  PublicKey node;
  ChapterId chapter;
  std::string code;
};

// Every node that is known, and those that joined by an invite of this one but were not met yet.
std::vector<Candidate> candidates(Replica& replica) {
  const Authority& authority = replica.directory().authority();
  std::vector<Candidate> all;
  for (const KnownNode* node : authority.nodes()) {
    const ChapterId& chapter = node->certificate.chapter;
    all.push_back({node->certificate.node, chapter, code_of(authority, chapter)});
  }
  for (const KeptInvite& kept : kept_invites(replica.store())) {
    if (kept.state == InviteState::used && authority.node(kept.used_by) == nullptr)
      all.push_back({kept.used_by, kept.invite.chapter, kept.invite.code});
  }
  return all;
}

// "51f89785 (“office”, revoked)"
std::string called_in(const Directory& directory, const Candidate& candidate) {
  const KnownNode* node = directory.authority().node(candidate.node);
  const bool is_revoked = directory.authority().is_revoked(candidate.node);
  return fingerprint(candidate.node) + " (" +
         (node == nullptr ? std::string("not heard yet") : shown(node->certificate.name)) +
         (is_revoked ? ", revoked)" : ")");
}

// The one node of the chapter with this code, or whose fingerprint begins so.
Result<Candidate> meant_node(Replica& replica, const std::string& code, const std::string& prefix) {
  const std::string what = code.empty() ? prefix : code;
  std::vector<Candidate> found = candidates(replica);
  std::erase_if(found, [&](const Candidate& candidate) {
    return code.empty() ? !to_hex(candidate.node.view()).starts_with(prefix)
                        : candidate.code != code;
  });
  if (found.empty()) {
    return fail(Errc::not_found, "peers.unknown", "There is no node " + shown(what) + " here.",
                unchanged, "See who is known with: chapterd peers list");
  }
  if (found.size() == 1) return found.front();
  constexpr std::size_t most_named = 8;
  std::string all;
  for (std::size_t i = 0; i < std::min(found.size(), most_named); ++i)
    all += (i == 0 ? "" : ", ") + called_in(replica.directory(), found[i]);
  return fail(Errc::usage, "peers.ambiguous",
              shown(what) + " is said of " + std::to_string(found.size()) + " nodes: " + all +
                  (found.size() > most_named ? " …" : "."),
              unchanged, "Name one by its fingerprint.");
}

Result<void> check_below(const Directory& directory, const Candidate& meant) {
  const ChapterPath path = directory.authority().path_of(meant.chapter);
  const bool below = meant.chapter == directory.chapter() || is_above(directory.chapter(), path);
  if (below && meant.node != directory.self()) return {};
  return fail(Errc::not_allowed, "peers.not-below",
              "A node is revoked by its own chapter or one above it, and not by itself.", unchanged,
              "Ask the chapter above.");
}

// Every feed of the node, cut at what is held of it here.
Statement revocation(const Directory& directory, const PublicKey& node, std::string reason) {
  Revoke body{node, {}, std::move(reason)};
  for (const KnownFeed& feed : directory.feeds()) {
    if (feed.intro.node == node && feed.head.seq.value > 0) body.cuts.push_back(feed.head);
  }
  return Statement{directory.chapter(), 1, std::move(body)};
}

Result<Json> revoke_node(NodeAccess& node, const Json& args) {
  Arguments in(args);
  const std::string code = in.text_or("code", "");
  const std::string prefix = in.text_or("fingerprint", "");
  const std::string reason = in.text("reason");
  if (auto done = in.done(); !done) return forward(done);
  if (code.empty() == (prefix.size() < 4)) {
    return fail(Errc::usage, "argument.missing",
                "Either “code” or at least four characters of “fingerprint” must be given.",
                unchanged, "See both with: chapterd peers list");
  }
  if (auto checked = check_name("reason", reason); !checked) return forward(checked);
  const auto authority = unlocked_authority(node);
  if (!authority) return forward(authority);
  return node.write([&](Replica& replica) -> Result<Json> {
    const Directory& directory = replica.directory();
    if (auto checked = check_may_write(directory); !checked) return forward(checked);
    const auto meant = meant_node(replica, code, prefix);
    if (!meant) return forward(meant);
    if (auto checked = check_below(directory, *meant); !checked) return forward(checked);
    const Json answer = {{"revoked", fingerprint(meant->node)}};
    if (directory.authority().is_revoked(meant->node)) return answer;
    const Bytes statement = sign_statement(directory.authority().federation(),
                                           revocation(directory, meant->node, reason), **authority);
    if (statement.size() > limits::statement_bytes) {
      return fail(Errc::failed, "revoke.too-many-feeds",
                  "This node wrote to too many chapters for one statement.", unchanged,
                  "Ask the chapter above.");
    }
    const auto written = replica.write_statement(statement);
    if (!written) return forward(written);
    return answer;
  });
}

constexpr std::array verbs{
    Verb{"invite.create", Needs::space, create},
    Verb{"invite.list", Needs::nothing, list_invites},
    Verb{"invite.revoke", Needs::nothing, revoke_invite},
    Verb{"join.answer", Needs::space, answer_request},
    Verb{"peers.revoke", Needs::nothing, revoke_node},
};

}  // namespace

std::vector<std::string> own_addresses(NodeAccess& node) {
  Connections* connections = node.connections();
  const std::string address =
      connections == nullptr ? node.parts().config.sync.listen : connections->look().listens_at;
  const HostPort at = split_address(address);
  const bool everywhere = at.host == "0.0.0.0" || at.host == "::";
  if (at.host.empty() || at.port == 0 || everywhere) return {};
  return {address};
}

std::span<const Verb> invite_verbs() {
  return verbs;
}

}  // namespace chapterd
