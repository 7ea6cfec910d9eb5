// How a chapter comes below its parent: an invite goes down, a request comes up, certificates go
// back. Bytes and checks only; the daemon carries them over TLS, people carry them as files.
#pragma once

#include "base/random.h"
#include "base/result.h"
#include "base/time.h"
#include "crypto/node_key.h"
#include "replication/replica.h"

#include <optional>
#include <string>
#include <vector>

namespace chapterd {

using InviteSecret = Fixed<16, struct InviteSecretTag>;
using InviteId = Fixed<16, struct InviteIdTag>;  // hash of the secret

// What the parent hands out. Whoever has it can join once, as this chapter.
struct Invite {
  FederationId federation;
  PublicKey parent;                    // node key: pins the first connection
  std::vector<std::string> addresses;  // host:port, may be empty (joining by file)
  ChapterId chapter;                   // of the child
  std::string code;
  std::string name;
  std::uint8_t level = 2;
  InviteSecret secret;
  Instant expires;  // judged by the parent's clock only
};

// Upper-case base32 in groups of five, with a checksum.
[[nodiscard]] std::string to_text(const Invite& invite);
// Forgives case, spaces and line ends. Errc::usage (invite.mistyped) otherwise.
[[nodiscard]] Result<Invite> invite_from_text(std::string_view text);
[[nodiscard]] InviteId invite_id(const InviteSecret& secret);

enum class InviteState : std::uint8_t { open = 0, used = 1, revoked = 2 };

// An invite as its maker remembers it, in the store under "invite/<id in hex>".
struct KeptInvite {
  Invite invite;
  InviteState state = InviteState::open;
  PublicKey used_by;  // node key, once used
};

inline constexpr const char* invite_prefix = "invite/";
[[nodiscard]] std::string stored_invite_name(const InviteId& id);
[[nodiscard]] Bytes encode(const KeptInvite& kept);
[[nodiscard]] Result<KeptInvite> decode_kept_invite(ByteView bytes);

// What the child asks with. Proves that it has the secret and both keys.
struct JoinRequest {
  InviteId invite;
  PublicKey node;
  PublicKey authority;
  BoxPublicKey box;
  std::string node_name;
  // By `authority`, of speaking for the chapter; set by make_join_request().
  Signature acceptance{};
};

[[nodiscard]] Bytes make_join_request(const Invite& invite,
                                      const JoinRequest& request,
                                      const SigningKey& node,
                                      const SigningKey& authority);
// Checks the shape and both signatures, not the invite.
[[nodiscard]] Result<JoinRequest> decode_join_request(ByteView bytes);

// The parent's answer; stages the used invite in `replica` and what makes the request's key the
// authority key of the chapter (commit before it is sent): its certificate, or, of a chapter that
// is there already, a successor. The same key asking again gets the same answer. Errors:
// invite.unknown, invite.used, invite.revoked, invite.expired, invite.proof, invite.outranked (a
// chapter further up named the key that the chapter has).
[[nodiscard]] Result<Bytes> answer_join(Replica& replica,
                                        const SigningKey& authority,
                                        ByteView request,
                                        Instant now);

struct JoinAnswer {
  Bytes genesis;
  std::vector<Bytes> chain;  // down to the child's chapter certificate
};

// The child's check: genesis is the one of the invite, and the chain makes `authority` the key of
// its chapter.
[[nodiscard]] Result<JoinAnswer> check_answer(const Invite& invite,
                                              const PublicKey& authority,
                                              ByteView answer);

// Four words that both sides show, to be compared by voice: 64 bits of a hash over both node keys
// (proquints: Wilkerson, "A Proposal for Proquints", 2009).
[[nodiscard]] std::string four_words(const PublicKey& parent, const PublicKey& child);

}  // namespace chapterd
