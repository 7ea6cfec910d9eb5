// The one door for writes: local changes and what peers sent meet here, are chained or checked,
// merged into records, and go into one transaction. Writer thread only.
//
// Use: any number of write() and receive() calls, then commit(). Nothing counts before commit()
// returns. When it throws DiskFull, nothing of the group happened and the replica is as before it.
#pragma once

#include "base/random.h"
#include "base/result.h"
#include "base/time.h"
#include "crypto/node_key.h"
#include "replication/directory.h"
#include "replication/erasure.h"
#include "replication/format/receipt.h"
#include "replication/merge.h"
#include "replication/new_names.h"
#include "replication/replica_words.h"
#include "replication/staged.h"
#include "replication/store/high_water.h"
#include "replication/vault.h"
#include "replication/window.h"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace chapterd {

// What is said while the keys are locked: needs_person, chapter.locked.
[[nodiscard]] tl::unexpected<Error> chapter_locked();

class Replica {
 public:
  // `store`, `clock`, `random`, `key` and `vault` must outlive the replica; the store seals with
  // that vault, which is locked until unlock(). Errc::not_found (node.not-initialised),
  // Errc::not_allowed (node.other-key: the key file does not belong to this database).
  [[nodiscard]] static Result<std::unique_ptr<Replica>> open(
      Store& store, const Clock& clock, Random& random, const SigningKey& key, ChapterVault& vault);

  // Writes the identity of a new node; introduce() must follow.
  [[nodiscard]] static Result<void> initialise(Store& store,
                                               Random& random,
                                               ByteView genesis,
                                               const PublicKey& node);

  // Compares the database's export mark with that of `keeper`, which must outlive the replica, and
  // keeps both from now on. When the database was rolled back, a new incarnation begins;
  // revocations that only the keeper still knows are written into this node's `auth` feed. Both are
  // committed. Call it once, before anything is staged.
  void keep_mark(MarkKeeper& keeper);
  // Nothing is written any more: an older copy of the database shall be noticed from here on.
  void close();

  // Opens the chapter's keys with the node's X25519 key and applies what waited for them, in
  // transactions of bounded size; stages that they are handed to nodes that lack them. Nothing may
  // be staged before. Errors: chapter.other-key (not_allowed: not that of this node's certificate).
  [[nodiscard]] Result<void> unlock(BoxKey box);
  // Forgets the keys. Nothing may be staged.
  void lock();

  [[nodiscard]] const ChapterVault& vault() const { return vault_; }

  // Whether write() would take this. Errors: chapter.unknown (not_found), change.too-large and what
  // else breaks the format (usage), chapter.locked (needs_person).
  [[nodiscard]] Result<void> may_write(const Address& address, const Change& change) const;
  // Stages one change of a record of the own chapter; sealed when it is for the chapter only.
  // Errors: those of may_write().
  [[nodiscard]] Result<Written> write(const Address& address, const Change& change);
  // Stages the chain that certifies this node as the first entries of its `auth` feed, so that
  // anybody can check that feed from its beginning. From the global chapter down, the node
  // certificate last.
  [[nodiscard]] Result<void> introduce(const std::vector<Bytes>& chain);
  // Stages a statement for everybody, after applying it.
  [[nodiscard]] Result<Written> write_statement(ByteView statement);
  // Stages that this node agrees to an authority key of its chapter, unless it did or counts for
  // nothing: it carries a certificate by it (docs/protocol.md 4). Errors: as write_statement().
  [[nodiscard]] Result<void> agree_to(const SigningKey& authority);

  // Stages the orders that erase these entries of a record of the own chapter, and obeys them at
  // once. Entries that are not here, or erased already, are passed over. Errors: erase.nothing
  // (not_found), erase.needs-authority (not_allowed); then nothing is staged.
  [[nodiscard]] Result<std::vector<Written>> erase(const Erasing& wanted);
  // Whether erase() would take this.
  [[nodiscard]] Result<void> check_erase(const Erasing& wanted);
  // The entries of a layer as they will be after commit(), the newest first.
  [[nodiscard]] std::vector<LayerEntry> entries_in(SpaceRow space, const RecordId& record);

