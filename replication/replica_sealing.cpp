// The keys of the chapter: who holds which, handing them to its nodes, a new one after a
// revocation; and local changes, which are sealed with them when they are for the chapter only.
#include "base/byte_stream.h"
#include "base/contract.h"
#include "crypto/guarded.h"
#include "replication/format/limits.h"
#include "replication/replica.h"

#include <algorithm>
#include <utility>

namespace chapterd {
namespace {

// What a change for the chapter only must leave free for being sealed.
std::size_t most_change_bytes(Audience audience) {
  return limits::payload_bytes - (audience == Audience::chapter ? sealed_payload_overhead : 0);
}

Bytes copy(ByteView view) {
  return {view.begin(), view.end()};
}

// Of the value that keeps a wrap: "chapter-key/" | hex of generation, id and node.
std::string wrap_name(const KeyWrap& wrap) {
  ByteWriter name;
  name.u32(wrap.key.generation).fixed(wrap.key.id).fixed(wrap.node);
  return stored_name::wrap_prefix + to_hex(name.view());
}

std::optional<KeyWrap> wrap_from(const NamedValue& stored) {
  const auto name = from_hex(
      std::string_view(stored.name).substr(std::string_view(stored_name::wrap_prefix).size()));
  if (!name) return std::nullopt;
  ByteReader in(*name);
  KeyWrap wrap;
  wrap.key.generation = in.u32();
  wrap.key.id = in.fixed<ChapterKeyId>();
  wrap.node = in.fixed<PublicKey>();
  if (!in.finished()) return std::nullopt;
  if (const auto sealed = decltype(wrap.sealed)::from(stored.value)) wrap.sealed = *sealed;
  return wrap;
}

// Null when it was sealed to another key, or holds another key than it says.
ChapterKeys::Held opened(const BoxKey& box, const KeyWrap& wrap, const ChapterKeys& of) {
  auto secret = open_sealed(box, wrap.sealed.view());
  if (!secret) return nullptr;
  auto key = ChapterKey::from_secret(*secret);
  wipe(*secret);
  if (name_chapter_key(of.federation, of.chapter, wrap.key.generation, key) != wrap.key)
    return nullptr;
  return std::make_shared<const NamedChapterKey>(NamedChapterKey{wrap.key, std::move(key)});
}

}  // namespace

// --- unlocking ---

void Replica::read_wraps() {
  known_keys_.clear();
  for (const NamedValue& stored : store_.values(stored_name::wrap_prefix)) {
    const auto wrap = wrap_from(stored);
    if (!wrap) continue;
    if (wrap->node == directory_.self()) {
      known_keys_[wrap->key].is_ours = true;
    } else {
      known_keys_[wrap->key].holders[wrap->node] =
          PublicKey::from(stored.value).value_or(PublicKey{});
    }
  }
  tended_version_ = 0;
}

std::shared_ptr<const ChapterKeys> Replica::open_keys(const BoxKey& box) {
  ChapterKeys keys{directory_.authority().federation(), directory_.chapter(), {}};
  for (const NamedValue& stored : store_.values(stored_name::wrap_prefix)) {
    const auto wrap = wrap_from(stored);
    if (!wrap || wrap->node != directory_.self()) continue;
    if (auto key = opened(box, *wrap, keys)) keys.keys.push_back(std::move(key));
  }
  return std::make_shared<const ChapterKeys>(std::move(keys));  // names are in order
}

Result<void> Replica::unlock(BoxKey box) {
  CHECK(!staged_);
  // A node whose certificate became void keeps what it could read.
  const KnownNode* self = directory_.authority().node(directory_.self());
  if (self != nullptr && self->certificate.box != box.public_key()) {
    return fail(Errc::not_allowed, "chapter.other-key",
                "This key does not open the private data of this node.", "Nothing was changed.",
                "Put the folder's own chapter.key back, or restore it from the recovery kit: "
                "chapterd kit restore");
  }
  const auto held = std::make_shared<const BoxKey>(std::move(box));
  vault_.unlock(held, open_keys(*held));
  sealing_.reset();
  tended_version_ = directory_.authority().version();  // handed out last, for the caller's commit
  apply_waiting();
  tended_version_ = 0;
  tend_keys();
  return {};
}

void Replica::lock() {
  CHECK(!staged_);
  vault_.lock();
  sealing_.reset();
}

// --- keys that come ---

// An entry of kind `key`; whoever may read the chapter's feed may hand out keys in its own.
void Replica::take_key_entry(const FeedIntro& intro, const PieceEntry& entry) {
  if (intro.audience != Audience::chapter || intro.home.chapter != directory_.chapter()) return;
  if (entry.erased) return;
  const auto wraps = decode_key_wraps(entry.payload);
  if (!wraps) return;  // of a later version, or of nobody's use
  for (const KeyWrap& wrap : *wraps) {
    note_wrap(wrap, intro.node);
    if (wrap.node == directory_.self()) waiting_ = add_key(wrap) || waiting_;
  }
}

void Replica::note_wrap(const KeyWrap& wrap, const PublicKey& author) {
  KnownKey& known = known_keys_[wrap.key];
  sealing_.reset();
  // While the keys are locked nobody can say whether it opens: the first one is kept.
  const auto opens = [&] {
    const auto keys = vault_.keys();
    return keys == nullptr || opened(*vault_.box(), wrap, *keys) != nullptr;
  };
  if (wrap.node == directory_.self() && !known.is_ours && opens()) {
    known.is_ours = true;
    set_value(wrap_name(wrap), copy(wrap.sealed.view()));
  }
  for (const PublicKey& node : {wrap.node, author}) {
    if (node == directory_.self() || is_handed(known, node)) continue;
    known.holders[node] = author;
    KeyWrap named = wrap;
    named.node = node;
    set_value(wrap_name(named), copy(author.view()));
  }
}

// By the word of somebody who was not revoked: nobody else can open what was sealed to it.
bool Replica::is_handed(const KnownKey& key, const PublicKey& node) const {
  const auto holder = key.holders.find(node);
  return holder != key.holders.end() && !directory_.authority().is_revoked(holder->second);
}

// Opens one that was sealed to this node. False when it is there already, or the vault is locked.
bool Replica::add_key(const KeyWrap& wrap) {
  const auto keys = vault_.keys();
  if (keys == nullptr || keys->holds(wrap.key)) return false;
  auto key = opened(*vault_.box(), wrap, *keys);
  if (key == nullptr) return false;
  hold(std::move(key));
  tended_version_ = 0;
  return true;
}

// Puts it among the unlocked keys.
void Replica::hold(ChapterKeys::Held key) {
  const auto keys = vault_.keys();
  if (keys == nullptr || keys->holds(key->name)) return;
  ChapterKeys more = *keys;
  more.keys.push_back(std::move(key));
  std::ranges::sort(more.keys, {}, [](const ChapterKeys::Held& each) { return each->name; });
  vault_.unlock(vault_.box(), std::make_shared<const ChapterKeys>(std::move(more)));
}

// --- who belongs together ---

Result<void> Replica::agree_to(const SigningKey& authority) {
  const Authority& known = directory_.authority();
  const KnownNode* self = known.node(directory_.self());
  if (!counts() || known.agreed_keys(directory_.self()).contains(authority.public_key())) return {};
  const Statement word{directory_.chapter(), self->number + 1, self->certificate};
  const auto written = write_statement(sign_statement(known.federation(), word, authority));
  if (!written) return forward(written);
  return {};
}

// --- keys that go out ---

// The nodes of this chapter that belong together with this one.
std::vector<const KnownNode*> Replica::key_nodes() const {
  const Authority& authority = directory_.authority();
  std::vector<const KnownNode*> nodes = authority.nodes();
  std::erase_if(nodes, [&](const KnownNode* node) {
    const PublicKey& key = node->certificate.node;
    if (key == directory_.self()) return false;
    return authority.is_revoked(key) || !authority.are_of_one_house(directory_.self(), key);
  });
  return nodes;
}

// Nobody holds it who may not read the chapter's feeds any more.
bool Replica::is_clean(const KnownKey& key, const std::vector<const KnownNode*>& nodes) const {
  return std::ranges::all_of(key.holders, [&](const auto& holder) {
    return std::ranges::any_of(
        nodes, [&](const KnownNode* node) { return node->certificate.node == holder.first; });
  });
}

// The newest clean one that is held; null when a new generation must be started.
ChapterKeys::Held Replica::sealing_key() {
  const std::uint64_t version = directory_.authority().version();
  if (sealing_ != nullptr && std::exchange(sealing_version_, version) == version) return sealing_;
  sealing_version_ = version;
  sealing_.reset();
  const auto keys = vault_.keys();
  const auto nodes = key_nodes();
  for (auto each = keys->keys.rbegin(); each != keys->keys.rend() && !sealing_; ++each) {
    if (is_clean(known_keys_[(*each)->name], nodes)) sealing_ = *each;
  }
  return sealing_;
}

// Seals keys to those nodes that lack them, and to this one.
void Replica::hand_out(const std::vector<ChapterKeys::Held>& keys) {
  std::vector<KeyWrap> wraps;
  const auto flush = [&] {
    if (wraps.empty()) return;
    append(own_feed({Audience::chapter, {}}), EntryKind::key, encode(wraps));
    open_->links.push_back(0);
    if ((open_->entries.back().entry.flags & flag_run_end) != 0) close_piece();
    wraps.clear();
  };
  for (const KnownNode* node : key_nodes()) {
    for (const ChapterKeys::Held& key : keys) {
      const KnownKey& known = known_keys_[key->name];
      const bool is_self = node->certificate.node == directory_.self();
      if (is_self ? known.is_ours : is_handed(known, node->certificate.node)) continue;
      const auto sealed = seal_to(node->certificate.box, key->key.secret(), random_);
      if (!sealed) continue;  // a certificate that everybody could read for
      KeyWrap wrap{key->name, node->certificate.node, {}};
      std::ranges::copy(*sealed, wrap.sealed.bytes.begin());
      note_wrap(wrap, directory_.self());
      wraps.push_back(wrap);
      if (wraps.size() == limits::key_wraps) flush();
    }
  }
  flush();
}

// Also while locked: every node, this one too, gets it by its public key.
void Replica::start_generation() {
  const std::uint32_t newest = known_keys_.empty() ? 0 : known_keys_.rbegin()->first.generation;
  const std::uint32_t generation = newest == UINT32_MAX ? newest : newest + 1;
  auto key = ChapterKey::generate(random_);
  const ChapterKeyName name =
      name_chapter_key(directory_.authority().federation(), directory_.chapter(), generation, key);
  const auto held = std::make_shared<const NamedChapterKey>(NamedChapterKey{name, std::move(key)});
  hand_out({held});
  hold(held);
  waiting_ = true;  // what could not be sealed before can be merged now
}

// What this node writes is taken by others.
bool Replica::counts() const {
  const Authority& authority = directory_.authority();
  return authority.node(directory_.self()) != nullptr && !authority.is_revoked(directory_.self());
}

// The keys that are sealed to this node, for one that goes on with its database and chapter.key.
void Replica::leave_keys_to(const PublicKey& heir) {
  for (const NamedValue& stored : store_.values(stored_name::wrap_prefix)) {
    auto wrap = wrap_from(stored);
    if (!wrap || wrap->node != directory_.self()) continue;
    wrap->node = heir;
    set_value(wrap_name(*wrap), stored.value);
    set_value(stored.name, {1});  // the node before holds it too
  }
}

// Before a commit: nodes that joined since get the keys.
void Replica::tend_keys() {
  if (std::exchange(tended_version_, directory_.authority().version()) ==
      directory_.authority().version()) {
    return;
  }
  const auto keys = vault_.keys();
  if (keys == nullptr || keys->keys.empty() || !counts()) return;
  hand_out(keys->keys);
}

// After this node's chapter revoked one of its own: what it knew seals nothing any more.
void Replica::rotate_when_revoked() {
  if (known_keys_.empty() || !counts()) return;
  const auto nodes = key_nodes();
  const bool has_clean = std::ranges::any_of(
      known_keys_, [&](const auto& known) { return is_clean(known.second, nodes); });
  if (!has_clean) start_generation();
}

// --- changes ---

ChangeVerdict Replica::read_change(const FeedIntro& intro,
                                   const PieceEntry& entry,
                                   Bytes& opened,
                                   ChangeView& change,
                                   ChapterKeys::Held* by) const {
  const auto keys = intro.audience == Audience::chapter ? vault_.keys() : nullptr;
  return chapterd::read_change(keys.get(), intro, entry, opened, change, by);
}

Result<void> Replica::may_write(const Address& address, const Change& change) const {
  ChangeView view;
  const Bytes payload = encode(change);
  return check_write(address, payload, view);
}

// Leaves in `view` what the payload says.
Result<void> Replica::check_write(const Address& address,
                                  ByteView payload,
                                  ChangeView& view) const {
  if (address.audience == Audience::to &&
      directory_.authority().chapter(address.target) == nullptr) {
    return fail(Errc::not_found, "chapter.unknown",
                "The chapter that this is addressed to is not known here.", "Nothing was changed.",
                "Synchronise, then try again.");
  }
  if (address.audience == Audience::chapter && vault_.is_locked()) return chapter_locked();
  if (payload.size() > most_change_bytes(address.audience)) {
    return fail(Errc::usage, "change.too-large", "This change is larger than 48 KiB.",
                "Nothing was changed.", "Save it in smaller parts.");
  }
  const auto checked = decode_change(payload, view);
  if (checked) return {};
  return fail(Errc::usage, checked.error().code, checked.error().what, "Nothing was changed.",
              "Save it in smaller parts.");
}

Result<Written> Replica::write(const Address& address, const Change& change) {
  Bytes payload = encode(change);
  ChangeView view;  // borrows from its bytes, which stay where they are when it is moved
  if (auto allowed = check_write(address, payload, view); !allowed) return forward(allowed);
  Bytes plain;
  if (address.audience == Audience::chapter) {
    if (sealing_key() == nullptr) start_generation();
    plain = std::exchange(payload,
                          vault_.keys()->seal(*sealing_key(), directory_.self(), payload, random_));
  }
  const FeedRow feed = own_feed(address);
  const Written written = append(feed, EntryKind::data, std::move(payload));
  const OwnEntry& entry = open_->entries.back();
  const Arrival previous =
      merge_into(space_for(directory_.feed(feed).intro), view, written, entry.entry.time);
  ByteWriter link;
  chapterd::append(open_->links, link.varint(previous.value).view());
  if ((entry.entry.flags & flag_run_end) != 0) close_piece();
  return written;
}

tl::unexpected<Error> chapter_locked() {
  return fail(Errc::needs_person, "chapter.locked",
              "The private data of this chapter is locked on this computer.",
              "Nothing was changed; what is shared with other chapters can be read and goes on "
              "being exchanged.",
              "Unlock it with: chapterd unlock");
}

}  // namespace chapterd
