// An erase order: which entries lose their payload everywhere, and what they superseded, which
// stays superseded. The payload of an entry of kind `erase`. Nothing of it is personal.
#pragma once

#include "base/result.h"
#include "crypto/node_key.h"
#include "replication/format/change.h"
#include "replication/format/ids.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace chapterd {

// Why, for the report; a number that this program does not know is kept.
enum class EraseReason : std::uint8_t {
  unsaid = 0,
  request = 1,    // the person asked for it
  withdrawn = 2,  // consent or publication was taken back
  mistake = 3,    // it should not have been written there
  duty = 4,       // a law, or the end of a period of keeping
};

// Values of one field that erased entries superseded.
struct Superseded {
  std::string field;
  std::vector<ValueName> names;  // ascending, each once, not empty
};

// Orders concern one record in one layer: that of the feed they stand in.
struct EraseOrder {
  RecordId record;  // of the author's own chapter
  std::string kind;
  EraseReason reason = EraseReason::unsaid;
  std::vector<Head> entries;                   // ascending by feed, seq, hash, each once, not empty
  std::vector<Superseded> superseded;          // ascending by field, each once
  std::optional<Signature> chapter_signature;  // by the chapter's authority
};

// docs/protocol.md, "Erase orders". Needs the order of the lists above.
[[nodiscard]] Bytes encode(const EraseOrder& order);
// Fills in the signature, over everything else.
void sign(EraseOrder& order, const FederationId& federation, const SigningKey& authority);
// Of an encoded order; false also when it bears no signature.
[[nodiscard]] bool verify_erase_order(const FederationId& federation,
                                      ByteView payload,
                                      const PublicKey& authority);

// Strict. Errc::malformed for what breaks the format; Errc::not_compatible for a later version of
// it, to be kept as pending.
[[nodiscard]] Result<EraseOrder> decode_erase_order(ByteView payload);

}  // namespace chapterd
