// What goes to one peer, or into a bundle for several: lanes in order, windows ended by marks,
// never more than the peer gave credit for.
#pragma once

#include "crypto/node_key.h"
#include "replication/directory.h"
#include "replication/format/frame.h"
#include "replication/format/packing.h"
#include "replication/format/piece.h"
#include "replication/reconcile.h"

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace chapterd {

// Loop thread only. Everything handed in must outlive it.
class Outflow {
 public:
  Outflow(const Directory& directory, Reader& reader, const SigningKey& key, const PublicKey& peer);
  // Into a bundle: what all of these may hold, of which there is at least one, and no `chapter`
  // feeds: they go from machine to machine of the chapter.
  Outflow(const Directory& directory,
          Reader& reader,
          const SigningKey& key,
          std::vector<PublicKey> recipients);

  // Rows of peers are known only after a first commit; until then nothing came from this one.
  void set_peer_row(std::uint64_t row) { peer_row_ = row; }

  [[nodiscard]] std::uint64_t peer_row() const { return peer_row_; }

  // From here on in our log; also starts again from another place.
  void start(const std::array<Arrival, cursor_lanes>& from);

  [[nodiscard]] bool started() const { return started_; }

  // From here on nothing goes out but what is wanted. Unless it is all, only feeds of
  // statements count as shared.
  void keep_to(Lanes wanted);

  // Sends a feed again from `from`, on the backfill lane, whatever the cursor says.
  void backfill(FeedRow feed, Sequence from);

  // Sends the receipts that are held for a branch, when they go this way.
  void send_receipts(FeedRow feed) { asked_receipts_.insert(feed); }

  // Appends frames to `out` until it holds limits::output_bytes, the peer's credit is used up, the
  // session's budget is spent or nothing is left.
  void fill(Bytes& out);

  // Errc::malformed when the peer acknowledges what was never sent.
  [[nodiscard]] Result<void> acknowledged(const AckFrame& ack);

  // After the authority changed: what the peer may hold now and may hold no more. Added feeds go on
  // the backfill lane.
  [[nodiscard]] std::optional<ScopeFrame> rescope();

  // The peer did not take it: it may not have known yet that it may.
  void introduce_again(const FeedId& feed);

  // Everything that the peer may have has been queued.
  [[nodiscard]] bool drained() const;

  [[nodiscard]] bool all_acknowledged() const { return in_flight_.empty(); }

  // The peer has stored something that it was sent.
  [[nodiscard]] bool has_acknowledgement() const { return content_acknowledged_ > 0; }

  [[nodiscard]] const std::array<Arrival, cursor_lanes>& sent() const { return sent_; }

  [[nodiscard]] const std::array<Arrival, cursor_lanes>& acknowledged_arrivals() const {
    return acknowledged_;
  }

  [[nodiscard]] std::uint64_t entries_sent() const { return entries_sent_; }

  [[nodiscard]] std::uint64_t receipts_sent() const { return receipts_sent_; }

  [[nodiscard]] std::uint64_t bytes_sent() const { return content_sent_; }

  // What both may hold of each other in this session: shared_heads(), or only `auth` feeds.
  [[nodiscard]] std::vector<SharedHead> heads() const;

  // The same as the peer had acknowledged them: feeds under way count at their old head.
  [[nodiscard]] std::vector<SharedHead> acknowledged_heads() const;
  [[nodiscard]] HeadOf acknowledged_head_of() const;
  // The same at these heads.
  [[nodiscard]] std::vector<SharedHead> heads(const HeadOf& head_of) const;

 private:
  struct OutPiece {
    FeedRow feed;
    Audience audience = Audience::all;
    Bytes bytes;
    Sequence last;
    EntryHash hash;   // of the last entry
    Sequence before;  // head that the peer has before it
    EntryHash before_hash;
  };

  struct InFlight {
    std::uint64_t content_end = 0;  // content_sent_ after it
    FeedRow feed;
    Sequence before;
    EntryHash before_hash;
  };

  bool send_lane(Lane lane, Bytes& out);
  bool send_receipts(Bytes& out);
  bool send_asked_receipts(Bytes& out);
  void send_frame(ReceiptsFrame frame, Bytes& out);
  bool send_backfill(Bytes& out);
  void send_pieces(std::vector<OutPiece> pieces, Bytes& out);
  void send_segment(Segment& segment, Bytes& out);
  void send_mark(Lane lane, Bytes& out);
  [[nodiscard]] bool is_known(FeedRow feed) const;
  [[nodiscard]] bool granted(FeedRow feed);
  [[nodiscard]] bool all_may_hold(const FeedIntro& intro) const;
  [[nodiscard]] bool leads_home(const FeedIntro& intro) const;
  [[nodiscard]] bool is_in_lanes(FeedRow feed) const;
  [[nodiscard]] bool goes_out(const StoredPiece& piece);
  [[nodiscard]] bool stands(const StoredPiece& piece) const;
  [[nodiscard]] OutPiece signed_piece(const StoredPiece& stored,
                                      Piece piece,
                                      const EntryHash& before);
  [[nodiscard]] std::vector<OutPiece> prepare(const std::vector<StoredPiece>& stored,
                                              Sequence from);
  std::uint32_t number_of(FeedRow feed, SegmentPiece& piece);

  const Directory& directory_;
  Reader& reader_;
  const SigningKey& key_;
  const PublicKey peer_;
  const std::vector<PublicKey> recipients_;  // of a bundle; empty on a link
  std::uint64_t peer_row_ = 0;

  bool started_ = false;
  Lanes lanes_ = Lanes::all;
  std::array<Arrival, cursor_lanes> sent_{};
  std::array<Arrival, cursor_lanes> acknowledged_{};
  std::map<FeedRow, Sequence> backfill_;                  // next to send of each
  std::set<FeedRow> asked_receipts_;                      // sent once there is nothing else
  std::unordered_map<std::uint64_t, Sequence> sent_seq_;  // of feeds that were on the backfill lane
  std::unordered_map<std::uint64_t, std::uint32_t> numbers_;  // feed row → number in this session
  std::unordered_set<std::uint64_t> refused_;                 // feed rows, to be introduced again
  std::unordered_map<std::uint64_t, Position> last_sent_;  // feed row → what was sent last of it
  std::vector<std::uint8_t> granted_;                      // by feed row: 0 not asked, 1 yes, 2 no
  std::uint64_t grant_ = 0;
  std::uint64_t authority_version_ = 0;
  std::uint64_t content_sent_ = 0;
  std::uint64_t content_acknowledged_ = 0;
  std::uint64_t entries_sent_ = 0;
  std::uint64_t receipts_sent_ = 0;
  std::deque<InFlight> in_flight_;
  std::map<Audience, Packer> packers_;
};

}  // namespace chapterd
