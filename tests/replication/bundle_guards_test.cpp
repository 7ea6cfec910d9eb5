// Bundles made by somebody who has a certified key and breaks the rules inside: what a reader must
// not take although everything opens.
#include "replication/format/limits.h"
#include "replication/format/packing.h"
#include "replication/format/piece.h"
#include "tests/support/bundles.h"
#include "tests/support/tree.h"

#include <gtest/gtest.h>

#include <functional>

namespace chapterd {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the nodes and their words

struct ForgedBundle : Pair {
  BundleKey key = BundleKey::generate(random);
  Bytes sealed_key;  // empty: the right one

  BundleHeader header_by(const TestNode& sender) {
    BundleHeader header;
    header.federation = global->directory->authority().federation();
    header.id = random.fixed<BundleId>();
    header.sender = sender.id();
    header.epoch = sender.directory->epoch();
    header.chain = sender.directory->authority().chain(sender.id());
    const auto box = BoxKey::from_seed(global->key->seed()).public_key();
    const Bytes sealed = sealed_key.empty() ? seal_to(box, key.secret()).value() : sealed_key;
    header.recipients.push_back({global->id(), SealedBundleKey::from(sealed).value()});
    return header;
  }

  // One run of these frames, read by the global node.
  Result<BundleRun> read(const TestNode& sender,
                         ByteView frames,
                         const std::function<void(BundleTrailer&)>& spoil = nullptr) {
    const Bytes head = sign_bundle_header(header_by(sender), *sender.key);
    const BoxKey own = global->box();
    auto reader = BundleReader::open(*global->directory, *global->store, &own, head);
    if (!reader) return forward(reader);
    BundleProgress progress = reader->begin();
    BundleState state = progress.state;
    std::vector<BundleChunk> chunks;
    while (!frames.empty()) {
      const ByteView plain = frames.first(std::min(frames.size(), limits::bundle_chunk_bytes));
      frames = frames.subspan(plain.size());
      const ChunkEnd ends = frames.empty() ? ChunkEnd::last : ChunkEnd::none;
      chunks.push_back(seal_chunk(key, state, ends, plain, random));
    }
    BundleTrailer trailer{chunks.size(), 0, 0, {}};
    trailer = sign_bundle_trailer(trailer, state, *sender.key);
    if (spoil) spoil(trailer);
    return reader->run(chunks, trailer, progress);
  }

  std::string code(const TestNode& sender,
                   ByteView frames,
                   const std::function<void(BundleTrailer&)>& spoil = nullptr) {
    const auto run = read(sender, frames, spoil);
    return run ? "" : run.error().code;
  }

  // The first piece of a feed of `author`, as a segment that introduces it.
  Segment segment_of(TestNode& author, Audience audience) {
    const KnownFeed& feed = *author.directory->feed(author.head(audience).feed);
    const Bytes body = author.store->pieces_of(feed.row, Sequence(1), 1).at(0).body;
    Piece piece = decode_piece(body).value();
    // What has not left its node bears no checkpoint yet.
    const Head head{feed.head.feed, piece.last(), chain(piece, feed.head.feed, {}).back()};
    piece.checkpoint =
        sign_checkpoint(*author.key, author.directory->authority().federation(), head);
    Segment segment;
    segment.audience = audience;
    segment.pieces.push_back({0, feed.intro_bytes, encode(piece)});
    return segment;
  }

  static Bytes framed(const Segment& segment, Audience audience) {
    const Bytes content = encode(segment);
    return encode(Frame(SegmentFrame{audience, false, false, content.size(), content}));
  }

