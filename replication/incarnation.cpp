// A new life of the database after it was rolled back: a new epoch and new incarnations of all own
// feeds, so that nothing is ever signed a second time; what had not left is chained anew.
#include "base/byte_stream.h"
#include "base/contract.h"
#include "replication/entitlement.h"
#include "replication/format/limits.h"
#include "replication/format/receipt.h"
#include "replication/invite.h"
#include "replication/lives.h"
#include "replication/replica.h"

#include <algorithm>
#include <utility>

namespace chapterd {
void Replica::keep_mark(MarkKeeper& keeper) {
  keeper_ = &keeper;
  const Bytes stored = value(stored_name::instance);
  std::optional<ExportMark> database;
  if (const auto decoded = decode_export_mark(stored)) database = *decoded;
  const std::optional<ExportMark> file = keeper.read();
  switch (compare_marks(file, database)) {
    case MarkVerdict::same:
      mark_ = *database;
      break;
    case MarkVerdict::fresh:
      mark_ = ExportMark{random_.fixed<InstanceToken>(), 0};
      set_value(stored_name::instance, encode(mark_));
      mark_due_ = true;
      break;
    case MarkVerdict::rolled_back:
    case MarkVerdict::file_missing:
    case MarkVerdict::other_pair:
      mark_.number = std::max(file ? file->number : 0, database ? database->number : 0);
      come_back();
      break;
  }
  revocations_ = keeper.read_revocations();
  recalled_ = revocations_;
  recall_revocations();
  follow_cuts();
  keep_revocations();
  commit();
  // For a fresh node number 0 says that the file may not be there yet.
  write_mark();
}

// What the keeper still knows of revocations and the database does not: it acts again, and goes
// into our own `auth` feed, so that the database has it too.
void Replica::recall_revocations() {
  for (Bytes& statement : std::exchange(recalled_, {})) {
    const auto applied = directory_.authority().apply(statement);
    if (applied && *applied == Applied::news) append_statement(statement);
    if (!applied && applied.error().kind == Errc::not_found)
      recalled_.push_back(std::move(statement));  // its issuer is still to come
  }
}

// Notes what the file beside the database must hold after this group.
void Replica::keep_revocations() {
  if (keeper_ == nullptr) return;
  std::vector<Bytes> now = directory_.authority().revocations();
  now.insert(now.end(), recalled_.begin(), recalled_.end());
  if (now == revocations_) return;
  revocations_ = std::move(now);
  mark_due_ = true;
}

void Replica::raise_mark() {
  if (keeper_ == nullptr) return;
  mark_.number += 1;
  own_since_mark_ = 0;
  mark_due_ = true;
  set_value(stored_name::instance, encode(mark_));
}

// Called while own entries are staged.
void Replica::raise_mark_when_due() {
  if (own_staged_ == 0) return;
  const bool is_first = !std::exchange(wrote_, true);
  own_since_mark_ += std::exchange(own_staged_, 0);
  if (is_first || own_since_mark_ >= limits::mark_entries) raise_mark();
}

// The database is committed. A full disk leaves the older file, which is safe: it is tried again.
void Replica::write_mark() {
  if (mark_due_ && keeper_ != nullptr && keeper_->write(mark_, revocations_)) mark_due_ = false;
}

void Replica::close() {
  // What is staged still belongs to a transaction that failed: the machine is broken.
  if (keeper_ == nullptr || own_since_mark_ == 0 || staged_) return;
  raise_mark();
  commit();
}

void Replica::begin_incarnation() {
  close_piece();
  begin_epoch();
  next_incarnation();
  ByteWriter since;
  since.u64(static_cast<std::uint64_t>(clock_.now().ms));
  set_value(stored_name::restored, since.take());
  unset(stored_name::reasserted);
  unmet_.reset();
  mark_.token = random_.fixed<InstanceToken>();
  raise_mark();
}

// Others may hold entries of ours that we do not. Until we have met who stands above us we may know
// less than we did, and only statements go out.
void Replica::come_back() {
  begin_incarnation();
  set_value(stored_name::waits, {1});
  withdraw_invites();
}

// An invite lets one key in, and whom those that look open let in since is not known any more.
void Replica::withdraw_invites() {
  for (const NamedValue& stored : store_.values(invite_prefix)) {
    auto kept = decode_kept_invite(stored.value);
    if (!kept || kept->state != InviteState::open) continue;
    kept->state = InviteState::revoked;
    set_value(stored.name, encode(*kept));
  }
}

// The same, with what has been sent to nobody chained anew. Nothing may be staged.
void Replica::come_back_anew(const std::optional<Arrival>& line) {
  come_back();
  if (line) chain_anew(*line);
}

// New feeds from here on, in the same life of the database.
void Replica::next_incarnation() {
  close_piece();
  directory_.begin_life(directory_.epoch(), random_.fixed<Incarnation>());
  const ByteView life = directory_.incarnation().view();
  set_value(stored_name::incarnation, Bytes(life.begin(), life.end()));
  own_feeds_.clear();
  ended_.clear();
}

// The newest feeds for this address that no other own feed continues yet: of an earlier
// incarnation, or with a path from before a move, of this chapter or of the one written to.
std::vector<Predecessor> Replica::predecessors_of(const FeedIntro& intro) const {
  std::vector<Predecessor> predecessors;
  const auto is_continued = [&](const FeedId& id) {
    return std::ranges::any_of(directory_.own_feeds(), [&](FeedRow row) {
      const auto& named = directory_.feed(row).intro.predecessors;
      return std::ranges::any_of(named, [&](const Predecessor& p) { return p.tip.feed == id; });
    });
  };
  for (const FeedRow row : directory_.own_feeds()) {
    const KnownFeed& feed = directory_.feed(row);
    const auto chapter_of = [](const std::optional<ChapterPath>& target) {
      return target ? target->chapter : ChapterId{};
    };
    const bool is_restored = feed.intro.incarnation != intro.incarnation;
    const bool is_moved = ended_.contains(row) || feed.intro.target != intro.target;
    if (feed.intro.audience == intro.audience &&
        chapter_of(feed.intro.target) == chapter_of(intro.target) && (is_restored || is_moved) &&
        feed.head.seq > feed.fork.seq && !is_continued(feed.head.feed) &&
        predecessors.size() < limits::feed_tips) {
      predecessors.push_back({feed.head, is_restored ? Continues::restore : Continues::move});
    }
  }
  return predecessors;
}

void Replica::meet(const Meeting& meeting, const PublicKey& peer) {
  // Who was put back knows of it, or is told of newer entries. Feeds of a life that it never began
  // were begun by a copy of it, or by itself before the whole folder was put back once more.
  const bool is_led_elsewhere = meeting.rolled_back && !meeting.lives.empty() &&
                                value(stored_name::restored).empty() &&
                                value(stored_name::reasserted).empty();
  if (meeting.rolled_back) {
    CHECK(!staged_);  // it is chained anew from the store
    const auto line = unmet_;
    come_back_anew(line);
  }
  for (const Incarnation& life : meeting.lives) {
    Bytes lives = value(stored_name::lives);
    chapterd::append(lives, life.view());
    set_value(stored_name::lives, std::move(lives));
  }
  if (is_led_elsewhere) {
    const Bytes before = value(stored_name::elsewhere);
    LedElsewhere led = decode_led_elsewhere(before).value_or(LedElsewhere{});
    led.told = clock_.now();
    led.lives.insert(led.lives.end(), meeting.lives.begin(), meeting.lives.end());
    set_value(stored_name::elsewhere, encode(led));
  }
  if (meeting.handed) note_handed({peer});
  if (meeting.met) {
    has_staged_meeting_ = true;
  }
  if (meeting.ends_wait) unset(stored_name::waits);
  if (meeting.recovered) note_recovered();
  if (meeting.may_end_forks && value(stored_name::restored).empty()) close_own_forks();
  if (meeting.new_epoch) std::ranges::fill(this->peer(peer).acknowledged, Arrival());
}

void Replica::unset(const char* name) {
  if (!value(name).empty()) set_value(name, {});
}

void Replica::confirm_restored(Complete complete) {
  unset(stored_name::waits);
  if (complete == Complete::no || value(stored_name::restored).empty()) return;
  note_recovered();
  set_value(stored_name::reasserted, {1});
}

void Replica::note_recovered() {
  if (value(stored_name::restored).empty() && value(stored_name::reasserted).empty()) return;
  unset(stored_name::restored);
  unset(stored_name::reasserted);
  close_own_forks();
}

// Others void the receipts of the epoch before: what is still held is said anew.
void Replica::begin_epoch() {
  const Epoch last = std::max(directory_.epoch(), directory_.lives_of(directory_.self()).latest());
  ByteWriter untold;
  untold.bytes(value(stored_name::untold)).u64(directory_.epoch().value);
  set_value(stored_name::untold, untold.take());
  directory_.begin_life(epoch_after(last, random_), directory_.incarnation());
  ByteWriter epoch;
  epoch.u64(directory_.epoch().value);
  set_value(stored_name::epoch, epoch.take());
  for (const KnownFeed& feed : directory_.feeds()) {
    if (acknowledges(directory_.chapter(), feed.intro)) received_feeds_.insert(feed.row.value);
  }
}

// A copy that found out takes the life that both had for over, so the node itself begins another.
// A node that was put back takes what it was told of, once it has what others hold of it, for lives
// that were lost with the newer disk.
void Replica::tend_life() {
  const PublicKey& self = directory_.self();
  const bool is_handed_over =
      value(stored_name::node) != Bytes(self.view().begin(), self.view().end());
  if (!counts() || is_handed_over) return;
  const ToldLives& told = directory_.lives_of(self);
  const auto has_ended = [this](const char* name) {
    return value(name).empty() && !value_in_store(name).empty();
  };
  const bool is_recovering =
      !value(stored_name::restored).empty() || !value(stored_name::reasserted).empty();
  std::vector<Epoch> lost;
  if (!is_recovering && (has_ended(stored_name::restored) || has_ended(stored_name::reasserted)))
    lost = told.going_on();
  std::erase(lost, directory_.epoch());
  if (told.is_over(directory_.epoch()) || !lost.empty()) begin_epoch();
  const Bytes untold = value(stored_name::untold);
  if (untold.empty()) return;
  std::set<Epoch> over(lost.begin(), lost.end());
  for (ByteReader in(untold); in.good() && in.remaining() > 0;) over.emplace(in.u64());
  unset(stored_name::untold);
  Bytes payload = encode(Life{directory_.epoch(), {over.begin(), over.end()}});
  directory_.note_life(self, payload);
  append_auth(EntryKind::life, std::move(payload));
}

// A node that was restored may have lost what it had claimed to hold. What it said in lives of its
// database that are over counts no more, whoever brings it, and however late.
void Replica::take_life(const PublicKey& node, ByteView payload) {
  if (!directory_.note_life(node, payload) || node == directory_.self()) return;
  const auto is_void = [&](const StoredReceipt& stored) {
    if (stored.node != node) return false;
    const auto receipt = decode_receipt(stored.bytes);
    return !receipt || directory_.lives_of(node).is_over(receipt->epoch);
  };
  std::erase_if(batch_.receipts, is_void);
  for (const KnownFeed& feed : directory_.feeds()) {
    for (const StoredReceipt& stored : store_.receipts_of(feed.row)) {
      if (is_void(stored)) batch_.voided.emplace_back(feed.row, node);
    }
  }
  staged_ = true;
}

}  // namespace chapterd
