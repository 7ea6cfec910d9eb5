// Functions of the core that the linker puts ours in front of (--wrap), so that a control can break
// one of them without a hook in the product. Without a control each only calls the real one.
//
// `__real_X` and `__wrap_X` are the linker's names; X is the C++ name as the compiler writes it.
#include "base/byte_stream.h"
#include "replication/bundle.h"
#include "replication/entitlement.h"
#include "replication/forks.h"
#include "replication/format/entry.h"
#include "replication/format/receipt.h"
#include "replication/invite.h"
#include "replication/merge.h"
#include "replication/reconcile.h"
#include "replication/replica.h"
#include "replication/store/high_water.h"
#include "tests/sim/controls.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>

#define CHAPTERD_MAY_HOLD \
  "_ZN8chapterd8may_holdERKNS_9AuthorityERKNS_5FixedILm32ENS_12PublicKeyTagEEERKNS_9FeedIntroE"
#define CHAPTERD_MAY_COME_TO_HOLD                                                             \
  "_ZN8chapterd16may_come_to_holdERKNS_9AuthorityERKNS_5FixedILm32ENS_12PublicKeyTagEEERKNS_" \
  "9FeedIntroE"
#define CHAPTERD_MAY_HAVE_HELD                                                             \
  "_ZN8chapterd13may_have_heldERKNS_9AuthorityERKNS_5FixedILm32ENS_12PublicKeyTagEEERKNS_" \
  "9FeedIntroE"
#define CHAPTERD_IN_FORCE \
  "_ZNK8chapterd8Erasures8in_forceERKNS_4HeadERKNS_9FeedIntroERKNS_9DirectoryE"
#define CHAPTERD_BRANCH_FOR "_ZN8chapterd7Replica10branch_forERKNS_13VerifiedPieceERKNS0_7LandingE"
#define CHAPTERD_FORKED_FEEDS "_ZN8chapterd12forked_feedsERKNS_9DirectoryE"
#define CHAPTERD_COMPARE_MARKS "_ZN8chapterd13compare_marksERKSt8optionalINS_10ExportMarkEES4_"
#define CHAPTERD_MERGE                                                                            \
  "_ZN8chapterd5mergeERNS_10LayerStateERKNS_10ChangeViewERKNS_5FixedILm32ENS_12EntryHashTagEEENS" \
  "_10HybridTimeE"
#define CHAPTERD_VERIFY_CHECKPOINT                                                       \
  "_ZN8chapterd17verify_checkpointERKNS_5FixedILm32ENS_12PublicKeyTagEEERKNS0_ILm32ENS_" \
  "15FederationIdTagEEERKNS_4HeadERKNS0_ILm64ENS_12SignatureTagEEE"
#define CHAPTERD_DIGEST_OF "_ZN8chapterd9digest_ofERKSt6vectorINS_10SharedHeadESaIS1_EE"
#define CHAPTERD_IS_REVOKED \
  "_ZNK8chapterd9Authority10is_revokedERKNS_5FixedILm32ENS_12PublicKeyTagEEE"
#define CHAPTERD_PATH_OF "_ZNK8chapterd9Authority7path_ofERKNS_5FixedILm16ENS_12ChapterIdTagEEE"
#define CHAPTERD_WITHOUT_CHECK "_ZN8chapterd13without_checkERKNS_11StoredLayerESt6vectorIhSaIhEE"
#define CHAPTERD_SET_VALUE                                              \
  "_ZN8chapterd7Replica9set_valueENSt7__cxx1112basic_stringIcSt11char_" \
  "traitsIcESaIcEEESt6vectorIhSaIhEE"
#define CHAPTERD_REBUILD "_ZN8chapterd7Replica7rebuildEv"
#define CHAPTERD_FILL_HOLES "_ZN8chapterd7Replica10fill_holesERKNS_13VerifiedPieceE"
#define CHAPTERD_TAKE_ENTRIES                                                                 \
  "_ZN8chapterd7Replica12take_entriesERKNS_13VerifiedPieceENS_6StrongINS_10FeedRowTagEEERNS_" \
  "11StoredPieceE"
