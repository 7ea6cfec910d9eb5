// Who is a chapter, who is its node, who is no more: all that chains to genesis. Pure state, no
// I/O.
//
// What stands is a function of the set of statements, not of the order in which they came. Each is
// verified once, when it comes (authority.cpp), and kept. A statement that can change what others
// are worth, a successor or a move, makes all that stands be worked out anew from those kept
// (authority_standing.cpp); the others only add. Who may still write is asked of the result
// (authority_cuts.cpp).
#pragma once

#include "base/result.h"
#include "replication/format/statements.h"

#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace chapterd {

struct KnownChapter {
  // As it stands now: after moves and successors the path and the key are newer than those that
  // were signed.
  ChapterCertificate certificate;
  std::uint64_t number = 0;
  Bytes statement;  // as signed; empty for the global chapter, whose word is genesis
};

struct KnownNode {
  NodeCertificate certificate;
  ChapterId issuer;  // its own chapter, or the one above
  std::uint64_t number = 0;
  Bytes statement;
};

struct Revocation {
  ChapterId issuer;
  Revoke body;
  Bytes statement;
};

struct Admission {
  ChapterId issuer;
  Admit body;
};

struct Closing {
  ChapterId issuer;
  Close body;
};

struct KnownHandover {
  ChapterId issuer;
  Handover body;
};

// Which entries of a feed count: those that are, for every one of these lists, one of its heads or
// an ancestor of one. No list: all count. An empty list: none does.
using Limits = std::vector<std::vector<Head>>;

// Where a chapter went, and whom it calls there.
struct KnownMove {
  ChapterId chapter;
  ChapterId parent;
  Move body;
  std::uint64_t number = 0;
};

enum class Applied { news, known };

// One thread at a time. Copying is cheap enough for a few thousand chapters.
class Authority {
 public:
  // Errc::malformed when the founding record is not what it should be.
  [[nodiscard]] static Result<Authority> found(ByteView genesis);

  [[nodiscard]] const FederationId& federation() const { return federation_; }

  [[nodiscard]] const Bytes& genesis() const { return genesis_; }

  // Takes a statement that chains to genesis; anything else leaves no trace. Order does not matter
  // among statements whose issuers are known. Errc::malformed, Errc::not_allowed (beyond the
  // issuer's scope, for whatever else may be known), Errc::not_found (issuer, its key or its place
  // unknown here: try again later; a wrong signature looks the same). What apply_or_keep() kept is
  // tried again.
  [[nodiscard]] Result<Applied> apply(ByteView statement);
  // The same for a statement from a stored feed: one that may count later is kept and tried again.
  // Returns whether anything changed.
  bool apply_or_keep(ByteView statement);

  // Said before apply_or_keep() of each statement that stands in a stored feed. A node agrees to an
  // authority by carrying, in its own `auth` feed, the certificate that it got from it: there
  // nobody else can write.
  void note_carried(const PublicKey& author, ByteView statement);

  [[nodiscard]] const KnownChapter* chapter(const ChapterId& id) const;
  [[nodiscard]] const KnownChapter* chapter_with_code(std::string_view code) const;
  [[nodiscard]] const KnownNode* node(const PublicKey& key) const;
  [[nodiscard]] std::vector<const KnownChapter*> chapters() const;
  [[nodiscard]] std::vector<const KnownNode*> nodes() const;

  // The chapters above, as they are now; empty path for an unknown chapter.
  [[nodiscard]] ChapterPath path_of(const ChapterId& chapter) const;
  // Whether a chapter stands there now, or stood there before a move.
  [[nodiscard]] bool was_path(const ChapterPath& path) const;
  // Whether one chapter stands above another now, or stood there before a move.
  [[nodiscard]] bool was_above(const ChapterId& ancestor, const ChapterId& chapter) const;
  // The move that brought a chapter to where it stands; null when it never moved.
  [[nodiscard]] const KnownMove* move_of(const ChapterId& chapter) const;
  // The statements from the global chapter down to this chapter, its own keys and moves included,
  // each after those that it needs.
  [[nodiscard]] std::vector<Bytes> line(const ChapterId& chapter) const;
  // The same down to this node, its certificate last.
  [[nodiscard]] std::vector<Bytes> chain(const PublicKey& node) const;

