// Who is a chapter, who is its node, who is no more: all that chains to genesis. Pure state, no
// I/O.
#pragma once

#include "base/result.h"
#include "replication/format/statements.h"

#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

namespace chapterd {

struct KnownChapter {
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
  std::uint8_t rank = 0;  // level of the issuer: the smallest wins
  Revoke body;
  Bytes statement;
};

struct Admission {
  ChapterId issuer;
  std::uint8_t rank = 0;  // level of the issuer
  Admit body;
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
  // among statements whose issuers are known. Errc::malformed, Errc::not_allowed (wrong signature
  // or beyond the issuer's scope), Errc::not_found (issuer unknown here: try again later).
  [[nodiscard]] Result<Applied> apply(ByteView statement);
  // The same for a statement from a stored feed: one whose issuer is not known yet is kept and
  // applied once it is. Returns whether anything changed.
  bool apply_or_keep(ByteView statement);

  [[nodiscard]] const KnownChapter* chapter(const ChapterId& id) const;
  [[nodiscard]] const KnownChapter* chapter_with_code(std::string_view code) const;
  [[nodiscard]] const KnownNode* node(const PublicKey& key) const;
  [[nodiscard]] std::vector<const KnownChapter*> chapters() const;
  [[nodiscard]] std::vector<const KnownNode*> nodes() const;

  // The chapters above, as certified now; empty path for an unknown chapter.
  [[nodiscard]] ChapterPath path_of(const ChapterId& chapter) const;
  // The statements from the global chapter down to this node, each after the one that it needs.
  [[nodiscard]] std::vector<Bytes> chain(const PublicKey& node) const;

  [[nodiscard]] bool is_revoked(const PublicKey& node) const;
  // The statements of all revocations: those that count first, of them the highest revoker's.
  [[nodiscard]] std::vector<Bytes> revocations() const;
  // Why, in the words of the highest revoker; empty when it is not revoked.
  [[nodiscard]] std::string revoked_because(const PublicKey& node) const;
  // The last entry of a feed that stands; nullopt: no cut; sequence 0: nothing of it stands.
  // A function of the statements, the intro and the id alone. `auth` feeds are never cut, `chapter`
  // feeds only by their own chapter. Of those who revoked the node and may hold the feed, the cut
  // of the highest authority holds, at one rank the shortest. When none of them may hold it,
  // nothing of it stands but what somebody admits who may.
  [[nodiscard]] std::optional<Head> cut(const FeedIntro& intro, const FeedId& feed) const;

  // Grows with every statement that changed something.
  [[nodiscard]] std::uint64_t version() const { return version_; }

  // Grows with every statement that may move a cut.
  [[nodiscard]] std::uint64_t cut_version() const { return cut_version_; }

 private:
  Authority() = default;
  Result<Applied> apply_chapter(const Statement& statement, ByteView bytes);
  Result<Applied> apply_node(const Statement& statement, ByteView bytes);
  Result<Applied> apply_revoke(const Statement& statement, ByteView bytes);
  Result<Applied> apply_admit(const Statement& statement, ByteView bytes);
  [[nodiscard]] Head admitted(const FeedIntro& intro, Head cut, unsigned rank) const;
  [[nodiscard]] bool is_at_or_above(const ChapterId& ancestor, const ChapterId& chapter) const;
  [[nodiscard]] std::vector<const Revocation*> effective(const PublicKey& node) const;

  FederationId federation_;
  Bytes genesis_;
  std::unordered_map<ChapterId, KnownChapter, FixedHash> chapters_;
  std::unordered_map<PublicKey, KnownNode, FixedHash> nodes_;
  std::vector<Bytes> waiting_;  // statements from stored feeds whose issuer is not known yet
  std::multimap<PublicKey, Revocation>
      revocations_;                        // also of nodes not met yet: revocations travel first
  std::map<Bytes, Admission> admissions_;  // by statement, so that each counts once
  std::uint64_t version_ = 1;
  std::uint64_t cut_version_ = 1;
};

}  // namespace chapterd
