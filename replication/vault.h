// The keys of this node's chapter while they are unlocked. What a `chapter` feed says, and what was
// merged from it, lies sealed on the disk; without these keys it waits.
#pragma once

#include "base/random.h"
#include "replication/format/change.h"
#include "replication/format/feed.h"
#include "replication/format/piece.h"
#include "replication/format/sealed.h"
#include "replication/store/store.h"
#include "replication/verified.h"

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace chapterd {

struct NamedChapterKey {
  ChapterKeyName name;
  ChapterKey key;
};

// What was unlocked at one moment. Immutable, and usable by any thread.
struct ChapterKeys {
  using Held = std::shared_ptr<const NamedChapterKey>;

  FederationId federation;
  ChapterId chapter;
  std::vector<Held> keys;  // ascending

  [[nodiscard]] bool holds(const ChapterKeyName& name) const;
  // The payload of an entry by this author. `by` is set to the key that opened it. Errors:
  // seal.refused (no key that is held opens it), seal.malformed.
  [[nodiscard]] Result<Bytes> open(const PublicKey& author, ByteView payload, Held& by) const;
  [[nodiscard]] Bytes seal(const NamedChapterKey& key,
                           const PublicKey& author,
                           ByteView plain,
                           Random& random) const;
};

// What is said of a key of the chapter, whether it is unlocked or not.
struct KnownKey {
  // Other nodes that it was sealed to, and who sealed it; each with whoever said so.
  std::map<PublicKey, PublicKey> holders;
  bool is_ours = false;  // it is sealed to this node, and kept
};

// One for a node, shared by its threads. Only the writer changes it, through Replica. Opening a
// node unlocks nothing by itself.
class ChapterVault final : public LayerSeal {
 public:
  // `random` is used by whoever commits.
  explicit ChapterVault(Random& random) : random_(random) {}

  [[nodiscard]] bool is_locked() const { return keys() == nullptr; }

  // Whether a key is at hand to seal layers with: unlocked, and the chapter's keys have come.
  [[nodiscard]] bool can_seal() const;

  // Null while locked. Any thread; what it gave stays usable after lock(), so drop it soon.
  [[nodiscard]] std::shared_ptr<const ChapterKeys> keys() const;

  // Writer thread only.
  void unlock(std::shared_ptr<const BoxKey> box, std::shared_ptr<const ChapterKeys> keys);
  // Writer thread only, with nothing staged. The memory is zeroed once nobody uses it any more.
  void lock();

  // What keys are sealed to, and bundles; null while locked. Any thread, as keys().
  [[nodiscard]] std::shared_ptr<const BoxKey> box() const;

  // A blank state says nothing, and stays as it is without a key: an erase order may come before.
  [[nodiscard]] Bytes seal(const RecordId& record, ByteView state) const override;
  [[nodiscard]] Bytes open(const RecordId& record, Bytes stored) const override;

 private:
  Random& random_;

  mutable std::mutex mutex_;  // guards what follows
  std::shared_ptr<const BoxKey> box_;
  std::shared_ptr<const ChapterKeys> keys_;
};

// What an entry of a feed with this intro says. `opened` keeps the bytes that `change` borrows from
// when it was sealed. In `chapter` feeds a change that is not sealed is malformed: nothing private
// lies open on a disk. `keys` may be null. `by`, when it is not null, gets the key that opened it.
[[nodiscard]] ChangeVerdict read_change(const ChapterKeys* keys,
                                        const FeedIntro& intro,
                                        const PieceEntry& entry,
                                        Bytes& opened,
                                        ChangeView& change,
                                        ChapterKeys::Held* by = nullptr);

}  // namespace chapterd
