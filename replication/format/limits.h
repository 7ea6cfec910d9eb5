// Every maximum of the formats and sessions, with its unit and reason. Nothing else defines one.
#pragma once

#include <cstddef>
#include <cstdint>

namespace chapterd::limits {

// --- entries and runs ---
inline constexpr std::size_t payload_bytes = 48 * 1024;  // more is an attachment, not an entry
inline constexpr std::size_t run_entries = 64;       // one Ed25519 check is worth ~200 chain steps
inline constexpr std::size_t run_bytes = 16 * 1024;  // a slow link is cut at least this often
inline constexpr std::size_t piece_bytes = 60 * 1024;  // payload that is joined into one piece
inline constexpr std::size_t encoded_piece_bytes = 62 * 1024;  // with its intro it fits a frame
inline constexpr std::size_t feed_tips = 8;        // branches of one feed that are carried
inline constexpr std::size_t mark_entries = 1000;  // own entries between two export marks
inline constexpr std::size_t path_chapters = 16;   // depth of the tree of chapters
inline constexpr std::size_t name_bytes = 200;     // names and codes of chapters and nodes
inline constexpr std::size_t intro_bytes = 1280;   // an intro with two full paths and eight tips
inline constexpr std::size_t statement_bytes = 16 * 1024;  // a revocation that lists some 200 feeds

// --- changes ---
inline constexpr unsigned depth = 32;              // nesting of CBOR values
inline constexpr std::size_t field_bytes = 100;    // length of a field's name
inline constexpr std::size_t kind_bytes = 60;      // length of a kind's name
inline constexpr std::size_t operations = 4096;    // operations of one change
inline constexpr std::size_t superseded = 4096;    // value names that one operation supersedes
inline constexpr std::size_t siblings_shown = 64;  // of one field; never cut from the set itself

// --- erase orders ---
inline constexpr std::size_t order_entries = 256;      // entries that one order names
inline constexpr std::size_t order_bytes = 40 * 1024;  // of an order that is written here
inline constexpr std::uint64_t order_reach = 100;      // how far back an unsigned order reaches
inline constexpr std::size_t least_erased = 16;        // bytes: erasing never makes a piece longer

// --- keys of a chapter ---
inline constexpr std::size_t key_wraps = 256;  // in one entry: 32 KiB

// --- sessions ---
inline constexpr std::size_t frame_bytes = 64 * 1024;  // body of a frame, packed or not
inline constexpr std::size_t frame_ratio =
    200;  // most that a packed frame may unpack to, as a multiple
inline constexpr std::size_t window_bytes =
    48 * 1024;                                     // between two MARKs: what a cut costs at most
inline constexpr std::size_t noted_entries = 512;  // acknowledged beyond what is noted of a peer
inline constexpr std::size_t credit_bytes =
    4 * 1024 * 1024;  // unacknowledged bytes under way to a peer
inline constexpr std::size_t scratch_bytes =
    1024 * 1024;  // received and not yet verified, a session
inline constexpr std::size_t output_bytes =
    256 * 1024;  // queued for one peer's socket before reading more of the log
inline constexpr std::size_t piece_scratch_bytes = 512;  // of memory for each piece that waits
inline constexpr std::size_t session_faults = 100;       // the newest ones that are remembered
inline constexpr std::size_t list_items = 4096;          // heads, buckets, feeds named in one frame
inline constexpr unsigned bucket_bits = 13;              // 8,192 hashes of buckets are half a frame
// Statements in a HELLO: a certificate a chapter and the node's, and as much again for changed keys
// and moves.
inline constexpr std::size_t chain_statements = 4 * path_chapters;
inline constexpr std::size_t invite_addresses = 8;      // where a parent answers
inline constexpr std::size_t chapter_keys = 16;         // earlier keys that a move names
inline constexpr std::size_t session_feeds = 1U << 17;  // feeds that one session names to its peer
inline constexpr std::size_t session_new_feeds = 4096;  // more than are stored: what waits is less

// --- bundles ---
inline constexpr std::size_t bundle_recipients = 64;          // nodes that one bundle is sealed to
inline constexpr std::size_t bundle_chunk_bytes = 64 * 1024;  // sealed as one, before sealing
inline constexpr std::size_t bundle_run_bytes =
    2 * 1024 * 1024;  // of sealed chunks that are read as one
inline constexpr std::size_t bundle_content_bytes =
    32 * 1024 * 1024;  // of SEG, unpacked, and receipts in one run: memory of its reader
inline constexpr std::size_t bundle_header_bytes =
    576 * 1024;  // the longest chain and all recipients
inline constexpr std::uint64_t bundle_part_bytes = 1ULL << 30U;  // of one file

// --- times of a session ---
inline constexpr std::int64_t ping_ms = 15'000;        // silence after which a PING goes out
inline constexpr std::int64_t dead_ms = 45'000;        // silence after which a peer counts as gone
inline constexpr std::int64_t end_every_ms = 600'000;  // digests are compared at least this often
inline constexpr std::int64_t handshake_ms = 20'000;   // from connection to a valid HELLO
inline constexpr std::int64_t farewell_ms = 10'000;    // for a revoked node to say that it knows

}  // namespace chapterd::limits
