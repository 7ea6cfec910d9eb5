// What a node knows of the federation and of the feeds it holds, in memory. One copy belongs to the
// writer; the loop has its own, which follows the log by `refresh`.
#pragma once

#include "replication/authority.h"
#include "replication/format/feed.h"
#include "replication/format/life.h"
#include "replication/store/store.h"

#include <map>
#include <memory>
#include <set>
#include <tuple>
#include <unordered_map>
#include <vector>

namespace chapterd {

// A feed, or one more branch of it: two entries with one `prev` begin two branches. Which of them
// has which row depends on what came first, and shows nowhere outside.
struct KnownFeed {
  FeedRow row;
  FeedIntro intro;
  Bytes intro_bytes;
  Head head;
  FeedRow trunk{};                    // the branch that it leaves; 0 where it begins with the feed
  Position fork{};                    // the entry of the trunk that its first entry follows
  Position stands{stands_whole, {}};  // the last entry that counts

  // Whether this branch itself holds an entry of this sequence.
  [[nodiscard]] bool covers(Sequence seq) const { return seq > fork.seq && seq <= head.seq; }

  [[nodiscard]] Lane lane() const {
    return intro.audience == Audience::auth ? Lane::auth : Lane::live;
  }
};

// Names of values in the store that belong to the engine.
namespace stored_name {
inline constexpr const char* genesis = "identity/genesis";
inline constexpr const char* epoch = "identity/epoch";  // 8 bytes
inline constexpr const char* untold =
    "identity/untold";  // 8 bytes each: epochs that are over, and our `auth` feed does not say so
inline constexpr const char* incarnation = "identity/incarnation";  // 16 bytes
inline constexpr const char* node = "identity/node";                // 32 bytes: public key
inline constexpr const char* instance = "identity/instance";  // the export mark: store/high_water.h
inline constexpr const char* restored =
    "restore/since";  // 8 bytes, ms: rolled back, and what others hold of it is not all back yet
inline constexpr const char* reasserted =
    "restore/reasserted";  // 1 byte: the same, but a person said that this is all there is
inline constexpr const char* waits =
    "restore/waits";  // 1 byte: rolled back, and nobody above was met since: statements only
inline constexpr const char* lives =
    "restore/lives";  // 16 bytes each: incarnations of ours that others told us of
inline constexpr const char* elsewhere =
    "restore/elsewhere";  // 8 bytes, ms, then 16 each: lives of ours that a copy is likely to lead
inline constexpr const char* early =
    "restore/receipts";  // sized receipts about entries that are not here yet
inline constexpr const char* wrap_prefix = "chapter-key/";  // keys sealed to nodes, by their names
inline constexpr const char* stale =
    "chapter-key/~stale";  // private layers must be merged anew once they are unlocked
inline constexpr const char* rebuilding =
    "rebuild/next";  // arrival from which layers are still missing
}  // namespace stored_name

// One thread an object.
class Directory {
 public:
  // Errc::not_found (node.not-initialised) when the store holds no identity yet.
  [[nodiscard]] static Result<Directory> load(const Snapshot& now);

  // Another life of this database begins, as it will be after the commit.
  void begin_life(Epoch epoch, const Incarnation& incarnation) {
    epoch_ = epoch;
    incarnation_ = incarnation;
  }

  // Follows what was committed since; all is read anew once the epoch is another. Returns the new
  // pieces, without bodies, in order of arrival. The snapshot makes heads, feeds and `arrival`
  // belong together: an entry that is committed between two queries would be passed over for ever.
  std::vector<StoredPiece> refresh(const Snapshot& now);

  [[nodiscard]] const Authority& authority() const { return authority_; }

  [[nodiscard]] Authority& authority() { return authority_; }

  [[nodiscard]] const PublicKey& self() const { return self_; }

  [[nodiscard]] ChapterId chapter() const;

  [[nodiscard]] Epoch epoch() const { return epoch_; }

  [[nodiscard]] const Incarnation& incarnation() const { return incarnation_; }

  // What a node told of the lives of its database.
  [[nodiscard]] const ToldLives& lives_of(const PublicKey& node) const;
  // From an entry in this node's `auth` feed. Whether a life is over that was not said to be.
  bool note_life(const PublicKey& node, ByteView payload);

  [[nodiscard]] Arrival arrival() const { return arrival_; }

