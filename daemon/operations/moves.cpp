// A chapter goes below another parent: the new parent offers, a chapter above both approves, and
// what was left behind waits for a person.
#include "base/byte_stream.h"
#include "crypto/hash.h"
#include "daemon/operations/arguments.h"
#include "daemon/operations/held.h"
#include "daemon/operations/verbs.h"
#include "daemon/operations/where.h"
#include "daemon/operations/writing.h"
#include "domain/layer_writer.h"
#include "replication/format/limits.h"
#include "replication/format/piece.h"
#include "replication/stored_piece.h"
#include "replication/verified.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <map>

namespace chapterd {
namespace {

using Json = nlohmann::json;

constexpr const char* unchanged = "Nothing was changed.";
constexpr std::uint8_t offer_version = 1;

// --- offer and approval ---

struct Offer {
  FederationId federation;
  PublicKey parent;
  std::vector<std::string> addresses;
  Bytes certificate;
};

Bytes encode(const Offer& offer) {
  ByteWriter out;
  out.u8(offer_version).fixed(offer.federation).u8(algorithm_ed25519).fixed(offer.parent);
  out.u8(static_cast<std::uint8_t>(offer.addresses.size()));
  for (const std::string& address : offer.addresses) out.sized_text(address);
  return out.sized_bytes(offer.certificate).take();
}

Result<Offer> decode_offer(const std::string& base32) {
  const auto bytes = from_base32(base32);
  ByteReader in(bytes ? ByteView(*bytes) : ByteView());
  Offer offer;
  if (in.u8() != offer_version) in.mark_bad();
  offer.federation = in.fixed<FederationId>();
  if (in.u8() != algorithm_ed25519) in.mark_bad();
  offer.parent = in.fixed<PublicKey>();
  const std::uint8_t count = in.u8();
  if (count > limits::invite_addresses) in.mark_bad();
  for (unsigned i = 0; i < count && in.good(); ++i)
    offer.addresses.emplace_back(in.sized_text(limits::name_bytes));
  const ByteView certificate = in.sized_bytes(limits::statement_bytes);
  offer.certificate.assign(certificate.begin(), certificate.end());
  if (in.finished()) return offer;
  return fail(Errc::malformed, "move.offer", "This is not an offer to take a chapter in.",
              unchanged, "Have it made again, there: chapterd move offer CODE");
}

Result<std::vector<std::string>> addresses_for(Arguments& in, NodeAccess& node) {
  const auto asked = in.texts("addresses");
  std::vector<std::string> addresses = asked ? *asked : own_addresses(node);
  const bool good = std::ranges::all_of(addresses, [](const std::string& address) {
    const HostPort at = split_address(address);
    return !at.host.empty() && at.port != 0 && address.size() <= limits::name_bytes;
  });
  if (good && !addresses.empty() && addresses.size() <= limits::invite_addresses) return addresses;
  return fail(Errc::usage, "move.address",
              "The chapter must be told where to call this node: one to eight of the form "
              "host:port.",
              unchanged, "Give them with --address HOST:PORT.");
}

// Whether this chapter has, or had, another computer that a chapter below may be calling.
bool has_other_nodes(const Directory& directory) {
  return std::ranges::any_of(directory.authority().nodes(), [&](const KnownNode* node) {
    return node->certificate.chapter == directory.chapter() &&
           node->certificate.node != directory.self();
  });
}

// The chapter that is to come, if it may come here. One that stands here already may be told to
// call this computer instead of one that was lost.
Result<const KnownChapter*> moving(const Directory& directory, const std::string& code) {
  const Authority& authority = directory.authority();
  const KnownChapter* chapter = authority.chapter_with_code(code);
  if (chapter == nullptr) {
    return fail(Errc::not_found, "chapter.unknown",
                "No chapter here has the code " + shown(code) + ".", unchanged,
                "Synchronise, then try again.");
  }
  const ChapterId id = chapter->certificate.chapter;
  const ChapterPath own = authority.path_of(directory.chapter());
  if (id == own.chapter || is_above(id, own) || id == root_of(directory)) {
    return fail(Errc::usage, "move.circle", "A chapter cannot go below itself.", unchanged,
                "Offer it at the chapter that it shall go below.");
  }
  const auto& above = chapter->certificate.above;
  if (!above.empty() && above.back() == own.chapter && !has_other_nodes(directory)) {
    return fail(Errc::usage, "move.here", shown(code) + " stands below this chapter already.",
                unchanged, "See: chapterd peers list");
  }
  return chapter;
}

Result<Json> offer(NodeAccess& node, const Json& args) {
  Arguments in(args);
  const std::string code = in.text("code");
  const auto addresses = addresses_for(in, node);
  if (auto done = in.done(); !done) return forward(done);
  if (!addresses) return forward(addresses);
  const auto authority = unlocked_authority(node);
  if (!authority) return forward(authority);
  return node.read([&](Reader&, const Directory& directory) -> Result<Json> {
    const auto chapter = moving(directory, code);
    if (!chapter) return forward(chapter);
    const Authority& known = directory.authority();
    const ChapterPath own = known.path_of(directory.chapter());
    ChapterCertificate certificate = (*chapter)->certificate;
    certificate.above = own.above;
    certificate.above.push_back(own.chapter);
    const unsigned below = own_chapter(directory).certificate.level + 1U;
    certificate.level = static_cast<std::uint8_t>(std::max<unsigned>(certificate.level, below));
    const Statement statement{own.chapter, known.next_number(certificate.chapter), certificate};
    const Offer made{known.federation(), directory.self(), *addresses,
                     sign_statement(known.federation(), statement, **authority)};
    return Json{{"offer", to_base32(encode(made))}, {"code", code}, {"addresses", *addresses}};
  });
}

Result<Json> approve(NodeAccess& node, const Json& args) {
  Arguments in(args);
  const std::string text = in.text("offer");
  const bool only_look = in.flag("only_look");
  if (auto done = in.done(); !done) return forward(done);
  const auto offered = decode_offer(text);
  if (!offered) return forward(offered);
  const auto by = unlocked_authority(node);
  if (!by) return forward(by);
  return node.write_alone([&](Replica& replica) -> Result<Json> {
    const Directory& directory = replica.directory();
    if (auto checked = check_may_write(directory); !checked) return forward(checked);
    const Authority& authority = directory.authority();
    if (offered->federation != authority.federation()) {
      return fail(Errc::not_allowed, "federation.other", "This offer is of another federation.",
                  unchanged, "Ask whoever sent it.");
    }
    const auto inner = decode_statement(offered->certificate);
    const auto* certificate = inner ? std::get_if<ChapterCertificate>(&inner->body) : nullptr;
    if (certificate == nullptr) return forward(decode_offer(""));
    const ChapterId chapter = certificate->chapter;
    const ChapterId parent = inner->issuer;
    const bool above_both =
        is_above(directory.chapter(), authority.path_of(chapter)) &&
        (parent == directory.chapter() || is_above(directory.chapter(), authority.path_of(parent)));
    if (!above_both) {
      return fail(Errc::not_allowed, "move.not-above",
                  "A move is approved by a chapter that stands above both the old parent and the "
                  "new one, or is the new one.",
                  unchanged, "Hand the offer to the chapter above.");
    }
    const ChapterPath before = authority.path_of(chapter);
    const bool is_move = before.above.back() != parent;
    const Json answer = {{"code", code_of(authority, chapter)},
                         {"name", name_of(authority, chapter)},
                         {"from", name_of(authority, before.above.back())},
                         {"to", name_of(authority, parent)},
                         {"moves", is_move},
                         {"done", !only_look}};
    Move move{offered->certificate, authority.keys_of(chapter), offered->parent,
              offered->addresses};
    const Statement statement{directory.chapter(), authority.next_number(chapter), std::move(move)};
    const Bytes bytes = sign_statement(authority.federation(), statement, **by);
    Authority rehearsal = authority;
    const auto applied = rehearsal.apply(bytes);
    const KnownMove* now = applied ? rehearsal.move_of(chapter) : nullptr;
    const KnownMove* earlier = authority.move_of(chapter);
    const bool is_done = earlier != nullptr && earlier->body.certificate == offered->certificate;
    if (is_done || now == nullptr || now->body.certificate != offered->certificate) {
      return fail(Errc::not_allowed, "move.offer", "This offer cannot be carried out any more.",
                  unchanged, "Have it made again, there: chapterd move offer CODE");
    }
    if (only_look) return answer;
    if (auto written = replica.write_statement(bytes); !written) return forward(written);
    return answer;
  });
}

// --- what was left behind ---

// Own entries of one ended feed that did not reach those they were written for.
struct LeftBehind {
  KnownFeed feed;
  Sequence through;  // what reached them, or what a person has decided on
  std::uint64_t entries = 0;
};

// Feeds with a path from before a move whose readers cannot be reached from here any more.
std::vector<LeftBehind> left_behind(Reader& reader, const Directory& directory) {
  std::vector<LeftBehind> found;
  if (directory.authority().path_of(directory.chapter()).above.empty()) return found;
  Holders holders(reader, directory);
  const ChapterPath now = directory.authority().path_of(directory.chapter());
  for (const FeedRow row : directory.own_feeds()) {
    const KnownFeed& feed = directory.feed(row);
    const bool goes_up = feed.intro.audience == Audience::up || feed.intro.audience == Audience::to;
    if (!goes_up || feed.intro.home == now) continue;
    // Those above now are all among those of before: they get it as ever.
    if (std::ranges::all_of(now.above, [&](const ChapterId& chapter) {
          return is_above(chapter, feed.intro.home);
        }))
      continue;
    LeftBehind left{feed, settled_through(reader, holders, feed), 0};
    left.entries = changes_after(reader, feed, left.through);
    if (left.entries > 0) found.push_back(std::move(left));
  }
  return found;
}

// Values of before by their names, in the new entries.
using NewNames = std::map<ValueName, ValueName>;

// The same change, superseding what the entry of before superseded and that entry itself.
Change anew(const ChangeView& view, const EntryHash& hash, const NewNames& names) {
  Change change;
  change.record = view.record;
  change.kind = std::string(view.kind);
  change.schema = view.schema;
  const std::uint64_t own = name_part(hash);
  std::uint16_t number = 0;
  for (const OperationView& each : view.operations) {
    Operation operation{
        std::string(each.field), each.action, Bytes(each.value.begin(), each.value.end()), {}};
    for (const ValueName& name : view.supersedes(each)) {
      operation.supersedes.push_back(name);
      if (const auto at = names.find(name); at != names.end())
        operation.supersedes.push_back(at->second);
    }
    operation.supersedes.push_back({own, number++});
    std::ranges::sort(operation.supersedes);
    const auto doubles = std::ranges::unique(operation.supersedes);
    operation.supersedes.erase(doubles.begin(), doubles.end());
    change.operations.push_back(std::move(operation));
  }
  return change;
}

// Each value of before has its name among those that it is superseded by.
void note_names(const Change& change, std::uint64_t before, std::uint64_t now, NewNames& names) {
  std::uint16_t number = 0;
  for (const Operation& operation : change.operations) {
    for (const ValueName& name : operation.supersedes) {
      if (name.entry == before) names.emplace(name, ValueName{now, number});
    }
    ++number;
  }
}

Result<std::uint64_t> write_anew(Replica& replica, const LeftBehind& left, NewNames& names) {
  const FeedIntro& intro = left.feed.intro;
  const Address address{intro.audience, intro.target ? intro.target->chapter : ChapterId{}};
  std::uint64_t written = 0;
  for (const StoredPiece& stored :
       replica.store().pieces_of(left.feed.row, left.through.next(), SIZE_MAX)) {
    const Piece piece = decoded(stored);
    const auto hashes = chain(piece, left.feed.head.feed, stored.prev);
    for (std::size_t i = 0; i < piece.entries.size(); ++i) {
      ChangeView view;
      if (piece.first.plus(i) <= left.through || piece.entries[i].kind != EntryKind::data ||
          !decode_change(piece.entries[i].payload, view))
        continue;
      // With one more name in each operation, what fitted before may fit no more.
      for (const Change& part : divided(anew(view, hashes[i], names))) {
        const auto done = replica.write(address, part);
        if (!done) return forward(done);
        note_names(part, name_part(hashes[i]), name_part(done->hash), names);
      }
      ++written;
    }
  }
  return written;
}

void decide(Replica& replica, const LeftBehind& left, const char* name) {
  ByteWriter through;
  through.u64(left.feed.head.seq.value);
  replica.set_value(decision_name(name, left.feed), through.take());
}

tl::unexpected<Error> nothing_left() {
  return fail(Errc::not_found, "move.nothing", "Nothing was left behind by a move here.", unchanged,
              "See: chapterd status");
}

Result<Json> send(NodeAccess& node, const Json& args) {
  if (auto done = Arguments(args).done(); !done) return forward(done);
  return node.write_alone([&](Replica& replica) -> Result<Json> {
    if (auto checked = check_may_write(replica.directory()); !checked) return forward(checked);
    const auto found = left_behind(replica.store(), replica.directory());
    if (found.empty()) return nothing_left();
    std::uint64_t entries = 0;
    NewNames names;
    for (const LeftBehind& left : found) {
      const auto written = write_anew(replica, left, names);
      if (!written) return forward(written);
      entries += *written;
      decide(replica, left, own_value::sent_anew);
    }
    return Json{{"sent", entries}};
  });
}

Result<Json> leave(NodeAccess& node, const Json& args) {
  if (auto done = Arguments(args).done(); !done) return forward(done);
  return node.write_alone([&](Replica& replica) -> Result<Json> {
    const auto found = left_behind(replica.store(), replica.directory());
    if (found.empty()) return nothing_left();
    std::uint64_t entries = 0;
    for (const LeftBehind& left : found) {
      entries += left.entries;
      decide(replica, left, own_value::left_there);
    }
    return Json{{"left", entries}};
  });
}

constexpr std::array verbs{
    Verb{"move.offer", Needs::nothing, offer},
    Verb{"move.approve", Needs::space, approve},
    Verb{"move.send", Needs::space, send},
    Verb{"move.leave", Needs::space, leave},
};

}  // namespace

std::span<const Verb> move_verbs() {
  return verbs;
}

std::uint64_t entries_left_behind(Reader& reader, const Directory& directory) {
  std::uint64_t entries = 0;
  for (const LeftBehind& left : left_behind(reader, directory)) entries += left.entries;
  return entries;
}

}  // namespace chapterd