  // Writes the database anew when bytes of what was erased may be left in it, which may take long;
  // without room for it, after the next erasure or start. False: a reader needs some of it, call
  // again. Nothing may be staged. Throws Broken.
  bool drop_remains();

  [[nodiscard]] const Erasures& erasures() const { return erasures_; }

  // Stages what a peer sent; before a window that must_be_alone() nothing may be. Pieces that this
  // node may not hold, whose author is not certified, or that do not follow what is held, are
  // refused one by one; beyond a cut they are kept.
  Received receive(ReceivedWindow&& window);

  // One transaction for everything staged; on disk when it returns. Throws DiskFull or Broken.
  void commit();

  // Takes back everything staged: after something threw Damaged half-way. Throws what reading the
  // whole directory anew may throw; then this object must not be used any more.
  void abandon();
  // The first damage since the last call that ended nothing: passed over, or made anew.
  [[nodiscard]] std::optional<Error> take_damage();

  [[nodiscard]] bool has_staged() const { return staged_; }

  // Layers as after commit(): what a local edit must see to supersede the right values.
  [[nodiscard]] std::vector<HeldLayer> layers_of(const RecordId& record);

  // These nodes are handed what they may hold: commit before anything of it goes out by another way
  // than a session, which tells it by its Meeting.
  void note_handed(const std::vector<PublicKey>& peers);

  // A person decides about a node that was rolled back: others may be heard again (the global node,
  // which has nobody above to tell it what it lost); with `complete`, what is held here counts as
  // all there is. Staged.
  void confirm_restored(Complete complete);

  // This database is a copy and shall go on as the node `heir`: signs with this node's key, one
  // last time, what it wrote, and names the heir instead; committed. `mark` is the export mark that
  // the heir's file must bear too. Nothing else may be done with this object afterwards. Returns
  // the arrivals of the pieces that the heir shall take over.
  [[nodiscard]] std::vector<Arrival> hand_over(const PublicKey& heir,
                                               const ExportMark& mark,
                                               Unsent unsent);
  // The heir, once it is introduced and that is committed: stages these as its own work.
  void take_over(const std::vector<Arrival>& taken);

  // Drops every merged record and merges them anew from the entries, in transactions of bounded
  // size. Goes on where it stopped when it was cut short. Returns the number of entries read.
  // Errc::check_failed (store.damaged-log) when an entry is not what its author signed: then the
  // records stay dropped up to there, and the next rebuild begins there.
  [[nodiscard]] Result<std::uint64_t> rebuild();
  // True when an earlier rebuild was cut short.
  [[nodiscard]] bool must_rebuild();

  void set_value(std::string name, Bytes value);
  // A named value as it will be after commit(); empty when there is none.
  [[nodiscard]] Bytes value(const std::string& name);

  [[nodiscard]] Directory& directory() { return directory_; }

  [[nodiscard]] Store& store() { return store_; }

  [[nodiscard]] const SigningKey& key() const { return key_; }

 private:
  Replica(Store& store,
          const Clock& clock,
          Random& random,
          const SigningKey& key,
          ChapterVault& vault,
          Directory directory);

