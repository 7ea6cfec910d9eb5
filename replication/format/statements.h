// Genesis and the statements of authority: who is a chapter, who is its node, who is no more.
#pragma once

#include "base/result.h"
#include "base/time.h"
#include "crypto/node_key.h"
#include "crypto/signature.h"
#include "replication/format/feed.h"
#include "replication/format/ids.h"

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace chapterd {

// The immutable founding record. Its hash, signature included, is the federation's id.
struct Genesis {
  std::string name;  // of the federation
  Instant created;
  ChapterId chapter;    // the global chapter
  std::string code;     // its code
  PublicKey authority;  // its authority key, the root of all others
  Digest recovery;      // hash of a recovery key kept on paper
  Fixed<16, struct NonceTag> nonce;
};

[[nodiscard]] Bytes sign_genesis(const Genesis& genesis, const SigningKey& authority);
// Checks the signature by the key that it names. Errc::malformed otherwise.
[[nodiscard]] Result<Genesis> decode_genesis(ByteView bytes);
// BLAKE2b-256("chapterd/genesis/1\0" | bytes).
[[nodiscard]] FederationId federation_id(ByteView genesis);

// The id of a chapter, made of its first parent's and of its own code, so that no other chapter can
// certify it: first 16 bytes of BLAKE2b-256("chapterd/chapter/1\0" | parent | code).
[[nodiscard]] ChapterId chapter_id_below(const ChapterId& parent, std::string_view code);

struct ChapterCertificate {
  ChapterId chapter;
  PublicKey authority;
  std::string code;              // "KE", "KE-17"
  std::string name;              // "Kenya"
  std::uint8_t level = 0;        // 0 global, 1 national, 2 subnational, 3 field office
  std::vector<ChapterId> above;  // the global one first; the last is the issuer
};

struct NodeCertificate {
  PublicKey node;
  BoxPublicKey box;
  ChapterId chapter;
  std::string name;                // "office mini-PC"
  std::uint32_t capabilities = 0;  // reserved, 0
  Signature proof;                 // by the node: no chapter can claim a key that is not its own
};

// The proof of a node certificate whose other parts are filled, by the node's own key.
[[nodiscard]] Signature prove_node(const FederationId& federation,
                                   const NodeCertificate& certificate,
                                   const SigningKey& node);
[[nodiscard]] bool verify_node_proof(const FederationId& federation,
                                     const NodeCertificate& certificate);

// Revocation by position: what lies beyond the cuts is not applied. An unlisted feed is cut at 0.
struct Revoke {
  PublicKey node;
  std::vector<Head> cuts;
  std::string reason;
};

// Takes entries of a revoked node back in, after a person looked at them: only ever moves a cut
// forward.
struct Admit {
  PublicKey node;
  std::vector<Head> heads;
};

// Who says that a chapter has another authority key.
enum class SuccessorBy : std::uint8_t {
  rotation = 1,  // the chapter itself, with the key before
  above = 2,     // a chapter above, after its people compared four words: the key before is lost
  recovery = 3,  // the recovery key of genesis, for the global chapter
};

// A chapter's authority takes another key.
struct Successor {
  ChapterId chapter;
  PublicKey authority;  // the new key
  SuccessorBy by = SuccessorBy::rotation;
  PublicKey recovery;  // exactly when by is recovery: hashes to what genesis names
  // Nothing: all that the keys before signed stands. Else only these of their statements, and the
  // rest is void with what hangs from it. Several such successors with one new key add up.
  std::optional<std::vector<StatementId>> stands;
  Signature acceptance;  // by the new key
};

// The acceptance of a successor whose chapter and key are filled, by the new key.
[[nodiscard]] Signature accept_succession(const FederationId& federation,
                                          const ChapterId& chapter,
                                          const SigningKey& authority);
[[nodiscard]] bool verify_acceptance(const FederationId& federation, const Successor& successor);
// What genesis keeps of the recovery key.
[[nodiscard]] Digest recovery_hash(const PublicKey& recovery);
// BLAKE2b-256("chapterd/statement-id/1\0" | statement, signature included).
[[nodiscard]] StatementId statement_id(ByteView statement);

// A chapter goes below another parent: said by an authority that stands above both, with the
// certificate inside by which the new parent agrees.
struct Move {
  Bytes certificate;                   // statement of the new parent: a chapter certificate
  std::vector<PublicKey> keys;         // earlier authority keys whose statements stand
  PublicKey parent;                    // node of the new parent that the chapter calls
  std::vector<std::string> addresses;  // host:port, at most limits::invite_addresses
};

// Ends the doubt about a feed with several branches: what is no ancestor of a tip that is listed,
// here or in another closing of the same feed, is set aside.
struct Close {
  PublicKey node;  // the author
  std::vector<Head> tips;
};

// A copy of a node's database goes on as another node: whoever is told of one of these lives, which
// the copy led under the node's key, need not look for it any more. Says nothing of what counts.
struct Handover {
  PublicKey node;
  PublicKey heir;
  std::vector<Incarnation> lives;
};

// Kinds of statements that this program does not know are kept and passed on.
struct UnknownStatement {
  std::uint8_t type = 0;
  Bytes body;
};

// A claim signed by a chapter's authority key. Statements about one subject are numbered.
struct Statement {
  ChapterId issuer;  // whose authority signed
  std::uint64_t number = 1;
  std::variant<ChapterCertificate,
               NodeCertificate,
               Revoke,
               Admit,
               Successor,
               Move,
               Close,
               Handover,
               UnknownStatement>
      body;
};

// docs/protocol.md, "Statement". The signature covers the federation, so that no statement can
// wander from a training federation into the live one.
[[nodiscard]] Bytes sign_statement(const FederationId& federation,
                                   const Statement& statement,
                                   const SigningKey& authority);
// Shape only; who signed is checked by verify_statement with the key that the authority knows.
[[nodiscard]] Result<Statement> decode_statement(ByteView bytes);
[[nodiscard]] bool verify_statement(const FederationId& federation,
                                    ByteView statement,
                                    const PublicKey& authority);

}  // namespace chapterd
