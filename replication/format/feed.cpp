// Bytes of feed intros.
#include "replication/format/feed.h"

#include "base/byte_stream.h"
#include "replication/format/limits.h"

#include <algorithm>

namespace chapterd {
namespace {

constexpr std::uint8_t intro_version = 1;

tl::unexpected<Error> malformed(const char* what) {
  return fail(Errc::malformed, "format.feed-intro", what);
}

void write_path(ByteWriter& out, const ChapterPath& path) {
  out.fixed(path.chapter).u8(static_cast<std::uint8_t>(path.above.size()));
  for (const ChapterId& chapter : path.above) out.fixed(chapter);
}

ChapterPath read_path(ByteReader& in) {
  ChapterPath path;
  path.chapter = in.fixed<ChapterId>();
  const std::uint8_t count = in.u8();
  if (count > limits::path_chapters) in.mark_bad();
  for (unsigned i = 0; i < count && in.good(); ++i) path.above.push_back(in.fixed<ChapterId>());
  return path;
}

Predecessor read_predecessor(ByteReader& in) {
  Predecessor predecessor;
  predecessor.tip.feed = in.fixed<FeedId>();
  predecessor.tip.seq = Sequence(in.u64());
  predecessor.tip.hash = in.fixed<EntryHash>();
  const std::uint8_t why = in.u8();
  if (why < 1 || why > 4 || predecessor.tip.seq.value == 0) in.mark_bad();
  predecessor.why = static_cast<Continues>(why);
  return predecessor;
}

}  // namespace

bool is_above(const ChapterId& ancestor, const ChapterPath& path) {
  return std::find(path.above.begin(), path.above.end(), ancestor) != path.above.end();
}

bool is_between(const ChapterId& chapter, const ChapterPath& home, const ChapterPath& target) {
  const auto line = [](const ChapterPath& path) {
    std::vector<ChapterId> whole = path.above;
    whole.push_back(path.chapter);
    return whole;
  };
  const std::vector<ChapterId> a = line(home);
  const std::vector<ChapterId> b = line(target);
  std::size_t shared = 0;
  while (shared < std::min(a.size(), b.size()) && a[shared] == b[shared]) ++shared;
  const auto from = static_cast<std::ptrdiff_t>(shared == 0 ? 0 : shared - 1);
  return std::find(a.begin() + from, a.end(), chapter) != a.end() ||
         std::find(b.begin() + from, b.end(), chapter) != b.end();
}

Bytes encode(const FeedIntro& intro) {
  ByteWriter out(256);
  out.u8(intro_version).u8(algorithm_ed25519).fixed(intro.node);
  write_path(out, intro.home);
  out.u8(static_cast<std::uint8_t>(intro.audience));
  if (intro.target) write_path(out, *intro.target);
  out.fixed(intro.incarnation).u8(static_cast<std::uint8_t>(intro.predecessors.size()));
  for (const Predecessor& predecessor : intro.predecessors) {
    out.fixed(predecessor.tip.feed).u64(predecessor.tip.seq.value).fixed(predecessor.tip.hash);
    out.u8(static_cast<std::uint8_t>(predecessor.why));
  }
  return out.take();
}

Result<FeedIntro> decode_feed_intro(ByteView bytes) {
  if (bytes.size() > limits::intro_bytes) return malformed("The intro of a feed is too long.");
  ByteReader in(bytes);
  if (in.u8() != intro_version) return malformed("The intro of a feed has an unknown version.");
  if (in.u8() != algorithm_ed25519) return malformed("A feed uses an unknown kind of key.");
  FeedIntro intro;
  intro.node = in.fixed<PublicKey>();
  intro.home = read_path(in);
  const auto audience = audience_from(in.u8());
  if (!audience) return malformed("The audience of a feed is unknown.");
  intro.audience = *audience;
  if (intro.audience == Audience::to) intro.target = read_path(in);
  intro.incarnation = in.fixed<Incarnation>();
  const std::uint8_t predecessors = in.u8();
  if (predecessors > limits::feed_tips) in.mark_bad();
  for (unsigned i = 0; i < predecessors && in.good(); ++i) {
    intro.predecessors.push_back(read_predecessor(in));
  }
  if (!in.finished()) return malformed("The intro of a feed is cut short or has bytes left over.");
  return intro;
}

FeedId feed_id(const FederationId& federation, ByteView intro) {
  return FeedId{Hasher("chapterd/feed/1").add(federation).add(intro).finish().bytes};
}

}  // namespace chapterd
