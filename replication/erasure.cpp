// The tables of erasures, and who may order one.
#include "replication/erasure.h"

#include "base/byte_stream.h"
#include "replication/format/limits.h"

#include <algorithm>

namespace chapterd {
namespace {

constexpr std::string_view order_prefix = "erase/order/";  // entry hash/arrival of the order
constexpr std::string_view hole_prefix = "erase/hole/";    // feed row/seq
constexpr std::string_view newest_name = "erase/newest";   // arrival of the newest that counts
constexpr std::string_view doubt_prefix = "erase/doubt/";  // arrival of the order: feed row, seq

std::string number_text(std::uint64_t number) {
  ByteWriter out;
  return to_hex(out.u64(number).view());
}

NamedValue noted(std::string name) {
  return {std::move(name), Bytes{1}};
}

NamedValue forgotten(std::string name) {
  return {std::move(name), {}};
}

std::string order_name(const EntryHash& entry, Arrival order) {
  return std::string(order_prefix) + to_hex(entry.view()) + "/" + number_text(order.value);
}

std::string hole_name(FeedRow feed, Sequence seq) {
  return std::string(hole_prefix) + number_text(feed.value) + "/" + number_text(seq.value);
}

std::string doubt_name(Arrival order) {
  return std::string(doubt_prefix) + number_text(order.value);
}

std::uint64_t number_at(std::string_view name, std::size_t at) {
  const auto bytes = from_hex(name.substr(std::min(at, name.size()), 16));
  if (!bytes || bytes->size() != 8) throw Damaged("a note about an erasure is damaged");
  return ByteReader(*bytes).u64();
}

OrderedErasure read_erasure(const NamedValue& stored) {
  ByteReader in(stored.value);
  OrderedErasure erasure;
  erasure.entry.feed = in.fixed<FeedId>();
  erasure.entry.seq = Sequence(in.u64());
  erasure.entry.hash = in.fixed<EntryHash>();
  erasure.feed = FeedRow(in.u64());
  erasure.seq = Sequence(in.u64());
  erasure.arrival = Arrival(in.u64());
  if (!in.finished()) throw Damaged("a note about an erasure is damaged");
  return erasure;
}

}  // namespace

bool is_authorised(const Authority& authority,
                   const FeedIntro& feed,
                   const Head& place,
                   const EraseOrder& order,
                   ByteView payload) {
  if (order.chapter_signature) {
    return std::ranges::any_of(authority.keys_ever(feed.home.chapter), [&](const PublicKey& key) {
      return verify_erase_order(authority.federation(), payload, key);
    });
  }
  return std::ranges::all_of(order.entries, [&](const Head& entry) {
    return entry.feed == place.feed && entry.seq < place.seq &&
           place.seq.value - entry.seq.value <= limits::order_reach;
  });
}

bool same_layer(const FeedIntro& a, const FeedIntro& b) {
  const auto target = [](const FeedIntro& intro) {
    return intro.target ? intro.target->chapter : ChapterId{};
  };
  return a.home.chapter == b.home.chapter && a.audience == b.audience && target(a) == target(b);
}

bool can_be_erased(const PieceEntry& entry) {
  return entry.kind == EntryKind::data && entry.payload_bytes >= limits::least_erased;
}

Arrival newest_order(Reader& reader) {
  const auto stored = reader.values(std::string(newest_name));
  return stored.empty() ? Arrival(0) : Arrival(ByteReader(stored.front().value).u64());
}

bool is_newest_order_between(Reader& reader, Arrival before, Arrival through) {
  const Arrival newest = newest_order(reader);
  return before < newest && newest <= through;
}

std::map<FeedRow, Sequence> holes_in(Reader& reader) {
  std::map<FeedRow, Sequence> holes;
  for (const NamedValue& stored : reader.values(std::string(hole_prefix))) {
    const FeedRow feed(number_at(stored.name, hole_prefix.size()));
    holes.try_emplace(feed, Sequence(number_at(stored.name, hole_prefix.size() + 17)));
  }
  return holes;
}

Erasures Erasures::load(Reader& reader) {
  Erasures erasures;
  for (const NamedValue& stored : reader.values(std::string(order_prefix)))
    static_cast<void>(erasures.add(read_erasure(stored)));
  for (const NamedValue& stored : reader.values(std::string(hole_prefix))) {
    const FeedRow feed(number_at(stored.name, hole_prefix.size()));
    erasures.holes_[feed].insert(Sequence(number_at(stored.name, hole_prefix.size() + 17)));
  }
  for (const NamedValue& stored : reader.values(std::string(doubt_prefix))) {
    const Arrival order(number_at(stored.name, doubt_prefix.size()));
    ByteReader in(stored.value);
    const FeedRow feed(in.u64());
    const Sequence seq(in.u64());
    if (!in.finished()) throw Damaged("a note about an erasure is damaged");
    static_cast<void>(erasures.doubt(order, feed, seq));
  }
  return erasures;
}

bool Erasures::in_force(const Head& entry,
                        const FeedIntro& feed,
                        const Directory& directory) const {
  const auto at = orders_.find(entry.hash);
  return at != orders_.end() && std::ranges::any_of(at->second, [&](const OrderedErasure& order) {
           if (order.entry != entry || order.feed.value > directory.feeds().size()) return false;
           const KnownFeed& from = directory.feed(order.feed);
           return same_layer(from.intro, feed) && order.seq <= Directory::standing_head(from).seq;
         });
}

Sequence Erasures::first_hole(FeedRow feed) const {
  const auto at = holes_.find(feed);
  return at == holes_.end() || at->second.empty() ? Sequence(0) : *at->second.begin();
}

Sequence Erasures::first_unproved(FeedRow feed) const {
  const Sequence hole = first_hole(feed);
  const auto order = unobeyed_.lower_bound({feed, Sequence(0)});
  if (order == unobeyed_.end() || order->first.first != feed) return hole;
  const Sequence seq = order->first.second;
  return hole == Sequence(0) ? seq : std::min(hole, seq);
}

bool Erasures::is_hole(FeedRow feed, Sequence seq) const {
  const auto at = holes_.find(feed);
  return at != holes_.end() && at->second.contains(seq);
}

std::vector<NamedValue> Erasures::forget(Arrival order) {
  std::vector<NamedValue> notes;
  for (auto at = orders_.begin(); at != orders_.end();) {
    auto& [hash, orders] = *at;
    const auto is_it = [&](const OrderedErasure& each) { return each.arrival == order; };
    if (std::erase_if(orders, is_it) > 0) notes.push_back(forgotten(order_name(hash, order)));
    at = orders.empty() ? orders_.erase(at) : std::next(at);
  }
  if (doubtful_.contains(order)) notes.push_back(trust(order));
  return notes;
}

NamedValue Erasures::add(const OrderedErasure& erasure) {
  std::vector<OrderedErasure>& orders = orders_[erasure.entry.hash];
  std::erase_if(orders,
                [&](const OrderedErasure& known) { return known.arrival == erasure.arrival; });
  orders.push_back(erasure);
  feeds_.insert(erasure.entry.feed);
  ByteWriter out;
  out.fixed(erasure.entry.feed).u64(erasure.entry.seq.value).fixed(erasure.entry.hash);
  out.u64(erasure.feed.value).u64(erasure.seq.value).u64(erasure.arrival.value);
  return {order_name(erasure.entry.hash, erasure.arrival), out.take()};
}

NamedValue Erasures::add_hole(FeedRow feed, Sequence seq) {
  holes_[feed].insert(seq);
  return noted(hole_name(feed, seq));
}

NamedValue Erasures::close_hole(FeedRow feed, Sequence seq) {
  holes_[feed].erase(seq);
  return forgotten(hole_name(feed, seq));
}

NamedValue Erasures::newest(Arrival order) {
  ByteWriter out;
  return {std::string(newest_name), out.u64(order.value).take()};
}

NamedValue Erasures::doubt(Arrival order, FeedRow feed, Sequence seq) {
  doubtful_.insert(order);
  unobeyed_[{feed, seq}] = order;
  ByteWriter out;
  return {doubt_name(order), out.u64(feed.value).u64(seq.value).take()};
}

NamedValue Erasures::trust(Arrival order) {
  doubtful_.erase(order);
  std::erase_if(unobeyed_, [&](const auto& each) { return each.second == order; });
  return forgotten(doubt_name(order));
}

}  // namespace chapterd