  // Ids of all statements of a chapter that stand, for a successor that lists them.
  [[nodiscard]] std::vector<StatementId> statements_of(const ChapterId& issuer) const;
  // Every authority key that a chapter was ever given, whether its statements stand or not.
  [[nodiscard]] const std::vector<PublicKey>& keys_ever(const ChapterId& chapter) const;
  // The authority keys of a chapter whose statements stand, the one in use among them.
  [[nodiscard]] std::vector<PublicKey> keys_of(const ChapterId& chapter) const;
  // One more than the highest number of successors and certificates about a chapter, and of moves
  // of any: a move holds where those known when it was signed had left the chapters.
  [[nodiscard]] std::uint64_t next_number(const ChapterId& chapter) const;

  // The authority keys of its chapter that a node agreed to, and those that nodes of the chapter
  // agreed to that agreed to one of these; revoked ones lead no further. Two nodes belong together
  // when these meet. A key that a chapter above names is among them only once a node of the chapter
  // took it up: so nobody above can appoint a reader.
  [[nodiscard]] std::set<PublicKey> agreed_keys(const PublicKey& node) const;
  // Whether these may share what only their chapter may read: nodes of one chapter that the chapter
  // itself certified, and that belong together.
  [[nodiscard]] bool are_of_one_house(const PublicKey& one, const PublicKey& other) const;

  [[nodiscard]] bool is_revoked(const PublicKey& node) const;
  // The statements of all revocations: those that count first, of them the highest revoker's.
  // Before them what a database of before may lack to tell that they count: successors and moves.
  [[nodiscard]] std::vector<Bytes> revocations() const;
  // Why, in the words of the highest revoker; empty when it is not revoked.
  [[nodiscard]] std::string revoked_because(const PublicKey& node) const;
  // What stands of a feed after revocations of its author: a list for each that holds, the heads
  // that it names and those that were admitted. A function of the statements, the intro and the id
  // alone. `auth` feeds are never cut, `chapter` feeds only by their own chapter. Of those who
  // revoked the node and may hold the feed, the cuts of the highest authority hold, at one rank all
  // of them. When none of them may hold it, nothing of it stands but what somebody admits who may.
  // Nothing stands of a node whose certificate is void.
  [[nodiscard]] Limits cuts(const FeedIntro& intro, const FeedId& feed) const;
  // The tips that closings of this feed list, all together, of those who may judge it as above.
  [[nodiscard]] std::vector<Head> closing(const FeedIntro& intro, const FeedId& feed) const;

  // Whether the chapter of this node said that another one is now what led this life under its key.
  [[nodiscard]] bool is_handed_over(const PublicKey& node, const Incarnation& life) const;

  // Grows with every statement that changed something.
  [[nodiscard]] std::uint64_t version() const { return version_; }

  // Grows with every statement that may move a cut.
  [[nodiscard]] std::uint64_t cut_version() const { return cut_version_; }

 private:
  // A statement whose signature was verified, with the key that made it; and the one inside a move.
  struct Signed {
    Statement statement;
    Bytes bytes;
    StatementId id;
    PublicKey key;
    std::optional<ChapterCertificate> agreed;  // by the new parent
    ChapterId agreed_by;
    StatementId agreed_id;
    PublicKey agreed_key;
    std::uint64_t agreed_number = 0;
  };

  // What is left of the keys before a successor that lists what stands.
  struct Trust {
    std::set<PublicKey> keys;  // these count whole
    std::set<StatementId> listed;

    friend bool operator==(const Trust&, const Trust&) = default;
  };

  // What one round of working out hands to the next.
  struct Standing {
    std::map<ChapterId, Trust> trusts;
    std::map<ChapterId, ChapterId> parents;
    std::map<ChapterId, StatementId> moves;  // the one that holds, of chapters that moved

    friend bool operator==(const Standing&, const Standing&) = default;
  };

  struct Waiting {
    Bytes statement;
    ChapterId issuer;
    std::optional<std::size_t> keys;  // of the issuer when it was tried, if it waits for another
  };

  Authority() = default;

  // authority.cpp
  [[nodiscard]] Result<Applied> take_in(ByteView statement);
  void try_waiting();
  [[nodiscard]] Result<Signed> verified(ByteView bytes) const;
  [[nodiscard]] std::optional<PublicKey> signer_of(const ChapterId& issuer, ByteView bytes) const;
  [[nodiscard]] Result<void> check(Signed& statement) const;
  [[nodiscard]] Result<void> check_chapter(const ChapterId& issuer,
                                           const ChapterCertificate& certificate) const;
  [[nodiscard]] Result<void> check_node(const Statement& statement) const;
  [[nodiscard]] Result<void> check_successor(const Statement& statement) const;
  [[nodiscard]] Result<void> check_move(Signed& statement) const;
  [[nodiscard]] std::size_t count_keys(const ChapterId& issuer) const;
  void note_ever(const Signed& statement);
  [[nodiscard]] bool changes_others(const Signed& statement) const;
  [[nodiscard]] std::set<ChapterId> ever_above(const ChapterId& chapter) const;

