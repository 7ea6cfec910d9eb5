// Orders to erase, and the search for what should be gone.
#include "tests/support/erasing.h"

#include "replication/stored_piece.h"
#include "tests/support/forms.h"

#include <algorithm>
#include <fstream>
#include <stdexcept>

namespace chapterd::testing {
namespace {

FeedOffer offer_of(const KnownFeed& feed) {
  return {feed.head.feed, feed.intro, feed.intro_bytes};
}

void deliver(TestNode& to, const PublicKey& from, const KnownFeed& feed, std::vector<Bytes> bytes) {
  PieceVerifier verifier(to.replica->directory().authority().federation());
  const auto offer = std::make_shared<const FeedOffer>(offer_of(feed));
  ReceivedWindow window;
  window.peer = from;
  for (Bytes& each : bytes) {
    auto verified = verifier.verify({offer, head_held(to, feed.head.feed), std::move(each), false});
    if (!verified) throw std::runtime_error("not verified: " + verified.error().code);
    window.pieces.push_back(std::move(*verified));
  }
  const Received received = to.replica->receive(std::move(window));
  if (!received.refused.empty())
    throw std::runtime_error("refused: " + received.refused.front().error.code);
  to.commit();
}

}  // namespace

void erase_texts(TestNode& node,
                 const Address& address,
                 const std::string& record,
                 const std::string& field,
                 const std::string& text) {
  Erasing erasing{address, record_named(record), {}, EraseReason::request, node.authority.get()};
  const auto space =
      node.replica->directory().space_row(node.chapter(), address.audience, address.target);
  if (!space) throw std::runtime_error("nothing was written there");
  for (const LayerEntry& entry : node.replica->entries_in(*space, erasing.record)) {
    ChangeView change;
    if (entry.kind != EntryKind::data || !decode_change(entry.payload, change)) continue;
    const bool writes = std::ranges::any_of(
        change.operations, [&](const OperationView& each) { return each.field == field; });
    const bool has = as_text(entry.payload).find(text) != std::string_view::npos;
    if (writes && has) erasing.entries.push_back(entry.place.hash);
  }
  const auto written = node.replica->erase(erasing);
  if (!written) throw std::runtime_error(written.error().code);
  node.commit();
}

void erase_some(TestNode& node,
                const Address& address,
                const std::string& record,
                SeededRandom& random) {
  Erasing erasing{address, record_named(record), {}, EraseReason::request, node.authority.get()};
  const auto space =
      node.replica->directory().space_row(node.chapter(), address.audience, address.target);
  if (!space) return;
  for (const LayerEntry& entry : node.replica->entries_in(*space, erasing.record)) {
    if (random.below(2) == 0) erasing.entries.push_back(entry.place.hash);
  }
  if (node.replica->erase(erasing)) node.commit();
}

Head place_of(TestNode& node, const Written& written) {
  return {node.replica->directory().feed(written.feed).head.feed, written.seq, written.hash};
}

Head head_held(TestNode& node, const FeedId& feed) {
  const KnownFeed* known = node.replica->directory().feed(feed);
  return known == nullptr ? Head{feed, Sequence(0), EntryHash{}} : known->head;
}

void send_feed(TestNode& from, TestNode& to, const FeedId& feed) {
  send_feed_without(from, to, feed, Sequence(0));
}

void send_feed_without(TestNode& from, TestNode& to, const FeedId& feed, Sequence withheld) {
  const Directory& directory = from.replica->directory();
  const KnownFeed& known = *directory.feed(feed);
  std::vector<Bytes> bytes;
  for (const StoredPiece& stored : from.store->pieces_of(known.row, Sequence(1), SIZE_MAX)) {
    Piece piece = decoded(stored);
    if (piece.last() <= head_held(to, feed).seq) continue;
    if (!piece.checkpoint)
      piece.checkpoint = sign_checkpoint(*from.key, directory.authority().federation(),
                                         {feed, piece.last(), stored.last});
    if (piece.first <= withheld && withheld <= piece.last())
      erase(piece, withheld.value - piece.first.value);
    bytes.push_back(encode(piece));
  }
  deliver(to, from.id(), known, std::move(bytes));
}

void send_forced_order(TestNode& author,
                       TestNode& to,
                       const FeedId& feed,
                       const EraseOrder& order) {
  send_forced(author, to, feed, EntryKind::erase, encode(order));
}

void send_forced(
    TestNode& author, TestNode& to, const FeedId& feed, EntryKind kind, const Bytes& payload) {
  const Directory& directory = author.replica->directory();
  const KnownFeed& known = *directory.feed(feed);
  Piece piece;
  piece.first = known.head.seq.next();
  piece.seed = author.random->fixed<RunSeed>();
  PieceEntry entry;
  entry.kind = kind;
  entry.payload_bytes = static_cast<std::uint32_t>(payload.size());
  entry.payload = payload;
  piece.entries.push_back(entry);
  const Head end{feed, piece.first, chain(piece, feed, known.head.hash).back()};
  piece.checkpoint = sign_checkpoint(*author.key, directory.authority().federation(), end);
  deliver(to, author.id(), known, {encode(piece)});
}

bool holds_text(const std::string& folder, const std::string& text) {
  const std::vector<std::string> forms = forms_of(text);
  for (const auto& each : std::filesystem::recursive_directory_iterator(folder)) {
    if (!each.is_regular_file()) continue;
    std::ifstream in(each.path(), std::ios::binary);
    const std::string content((std::istreambuf_iterator<char>(in)), {});
    const bool found = std::ranges::any_of(
        forms, [&](const std::string& form) { return content.find(form) != std::string::npos; });
    if (found) return true;
  }
  return false;
}

bool holds_text(TestNode& node, const std::string& text) {
  return holds_text(node.folder.path(), text);
}

}  // namespace chapterd::testing