#define CHAPTERD_RUN_OF_BUNDLE                                                             \
  "_ZNK8chapterd12BundleReader3runERKSt6vectorINS_11BundleChunkESaIS2_EERKSt8optionalINS_" \
  "13BundleTrailerEERNS_14BundleProgressE"
#define CHAPTERD_SIGN_RECEIPT                                                              \
  "_ZN8chapterd12sign_receiptERKNS_5FixedILm32ENS_15FederationIdTagEEERKNS_7ReceiptERKNS_" \
  "10SigningKeyE"

namespace chapterd::sim {

Control& active_control() {
  static Control active = Control::none;
  return active;
}

bool real_may_hold(const Authority&,
                   const PublicKey&,
                   const FeedIntro&) asm("__real_" CHAPTERD_MAY_HOLD);
bool our_may_hold(const Authority&,
                  const PublicKey&,
                  const FeedIntro&) asm("__wrap_" CHAPTERD_MAY_HOLD);
bool real_may_come_to_hold(const Authority&,
                           const PublicKey&,
                           const FeedIntro&) asm("__real_" CHAPTERD_MAY_COME_TO_HOLD);
bool our_may_come_to_hold(const Authority&,
                          const PublicKey&,
                          const FeedIntro&) asm("__wrap_" CHAPTERD_MAY_COME_TO_HOLD);
bool real_may_have_held(const Authority&,
                        const PublicKey&,
                        const FeedIntro&) asm("__real_" CHAPTERD_MAY_HAVE_HELD);
bool our_may_have_held(const Authority&,
                       const PublicKey&,
                       const FeedIntro&) asm("__wrap_" CHAPTERD_MAY_HAVE_HELD);
bool real_in_force(const Erasures*,
                   const Head&,
                   const FeedIntro&,
                   const Directory&) asm("__real_" CHAPTERD_IN_FORCE);
bool our_in_force(const Erasures*,
                  const Head&,
                  const FeedIntro&,
                  const Directory&) asm("__wrap_" CHAPTERD_IN_FORCE);
// The last one is private to the replica.
Result<FeedRow> real_branch_for(Replica*,
                                const VerifiedPiece&,
                                const void*) asm("__real_" CHAPTERD_BRANCH_FOR);
Result<FeedRow> our_branch_for(Replica*,
                               const VerifiedPiece&,
                               const void*) asm("__wrap_" CHAPTERD_BRANCH_FOR);
std::vector<ForkedFeed> real_forked_feeds(const Directory&) asm("__real_" CHAPTERD_FORKED_FEEDS);
std::vector<ForkedFeed> our_forked_feeds(const Directory&) asm("__wrap_" CHAPTERD_FORKED_FEEDS);
using Mark = std::optional<ExportMark>;
MarkVerdict real_compare(const Mark&, const Mark&) asm("__real_" CHAPTERD_COMPARE_MARKS);
MarkVerdict our_compare(const Mark&, const Mark&) asm("__wrap_" CHAPTERD_COMPARE_MARKS);
void real_merge(LayerState&,
                const ChangeView&,
                const EntryHash&,
                HybridTime) asm("__real_" CHAPTERD_MERGE);
void our_merge(LayerState&,
               const ChangeView&,
               const EntryHash&,
               HybridTime) asm("__wrap_" CHAPTERD_MERGE);
bool real_verify(const PublicKey&,
                 const FederationId&,
                 const Head&,
                 const Signature&) asm("__real_" CHAPTERD_VERIFY_CHECKPOINT);
bool our_verify(const PublicKey&,
                const FederationId&,
                const Head&,
                const Signature&) asm("__wrap_" CHAPTERD_VERIFY_CHECKPOINT);
Digest real_digest(const std::vector<SharedHead>&) asm("__real_" CHAPTERD_DIGEST_OF);
Digest our_digest(const std::vector<SharedHead>&) asm("__wrap_" CHAPTERD_DIGEST_OF);
bool real_is_revoked(const Authority*, const PublicKey&) asm("__real_" CHAPTERD_IS_REVOKED);
bool our_is_revoked(const Authority*, const PublicKey&) asm("__wrap_" CHAPTERD_IS_REVOKED);
ChapterPath real_path_of(const Authority*, const ChapterId&) asm("__real_" CHAPTERD_PATH_OF);
ChapterPath our_path_of(const Authority*, const ChapterId&) asm("__wrap_" CHAPTERD_PATH_OF);
Bytes real_without_check(const StoredLayer&, Bytes) asm("__real_" CHAPTERD_WITHOUT_CHECK);
Bytes our_without_check(const StoredLayer&, Bytes) asm("__wrap_" CHAPTERD_WITHOUT_CHECK);
Bytes real_sign_receipt(const FederationId&,
                        const Receipt&,
                        const SigningKey&) asm("__real_" CHAPTERD_SIGN_RECEIPT);
Bytes our_sign_receipt(const FederationId&,
                       const Receipt&,
                       const SigningKey&) asm("__wrap_" CHAPTERD_SIGN_RECEIPT);

void real_set_value(Replica*, std::string, Bytes) asm("__real_" CHAPTERD_SET_VALUE);
void our_set_value(Replica*, std::string, Bytes) asm("__wrap_" CHAPTERD_SET_VALUE);
Result<std::uint64_t> real_rebuild(Replica*) asm("__real_" CHAPTERD_REBUILD);
Result<std::uint64_t> our_rebuild(Replica*) asm("__wrap_" CHAPTERD_REBUILD);
void real_fill_holes(Replica*, const VerifiedPiece&) asm("__real_" CHAPTERD_FILL_HOLES);
void our_fill_holes(Replica*, const VerifiedPiece&) asm("__wrap_" CHAPTERD_FILL_HOLES);
// Called, not replaced.
void take_entries(Replica*, const VerifiedPiece&, FeedRow, StoredPiece&) asm(CHAPTERD_TAKE_ENTRIES);
using Chunks = std::vector<BundleChunk>;
using Trailer = std::optional<BundleTrailer>;
Result<BundleRun> real_run(const BundleReader*,
                           const Chunks&,
                           const Trailer&,
                           BundleProgress&) asm("__real_" CHAPTERD_RUN_OF_BUNDLE);
Result<BundleRun> our_run(const BundleReader*,
                          const Chunks&,
                          const Trailer&,
                          BundleProgress&) asm("__wrap_" CHAPTERD_RUN_OF_BUNDLE);

bool our_may_hold(const Authority& authority, const PublicKey& node, const FeedIntro& intro) {
  return active_control() == Control::no_entitlement || real_may_hold(authority, node, intro);
}

bool our_may_come_to_hold(const Authority& authority,
                          const PublicKey& node,
                          const FeedIntro& intro) {
  return active_control() == Control::no_entitlement ||
         real_may_come_to_hold(authority, node, intro);
}

bool our_may_have_held(const Authority& authority, const PublicKey& node, const FeedIntro& intro) {
  return active_control() == Control::no_entitlement || real_may_have_held(authority, node, intro);
}

bool our_in_force(const Erasures* erasures,
                  const Head& entry,
                  const FeedIntro& feed,
                  const Directory& directory) {
  return active_control() != Control::forgets_orders &&
         real_in_force(erasures, entry, feed, directory);
}

// Whether a piece goes another way than the history that ends with `head`.
static bool leaves(const VerifiedPiece& piece, const Head& head) {
  const Sequence first = piece.piece().first;
  if (first > head.seq) return false;
  return piece.piece().last() < head.seq ||
         piece.hashes()[head.seq.value - first.value] != head.hash;
}

Result<FeedRow> our_branch_for(Replica* replica, const VerifiedPiece& piece, const void* landing) {
  const KnownFeed* known = replica->directory().feed(piece.feed().id);
  if (active_control() == Control::drops_fork && known != nullptr && leaves(piece, known->head))
    return fail(Errc::not_found, "piece.gap", "A piece does not follow what is held.");
  return real_branch_for(replica, piece, landing);
}

std::vector<ForkedFeed> our_forked_feeds(const Directory& directory) {
  if (active_control() == Control::hides_fork) return {};
  return real_forked_feeds(directory);
}

MarkVerdict our_compare(const Mark& file, const Mark& database) {
  const MarkVerdict verdict = real_compare(file, database);
  const bool is_blind = active_control() == Control::reuses_sequence && database.has_value();
  return is_blind ? MarkVerdict::same : verdict;
}

// Of each field only the newest value by the clock stays.
static void keep_newest(LayerState& layer) {
  for (LayerField& field : layer.fields) {
    if (field.values.size() < 2) continue;
    std::sort(field.values.begin(), field.values.end(),
              [](const FieldValue& a, const FieldValue& b) { return a.time > b.time; });
    field.values.resize(1);
  }
}

void our_merge(LayerState& layer,
               const ChangeView& change,
               const EntryHash& entry,
               HybridTime time) {
  real_merge(layer, change, entry, time);
  if (active_control() == Control::merges_by_clock) keep_newest(layer);
  if (active_control() == Control::forgets_awaited)
    for (LayerField& field : layer.fields) field.awaited.clear();
}

bool our_verify(const PublicKey& node,
                const FederationId& federation,
                const Head& head,
                const Signature& checkpoint) {
  return active_control() == Control::no_verifier ||
         real_verify(node, federation, head, checkpoint);
}

Digest our_digest(const std::vector<SharedHead>& heads) {
  return active_control() == Control::never_compares ? Digest{} : real_digest(heads);
}

bool our_is_revoked(const Authority* authority, const PublicKey& node) {
  return active_control() != Control::forgets_revocation && real_is_revoked(authority, node);
}

ChapterPath our_path_of(const Authority* authority, const ChapterId& chapter) {
  static std::map<ChapterId, ChapterPath> first;
  ChapterPath path = real_path_of(authority, chapter);
  if (active_control() != Control::forgets_moves || path.above.empty()) return path;
  return first.try_emplace(chapter, std::move(path)).first->second;
}

Bytes our_without_check(const StoredLayer& layer, Bytes stored) {
  if (active_control() != Control::trusts_disk) return real_without_check(layer, std::move(stored));
  stored.resize(stored.size() - std::min<std::size_t>(stored.size(), sizeof(std::uint64_t)));
  return stored;
}

Bytes our_sign_receipt(const FederationId& federation,
                       const Receipt& receipt,
                       const SigningKey& node) {
  Receipt said = receipt;
  if (active_control() == Control::false_receipt) said.head.seq = said.head.seq.next();
  return real_sign_receipt(federation, said, node);
}

// Whether a value says that an invite was used.
static bool says_used(const std::string& name, const Bytes& value) {
  const auto kept = decode_kept_invite(value);
  return name.starts_with("invite/") && kept && kept->state == InviteState::used;
}

void our_set_value(Replica* replica, std::string name, Bytes value) {
  const bool says_restored = name == stored_name::restored || name == stored_name::waits;
  if (active_control() == Control::hides_restore && says_restored && !value.empty()) return;
  if (active_control() == Control::forgets_invites && says_used(name, value)) return;
  real_set_value(replica, std::move(name), std::move(value));
}

// As if a part of it were done: nothing is dropped then.
Result<std::uint64_t> our_rebuild(Replica* replica) {
  if (active_control() == Control::rebuilds_on_top && !replica->must_rebuild()) {
    ByteWriter done;
    replica->set_value(stored_name::rebuilding, done.u64(1).take());
    replica->commit();
  }
  return real_rebuild(replica);
}

static bool& reads_bundles() {
  static bool reads = false;
  return reads;
}

Result<BundleRun> our_run(const BundleReader* reader,
                          const Chunks& chunks,
                          const Trailer& trailer,
                          BundleProgress& progress) {
  reads_bundles() = active_control() == Control::takes_twice;
  return real_run(reader, chunks, trailer, progress);
}

// Called with what is held already, all of it or its beginning.
void our_fill_holes(Replica* replica, const VerifiedPiece& piece) {
  real_fill_holes(replica, piece);
  if (!reads_bundles()) return;
  StoredPiece nowhere;
  take_entries(replica, piece, replica->directory().feed(piece.feed().id)->row, nowhere);
}

}  // namespace chapterd::sim
