// Invites, requests and answers.
#include "replication/invite.h"

#include "base/byte_stream.h"
#include "replication/format/cbor.h"
#include "replication/format/limits.h"

namespace chapterd {
namespace {

constexpr std::uint8_t invite_version = 1;
constexpr std::uint8_t request_version = 2;
constexpr std::uint8_t answer_version = 1;
constexpr std::size_t checksum_bytes = 4;
constexpr std::size_t proof_bytes = 32;

Bytes checksum(ByteView body) {
  const Digest digest = hash("chapterd/invite-checksum/1", body);
  return {digest.bytes.begin(), digest.bytes.begin() + checksum_bytes};
}

tl::unexpected<Error> mistyped() {
  return fail(Errc::usage, "invite.mistyped", "This is not a whole invite.", "Nothing was changed.",
              "Copy all of its text once more, or use the invite's file.");
}

tl::unexpected<Error> refused(const char* code, const char* what, const char* next) {
  return fail(Errc::not_allowed, code, what, "Nothing was changed.", next);
}

std::string read_text(ByteReader& in) {
  const std::string_view text = in.sized_text(limits::name_bytes);
  if (!is_utf8(text)) in.mark_bad();
  return std::string(text);
}

void write_invite(ByteWriter& out, const Invite& invite) {
  out.u8(invite_version).fixed(invite.federation).fixed(invite.parent);
  out.u8(static_cast<std::uint8_t>(invite.addresses.size()));
  for (const std::string& address : invite.addresses) out.sized_text(address);
  out.fixed(invite.chapter).sized_text(invite.code).sized_text(invite.name).u8(invite.level);
  out.fixed(invite.secret).u64(static_cast<std::uint64_t>(invite.expires.ms));
}

Invite read_invite(ByteReader& in) {
  Invite invite;
  if (in.u8() != invite_version) in.mark_bad();
  invite.federation = in.fixed<FederationId>();
  invite.parent = in.fixed<PublicKey>();
  const std::uint8_t addresses = in.u8();
  if (addresses > limits::invite_addresses) in.mark_bad();
  for (unsigned i = 0; i < addresses && in.good(); ++i) invite.addresses.push_back(read_text(in));
  invite.chapter = in.fixed<ChapterId>();
  invite.code = read_text(in);
  invite.name = read_text(in);
  invite.level = in.u8();
  invite.secret = in.fixed<InviteSecret>();
  invite.expires = Instant{static_cast<std::int64_t>(in.u64())};
  return invite;
}

Bytes proof_of(const InviteSecret& secret, ByteView body) {
  const Digest digest = Hasher("chapterd/join-proof/1").add(secret).add(body).finish();
  return {digest.bytes.begin(), digest.bytes.end()};
}

Bytes request_message(ByteView body) {
  ByteWriter out;
  return out.bytes(as_bytes("chapterd/join/1")).u8(0).bytes(body).take();
}

Bytes request_body(const JoinRequest& request) {
  ByteWriter out;
  out.u8(request_version).fixed(request.invite).u8(algorithm_ed25519).fixed(request.node);
  out.u8(algorithm_ed25519)
      .fixed(request.authority)
      .fixed(request.box)
      .sized_text(request.node_name)
      .fixed(request.acceptance);
  return out.take();
}

// What follows the body: proof, signature by the node key, signature by the authority key.
constexpr std::size_t request_tail = proof_bytes + 2 * Signature::size;

// Sees what the group has staged: two requests in one group must not both use one invite.
Result<KeptInvite> find_invite(Replica& replica, const InviteId& id) {
  const Bytes kept = replica.value(stored_invite_name(id));
  if (kept.empty()) {
    return refused("invite.unknown", "This invite was not made by this node.",
                   "Ask for a new invite.");
  }
  return decode_kept_invite(kept);
}

tl::unexpected<Error> used() {
  return refused("invite.used", "This invite was used by another machine.",
                 "Ask for a new invite.");
}

Result<void> check_invite(const KeptInvite& kept, const JoinRequest& request, Instant now) {
  if (kept.state == InviteState::revoked) {
    return refused("invite.revoked", "This invite was withdrawn.", "Ask for a new invite.");
  }
  if (kept.state == InviteState::used) {
    if (kept.used_by == request.node) return {};
    return used();
  }
  if (now > kept.invite.expires) {
    return refused("invite.expired", "This invite has expired.", "Ask for a new invite.");
  }
  return {};
}

ChapterCertificate certificate_for(const ChapterPath& parent,
                                   const Invite& invite,
                                   const PublicKey& key) {
  ChapterCertificate certificate;
  certificate.chapter = invite.chapter;
  certificate.authority = key;
  certificate.code = invite.code;
  certificate.name = invite.name;
  certificate.level = invite.level;
  certificate.above = parent.above;
  certificate.above.push_back(parent.chapter);
  return certificate;
}

// What makes the request's key that of its chapter. What the key before signed stands.
Result<Bytes> word_for(const Authority& known,
                       const ChapterId& self,
                       const Invite& invite,
                       const JoinRequest& request,
                       const SigningKey& authority) {
  Statement word{self, known.next_number(invite.chapter), {}};
  if (known.chapter(invite.chapter) == nullptr) {
    word.body = certificate_for(known.path_of(self), invite, request.authority);
    return sign_statement(known.federation(), word, authority);
  }
  Successor successor;
  successor.chapter = invite.chapter;
  successor.authority = request.authority;
  successor.by = SuccessorBy::above;
  successor.acceptance = request.acceptance;
  word.body = std::move(successor);
  const Bytes bytes = sign_statement(known.federation(), word, authority);
  Authority then = known;
  const auto applied = then.apply(bytes);
  if (!applied) return forward(applied);
  if (then.chapter(invite.chapter)->certificate.authority == request.authority) return bytes;
  return refused("invite.outranked",
                 "A chapter further up gave this chapter its authority key, and that word stands "
                 "above one from here.",
                 "Use another code for the new computer.");
}

}  // namespace

std::string to_text(const Invite& invite) {
  ByteWriter out;
  write_invite(out, invite);
  const Bytes sum = checksum(out.view());
  const std::string plain = to_base32(out.bytes(sum).view());
  std::string grouped;
  for (std::size_t i = 0; i < plain.size(); ++i) {
    if (i > 0 && i % 5 == 0) grouped += '-';
    grouped += plain[i];
  }
  return grouped;
}

Result<Invite> invite_from_text(std::string_view text) {
  const auto bytes = from_base32(text);
  if (!bytes || bytes->size() < checksum_bytes) return mistyped();
  const ByteView body = ByteView(*bytes).first(bytes->size() - checksum_bytes);
  const Bytes sum = checksum(body);
  if (!std::equal(sum.begin(), sum.end(), bytes->end() - checksum_bytes)) return mistyped();
  ByteReader in(body);
  Invite invite = read_invite(in);
  if (!in.finished()) return mistyped();
  return invite;
}

InviteId invite_id(const InviteSecret& secret) {
  InviteId id;
  const Digest digest = hash("chapterd/invite-id/1", secret.view());
  std::copy_n(digest.bytes.begin(), InviteId::size, id.bytes.begin());
  return id;
}

std::string stored_invite_name(const InviteId& id) {
  return invite_prefix + to_hex(id.view());
}

Bytes encode(const KeptInvite& kept) {
  ByteWriter out;
  write_invite(out, kept.invite);
  out.u8(static_cast<std::uint8_t>(kept.state)).fixed(kept.used_by);
  return out.take();
}

Result<KeptInvite> decode_kept_invite(ByteView bytes) {
  ByteReader in(bytes);
  KeptInvite kept;
  kept.invite = read_invite(in);
  const std::uint8_t state = in.u8();
  if (state > 2) in.mark_bad();
  kept.state = static_cast<InviteState>(state);
  kept.used_by = in.fixed<PublicKey>();
  if (!in.finished())
    return fail(Errc::check_failed, "store.damaged-invite",
                "An invite in the database is damaged.");
  return kept;
}

Bytes make_join_request(const Invite& invite,
                        const JoinRequest& request,
                        const SigningKey& node,
                        const SigningKey& authority) {
  ByteWriter out;
  JoinRequest accepting = request;
  accepting.acceptance = accept_succession(invite.federation, invite.chapter, authority);
  const Bytes body = request_body(accepting);
  const Bytes message = request_message(body);
  out.bytes(body).bytes(proof_of(invite.secret, body));
  out.fixed(node.sign(message)).fixed(authority.sign(message));
  return out.take();
}

Result<JoinRequest> decode_join_request(ByteView bytes) {
  const auto malformed = [] {
    return fail(Errc::malformed, "invite.request", "This is not a request to join.",
                "Nothing was changed.", "Make it again with 'chapterd join --offline'.");
  };
  if (bytes.size() < request_tail || bytes.size() > limits::statement_bytes) return malformed();
  const ByteView body = bytes.first(bytes.size() - request_tail);
  ByteReader in(body);
  JoinRequest request;
  if (in.u8() != request_version) in.mark_bad();
  request.invite = in.fixed<InviteId>();
  if (in.u8() != algorithm_ed25519) in.mark_bad();
  request.node = in.fixed<PublicKey>();
  if (in.u8() != algorithm_ed25519) in.mark_bad();
  request.authority = in.fixed<PublicKey>();
  request.box = in.fixed<BoxPublicKey>();
  request.node_name = read_text(in);
  request.acceptance = in.fixed<Signature>();
  if (!in.finished()) return malformed();
  ByteReader tail(bytes.last(2 * Signature::size));
  const Bytes message = request_message(body);
  const bool by_node = verify(request.node, message, tail.fixed<Signature>());
  const bool by_authority = verify(request.authority, message, tail.fixed<Signature>());
  if (!by_node || !by_authority) return malformed();
  return request;
}

Result<Bytes> answer_join(Replica& replica,
                          const SigningKey& authority,
                          ByteView bytes,
                          Instant now) {
  const auto request = decode_join_request(bytes);
  if (!request) return forward(request);
  auto kept = find_invite(replica, request->invite);
  if (!kept) return forward(kept);
  const ByteView body = bytes.first(bytes.size() - request_tail);
  const Bytes proof = proof_of(kept->invite.secret, body);
  if (!std::equal(proof.begin(), proof.end(),
                  bytes.begin() + static_cast<std::ptrdiff_t>(body.size()))) {
    return refused("invite.proof", "The request does not know the secret of its invite.",
                   "Ask for a new invite.");
  }
  if (auto checked = check_invite(*kept, *request, now); !checked) return forward(checked);

  const Authority& known = replica.directory().authority();
  const ChapterId& chapter = kept->invite.chapter;
  if (kept->state == InviteState::used) {
    const KnownChapter* child = known.chapter(chapter);
    if (child == nullptr || child->certificate.authority != request->authority) return used();
  } else {
    const auto word =
        word_for(known, replica.directory().chapter(), kept->invite, *request, authority);
    if (!word) return word;
    if (auto written = replica.write_statement(*word); !written) return forward(written);
    kept->state = InviteState::used;
    kept->used_by = request->node;
    replica.set_value(stored_invite_name(request->invite), encode(*kept));
  }
  std::vector<Bytes> chain = known.line(chapter);
  // This node's own certificate is with it: so the child can seal bundles to its parent before it
  // has ever met it.
  chain.push_back(known.node(replica.directory().self())->statement);
  ByteWriter out;
  out.u8(answer_version).sized_bytes(replica.directory().authority().genesis());
  out.u8(static_cast<std::uint8_t>(chain.size()));
  for (const Bytes& statement : chain) out.sized_bytes(statement);
  return out.take();
}

Result<JoinAnswer> check_answer(const Invite& invite, const PublicKey& authority, ByteView bytes) {
  const auto wrong = [](const char* code, const char* what) {
    return fail(Errc::not_allowed, code, what, "Nothing was changed.",
                "Ask the chapter above for help.");
  };
  ByteReader in(bytes);
  JoinAnswer answer;
  if (in.u8() != answer_version) in.mark_bad();
  const ByteView genesis = in.sized_bytes(limits::statement_bytes);
  answer.genesis.assign(genesis.begin(), genesis.end());
  const std::uint8_t count = in.u8();
  if (count > limits::chain_statements) in.mark_bad();
  for (unsigned i = 0; i < count && in.good(); ++i) {
    const ByteView statement = in.sized_bytes(limits::statement_bytes);
    answer.chain.emplace_back(statement.begin(), statement.end());
  }
  if (!in.finished()) return wrong("invite.answer", "The answer to the request is damaged.");
  if (federation_id(answer.genesis) != invite.federation) {
    return wrong("federation.other", "The answer comes from another federation than the invite.");
  }
  auto known = Authority::found(answer.genesis);
  if (!known) return forward(known);
  for (const Bytes& statement : answer.chain) {
    if (auto applied = known->apply(statement); !applied) return forward(applied);
  }
  const KnownChapter* chapter = known->chapter(invite.chapter);
  if (chapter == nullptr || chapter->certificate.authority != authority) {
    return wrong("invite.answer", "The answer does not certify this chapter's key.");
  }
  return answer;
}

std::string four_words(const PublicKey& parent, const PublicKey& child) {
  constexpr std::string_view consonants = "bdfghjklmnprstvz";
  constexpr std::string_view vowels = "aiou";
  const Digest digest = Hasher("chapterd/four-words/1").add(parent).add(child).finish();
  ByteReader in(digest.view());
  std::string words;
  for (int i = 0; i < 4; ++i) {
    const unsigned word = in.u16();
    if (i > 0) words += ' ';
    words += consonants[word >> 12U & 15U];
    words += vowels[word >> 10U & 3U];
    words += consonants[word >> 6U & 15U];
    words += vowels[word >> 4U & 3U];
    words += consonants[word & 15U];
  }
  return words;
}

}  // namespace chapterd
