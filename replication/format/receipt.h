// A receipt: a signed statement by a node that it durably holds a feed up to a head.
#pragma once

#include "base/result.h"
#include "crypto/node_key.h"
#include "replication/format/ids.h"

namespace chapterd {

struct Receipt {
  PublicKey node;  // who holds it
  Epoch epoch;     // of that node's database; a new epoch voids older receipts
  Head head;       // the feed is held without holes up to here
};

[[nodiscard]] Bytes sign_receipt(const FederationId& federation,
                                 const Receipt& receipt,
                                 const SigningKey& node);
// Checks the shape, not the signature: whose word counts is for the authority to say.
[[nodiscard]] Result<Receipt> decode_receipt(ByteView bytes);
[[nodiscard]] bool verify_receipt(const FederationId& federation,
                                  ByteView receipt,
                                  const PublicKey& node);

}  // namespace chapterd