  void reload();
  void clear_staged();
  Arrival next_arrival();
  [[nodiscard]] FeedIntro own_intro(const Address& address) const;
  [[nodiscard]] std::optional<FeedRow> known_own_feed(const FeedIntro& intro) const;
  FeedRow own_feed(const Address& address);
  FeedRow own_feed(FeedIntro intro);
  // Begins one in this incarnation, and closes `closed`, a forked feed, when it is not 0.
  FeedRow open_own_feed(FeedIntro intro, FeedRow closed);
  FeedRow add_feed(FeedIntro intro, Bytes bytes, const FeedId& id);
  FeedRow stage_feed(KnownFeed feed);
  Written append(FeedRow feed, EntryKind kind, Bytes payload);
  Written append_auth(EntryKind kind, Bytes payload);
  Written append_statement(ByteView statement);
  void close_piece();
  Result<FeedRow> feed_for(const VerifiedPiece& piece);
  Result<void> receive_piece(VerifiedPiece& piece, std::uint64_t via);
  void store_piece(VerifiedPiece& piece, FeedRow feed, std::uint64_t via);
  void receive_receipt(const Bytes& bytes, std::uint64_t via);
  void keep_early(const Receipt& receipt, const Bytes& bytes);
  void take_early();
  void sign_receipts();
  [[nodiscard]] Head whole_head(const KnownFeed& feed);
  [[nodiscard]] bool is_news(const Receipt& receipt, const KnownFeed& feed);

  // replica_branches.cpp
  // Where a piece goes: how many of its entries are held, and the branch that holds what comes
  // before the others.
  struct Landing {
    std::size_t held = 0;
    FeedRow row;  // 0: what is new begins the feed
    Position at;
  };

  [[nodiscard]] std::optional<Landing> find_landing(const VerifiedPiece& piece);
  [[nodiscard]] Error lacks_before(const VerifiedPiece& piece) const;
  [[nodiscard]] std::optional<FeedRow> holder_of(const FeedId& feed, const Position& entry);
  [[nodiscard]] bool leads_through(FeedRow branch, const Head& entry);
  [[nodiscard]] Result<FeedRow> branch_for(const VerifiedPiece& piece, const Landing& landing);
  [[nodiscard]] bool is_own_current(const FeedIntro& intro) const;
  [[nodiscard]] bool wrote_tip(const KnownFeed& branch);
  void close_own_forks();
  [[nodiscard]] std::vector<Predecessor> ends_of(FeedRow row);

  void note_cursors(const ReceivedWindow& window, StoredPeer& peer);
  StoredPeer& peer(const PublicKey& node);
  void stage_heads();
  [[nodiscard]] Bytes value_in_store(const std::string& name);
  SpaceRow space_for(const FeedIntro& intro);
  KindRow kind_for(std::string_view name);
  Arrival merge_into(SpaceRow space,
                     const ChangeView& change,
                     const Written& written,
                     HybridTime time);
  Arrival link_only(SpaceRow space, const ChangeView& change, const Written& written);
  StoredLayer& staged_layer(SpaceRow space, const ChangeView& change);
  [[nodiscard]] bool is_private(SpaceRow space) const;
  StoredLayer* find_staged(SpaceRow space, const RecordId& record);
  void take_entries(const VerifiedPiece& piece, FeedRow feed, StoredPiece& stored);
  void see_time(HybridTime time);
  void keep_pending(ChangeVerdict verdict, Arrival arrival);

  // replica_sealing.cpp: the keys of the chapter
  void read_wraps();
  [[nodiscard]] std::shared_ptr<const ChapterKeys> open_keys(const BoxKey& box);
  void take_key_entry(const FeedIntro& intro, const PieceEntry& entry);
  void note_wrap(const KeyWrap& wrap, const PublicKey& author);
  [[nodiscard]] bool is_handed(const KnownKey& key, const PublicKey& node) const;
  bool add_key(const KeyWrap& wrap);
  void hold(ChapterKeys::Held key);
  [[nodiscard]] std::vector<const KnownNode*> key_nodes() const;
  [[nodiscard]] bool is_clean(const KnownKey& key,
                              const std::vector<const KnownNode*>& nodes) const;
  [[nodiscard]] ChapterKeys::Held sealing_key();
  void hand_out(const std::vector<ChapterKeys::Held>& keys);
  void start_generation();
  [[nodiscard]] bool counts() const;
  void leave_keys_to(const PublicKey& heir);
  void tend_keys();
  void rotate_when_revoked();
  [[nodiscard]] Result<void> check_write(const Address& address,
                                         ByteView payload,
                                         ChangeView& view) const;
  [[nodiscard]] ChangeVerdict read_change(const FeedIntro& intro,
                                          const PieceEntry& entry,
                                          Bytes& opened,
                                          ChangeView& change,
                                          ChapterKeys::Held* by = nullptr) const;
  // replica_waiting.cpp: what waited for a key
  void apply_waiting();
  void apply_late(const std::vector<Arrival>& waiting);
  bool apply_entry(const FeedIntro& intro, const PieceEntry& entry, const Written& written);
  void merge_private_anew();

