// Bytes and signatures of genesis and statements.
#include "replication/format/statements.h"

#include "base/byte_stream.h"
#include "replication/format/cbor.h"
#include "replication/format/limits.h"

#include <algorithm>

namespace chapterd {
namespace {

constexpr std::uint8_t genesis_version = 1;
constexpr std::uint8_t statement_version = 1;
constexpr std::string_view genesis_label = "chapterd/genesis/1";
constexpr std::string_view statement_label = "chapterd/statement/1";
constexpr std::string_view node_label = "chapterd/node/1";
constexpr std::string_view chapter_label = "chapterd/chapter/1";
constexpr std::string_view id_label = "chapterd/statement-id/1";

// Numbers of the kinds of statements.
enum class StatementType : std::uint8_t {
  chapter = 1,
  node = 2,
  revoke = 3,
  successor = 4,
  move = 5,
  admit = 6,
  close = 7,
  handover = 8
};

tl::unexpected<Error> malformed(const char* what) {
  return fail(Errc::malformed, "format.statement", what);
}

std::string read_name(ByteReader& in) {
  const std::string_view name = in.sized_text(limits::name_bytes);
  if (!is_utf8(name)) in.mark_bad();
  return std::string(name);
}

PublicKey read_key(ByteReader& in) {
  if (in.u8() != algorithm_ed25519) in.mark_bad();
  return in.fixed<PublicKey>();
}

void write_key(ByteWriter& out, const PublicKey& key) {
  out.u8(algorithm_ed25519).fixed(key);
}

Bytes genesis_message(ByteView body) {
  ByteWriter out;
  return out.bytes(as_bytes(genesis_label)).u8(0).bytes(body).take();
}

Bytes statement_message(const FederationId& federation, ByteView body) {
  ByteWriter out;
  return out.bytes(as_bytes(statement_label)).u8(0).fixed(federation).bytes(body).take();
}

Bytes node_message(const FederationId& federation, const NodeCertificate& certificate) {
  ByteWriter out;
  out.bytes(as_bytes(node_label)).u8(0).fixed(federation);
  write_key(out, certificate.node);
  return out.fixed(certificate.box).fixed(certificate.chapter).take();
}

// One overload a kind of statement: its number and its body.
void write_body(ByteWriter& out, const ChapterCertificate& chapter) {
  out.fixed(chapter.chapter);
  write_key(out, chapter.authority);
  out.sized_text(chapter.code).sized_text(chapter.name).u8(chapter.level);
  out.u8(static_cast<std::uint8_t>(chapter.above.size()));
  for (const ChapterId& above : chapter.above) out.fixed(above);
}

void write_body(ByteWriter& out, const NodeCertificate& node) {
  write_key(out, node.node);
  out.fixed(node.box).fixed(node.chapter).sized_text(node.name).u32(node.capabilities);
  out.fixed(node.proof);
}

void write_heads(ByteWriter& out, const std::vector<Head>& heads) {
  out.varint(heads.size());
  for (const Head& head : heads) out.fixed(head.feed).u64(head.seq.value).fixed(head.hash);
}

void write_body(ByteWriter& out, const Revoke& revoke) {
  write_key(out, revoke.node);
  out.sized_text(revoke.reason);
  write_heads(out, revoke.cuts);
}

void write_body(ByteWriter& out, const Admit& admit) {
  write_key(out, admit.node);
  write_heads(out, admit.heads);
}

void write_body(ByteWriter& out, const Successor& successor) {
  out.fixed(successor.chapter);
  write_key(out, successor.authority);
  out.u8(static_cast<std::uint8_t>(successor.by));
  if (successor.by == SuccessorBy::recovery) write_key(out, successor.recovery);
  out.u8(successor.stands ? 1 : 0);
  if (successor.stands) {
    out.varint(successor.stands->size());
    for (const StatementId& id : *successor.stands) out.fixed(id);
  }
  out.fixed(successor.acceptance);
}

void write_body(ByteWriter& out, const Move& move) {
  out.sized_bytes(move.certificate).u8(static_cast<std::uint8_t>(move.keys.size()));
  for (const PublicKey& key : move.keys) write_key(out, key);
  write_key(out, move.parent);
  out.u8(static_cast<std::uint8_t>(move.addresses.size()));
  for (const std::string& address : move.addresses) out.sized_text(address);
}

void write_body(ByteWriter& out, const Close& close) {
  write_key(out, close.node);
  write_heads(out, close.tips);
}

void write_body(ByteWriter& out, const Handover& handover) {
  write_key(out, handover.node);
  write_key(out, handover.heir);
  out.varint(handover.lives.size());
  for (const Incarnation& life : handover.lives) out.fixed(life);
}

void write_body(ByteWriter& out, const UnknownStatement& unknown) {
  out.bytes(unknown.body);
}

template <class Body>
constexpr StatementType number_of{};
template <>
constexpr StatementType number_of<ChapterCertificate> = StatementType::chapter;
template <>
constexpr StatementType number_of<NodeCertificate> = StatementType::node;
template <>
constexpr StatementType number_of<Revoke> = StatementType::revoke;
template <>
constexpr StatementType number_of<Admit> = StatementType::admit;
template <>
constexpr StatementType number_of<Successor> = StatementType::successor;
template <>
constexpr StatementType number_of<Move> = StatementType::move;
template <>
constexpr StatementType number_of<Close> = StatementType::close;
template <>
constexpr StatementType number_of<Handover> = StatementType::handover;

template <class Body>
std::uint8_t type_of(const Body& /*body*/) {
  return static_cast<std::uint8_t>(number_of<Body>);
}

std::uint8_t type_of(const UnknownStatement& body) {
  return body.type;
}

ChapterCertificate read_chapter(ByteReader& in) {
  ChapterCertificate chapter;
  chapter.chapter = in.fixed<ChapterId>();
  chapter.authority = read_key(in);
  chapter.code = read_name(in);
  chapter.name = read_name(in);
  chapter.level = in.u8();
  const std::uint8_t above = in.u8();
  if (above == 0 || above > limits::path_chapters) in.mark_bad();
  for (unsigned i = 0; i < above && in.good(); ++i) chapter.above.push_back(in.fixed<ChapterId>());
  return chapter;
}

NodeCertificate read_node(ByteReader& in) {
  NodeCertificate node;
  node.node = read_key(in);
  node.box = in.fixed<BoxPublicKey>();
  node.chapter = in.fixed<ChapterId>();
  node.name = read_name(in);
  node.capabilities = in.u32();
  node.proof = in.fixed<Signature>();
  return node;
}

std::vector<Head> read_heads(ByteReader& in) {
  std::vector<Head> heads;
  const std::uint64_t count = in.varint();
  if (count > in.remaining() / 72) in.mark_bad();
  for (std::uint64_t i = 0; i < count && in.good(); ++i) {
    Head head;
    head.feed = in.fixed<FeedId>();
    head.seq = Sequence(in.u64());
    head.hash = in.fixed<EntryHash>();
    heads.push_back(head);
  }
  return heads;
}

Revoke read_revoke(ByteReader& in) {
  Revoke revoke;
  revoke.node = read_key(in);
  revoke.reason = read_name(in);
  revoke.cuts = read_heads(in);
  return revoke;
}

Admit read_admit(ByteReader& in) {
  const PublicKey node = read_key(in);
  return {node, read_heads(in)};
}

Close read_close(ByteReader& in) {
  const PublicKey node = read_key(in);
  return {node, read_heads(in)};
}

// As many as are said to follow.
template <class Item>
std::vector<Item> read_items(ByteReader& in) {
  std::vector<Item> items;
  const std::uint64_t count = in.varint();
  if (count > in.remaining() / Item::size) in.mark_bad();
  for (std::uint64_t i = 0; i < count && in.good(); ++i) items.push_back(in.fixed<Item>());
  return items;
}

Handover read_handover(ByteReader& in) {
  const PublicKey node = read_key(in);
  const PublicKey heir = read_key(in);
  return {node, heir, read_items<Incarnation>(in)};
}

Successor read_successor(ByteReader& in) {
  Successor successor;
  successor.chapter = in.fixed<ChapterId>();
  successor.authority = read_key(in);
  const std::uint8_t by = in.u8();
  if (by < 1 || by > 3) in.mark_bad();
  successor.by = static_cast<SuccessorBy>(by);
  if (successor.by == SuccessorBy::recovery) successor.recovery = read_key(in);
  const std::uint8_t is_list = in.u8();
  if (is_list > 1 || (is_list == 1 && successor.by == SuccessorBy::rotation)) in.mark_bad();
  if (is_list == 1) successor.stands = read_items<StatementId>(in);
  successor.acceptance = in.fixed<Signature>();
  return successor;
}

Move read_move(ByteReader& in) {
  Move move;
  const ByteView certificate = in.sized_bytes(limits::statement_bytes);
  move.certificate.assign(certificate.begin(), certificate.end());
  const std::uint8_t keys = in.u8();
  if (keys > limits::chapter_keys) in.mark_bad();
  for (unsigned i = 0; i < keys && in.good(); ++i) move.keys.push_back(read_key(in));
  move.parent = read_key(in);
  const std::uint8_t count = in.u8();
  if (count > limits::invite_addresses) in.mark_bad();
  for (unsigned i = 0; i < count && in.good(); ++i) move.addresses.push_back(read_name(in));
  return move;
}

}  // namespace

StatementId statement_id(ByteView statement) {
  return StatementId{hash(id_label, statement).bytes};
}

Bytes sign_genesis(const Genesis& genesis, const SigningKey& authority) {
  ByteWriter out;
  out.u8(genesis_version)
      .sized_text(genesis.name)
      .u64(static_cast<std::uint64_t>(genesis.created.ms));
  out.fixed(genesis.chapter).sized_text(genesis.code);
  write_key(out, genesis.authority);
  out.fixed(genesis.recovery).fixed(genesis.nonce);
  const Signature signature = authority.sign(genesis_message(out.view()));
  return out.fixed(signature).take();
}

Result<Genesis> decode_genesis(ByteView bytes) {
  if (bytes.size() > limits::statement_bytes || bytes.size() < Signature::size) {
    return malformed("The founding record has an impossible length.");
  }
  ByteReader in(bytes);
  if (in.u8() != genesis_version) return malformed("The founding record has an unknown version.");
  Genesis genesis;
  genesis.name = read_name(in);
  genesis.created = Instant{static_cast<std::int64_t>(in.u64())};
  genesis.chapter = in.fixed<ChapterId>();
  genesis.code = read_name(in);
  genesis.authority = read_key(in);
  genesis.recovery = in.fixed<Digest>();
  genesis.nonce = in.fixed<Fixed<16, NonceTag>>();
  const auto signature = in.fixed<Signature>();
  if (!in.finished()) return malformed("The founding record is cut short or has bytes left over.");
  if (!verify(genesis.authority, genesis_message(bytes.first(bytes.size() - Signature::size)),
              signature)) {
    return malformed("The signature of the founding record is wrong.");
  }
  return genesis;
}

FederationId federation_id(ByteView genesis) {
  return FederationId{hash(genesis_label, genesis).bytes};
}

ChapterId chapter_id_below(const ChapterId& parent, std::string_view code) {
  const Digest digest = Hasher(chapter_label).add(parent).add(as_bytes(code)).finish();
  ChapterId id;
  std::copy_n(digest.bytes.begin(), ChapterId::size, id.bytes.begin());
  return id;
}

Signature prove_node(const FederationId& federation,
                     const NodeCertificate& certificate,
                     const SigningKey& node) {
  return node.sign(node_message(federation, certificate));
}

bool verify_node_proof(const FederationId& federation, const NodeCertificate& certificate) {
  return verify(certificate.node, node_message(federation, certificate), certificate.proof);
}

Bytes sign_statement(const FederationId& federation,
                     const Statement& statement,
                     const SigningKey& authority) {
  ByteWriter out;
  out.u8(statement_version)
      .u8(std::visit([](const auto& body) { return type_of(body); }, statement.body));
  out.fixed(statement.issuer).u64(statement.number);
  std::visit([&](const auto& body) { write_body(out, body); }, statement.body);
  out.u8(algorithm_ed25519);
  const Signature signature = authority.sign(statement_message(federation, out.view()));
  return out.fixed(signature).take();
}

Result<Statement> decode_statement(ByteView bytes) {
  constexpr std::size_t tail = 1 + Signature::size;
  if (bytes.size() > limits::statement_bytes || bytes.size() < tail) {
    return malformed("A statement has an impossible length.");
  }
  if (bytes[bytes.size() - tail] != algorithm_ed25519)
    return malformed("A statement has an unknown kind of signature.");
  ByteReader in(bytes.first(bytes.size() - tail));
  if (in.u8() != statement_version) return malformed("A statement has an unknown version.");
  Statement statement;
  const std::uint8_t type = in.u8();
  statement.issuer = in.fixed<ChapterId>();
  statement.number = in.u64();
  switch (static_cast<StatementType>(type)) {
    case StatementType::chapter:
      statement.body = read_chapter(in);
      break;
    case StatementType::node:
      statement.body = read_node(in);
      break;
    case StatementType::revoke:
      statement.body = read_revoke(in);
      break;
    case StatementType::admit:
      statement.body = read_admit(in);
      break;
    case StatementType::successor:
      statement.body = read_successor(in);
      break;
    case StatementType::move:
      statement.body = read_move(in);
      break;
    case StatementType::close:
      statement.body = read_close(in);
      break;
    case StatementType::handover:
      statement.body = read_handover(in);
      break;
    default: {
      const ByteView rest = in.bytes(in.remaining());
      statement.body = UnknownStatement{type, Bytes(rest.begin(), rest.end())};
    }
  }
  if (!in.finished()) return malformed("A statement is cut short or has bytes left over.");
  return statement;
}

bool verify_statement(const FederationId& federation,
                      ByteView statement,
                      const PublicKey& authority) {
  if (statement.size() < Signature::size) return false;
  const ByteView body = statement.first(statement.size() - Signature::size);
  const auto signature = Signature::from(statement.last(Signature::size));
  return verify(authority, statement_message(federation, body), Signature{signature->bytes});
}

}  // namespace chapterd