  static Bytes end() { return encode(Frame(EndFrame{})); }
};

TEST_F(ForgedBundle, WithNothingWrongIsTaken) {
  kenya->write_text(up, "insight", "title", "boats");
  Bytes frames = framed(segment_of(*kenya, Audience::up), Audience::up);
  append(frames, end());
  const auto run = read(*kenya, frames);
  ASSERT_TRUE(run) << run.error().what;
  EXPECT_EQ(run->pieces, 1U);
  EXPECT_TRUE(run->window.refused.empty());
  EXPECT_TRUE(run->end.has_value());
}

// Little to carry, much to keep in memory before anything of it is verified.
TEST_F(ForgedBundle, ThatUnpacksWithoutMeasureIsRefused) {
  auto uganda = TestNode::below(*global, "UG");
  uganda->write_text(up, "insight", "title", "not for Kenya to hand on");
  const KnownFeed& foreign = *uganda->directory->feed(uganda->head(Audience::up).feed);
  const auto bomb = [&](std::size_t content_bytes) {
    Packer packer;
    Bytes frames;
    Bytes noise(600);
    for (std::size_t so_far = 0; so_far < content_bytes;) {
      random.fill(noise);
      Segment segment;
      segment.audience = Audience::up;
      segment.pieces.push_back({0, so_far == 0 ? foreign.intro_bytes : Bytes{}, noise});
      segment.pieces.back().piece.resize(60'000);
      const Bytes content = encode(segment);
      append(frames, encode(Frame(SegmentFrame{Audience::up, true, so_far == 0, content.size(),
                                               packer.pack(content)})));
      so_far += content.size();
    }
    return frames;
  };
  const Bytes frames = bomb(limits::bundle_content_bytes);
  EXPECT_LT(frames.size(), limits::bundle_run_bytes);
  EXPECT_EQ(code(*kenya, frames), "bundle.damaged");
  EXPECT_EQ(code(*kenya, bomb(limits::bundle_content_bytes / 2)), "");
}

TEST_F(ForgedBundle, OfASenderWithoutCertificateIsNotOpened) {
  SeededRandom other(24);
  auto stranger = TestNode::founder(other, clock);
  EXPECT_EQ(code(*stranger, end()), "node.unknown");
}

TEST_F(ForgedBundle, WhoseKeyDoesNotOpenIsDamaged) {
  sealed_key = Bytes(SealedBundleKey::size, 7);
  EXPECT_EQ(code(*kenya, end()), "bundle.damaged");
  const auto box = BoxKey::from_seed(global->key->seed()).public_key();
  sealed_key = seal_to(box, BundleKey::generate(random).secret()).value();
  EXPECT_EQ(code(*kenya, end()), "bundle.damaged");
}

TEST_F(ForgedBundle, WithAMalformedFrameIsDamaged) {
  EXPECT_EQ(code(*kenya, Bytes{0x01, 0x0C, 0x00}), "bundle.damaged");
}

TEST_F(ForgedBundle, WithPackedBytesThatDoNotUnpackIsDamaged) {
  const SegmentFrame frame{Audience::up, true, true, 100, Bytes(20, 9)};
  EXPECT_EQ(code(*kenya, encode(Frame(frame))), "bundle.damaged");
}

TEST_F(ForgedBundle, WithASegmentThatIsNoneIsDamaged) {
  const Bytes content{0x0A, 0x05, 0x01};
  const SegmentFrame frame{Audience::up, false, false, content.size(), content};
  EXPECT_EQ(code(*kenya, encode(Frame(frame))), "bundle.damaged");
}

TEST_F(ForgedBundle, ThatUsesAFeedItDidNotIntroduceIsDamaged) {
  kenya->write_text(up, "insight", "title", "boats");
  Segment segment = segment_of(*kenya, Audience::up);
  segment.pieces[0].intro.clear();
  EXPECT_EQ(code(*kenya, framed(segment, Audience::up)), "bundle.damaged");
}

TEST_F(ForgedBundle, ThatIntroducesAFeedWithNonsenseIsDamaged) {
  kenya->write_text(up, "insight", "title", "boats");
  Segment segment = segment_of(*kenya, Audience::up);
  segment.pieces[0].intro = Bytes(40, 1);
  EXPECT_EQ(code(*kenya, framed(segment, Audience::up)), "bundle.damaged");
}

TEST_F(ForgedBundle, WithAFeedAmongThoseOfAnotherAudienceIsDamaged) {
  kenya->write_text(up, "insight", "title", "boats");
  Segment segment = segment_of(*kenya, Audience::up);
  segment.audience = Audience::all;
  EXPECT_EQ(code(*kenya, framed(segment, Audience::all)), "bundle.damaged");
}

TEST_F(ForgedBundle, WithWhatIsPrivateToAChapterBringsNothingOfIt) {
  // From another node of the reader's own chapter, so that nothing else forbids it.
  auto office = TestNode::beside(*global);
  testing::Wire(*office, *global).run();
  office->write_text({Audience::chapter, {}}, "member", "phone", "0700");
  const auto run = read(*office, framed(segment_of(*office, Audience::chapter), Audience::chapter));
  ASSERT_TRUE(run);
  EXPECT_EQ(run->pieces, 0U);
  ASSERT_EQ(run->window.refused.size(), 1U);
  EXPECT_EQ(run->window.refused[0].error.code, "feed.not-ours");
}

TEST_F(ForgedBundle, WithWhatTheReaderMayNotHoldBringsNothingOfIt) {
  // Kisumu's notes to Kenya: their path ends below the global node.
  auto kisumu = TestNode::below(*kenya, "KE-17");
  testing::Wire(*kisumu, *kenya).run();
  kisumu->write_text({Audience::to, kenya->chapter()}, "note", "title", "for Kenya");
  testing::Wire(*kisumu, *kenya).run();
  testing::Wire(*kenya, *global).run();
  const auto run = read(*kenya, framed(segment_of(*kisumu, Audience::to), Audience::to));
  ASSERT_TRUE(run);
  EXPECT_EQ(run->pieces, 0U);
  ASSERT_EQ(run->window.refused.size(), 1U);
  EXPECT_EQ(run->window.refused[0].error.code, "feed.not-ours");
}

TEST_F(ForgedBundle, WithAnEndThatDoesNotFitIsDamaged) {
  EXPECT_EQ(code(*kenya, end()), "");
  EXPECT_EQ(code(*kenya, end(), [](BundleTrailer& trailer) { trailer.entries = 9; }),
            "bundle.damaged");
  EXPECT_EQ(code(*kenya, end(), [](BundleTrailer& trailer) { trailer.signature = {}; }),
            "bundle.damaged");
}

TEST_F(ForgedBundle, ThatCountsOtherChunksThanItHasIsDamaged) {
  const Bytes head = sign_bundle_header(header_by(*kenya), *kenya->key);
  const BoxKey own = global->box();
  auto reader = BundleReader::open(*global->directory, *global->store, &own, head);
  ASSERT_TRUE(reader);
  BundleProgress progress = reader->begin();
  BundleState state = progress.state;
  const BundleChunk chunk = seal_chunk(key, state, ChunkEnd::last, end(), random);
  const BundleTrailer trailer = sign_bundle_trailer({2, 0, 0, {}}, state, *kenya->key);
  const auto run = reader->run({chunk}, trailer, progress);
  ASSERT_FALSE(run);
  EXPECT_EQ(run.error().code, "bundle.damaged");
  EXPECT_EQ(progress.chunks, 0U);
}

}  // namespace
}  // namespace chapterd