  // replica_erase.cpp
  using Touched = std::set<std::pair<SpaceRow, RecordId>>;
  [[nodiscard]] Result<std::vector<EraseOrder>> orders_for(const Erasing& wanted);
  [[nodiscard]] Result<std::vector<Bytes>> payloads_for(const Erasing& wanted);
  [[nodiscard]] bool reaches(FeedRow from, const EraseOrder& order);
  Written append_order(FeedRow feed, Bytes payload);
  Arrival take_order(SpaceRow space, const PieceEntry& entry, const Written& written);
  [[nodiscard]] bool is_without_payload(const PieceEntry& entry, const Written& written);
  void follow_orders();
  void keep_doubtful(Arrival order);
  void judge_doubtful();
  void judge_order(Arrival at, Touched& touched);
  void review_entry(const Head& entry, Touched& touched);
  void review_orders();
  void erase_payload(FeedRow feed, Sequence seq, Touched& touched);
  void hide_seed(const StoredPiece& from, const RunSeed& seed);
  [[nodiscard]] std::optional<StoredPiece> hide_seed_in(FeedRow feed,
                                                        Sequence seq,
                                                        const RunSeed& seed);
  [[nodiscard]] std::vector<std::pair<FeedRow, Sequence>> beside(const StoredPiece& piece) const;
  void hide_spent_seed(FeedRow feed, Sequence first);
  [[nodiscard]] bool has_spent_seeds(const FeedId& feed) const;
  void note_whole(FeedRow feed);
  [[nodiscard]] std::optional<StoredPiece> piece_holding(FeedRow feed, Sequence seq);
  [[nodiscard]] StoredPiece* staged_piece(FeedRow feed, Sequence seq);

  // refill.cpp
  void fill_holes(const VerifiedPiece& piece);
  void fill_hole(FeedRow feed, Sequence seq, const PieceEntry& with, const Salt& salt);
  bool link_late(SpaceRow space, const ChangeView& change, Arrival arrival);

  // incarnation.cpp
  void raise_mark();
  void raise_mark_when_due();
  void write_mark();
  void recall_revocations();
  void keep_revocations();
  void begin_incarnation();
  void come_back();
  void withdraw_invites();
  void come_back_anew(const std::optional<Arrival>& line);
  void next_incarnation();
  [[nodiscard]] std::vector<Predecessor> predecessors_of(const FeedIntro& intro) const;
  void note_unmet(Arrival before);
  void meet(const Meeting& meeting, const PublicKey& peer);
  void unset(const char* name);
  void begin_epoch();
  void tend_life();
  void take_life(const PublicKey& node, ByteView payload);
  void note_recovered();
  void chain_anew(Arrival line);
  void say_orders_again(const NewNames& names);
  void move_piece(const StoredPiece& stored,
                  NewNames& names,
                  std::set<std::pair<SpaceRow, RecordId>>& touched);

  // replica_move.cpp
  void follow_moves();
  void note_place();
  // new_node.cpp
  [[nodiscard]] bool has_left(const StoredPiece& piece);
  void sign_for_good(StoredPiece stored);

  // replica_rebuild.cpp
  void note_rebuilt(Arrival through);
  Result<void> check_log();
  [[nodiscard]] Result<std::vector<EntryHash>> hashes_of(const StoredPiece& stored) const;
  Result<std::size_t> merge_piece(const StoredPiece& stored);