  // authority_standing.cpp
  void work_out();
  void build(const Standing& before);
  void add_keys(const Signed& statement, const Standing& before);
  [[nodiscard]] Standing settle(const Standing& before);
  void settle_moves(std::vector<const Signed*> moves, Standing& found);
  void settle_paths(std::map<ChapterId, ChapterId>& parents);
  [[nodiscard]] std::pair<PublicKey, std::optional<Trust>> key_of(
      const KnownChapter& known, const std::vector<const Signed*>& successors) const;
  [[nodiscard]] static Trust trust_of(const Signed& word,
                                      const std::vector<const Signed*>& successors);
  static void follow_rotations(const std::vector<const Signed*>& successors,
                               PublicKey& key,
                               std::optional<Trust>& trust);
  [[nodiscard]] static std::optional<ChapterId> subject_of(const Signed& statement);
  [[nodiscard]] bool stands(const Signed& statement, const Standing& in) const;
  [[nodiscard]] bool counts(const ChapterId& issuer,
                            const PublicKey& key,
                            const StatementId& id,
                            const Standing& in) const;
  [[nodiscard]] static bool is_below(const std::map<ChapterId, ChapterId>& parents,
                                     ChapterId chapter,
                                     const ChapterId& ancestor);
  bool take(const Signed& statement);
  bool take_chapter(const Signed& statement);
  bool take_node(const Signed& statement);

  // authority_agreed.cpp
  bool note_agreed(const Signed& statement);

  // authority_cuts.cpp
  [[nodiscard]] std::vector<Bytes> changes_above_revoked() const;
  [[nodiscard]] bool judges(const ChapterId& issuer, const FeedIntro& intro) const;
  void add_admitted(const FeedIntro& intro,
                    const FeedId& feed,
                    unsigned rank,
                    std::vector<Head>& heads) const;
  [[nodiscard]] bool is_at_or_above(const ChapterId& ancestor, const ChapterId& chapter) const;
  [[nodiscard]] unsigned rank_of(const ChapterId& chapter) const;
  [[nodiscard]] std::vector<const Revocation*> effective(const PublicKey& node) const;

  FederationId federation_;
  Bytes genesis_;
  ChapterId root_;
  Genesis founding_;

  // All that was ever verified, whether it stands or not. Only grows.
  std::vector<Signed> signed_;
  std::unordered_set<StatementId, FixedHash> ids_;
  std::unordered_map<ChapterId, std::vector<PublicKey>, FixedHash> keys_ever_;
  std::unordered_map<ChapterId, std::set<ChapterId>, FixedHash> parents_ever_;
  std::unordered_map<ChapterId, std::uint8_t, FixedHash> least_level_;
  std::vector<Waiting> waiting_;   // statements from stored feeds that may count later
  std::size_t tried_with_ = 0;     // how many were verified when those were last tried
  std::set<StatementId> carried_;  // node certificates, by the nodes that they are about

  // What stands of it.
  Standing standing_;
  bool voids_ = false;  // something that was verified may not stand
  std::unordered_map<ChapterId, KnownChapter, FixedHash> chapters_;
  std::unordered_map<ChapterId, std::set<PublicKey>, FixedHash> keys_;
  std::map<ChapterId, KnownMove> moves_;
  std::unordered_map<PublicKey, KnownNode, FixedHash> nodes_;
  // By chapter and node: the keys of the chapter's certificates that the node carries.
  std::map<ChapterId, std::map<PublicKey, std::set<PublicKey>>> agreed_;
  std::multimap<PublicKey, Revocation> revocations_;  // also of nodes not met yet
  std::map<StatementId, Admission> admissions_;       // by statement, so that each counts once
  std::map<StatementId, Closing> closings_;
  std::multimap<PublicKey, KnownHandover> handovers_;
  std::uint64_t version_ = 1;
  std::uint64_t cut_version_ = 1;
};

}  // namespace chapterd
