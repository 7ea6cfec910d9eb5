// Bytes of pieces, and the chain of hashes through one.
#include "replication/format/piece.h"

#include "base/byte_stream.h"
#include "base/contract.h"
#include "replication/format/limits.h"

#include <numeric>

namespace chapterd {
namespace {

// First byte of a piece.
constexpr std::uint8_t piece_version = 0x10;
constexpr std::uint8_t has_salts = 1;  // a salt an entry instead of the run's seed
constexpr std::uint8_t has_checkpoint = 2;
constexpr std::uint8_t has_prev = 4;  // the hash before the first entry

// One byte an entry: kind in the low four bits, header flags above, then "erased".
constexpr std::uint8_t kind_mask = 0x0F;
constexpr unsigned flags_shift = 4;
constexpr std::uint8_t flags_mask = flag_run_end | flag_sealed;
constexpr std::uint8_t erased_bit = 0x40;
constexpr std::uint8_t reserved_bit = 0x80;

tl::unexpected<Error> malformed(const char* what) {
  return fail(Errc::malformed, "format.piece", what);
}

void write_columns(ByteWriter& out, const Piece& piece) {
  for (const PieceEntry& entry : piece.entries) {
    const auto top =
        static_cast<std::uint8_t>(entry.flags << flags_shift | (entry.erased ? erased_bit : 0));
    out.u8(static_cast<std::uint8_t>(top | static_cast<std::uint8_t>(entry.kind)));
  }
  std::uint64_t last = 0;
  for (const PieceEntry& entry : piece.entries) {
    // Times are 64 bits and may be anything: the difference is taken modulo 2^64.
    out.zigzag(static_cast<std::int64_t>(entry.time.value - last));
    last = entry.time.value;
  }
  for (const PieceEntry& entry : piece.entries) out.varint(entry.payload_bytes);
}

// What everybody must be able to check: without it nobody could say who may do what.
bool is_never_erased(EntryKind kind) {
  return kind == EntryKind::authority || kind == EntryKind::erase || kind == EntryKind::life;
}

bool read_columns(ByteReader& in, Piece& piece) {
  for (std::size_t i = 0; i < piece.entries.size(); ++i) {
    PieceEntry& entry = piece.entries[i];
    const std::uint8_t byte = in.u8();
    entry.kind = static_cast<EntryKind>(byte & kind_mask);
    entry.flags = byte >> flags_shift & flags_mask;
    if ((byte & erased_bit) != 0) entry.erased.emplace();
    const bool ends_run = (entry.flags & flag_run_end) != 0;
    if ((byte & reserved_bit) != 0 || (byte & kind_mask) == 0) return false;
    if (entry.erased && piece.seed) return false;  // the seed would give the erased salt away
    if (entry.erased && is_never_erased(entry.kind)) return false;
    if (ends_run && i + 1 != piece.entries.size()) return false;
  }
  std::uint64_t last = 0;
  for (PieceEntry& entry : piece.entries) {
    last += static_cast<std::uint64_t>(in.zigzag());
    entry.time = HybridTime{last};
  }
  for (PieceEntry& entry : piece.entries) {
    const std::uint64_t size = in.varint();
    if (size > limits::payload_bytes) return false;
    entry.payload_bytes = static_cast<std::uint32_t>(size);
  }
  return in.good();
}

void read_payloads(ByteReader& in, Piece& piece) {
  for (PieceEntry& entry : piece.entries) {
    if (entry.erased) {
      entry.erased = in.fixed<Commitment>();
    } else {
      if (!piece.seed) entry.salt = in.fixed<Salt>();
      entry.payload = in.bytes(entry.payload_bytes);
    }
  }
}

std::size_t payload_sum(const Piece& piece) {
  return std::accumulate(
      piece.entries.begin(), piece.entries.end(), std::size_t{0},
      [](std::size_t sum, const PieceEntry& entry) { return sum + entry.payload.size(); });
}

}  // namespace

Bytes encode(const Piece& piece) {
  CHECK(!piece.entries.empty() && piece.entries.size() <= limits::run_entries);
  ByteWriter out(payload_sum(piece) + piece.entries.size() * 12 + 128);
  out.u8(static_cast<std::uint8_t>(piece_version | (piece.seed ? 0 : has_salts) |
                                   (piece.checkpoint ? has_checkpoint : 0) |
                                   (piece.prev ? has_prev : 0)));
  out.varint(piece.first.value);
  if (piece.prev) out.fixed(*piece.prev);
  out.u8(static_cast<std::uint8_t>(piece.entries.size()));
  if (piece.seed) out.fixed(*piece.seed);
  write_columns(out, piece);
  for (const PieceEntry& entry : piece.entries) {
    if (entry.erased) {
      out.fixed(*entry.erased);
    } else {
      if (!piece.seed) out.fixed(*entry.salt);
      out.bytes(entry.payload);
    }
  }
  if (piece.checkpoint) out.fixed(*piece.checkpoint);
  return out.take();
}

Result<Piece> decode_piece(ByteView bytes) {
  if (bytes.size() > limits::encoded_piece_bytes) return malformed("A piece is too long.");
  ByteReader in(bytes);
  Piece piece;
  const std::uint8_t form = in.u8();
  if ((form & ~(has_salts | has_checkpoint | has_prev)) != piece_version)
    return malformed("A piece has an unknown form.");
  piece.first = Sequence(in.varint());
  if ((form & has_prev) != 0) piece.prev = in.fixed<EntryHash>();
  const std::uint8_t count = in.u8();
  if (count == 0 || count > limits::run_entries)
    return malformed("A piece has no entries or too many.");
  if (piece.first.value == 0 || piece.first.value > UINT64_MAX - count) {
    return malformed("A piece starts at an impossible place.");
  }
  // Before the first entry of a feed there is none: one encoding a value.
  if (piece.prev && piece.first == Sequence(1))
    return malformed("A piece names what comes before the first entry.");
  if ((form & has_salts) == 0) piece.seed = in.fixed<RunSeed>();
  piece.entries.resize(count);
  if (!in.good() || !read_columns(in, piece))
    return malformed("The table of a piece breaks a rule.");
  read_payloads(in, piece);
  // With salts instead of the seed it must still have room.
  if (payload_sum(piece) > limits::piece_bytes)
    return malformed("The payloads of a piece are too long.");
  if ((form & has_checkpoint) != 0) piece.checkpoint = in.fixed<Signature>();
  if (!in.finished()) return malformed("A piece is cut short or has bytes left over.");
  return piece;
}

std::vector<EntryHash> chain(const Piece& piece, const FeedId& feed, const EntryHash& prev) {
  std::vector<EntryHash> hashes;
  hashes.reserve(piece.entries.size());
  Header header;
  header.feed = feed;
  header.seq = piece.first;
  header.prev = prev;
  for (const PieceEntry& entry : piece.entries) {
    header.kind = entry.kind;
    header.flags = entry.flags;
    header.time = entry.time;
    header.payload_bytes = entry.payload_bytes;
    if (entry.erased) {
      header.commitment = *entry.erased;
    } else {
      header.commitment =
          commit(piece.seed ? salt_for(*piece.seed, header.seq.value) : *entry.salt, entry.payload);
    }
    hashes.push_back(entry_hash(header));
    header.prev = hashes.back();
    header.seq = header.seq.next();
  }
  return hashes;
}

void give_salts(Piece& piece) {
  if (!piece.seed) return;
  std::uint64_t seq = piece.first.value;
  for (PieceEntry& entry : piece.entries) entry.salt = salt_for(*piece.seed, seq++);
  piece.seed.reset();
}

void erase(Piece& piece, std::size_t index) {
  PieceEntry& entry = piece.entries[index];
  if (entry.erased) return;
  give_salts(piece);
  entry.erased = commit(*entry.salt, entry.payload);
  entry.payload = {};
  entry.salt.reset();
}

bool can_join(const Piece& first, const Piece& second) {
  return first.seed && second.seed && *first.seed == *second.seed &&
         second.first == first.last().next() && (first.entries.back().flags & flag_run_end) == 0 &&
         first.entries.size() + second.entries.size() <= limits::run_entries &&
         payload_sum(first) + payload_sum(second) <= limits::piece_bytes;
}

void join(Piece& first, const Piece& second) {
  CHECK(can_join(first, second));
  first.entries.insert(first.entries.end(), second.entries.begin(), second.entries.end());
  first.checkpoint = second.checkpoint;
}

}  // namespace chapterd