  // replica_standing.cpp
  [[nodiscard]] Sequence stands(FeedRow feed) const;
  void note_limits(const KnownFeed& feed);
  void follow_cuts();
  bool settle(const FeedId& id, Touched& touched);
  void set_stands(FeedRow row, const Position& stands, Touched& touched);
  [[nodiscard]] std::map<FeedRow, Sequence> reach_of(const std::vector<Head>& heads,
                                                     const std::vector<FeedRow>& rows);
  void find_records(const KnownFeed& feed, Sequence from, Sequence to, Touched& records);
  void merge_anew(SpaceRow space, const RecordId& record);
  void merge_readable(const Touched& records);
  bool unless_damaged(const std::function<void()>& work);
  Arrival merge_entry(LayerState& state, Arrival at, const StoredPiece& stored, Borrowed& borrowed);
  [[nodiscard]] StoredPiece piece_with(Arrival at);
  [[nodiscard]] std::optional<EntryHash> hash_at(const KnownFeed& feed, Sequence seq);

  Store& store_;
  const Clock& clock_;
  Random& random_;
  const SigningKey& key_;
  ChapterVault& vault_;
  Directory directory_;
  HybridTime time_;
  std::uint64_t next_layer_ = 1;
  std::vector<StoredPeer> peers_;
  std::unordered_map<std::uint64_t, OwnFeed> own_feeds_;  // by row
  std::uint64_t cut_version_ = 0;  // of the authority, as the merged layers show it
  ChapterPath own_path_;           // where the chapter stood when the last group was taken
  std::set<FeedRow> ended_;        // own feeds of this incarnation that a move ended

  Erasures erasures_;
  std::uint64_t judged_at_ = 0;  // version of the authority by which orders were judged
  bool lacks_room_ = false;      // for drop_remains(), since the last erasure

  std::map<ChapterKeyName, KnownKey> known_keys_;
  std::uint64_t tended_version_ = 0;  // of the authority, when the keys were handed out last
  ChapterKeys::Held sealing_;         // as of this version of the authority
  std::uint64_t sealing_version_ = 0;
  bool waiting_ = false;  // entries that a key came for may wait in the store

  MarkKeeper* keeper_ = nullptr;
  ExportMark mark_;
  bool mark_due_ = false;           // the database's is newer than the keeper's
  std::vector<Bytes> revocations_;  // as the keeper has them, or will once it is written
  std::vector<Bytes> recalled_;     // of the keeper, whose issuers are not known here yet
  bool wrote_ = false;              // something of our own since the start
  std::size_t own_since_mark_ = 0;  // entries
  std::size_t own_staged_ = 0;      // entries
  std::optional<Error> damage_;
  bool met_ = false;  // the node above, since the start
  bool has_staged_meeting_ = false;
  std::optional<Arrival> unmet_;   // before that: own entries after it have not left,
  std::set<PublicKey> handed_to_;  // but for what these may hold

  // Staged, cleared by commit().
  bool staged_ = false;
  Batch batch_;
  std::optional<OpenPiece> open_;
  Arrival committed_;       // newest arrival before this group
  FeedRow committed_feed_;  // newest feed before this group
  std::unordered_set<std::uint64_t> touched_feeds_;
  std::unordered_set<std::uint64_t> received_feeds_;  // to sign receipts for
  std::set<FeedId> unsettled_;                        // of which another part may count now
  std::unordered_map<LayerKey, StagedAt, LayerKeyHash> staged_layers_;
  std::vector<Arrival> due_orders_;                        // to be judged
  std::vector<std::pair<FeedRow, Sequence>> due_entries_;  // ordered before they came
  std::vector<std::pair<FeedRow, Sequence>> due_seeds_;    // pieces whose run may be spent
  std::optional<Arrival> due_return_;  // rolled back: what to chain anew once this is committed
};

}  // namespace chapterd
