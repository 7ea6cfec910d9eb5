// Turns decoded structures into JSON, field by field in order of their bytes.
#include "tests/format/describe.h"

#include "replication/format/cbor.h"

#include <bit>

namespace chapterd {
namespace {

template <class List, class Each>
Json list_of(const List& list, Each each) {
  Json all = Json::array();
  for (const auto& item : list) all.push_back(each(item));
  return all;
}

Json blobs(const std::vector<Bytes>& list) {
  return list_of(list, [](const Bytes& blob) { return to_hex(blob); });
}

Json arrivals_of(const std::array<Arrival, cursor_lanes>& arrivals) {
  return list_of(arrivals, [](Arrival arrival) { return arrival.value; });
}

template <class Ids>
Json ids(const Ids& list) {
  return list_of(list, [](const auto& id) { return to_hex(id.view()); });
}

Json describe(const ChapterPath& path) {
  return {{"chapter", hex_of(path.chapter)}, {"above", ids(path.above)}};
}

Json describe(const Cursor& cursor) {
  return {{"epoch", cursor.epoch.value},
          {"grant", cursor.grant},
          {"arrivals", arrivals_of(cursor.arrivals)}};
}

Json body_of(const ChapterCertificate& chapter) {
  return {{"chapter", hex_of(chapter.chapter)},
          {"authority", hex_of(chapter.authority)},
          {"code", chapter.code},
          {"name", chapter.name},
          {"level", chapter.level},
          {"above", ids(chapter.above)}};
}

Json body_of(const NodeCertificate& node) {
  return {{"node", hex_of(node.node)},         {"box", hex_of(node.box)},
          {"chapter", hex_of(node.chapter)},   {"name", node.name},
          {"capabilities", node.capabilities}, {"proof", hex_of(node.proof)}};
}

Json body_of(const Revoke& revoke) {
  return {{"node", hex_of(revoke.node)},
          {"reason", revoke.reason},
          {"cuts", list_of(revoke.cuts, [](const Head& cut) { return describe(cut); })}};
}

Json body_of(const Close& close) {
  return {{"node", hex_of(close.node)},
          {"tips", list_of(close.tips, [](const Head& tip) { return describe(tip); })}};
}

Json body_of(const Handover& handover) {
  return {{"node", hex_of(handover.node)},
          {"heir", hex_of(handover.heir)},
          {"lives", ids(handover.lives)}};
}

Json body_of(const Admit& admit) {
  return {{"node", hex_of(admit.node)},
          {"heads", list_of(admit.heads, [](const Head& head) { return describe(head); })}};
}

Json body_of(const Successor& successor) {
  Json json = {{"chapter", hex_of(successor.chapter)},
               {"authority", hex_of(successor.authority)},
               {"by", static_cast<unsigned>(successor.by)},
               {"recovery", nullptr},
               {"stands", nullptr},
               {"acceptance", hex_of(successor.acceptance)}};
  if (successor.by == SuccessorBy::recovery) json["recovery"] = hex_of(successor.recovery);
  if (successor.stands)
    json["stands"] = list_of(*successor.stands, [](const auto& id) { return hex_of(id); });
  return json;
}

Json body_of(const Move& move) {
  return {{"certificate", to_hex(move.certificate)},
          {"keys", list_of(move.keys, [](const auto& key) { return hex_of(key); })},
          {"parent", hex_of(move.parent)},
          {"addresses", move.addresses}};
}

Json body_of(const UnknownStatement& unknown) {
  return {{"body", to_hex(unknown.body)}};
}

Json describe_short(const ShortHead& head) {
  return {{"feed", head.feed}, {"seq", head.seq.value}, {"hash", head.hash}};
}

Json describe_witness(const Witness& witness) {
  Json json = describe(witness.head);
  json["checkpoint"] = hex_of(witness.checkpoint);
  json["intro"] = to_hex(witness.intro);
  return json;
}

Json fields(const HelloFrame& frame) {
  return {{"version_least", frame.version_least},
          {"version_most", frame.version_most},
          {"federation", hex_of(frame.federation)},
          {"epoch", frame.epoch.value},
          {"chain", blobs(frame.chain)},
          {"cursor", describe(frame.cursor)},
          {"holds", frame.holds},
          {"own", list_of(frame.own, [](const Head& head) { return describe(head); })},
          {"budget_bytes", frame.budget_bytes},
          {"lanes", frame.lanes},
          {"yours", list_of(frame.yours, describe_short)}};
}

Json fields(const WelcomeFrame& frame) {
  return {{"version", frame.version},
          {"epoch", frame.epoch.value},
          {"chain", blobs(frame.chain)},
          {"cursor", describe(frame.cursor)},
          {"holds", frame.holds},
          {"time", frame.time.ms},
          {"grant", frame.grant},
          {"waiting_bytes", frame.waiting_bytes},
          {"witness", list_of(frame.witness, describe_witness)},
          {"lanes", frame.lanes},
          {"doubts", frame.doubts}};
}

Json fields(const SegmentFrame& frame) {
  return {{"audience", name_of(frame.audience)},
          {"packed", frame.packed},
          {"new_stream", frame.new_stream},
          {"size", frame.size},
          {"content", to_hex(frame.content)}};
}

Json fields(const MarkFrame& frame) {
  return {{"lane", frame.lane}, {"arrival", frame.arrival.value}};
}

Json fields(const AckFrame& frame) {
  return {{"arrivals", arrivals_of(frame.arrivals)}, {"bytes", frame.bytes}};
}

Json fields(const ReceiptsFrame& frame) {
  return {{"receipts", blobs(frame.receipts)}};
}

Json fields(const EndFrame& frame) {
  return {{"arrivals", arrivals_of(frame.arrivals)}, {"digest", hex_of(frame.digest)}};
}

Json fields(const BucketsFrame& frame) {
  return {{"salt", frame.salt}, {"bits", frame.bits}, {"hashes", frame.hashes}};
}

Json fields(const HeadsFrame& frame) {
  return {{"bits", frame.bits},
          {"buckets", frame.buckets},
          {"heads", list_of(frame.heads, describe_short)}};
}

Json fields(const WantFrame& frame) {
  const auto want = [](const WantFrame::Want& each) {
    return Json{{"feed", each.feed}, {"from", each.from.value}};
  };
  return {{"feeds", list_of(frame.feeds, want)}};
}

Json fields(const ScopeFrame& frame) {
  return {{"added", ids(frame.added)}, {"removed", ids(frame.removed)}};
}

Json fields(const PingFrame& /*frame*/) {
  return Json::object();
}

Json fields(const PongFrame& /*frame*/) {
  return Json::object();
}

Json fields(const FaultFrame& frame) {
  return {{"feed", hex_of(frame.feed)}, {"code", frame.code}};
}

Json fields(const ByeFrame& frame) {
  return {{"code", frame.code}, {"retry_after_ms", frame.retry_after_ms}};
}

Json fields(const JoinFrame& frame) {
  return {{"request", to_hex(frame.request)}};
}

Json fields(const JoinedFrame& frame) {
  return {{"answer", to_hex(frame.answer)}};
}

Json fields(const WitnessFrame& frame) {
  return {{"witness", list_of(frame.witness, describe_witness)}};
}

Json fields(const UnknownFrame& frame) {
  return {{"unknown", frame.type}};
}

Json cbor_value(CborReader& in) {
  switch (in.peek()) {
    case CborType::uint:
    case CborType::negative:
      return in.integer();
    case CborType::bytes:
      return {{"bytes", to_hex(in.bytes(SIZE_MAX))}};
    case CborType::text:
      return in.text(SIZE_MAX);
    case CborType::boolean:
      return in.boolean();
    case CborType::real: {
      ByteWriter raw;
      raw.u64(std::bit_cast<std::uint64_t>(in.real()));
      return {{"float", to_hex(raw.view())}};
    }
    case CborType::array: {
      Json list = Json::array();
      const std::uint64_t items = in.array(UINT64_MAX);
      for (std::uint64_t i = 0; i < items; ++i) list.push_back(cbor_value(in));
      return list;
    }
    case CborType::map: {
      Json map = Json::object();
      const std::uint64_t pairs = in.map(UINT64_MAX);
      for (std::uint64_t i = 0; i < pairs; ++i) {
        const std::string key(in.text(SIZE_MAX));
        map[key] = cbor_value(in);
      }
      return {{"map", std::move(map)}};
    }
    case CborType::null:
    case CborType::invalid:
      break;
  }
  in.null();
  return nullptr;
}

}  // namespace

Json describe_cbor(ByteView item) {
  CborReader in(item);
  return cbor_value(in);
}

Json describe(const Head& head) {
  return {{"feed", hex_of(head.feed)}, {"seq", head.seq.value}, {"hash", hex_of(head.hash)}};
}

Json describe(const Genesis& genesis) {
  return {{"name", genesis.name},
          {"created", genesis.created.ms},
          {"chapter", hex_of(genesis.chapter)},
          {"code", genesis.code},
          {"authority", hex_of(genesis.authority)},
          {"recovery", hex_of(genesis.recovery)},
          {"nonce", hex_of(genesis.nonce)}};
}

Json describe(const Statement& statement) {
  Json json{{"issuer", hex_of(statement.issuer)}, {"number", statement.number}};
  json["body"] = std::visit([](const auto& body) { return body_of(body); }, statement.body);
  return json;
}

Json describe(const FeedIntro& intro) {
  const auto predecessor = [](const Predecessor& each) {
    Json json = describe(each.tip);
    json["why"] = static_cast<int>(each.why);
    return json;
  };
  return {{"node", hex_of(intro.node)},
          {"home", describe(intro.home)},
          {"audience", name_of(intro.audience)},
          {"target", intro.target ? describe(*intro.target) : Json(nullptr)},
          {"incarnation", hex_of(intro.incarnation)},
          {"predecessors", list_of(intro.predecessors, predecessor)}};
}

Json describe(const Piece& piece) {
  const auto entry = [](const PieceEntry& each) {
    return Json{{"kind", static_cast<int>(each.kind)},
                {"flags", each.flags},
                {"time", each.time.value},
                {"payload_bytes", each.payload_bytes},
                {"payload", each.erased ? Json(nullptr) : Json(to_hex(each.payload))},
                {"erased", each.erased ? hex_of(*each.erased) : Json(nullptr)}};
  };
  return {{"first", piece.first.value},
          {"prev", piece.prev ? hex_of(*piece.prev) : Json(nullptr)},
          {"seed", piece.seed ? hex_of(*piece.seed) : Json(nullptr)},
          {"entries", list_of(piece.entries, entry)},
          {"checkpoint", piece.checkpoint ? hex_of(*piece.checkpoint) : Json(nullptr)}};
}

Json describe(const ChangeView& change) {
  const auto name = [](const ValueName& each) {
    return Json{{"entry", each.entry}, {"operation", each.operation}};
  };
  const auto operation = [&](const OperationView& each) {
    return Json{{"field", each.field},
                {"action", static_cast<int>(each.action)},
                {"value", each.value.empty() ? Json(nullptr) : Json(to_hex(each.value))},
                {"reads", each.value.empty() ? Json(nullptr) : describe_cbor(each.value)},
                {"supersedes", list_of(change.supersedes(each), name)}};
  };
  return {{"record", hex_of(change.record)},
          {"kind", change.kind},
          {"schema", change.schema},
          {"operations", list_of(change.operations, operation)}};
}

Json describe(const EraseOrder& order) {
  const auto name = [](const ValueName& each) {
    return Json{{"entry", each.entry}, {"operation", each.operation}};
  };
  const auto entry = [](const Head& each) { return describe(each); };
  const auto superseded = [&](const Superseded& each) {
    return Json{{"field", each.field}, {"names", list_of(each.names, name)}};
  };
  return {
      {"record", hex_of(order.record)},
      {"kind", order.kind},
      {"reason", static_cast<int>(order.reason)},
      {"entries", list_of(order.entries, entry)},
      {"superseded", list_of(order.superseded, superseded)},
      {"signature", order.chapter_signature ? hex_of(*order.chapter_signature) : Json(nullptr)}};
}

Json describe(const Receipt& receipt) {
  return {{"node", hex_of(receipt.node)},
          {"epoch", receipt.epoch.value},
          {"head", describe(receipt.head)}};
}

Json describe(const Life& life) {
  return {{"epoch", life.epoch.value},
          {"over", list_of(life.over, [](Epoch epoch) { return Json(epoch.value); })}};
}

Json describe(const Segment& segment) {
  return list_of(segment.pieces, [](const SegmentPiece& piece) {
    return Json{
        {"feed", piece.feed}, {"intro", to_hex(piece.intro)}, {"piece", to_hex(piece.piece)}};
  });
}

Json describe(const Frame& frame) {
  return std::visit([](const auto& each) { return fields(each); }, frame);
}

}  // namespace chapterd
