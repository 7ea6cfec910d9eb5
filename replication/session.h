// One conversation with one peer, without a socket: bytes in, bytes out.
//
// The owner moves bytes both ways, hands what take_inbound() gives to verification and to the
// writer, reports back with stored(), tells committed() when the log grew, and calls tick() at
// next_wake(). Nothing but failed authentication, another federation or a broken stream ends a
// session; everything else concerns one feed. Loop thread only. Frames and order: docs/protocol.md,
// "Course of a session".
#pragma once

#include "base/random.h"
#include "base/time.h"
#include "replication/directory.h"
#include "replication/format/frame.h"
#include "replication/format/limits.h"
#include "replication/offered.h"
#include "replication/outflow.h"
#include "replication/replica.h"
#include "replication/verified.h"

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace chapterd {

enum class Side { dialler, listener };

enum class SessionState {
  opening,  // before HELLO and WELCOME
  open,
  closed,  // see end_code()
};

// What a window carries through verification and the writer back to its session.
struct WindowAccount {
  std::uint64_t content_bytes = 0;  // to be acknowledged once stored
  std::uint64_t scratch_bytes = 0;  // memory that it takes until then, roughly
  std::optional<EndFrame> end;      // came after all of the window
  bool met = false;                 // what Meeting says of it
  bool handed = false;
};

// What came and waits for verification and the writer. Everything since the last take_inbound().
struct InboundWindow {
  std::vector<InboundPiece> pieces;
  std::vector<Bytes> receipts;
  std::optional<Cursor> held;
  std::optional<Cursor> acknowledged;
  std::optional<Meeting> meeting;
  WindowAccount account;
};

struct VerifiedWindow {
  ReceivedWindow received;
  std::vector<RefusedPiece> refused;
  WindowAccount account;
};

// What stored() is told: a window with everything that was refused of it, in verification or by the
// writer.
struct StoredWindow {
  std::vector<RefusedPiece> refused;
  std::optional<Cursor> held;
  WindowAccount account;
};

// Any thread, one window of a session at a time, in order.
[[nodiscard]] VerifiedWindow verify(InboundWindow&& window,
                                    const PublicKey& peer,
                                    PieceVerifier& verifier);

// How long a peer may be silent: until it is asked, and until it counts as gone.
struct Patience {
  std::int64_t ping_ms = limits::ping_ms;
  std::int64_t dead_ms = limits::dead_ms;
};

struct SessionOptions {
  Side side = Side::listener;
  std::uint64_t budget_bytes = 0;  // most that this session may bring; 0: no limit
  bool push_at_once =
      false;  // dialler: do not wait for WELCOME (never in the first session after a start)
  Patience patience{};
  Lanes lanes = Lanes::all;  // what is wanted; less counts when the peer wants less or one waits
};

// Everything that a session needs from its node; must outlive it.
struct SessionContext {
  Directory& directory;
  Reader& reader;
  const SigningKey& key;
  Random& random;
};

class Session {
 public:
  // `peer` comes from the authenticated connection, never from a frame.
  Session(const SessionContext& context,
          const PublicKey& peer,
          const SessionOptions& options,
          Instant now);

  // Takes any slice of the stream, and keeps what has no room yet for resume(). An error means that
  // the stream cannot be followed any more; the session is closed then, with a BYE in the output.
  [[nodiscard]] Result<void> receive(ByteView bytes, Instant now);

  // Goes on with what was kept: after stored() and take_output(), which make room.
  [[nodiscard]] Result<void> resume();

  [[nodiscard]] InboundWindow take_inbound();
  [[nodiscard]] bool has_inbound() const;

  // False while too much waits to be verified, or to be read by the peer: stop reading the socket.
  [[nodiscard]] bool wants_input() const {
    return scratch_bytes_ < limits::scratch_bytes && output_.size() < limits::scratch_bytes;
  }

  void stored(const StoredWindow& window);

  // The directory has followed the log: there may be more for the peer. Also re-checks who the peer
  // is.
  void committed();

  // What to send now; empty when there is nothing or the peer's credit is used up.
  [[nodiscard]] Bytes take_output();

  [[nodiscard]] Instant next_wake() const;
  void tick(Instant now);

  // Says goodbye; the output then holds a BYE. The peer should not call again before
  // `retry_after_ms`.
  void close(const std::string& code, std::uint64_t retry_after_ms = 0);

  [[nodiscard]] SessionState state() const { return state_; }

  // Why it is closed: "peer.bye", "stream.malformed", "node.revoked", "federation.other", …
  [[nodiscard]] const std::string& end_code() const { return end_code_; }

  [[nodiscard]] std::uint64_t retry_after_ms() const { return retry_after_ms_; }

  // Something went its way: the peer stored what we sent, or both agreed.
  [[nodiscard]] bool was_useful() const { return agreed_ || outflow_.has_acknowledgement(); }

  [[nodiscard]] const PublicKey& peer() const { return peer_; }

  // Both sides hold the same of what both may hold, as of the last END.
  [[nodiscard]] bool caught_up() const { return lanes_ == Lanes::all && agrees(); }

  // The same of what this session is about.
  [[nodiscard]] bool agrees() const {
    return caught_up_ && outflow_.drained() && outflow_.all_acknowledged();
  }

  // Heads differ in spite of everything that was tried; shown by status and doctor.
  [[nodiscard]] bool stays_different() const { return stays_different_; }

  // What is exchanged; known once it is open.
  [[nodiscard]] Lanes lanes() const { return lanes_; }

  // One of both was rolled back and waits, or asked for nothing else.
  [[nodiscard]] bool exchanges_only_statements() const { return lanes_ == Lanes::statements; }

  [[nodiscard]] const std::vector<Witness>& witnesses() const { return witnesses_; }

  [[nodiscard]] std::uint64_t entries_sent() const { return outflow_.entries_sent(); }

  // How far the peer's clock was ahead of ours when it said WELCOME; only a dialler is told.
  [[nodiscard]] std::optional<std::int64_t> clock_ahead_ms() const { return clock_ahead_ms_; }

  [[nodiscard]] std::uint64_t waiting_bytes() const { return waiting_bytes_; }

  [[nodiscard]] const std::vector<RefusedPiece>& faults() const { return faults_; }

  [[nodiscard]] std::shared_ptr<PieceVerifier> verifier() const { return verifier_; }

 private:
  // What the peer said of itself in HELLO or WELCOME.
  struct Opening {
    Epoch epoch;
    Cursor cursor;  // into our log
    std::uint64_t holds = 0;
    Lanes lanes = Lanes::all;
    std::optional<std::uint64_t> grant;  // as the peer names ours, when it said so
  };

  using Signers = std::map<ChapterId, PublicKey>;  // a node of each chapter

  struct Offered {
    std::shared_ptr<const FeedOffer> feed;
    bool restarts = false;  // the writer refused a piece: what we hold is told anew
  };

  void send(const Frame& frame);
  Result<void> handle(Frame& frame);
  Result<void> on(HelloFrame& hello);
  Result<void> on(WelcomeFrame& welcome);
  Result<void> on(SegmentFrame& segment);
  Result<void> on(MarkFrame& mark);
  Result<void> on(AckFrame& ack);
  Result<void> on(ReceiptsFrame& receipts);
  Result<void> on(EndFrame& end);
  Result<void> on(BucketsFrame& buckets);
  Result<void> on(HeadsFrame& heads);
  Result<void> on(WantFrame& want);
  Result<void> on(ScopeFrame& scope);
  Result<void> on(PingFrame& ping);
  Result<void> on(PongFrame& pong);
  Result<void> on(FaultFrame& fault);
  Result<void> on(ByeFrame& bye);
  Result<void> on(JoinFrame& join);
  Result<void> on(JoinedFrame& joined);
  Result<void> on(WitnessFrame& witness);
  Result<void> on(UnknownFrame& unknown);

  Result<void> accept_peer(const std::vector<Bytes>& chain);
  [[nodiscard]] std::vector<Bytes> own_chain() const;
  [[nodiscard]] std::uint64_t count_holds() const;
  void open(const Opening& theirs);
  void start_outflow(const Cursor& theirs, std::uint64_t theirs_holds);
  void note_acknowledged();
  void move_cursor(const EndFrame& end);

  // session_witness.cpp
  [[nodiscard]] std::vector<Head> own_heads() const;
  [[nodiscard]] std::vector<ShortHead> heads_of_peer() const;
  [[nodiscard]] std::vector<Witness> witness_for(const HelloFrame& hello);
  [[nodiscard]] std::vector<Witness> witness_of(const std::vector<std::uint64_t>& feeds);
  [[nodiscard]] std::optional<Witness> witness_of(const KnownFeed& feed);
  [[nodiscard]] std::vector<std::uint64_t> doubts_of(const std::vector<ShortHead>& said);
  [[nodiscard]] bool is_doubtful(const ShortHead& said);
  [[nodiscard]] bool shows_rollback(const std::vector<Witness>& witnesses);
  [[nodiscard]] bool shows_rollback(const Witness& witness);
  [[nodiscard]] bool shows_unknown_life(const Witness& witness);
  [[nodiscard]] bool is_above_us() const;
  [[nodiscard]] bool is_top() const;
  [[nodiscard]] bool waits_for_others();
  [[nodiscard]] Lanes wanted_lanes() const;
  Meeting& meeting();
  void note_meeting(Lanes theirs);
  void note_epoch(Epoch epoch);
  [[nodiscard]] bool has_open_fork();
  void note_recovered();
  Result<void> take_segment(const Segment& segment);
  bool take_offer(const SegmentPiece& piece);
  void answer_wants();
  void take_scratch(std::uint64_t bytes);
  void compare_digest(const EndFrame& end);
  void start_buckets(const std::vector<SharedHead>& heads);
  void agree(const EndFrame& end);
  void ask_for_holes();
  void ask_for_receipts();
  [[nodiscard]] Signers signers_elsewhere() const;
  [[nodiscard]] bool comes_from_there(const ChapterId& signer, const ChapterId& peer) const;
  [[nodiscard]] bool lacks_receipt(const KnownFeed& feed, const Signers& signers) const;
  [[nodiscard]] Head verified_from(const FeedId& feed) const;
  void resynced(const EndFrame& end);
  void note_fault(RefusedPiece fault);
  void take_refused(const RefusedPiece& refused);
  void compare_again();
  void ask_from_further_back(const FeedId& feed);
  void fill_output();
  void say_farewell();
  void send_end_when_due();

  Directory& directory_;
  Reader& reader_;
  const SigningKey& key_;
  Random& random_;
  const PublicKey peer_;
  const SessionOptions options_;
  const Epoch epoch_;          // of our database, as it was told to the peer
  bool restored_ = false;      // and what the world holds of it is not all back
  bool waits_ = false;         // we were rolled back, and have not met anybody above us
  Lanes lanes_ = Lanes::all;   // cursors stay where they are unless it is all
  bool doubts_ = false;        // listener: the peer has to show what it holds of our feeds
  bool is_followed_ = false;   // the peer holds of our log all up to what it acknowledged
  bool is_held_back_ = false;  // until the writer has noted to whom our entries go
  Opening doubtful_;           // where our stream starts once it has

  SessionState state_ = SessionState::opening;
  std::string end_code_;
  std::uint64_t retry_after_ms_ = 0;
  FrameParser parser_;
  Outflow outflow_;
  Bytes output_;
  StoredPeer stored_peer_;  // as it was when the session began

  // Receiving.
  std::unordered_map<FeedId, Offered, FixedHash> offers_;
  std::unordered_map<std::uint32_t, Offered*> numbers_;  // nullptr: refused
  std::map<Audience, Unpacker> unpackers_;
  std::shared_ptr<PieceVerifier> verifier_;
  InboundWindow inbound_;
  Cursor held_;              // our position in the peer's log
  bool resync_ = false;      // the peer does not stream from our cursor: digest first
  std::uint64_t holds_ = 0;  // as it was said to the peer
  std::uint64_t scratch_bytes_ = 0;
  std::uint64_t received_bytes_ = 0;
  std::uint64_t waiting_bytes_ = 0;
  std::optional<std::int64_t> clock_ahead_ms_;
  std::vector<RefusedPiece> faults_;
  std::vector<Witness> witnesses_;
  bool asked_for_holes_ = false;
  bool asked_for_receipts_ = false;
  std::unordered_map<FeedId, Head, FixedHash> refilling_;  // where what was asked for begins

  // Comparing.
  bool end_due_ = false;        // send END once everything is out
  bool compare_later_ = false;  // dialler: the digests differ while something is under way
  EndFrame last_end_received_;
  bool has_end_ = false;
  Digest last_end_sent_;

  // For what a branch follows: how often it was asked for, and whether the answer is under way.
  struct AskedBack {
    unsigned times = 0;
    bool is_waiting = false;
  };

  std::map<FeedId, AskedBack> asked_back_;
  Arrival compared_at_;       // our log when digests last differed
  int rounds_ = 0;            // of buckets
  int buckets_answered_ = 0;  // since the last END
  int receipts_answered_ = 0;
  bool awaits_heads_ = false;

  // The smallest and the largest sequence from which on a feed was asked for.
  struct Wanted {
    Sequence first;
    Sequence last;
  };

  std::unordered_map<std::uint64_t, Wanted> wanted_;  // by short name: of this slice
  bool caught_up_ = false;
  bool agreed_ = false;  // at any time
  bool stays_different_ = false;
  Instant ended_at_;

  std::uint64_t authority_version_ = 0;
  std::uint64_t standing_version_ = 0;
  std::optional<Instant> farewell_;  // the peer is revoked: when it was told

  Instant now_;
  Instant began_;
  Instant heard_;
  Instant pinged_;
};

}  // namespace chapterd
