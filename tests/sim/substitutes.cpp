// Functions of the core that the linker puts ours in front of (--wrap), so that a control can break
// one of them without a hook in the product. Without a control each only calls the real one.
//
// `__real_X` and `__wrap_X` are the linker's names; X is the C++ name as the compiler writes it.
#include "replication/entitlement.h"
#include "replication/format/entry.h"
#include "replication/format/receipt.h"
#include "replication/merge.h"
#include "replication/reconcile.h"
#include "tests/sim/controls.h"

#include <algorithm>

#define CHAPTERD_MAY_HOLD \
  "_ZN8chapterd8may_holdERKNS_9AuthorityERKNS_5FixedILm32ENS_12PublicKeyTagEEERKNS_9FeedIntroE"
#define CHAPTERD_MERGE                                                                            \
  "_ZN8chapterd5mergeERNS_10LayerStateERKNS_10ChangeViewERKNS_5FixedILm32ENS_12EntryHashTagEEENS" \
  "_10HybridTimeE"
#define CHAPTERD_VERIFY_CHECKPOINT                                                       \
  "_ZN8chapterd17verify_checkpointERKNS_5FixedILm32ENS_12PublicKeyTagEEERKNS0_ILm32ENS_" \
  "15FederationIdTagEEERKNS_4HeadERKNS0_ILm64ENS_12SignatureTagEEE"
#define CHAPTERD_DIGEST_OF "_ZN8chapterd9digest_ofERKSt6vectorINS_10SharedHeadESaIS1_EE"
#define CHAPTERD_IS_REVOKED \
  "_ZNK8chapterd9Authority10is_revokedERKNS_5FixedILm32ENS_12PublicKeyTagEEE"
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
Bytes real_sign_receipt(const FederationId&,
                        const Receipt&,
                        const SigningKey&) asm("__real_" CHAPTERD_SIGN_RECEIPT);
Bytes our_sign_receipt(const FederationId&,
                       const Receipt&,
                       const SigningKey&) asm("__wrap_" CHAPTERD_SIGN_RECEIPT);

bool our_may_hold(const Authority& authority, const PublicKey& node, const FeedIntro& intro) {
  return active_control() == Control::no_entitlement || real_may_hold(authority, node, intro);
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

Bytes our_sign_receipt(const FederationId& federation,
                       const Receipt& receipt,
                       const SigningKey& node) {
  Receipt said = receipt;
  if (active_control() == Control::false_receipt) said.head.seq = said.head.seq.next();
  return real_sign_receipt(federation, said, node);
}

}  // namespace chapterd::sim
