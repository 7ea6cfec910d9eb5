// The client's side of joining online: one frame there, one frame back.
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/node_key.h"

#include <chrono>
#include <string>

namespace chapterd {

// Asks the node at `address` (host:port), which must prove to hold `parent`, for the answer to a
// request made by make_join_request(). Blocks; runs everything itself, on the calling thread.
// Errors: net.address (usage), net.unreachable, net.slow (gave_up), tls.… (not_allowed), and what
// the parent says, as Errc::not_allowed with its code: invite.unknown, invite.used, invite.expired,
// invite.revoked, invite.proof, invite.authority-locked.
[[nodiscard]] Result<Bytes> request_join(const std::string& address,
                                         const PublicKey& parent,
                                         const SigningKey& own,
                                         const Bytes& request,
                                         std::chrono::milliseconds timeout);

}  // namespace chapterd
