// Frames in a file instead of on a link, so that anybody can be the courier. Written and read in
// runs of bounded size, each of which stands for itself: nothing has to live between two of them.
#pragma once

#include "replication/directory.h"
#include "replication/format/bundle_file.h"
#include "replication/reconcile.h"
#include "replication/session.h"

#include <optional>
#include <string>
#include <vector>

namespace chapterd {

struct BundlePlan {
  std::vector<PublicKey> recipients;
  BundleKind kind = BundleKind::data;
  // Of one file, at least 2 * limits::bundle_run_bytes; kept but for the last part, which takes the
  // rest.
  std::uint64_t limit_bytes = limits::bundle_part_bytes;
  bool whole = false;  // from the beginning of the log, whatever is known of the recipients
};

// Where a writer stands: what begins a part, and what goes on with it.
struct BundlePlace {
  BundleId id;
  std::uint32_t part = 1;
  std::uint32_t parts = 0;  // 0: not known yet, as when sizes are estimated
  bool begun = false;       // the header of this part is written
  bool ended = false;       // the whole bundle is
  std::array<Arrival, cursor_lanes> at{};
  BundleState state;
  std::uint64_t bytes = 0;  // of this part
  BundleTrailer counts;     // of this part
};

// Writes what the recipients may hold and do not have as far as is known.
class BundleWriter {
 public:
  // Everything must outlive it. `now` is only for people to read.
  struct Parts {
    const Directory& directory;
    Reader& reader;
    const SigningKey& key;
    Random& random;
    Instant now;
  };

  // Errors: bundle.no-recipient (nobody, or this node itself), bundle.too-many, bundle.stranger
  // (a recipient is not certified, or revoked).
  [[nodiscard]] static Result<BundleWriter> open(const Parts& parts, BundlePlan plan);

  [[nodiscard]] BundlePlace begin() const;

  // The next run of the file, with the header or the trailer when it is the first or the last;
  // moves `place` on, which then stands at the beginning of a part or within one.
  [[nodiscard]] Result<Bytes> next(BundlePlace& place);

 private:
  BundleWriter(const Parts& parts, BundlePlan plan) : parts_(parts), plan_(std::move(plan)) {}

  [[nodiscard]] std::array<Arrival, cursor_lanes> start() const;
  [[nodiscard]] std::uint64_t grant() const;
  [[nodiscard]] BundleKey key_of(const BundlePlace& place) const;
  Result<Bytes> header(const BundlePlace& place) const;
  bool fill(BundlePlace& place, Bytes& frames);
  void end(const BundlePlace& place, Bytes& frames) const;

  Parts parts_;
  BundlePlan plan_;
};

// The heads that two nodes compare by bundles: shared_heads() without `chapter` feeds.
[[nodiscard]] std::vector<SharedHead> bundle_heads(const Directory& directory,
                                                   const PublicKey& peer);

// What has been read of one part so far.
struct BundleProgress {
  BundleState state;
  std::uint64_t chunks = 0;
  std::uint64_t refused = 0;  // pieces that were not taken: then no cursor moves
};

// What one run brings, checked.
struct BundleRun {
  VerifiedWindow window;
  std::uint64_t pieces = 0;
  std::optional<EndFrame> end;  // in the last run, once the trailer is verified
};

// Opens what was sealed to this node. One part an object; runs in their order.
class BundleReader {
 public:
  // Everything must outlive it. `box` is null while the node's key for sealed things is locked:
  // bundle.locked (needs_person). Errors beside that and those of decode_bundle_header():
  // federation.other, bundle.not-for-us, node.unknown, node.revoked (all not_allowed),
  // bundle.damaged.
  [[nodiscard]] static Result<BundleReader> open(const Directory& directory,
                                                 Reader& reader,
                                                 const BoxKey* box,
                                                 ByteView header);

  [[nodiscard]] BundleProgress begin() const;

  // A run, or what a truncated file has left of it; the trailer belongs to the last run. What
  // comes out is for Replica::receive(). Errors: bundle.damaged; nothing of the run is taken then.
  [[nodiscard]] Result<BundleRun> run(const std::vector<BundleChunk>& chunks,
                                      const std::optional<BundleTrailer>& trailer,
                                      BundleProgress& progress) const;

  [[nodiscard]] const BundleHeader& header() const { return header_; }

  [[nodiscard]] const Authority& authority() const { return authority_; }

 private:
  BundleReader(const Directory& directory,
               Reader& reader,
               Authority authority,
               BundleHeader header,
               BundleKey key,
               BundleState state);

  class Inflow;
  [[nodiscard]] bool is_one_scope() const;
  void note_cursors(const Inflow& inflow, std::uint64_t refused, BundleRun& run) const;
  [[nodiscard]] Sequence sender_holds(const KnownFeed& feed,
                                      const std::vector<ShortHead>& tips) const;
  [[nodiscard]] std::array<Arrival, cursor_lanes> held_there(
      const std::vector<ShortHead>& heads) const;

  const Directory& directory_;
  Reader& reader_;
  Authority authority_;  // with the sender's chain
  BundleHeader header_;
  BundleKey key_;
  BundleState state_;
};

}  // namespace chapterd
