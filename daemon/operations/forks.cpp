// Second histories of one key, as people are told of them: which computer, since when, what counts;
// and the word of a chapter that ends them.
#include "replication/forks.h"

#include "daemon/operations/arguments.h"
#include "daemon/operations/held.h"
#include "daemon/operations/keys.h"
#include "daemon/operations/verbs.h"
#include "daemon/operations/writing.h"
#include "replication/format/piece.h"
#include "replication/stored_piece.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <set>

namespace chapterd {
namespace {

using Json = nlohmann::json;

constexpr const char* unchanged = "Nothing was changed.";
constexpr std::size_t name_digits = 8;  // of a branch: the first of its newest entry's hash

using ByNode = std::map<PublicKey, std::vector<ForkedFeed>>;

ByNode forks_by_node(const Directory& directory, const std::string& code) {
  ByNode nodes;
  for (ForkedFeed& each : forked_feeds(directory)) {
    if (code.empty() || code_of(directory.authority(), each.chapter) == code)
      nodes[each.node].push_back(std::move(each));
  }
  return nodes;
}

bool is_open(const ForkedFeed& forked) {
  return !forked.closed && forked.audience != Audience::auth;
}

std::string name_of_tip(const Head& tip) {
  return to_hex(tip.hash.view()).substr(0, name_digits);
}

// When the first entry of its own was written, by its author's clock; 0 when it cannot be read.
std::int64_t began_ms(Reader& reader, const KnownFeed& branch, Sequence after) {
  const Sequence first = std::max(branch.fork.seq, after).next();
  const auto pieces = reader.pieces_of(branch.row, first, 1);
  const auto piece = pieces.empty() ? std::nullopt : undamaged(pieces.front());
  if (!piece || piece->first > first) return 0;
  return piece->entries[first.value - piece->first.value].time.instant().ms;
}

// The earliest time that a branch says of itself, over all feeds of the node.
std::int64_t since_ms(Reader& reader,
                      const Directory& directory,
                      const std::vector<ForkedFeed>& forks) {
  std::int64_t since = 0;
  for (const ForkedFeed& forked : forks) {
    for (const FeedRow row : forked.branches) {
      const std::int64_t began = began_ms(reader, directory.feed(row), forked.shared);
      if (began != 0 && (since == 0 || began < since)) since = began;
    }
  }
  return since;
}

Json branch_json(Reader& reader, const KnownFeed& branch, Sequence shared) {
  const Sequence counts = Directory::standing_head(branch).seq;
  return {{"branch", name_of_tip(branch.head)},
          {"entries", branch.head.seq.value - std::max(branch.fork.seq, shared).value},
          {"set_aside", branch.head.seq.value - counts.value},
          {"since_ms", began_ms(reader, branch, shared)}};
}

Json feed_json(Reader& reader, const Directory& directory, const ForkedFeed& forked) {
  Json branches = Json::array();
  bool is_proved = false;
  for (const FeedRow row : forked.branches) {
    const KnownFeed& branch = directory.feed(row);
    branches.push_back(branch_json(reader, branch, forked.shared));
    const auto proof = fork_proof(reader, directory, branch);
    is_proved = is_proved || (proof && verify_fork(directory.authority().federation(),
                                                   branch.intro_bytes, *proof));
  }
  return {{"feed", to_hex(forked.id.view())},
          {"audience", name_of(forked.audience)},
          {"shared", forked.shared.value},
          {"ended", forked.closed},
          {"proved", is_proved},
          {"branches", std::move(branches)}};
}

Json node_json(Reader& reader,
               const Directory& directory,
               const PublicKey& node,
               const std::vector<ForkedFeed>& forks) {
  const Authority& authority = directory.authority();
  const KnownNode* known = authority.node(node);
  Json feeds = Json::array();
  for (const ForkedFeed& forked : forks) feeds.push_back(feed_json(reader, directory, forked));
  return {{"fingerprint", fingerprint(node)},
          {"computer", known == nullptr ? std::string() : known->certificate.name},
          {"code", code_of(authority, forks.front().chapter)},
          {"name", name_of(authority, forks.front().chapter)},
          {"own", node == directory.self()},
          {"since_ms", since_ms(reader, directory, forks)},
          {"open", std::ranges::any_of(forks, is_open)},
          {"feeds", std::move(feeds)}};
}

Result<Json> list_forks(NodeAccess& node, const Json& args) {
  Arguments in(args);
  const std::string code = in.text_or("code", "");
  if (auto done = in.done(); !done) return forward(done);
  return node.read([&](Reader& reader, const Directory& directory) -> Result<Json> {
    Json nodes = Json::array();
    for (const auto& [key, forks] : forks_by_node(directory, code))
      nodes.push_back(node_json(reader, directory, key, forks));
    return Json{{"nodes", std::move(nodes)}};
  });
}

// The tips that shall count, of all of them or of those that were named. Marks the names it used.
std::vector<Head> kept_tips(const ForkedFeed& forked,
                            const std::vector<std::string>& names,
                            std::set<std::string>& used) {
  std::vector<Head> tips;
  if (forked.audience == Audience::auth) return tips;
  for (const Head& tip : forked.tips) {
    const auto named = std::ranges::find(names, name_of_tip(tip));
    if (named != names.end()) used.insert(*named);
    if (names.empty() || named != names.end()) tips.push_back(tip);
  }
  return tips;
}

Result<void> check_may_close(const Directory& directory, const std::vector<ForkedFeed>& forks) {
  const ChapterId& home = forks.front().chapter;
  const ChapterPath path = directory.authority().path_of(home);
  if (home == directory.chapter() || is_above(directory.chapter(), path)) return {};
  return fail(Errc::not_allowed, "fork.not-below",
              "What counts of a computer's histories is said by its own chapter or one above it.",
              unchanged, "Ask that chapter.");
}

Result<Json> close_forks(NodeAccess& node, const Json& args) {
  Arguments in(args);
  const std::string code = in.text("code");
  const std::vector<std::string> names = in.texts("keep").value_or(std::vector<std::string>());
  if (auto done = in.done(); !done) return forward(done);
  const auto authority = unlocked_authority(node);
  if (!authority) return forward(authority);
  return node.write_alone([&](Replica& replica) -> Result<Json> {
    const Directory& directory = replica.directory();
    if (auto checked = check_may_write(directory); !checked) return forward(checked);
    const ByNode nodes = forks_by_node(directory, code);
    if (nodes.empty()) {
      return fail(Errc::not_found, "fork.none",
                  "No computer of " + shown(code) + " has a second history here.", unchanged,
                  "See all with: chapterd fork list");
    }
    std::vector<Close> closings;
    std::set<std::string> used;
    for (const auto& [key, forks] : nodes) {
      if (auto checked = check_may_close(directory, forks); !checked) return forward(checked);
      for (const ForkedFeed& forked : forks)
        closings.push_back({key, kept_tips(forked, names, used)});
    }
    for (const std::string& name : names) {
      if (!used.contains(name))
        return fail(Errc::not_found, "fork.no-such-branch",
                    "No history of " + shown(code) + " is called " + shown(name) + ".", unchanged,
                    "See their names with: chapterd fork list " + code);
    }
    std::uint64_t listed = 0;
    for (Close& body : closings) {
      if (body.tips.empty()) continue;
      listed += body.tips.size();
      const Statement statement{directory.chapter(), 1, std::move(body)};
      const auto written = replica.write_statement(
          sign_statement(directory.authority().federation(), statement, **authority));
      if (!written) return forward(written);
    }
    std::uint64_t aside = 0;
    for (const auto& [key, forks] : forks_by_node(directory, code))
      for (const ForkedFeed& forked : forks) aside += forked.aside;
    return Json{{"code", code}, {"kept", listed}, {"set_aside", aside}};
  });
}

constexpr std::array verbs{
    Verb{"fork.list", Needs::nothing, list_forks},
    Verb{"fork.close", Needs::space, close_forks},
};

}  // namespace

std::span<const Verb> fork_verbs() {
  return verbs;
}

std::vector<OpenFork> open_forks(Reader& reader, const Directory& directory) {
  std::vector<OpenFork> open;
  for (const auto& [key, forks] : forks_by_node(directory, "")) {
    if (std::ranges::any_of(forks, is_open))
      open.push_back({key, forks.front().chapter, since_ms(reader, directory, forks)});
  }
  return open;
}

}  // namespace chapterd
