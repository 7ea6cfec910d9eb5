// A database whose bytes were changed, opened by the real store: it is refused, or what is read of
// it says that it is damaged; a record that can be read shows what it showed before.
#include "base/byte_stream.h"
#include "replication/merge.h"
#include "tests/fuzz/nodes.h"
#include "tests/fuzz/target.h"

#include <set>

namespace chapterd {
namespace {

struct Original {
  fuzz::Pair pair;
  std::set<Bytes> layers;

  Original() {
    pair.rewind();
    for (const StoredLayer& layer : pair.kenya->store->layers_after(LayerRow(0), 1000))
      layers.insert(layer.state);
  }
};

Original& original() {
  static Original made;
  return made;
}

// Each change: where, how many bytes, and what is added to each.
Bytes changed(ByteReader& in, Bytes database) {
  for (int changes = 0; changes < 8 && in.good() && in.remaining() >= 5; ++changes) {
    const std::size_t at = in.u16() * std::size_t{8191} + in.u8();
    const std::size_t count = 1 + in.u8() % 16;
    const std::uint8_t by = in.u8();
    for (std::size_t i = 0; i < count; ++i) database[(at + i) % database.size()] += by;
  }
  return database;
}

void read_everything(testing::TestNode& node) {
  for (const StoredLayer& layer : node.store->layers_after(LayerRow(0), 1000)) {
    if (decode_layer(layer.state)) CHECK(original().layers.contains(layer.state));
  }
  for (const KnownFeed& feed : node.directory->feeds())
    for (const StoredPiece& piece : node.store->pieces_of(feed.row, Sequence(1), 1 << 20))
      static_cast<void>(decode_piece(piece.body));
  static_cast<void>(node.store->peers());
  static_cast<void>(node.store->check());
  static_cast<void>(node.replica->rebuild());
  node.write_text({Audience::all, {}}, "new", "title", "written on a damaged disk");
  static_cast<void>(node.store->check());
}

void check(ByteView bytes) {
  testing::TestNode& kenya = *original().pair.kenya;
  ByteReader in(bytes);
  fuzz::Saved saved = original().pair.saved_kenya;
  saved.database = changed(in, std::move(saved.database));
  fuzz::put_back(kenya, saved);
  try {
    kenya.restart();
    read_everything(kenya);
  } catch (const std::runtime_error&) {
    // Broken, or refused at the start: in words, both.
  }
  try {
    fuzz::close(kenya);
  } catch (const std::runtime_error&) {
    // What closing could not write was not confirmed to anybody.
  }
}

}  // namespace
}  // namespace chapterd

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  chapterd::check({data, size});
  return 0;
}