  // Since the program started the writer was told that what is written leaves the node.
  [[nodiscard]] bool has_met() const { return has_met_; }

  void note_met() { has_met_ = true; }

  // What counts of a branch: its head, or where a revocation or a closing ends it before. Its fork
  // (sequence 0 where it begins with the feed) when nothing of its own counts.
  [[nodiscard]] static Head standing_head(const KnownFeed& feed);

  // Grows whenever refresh() finds that another part of a feed counts.
  [[nodiscard]] std::uint64_t standing_version() const { return standing_version_; }

  // Which entries of a feed may count, by what authorities and its author say of it.
  [[nodiscard]] Limits limits(const KnownFeed& feed) const;
  // The tips that closings of a feed list: statements, and intros of its author's later feeds.
  [[nodiscard]] std::vector<Head> closing(const KnownFeed& feed) const;

  // The branch that was first here; nullptr when nothing of this feed is held.
  [[nodiscard]] const KnownFeed* feed(const FeedId& id) const;
  // All branches, in order of row.
  [[nodiscard]] std::vector<FeedRow> branches(const FeedId& id) const;

  [[nodiscard]] bool is_forked(const FeedId& id) const { return more_.contains(id); }

  // Feeds with more than one branch.
  [[nodiscard]] std::vector<FeedId> forked() const;

  // Rows come from the store: Damaged when a damaged database names one that is not there.
  [[nodiscard]] const KnownFeed& feed(FeedRow row) const { return at(feeds_, row.value); }

  [[nodiscard]] const std::vector<KnownFeed>& feeds() const { return feeds_; }

  // Those that this node writes, in any incarnation.
  [[nodiscard]] const std::vector<FeedRow>& own_feeds() const { return own_feeds_; }

  [[nodiscard]] const StoredSpace& space(SpaceRow row) const { return at(spaces_, row.value); }

  [[nodiscard]] const std::vector<StoredSpace>& spaces() const { return spaces_; }

  [[nodiscard]] std::optional<SpaceRow> space_row(const ChapterId& home,
                                                  Audience audience,
                                                  const ChapterId& target) const;

  [[nodiscard]] const std::vector<StoredKind>& kinds() const { return kinds_; }

  [[nodiscard]] const std::string& kind(KindRow row) const { return at(kinds_, row.value).name; }

  [[nodiscard]] std::optional<KindRow> kind_row(std::string_view name) const;

  // The writer's own changes, staged before they are committed.
  KnownFeed& add_feed(KnownFeed feed);
  void advance(FeedRow row, Sequence seq, const EntryHash& hash);

  void set_stands(FeedRow row, const Position& stands) { feeds_[row.value - 1].stands = stands; }

  void add_space(const StoredSpace& space);

  void add_kind(StoredKind kind) { kinds_.push_back(std::move(kind)); }

  void set_arrival(Arrival arrival) { arrival_ = arrival; }

 private:
  explicit Directory(Authority authority) : authority_(std::move(authority)) {}

  template <class T>
  [[nodiscard]] static const T& at(const std::vector<T>& rows, std::uint64_t row) {
    if (row == 0 || row > rows.size()) throw Damaged("the database names a row that is not there");
    return rows[row - 1];
  }

  void read_new_feeds(Reader& reader);
  void read_names(Reader& reader);
  void read_standing(Reader& reader);
  [[nodiscard]] bool counts(const FeedId& id) const;
  void read_authority(Reader& reader, Arrival after);

  Authority authority_;
  PublicKey self_;
  Epoch epoch_;
  Incarnation incarnation_;
  std::map<PublicKey, ToldLives> lives_;
  Arrival arrival_;
  bool has_met_ = false;
  std::vector<KnownFeed> feeds_;  // feeds_[row - 1]
  std::vector<FeedRow> own_feeds_;
  std::unordered_map<FeedId, FeedRow, FixedHash> by_id_;  // the first branch
  std::map<FeedId, std::vector<FeedRow>> more_;           // the other branches
  std::map<FeedId, std::vector<FeedRow>> closers_;        // feeds whose intros close this one
  std::set<FeedRow> cut_rows_;                            // of which not every entry counts
  std::uint64_t standing_version_ = 0;
  std::vector<StoredSpace> spaces_;
  std::map<std::tuple<ChapterId, Audience, ChapterId>, SpaceRow> space_rows_;
  std::vector<StoredKind> kinds_;
};

}  // namespace chapterd
