// Breaks one rule at a time in a sample that is otherwise right.
#include "tests/format/refusals.h"

#include "replication/format/sealed.h"

namespace chapterd {
namespace {

using samples::World;

class Refusals {
 public:
  Refusals& add(const char* as, const char* why, const Bytes& bytes) {
    list_.push_back({{"as", as}, {"why", why}, {"hex", to_hex(bytes)}});
    return *this;
  }

  [[nodiscard]] Json take() { return std::move(list_); }

 private:
  Json list_ = Json::array();
};

Bytes with(Bytes bytes, std::size_t at, std::uint8_t value) {
  bytes.at(at) = value;
  return bytes;
}

Bytes without(Bytes bytes, std::size_t at, std::size_t count) {
  const auto from = bytes.begin() + static_cast<std::ptrdiff_t>(at);
  bytes.erase(from, from + static_cast<std::ptrdiff_t>(count));
  return bytes;
}

Bytes with_tail(Bytes bytes) {
  bytes.push_back(0);
  return bytes;
}

Bytes unhex(std::string_view text) {
  return from_hex(text).value();
}

void add_statements(Refusals& out, const World& world) {
  const Bytes& genesis = world.genesis_bytes;
  out.add("genesis", "unknown version", with(genesis, 0, 2))
      .add("genesis", "signature does not fit", with(genesis, 2, 'c'))
      .add("genesis", "bytes left over", with_tail(genesis));
  const Bytes& chapter = world.statements[0].value.bytes;
  const std::size_t body = 26;
  out.add("statement", "unknown version", with(chapter, 0, 2))
      .add("statement", "unknown kind of key", with(chapter, body + 16, 2))
      .add("statement", "unknown kind of signature", with(chapter, chapter.size() - 65, 2))
      .add("statement", "name is no UTF-8", with(chapter, body + 50, 0xFF))
      .add("statement", "no chapter above", with(chapter, body + 59, 0))
      .add("statement", "one byte short", without(chapter, body + 60, 1));
  const Bytes& revoke = world.statements[3].value.bytes;
  out.add("statement", "more cuts than bytes", with(revoke, body + 47, 2));
  const Bytes& rotation = world.statements[5].value.bytes;
  const Bytes& listed = world.statements[6].value.bytes;
  const Bytes& move = world.statements[8].value.bytes;
  const std::size_t said_by = body + 49;
  out.add("statement", "successor by nobody", with(rotation, said_by, 0))
      .add("statement", "successor by an unknown authority", with(rotation, said_by, 4))
      .add("statement", "rotation that lists what stands", with(listed, said_by, 1))
      .add("statement", "more that stands than bytes", with(listed, said_by + 2, 200))
      .add("statement", "neither all nor a list", with(listed, said_by + 1, 2))
      .add("statement", "move without its certificate", with(move, body, 0))
      .add("statement", "address is no UTF-8", with(move, move.size() - 66, 0xFF));
}

void add_feeds(Refusals& out, const World& world) {
  const Bytes& all = world.feeds[0].value.bytes;
  const Bytes& to = world.feeds[2].value.bytes;
  const Bytes& continued = world.feeds[3].value.bytes;
  out.add("feed", "unknown version", with(all, 0, 0))
      .add("feed", "unknown kind of key", with(all, 1, 2))
      .add("feed", "path too long", with(all, 50, 17))
      .add("feed", "audience 0", with(all, 67, 0))
      .add("feed", "unknown audience", with(all, 67, 7))
      .add("feed", "to without target", with(all, 67, 5))
      .add("feed", "target without to", with(to, 67, 6))
      .add("feed", "more than eight predecessors", with(continued, 84, 9))
      .add("feed", "unknown reason to continue", with(continued, continued.size() - 1, 5))
      .add("feed", "predecessor without entries", with(continued, continued.size() - 34, 0))
      .add("feed", "bytes left over", with_tail(all));
}

// One entry after a seed, without checkpoint; `rest` zeros stand for payload or commitment.
Bytes one_entry(std::string_view first, std::string_view table, std::size_t rest) {
  Bytes out = unhex("10");
  append(out, unhex(first));
  out.push_back(1);
  append(out, samples::counting<RunSeed>(0x50).view());
  append(out, unhex(table));
  append(out, Bytes(rest, 0));
  return out;
}

void add_pieces(Refusals& out, const World& world) {
  const Bytes seeded = encode(world.pieces[0].value.piece);
  const std::size_t table = 19;  // after form, first, count and seed
  out.add("piece", "unknown form", with(seeded, 0, 0x22))
      .add("piece", "unknown bit of the form", with(seeded, 0, 0x1A))
      .add("piece", "sequence 0", with(seeded, 1, 0))
      .add("piece", "something before the first entry", with(seeded, 0, 0x16))
      .add("piece", "no entries", with(seeded, 2, 0))
      .add("piece", "more than 64 entries", with(seeded, 2, 65))
      .add("piece", "kind 0", with(seeded, table, 0x00))
      .add("piece", "reserved bit", with(seeded, table, 0x81))
      .add("piece", "goes on after the end of its run", with(seeded, table, 0x11))
      .add("piece", "an erased entry beside a seed", one_entry("01", "410005", 32))
      .add("piece", "cut short", without(seeded, seeded.size() - 1, 1))
      .add("piece", "bytes left over", with_tail(seeded))
      .add("piece", "first sequence not in its shortest form", one_entry("8100", "010000", 0));
}

void add_changes(Refusals& out) {
  const std::string start = "8601500102030405060708090a0b0c0d0e0f10";  // array, version, record
  const std::string kind = "67696e736967687401";                       // "insight", schema 1
  const std::string head = start + kind;
  const std::string entry = "480123456789abcdef";
  const auto add = [&](const char* why, const std::string& text) {
    out.add("change", why, unhex(text));
  };
  add("record of 15 bytes", "86014f0102030405060708090a0b0c0d0e0f" + kind + "8080");
  add("no kind", start + "60018080");
  add("schema above 32 bits", start + "67696e73696768741b00000001000000008080");
  add("set without value", head + "808182617400");
  add("clear with a value that is no list of names", head + "80818361740101");
  add("unknown action", head + "80818361740401");
  add("field without a name", head + "808183600001");
  add("value with an indefinite array", head + "8081836174009fff");
  add("value that is tagged", head + "808183617400c001");
  add("entries not in order", head + "8248ff23456789abcdef" + entry + "8184617400018400000100");
  add("entry listed twice", head + "82" + entry + entry + "8184617400018400000100");
  add("entry that nobody names", head + "81" + entry + "818361740001");
  add("empty list of names", head + "81" + entry + "81846174000180");
  add("odd list of names", head + "81" + entry + "8184617400018100");
  add("name of an entry that is not listed", head + "81" + entry + "818461740001820100");
  add("operation number 4096", head + "81" + entry + "8184617400018200191000");
  add("bytes left over", head + "808000");
  add("version 0", "8600500102030405060708090a0b0c0d0e0f10" + kind + "8080");
}

void add_erase_orders(Refusals& out) {
  const std::string record = "500102030405060708090a0b0c0d0e0f10";
  const std::string start = "8601" + record + "67696e736967687400";  // "insight", no reason
  const std::string zero(64, '0');
  const std::string entry = "5848" + std::string(64, '1') + "0000000000000007" + zero;
  const std::string later = "5848" + std::string(64, '1') + "0000000000000008" + zero;
  const std::string name = "0123456789abcdef0000";
  const auto add = [&](const char* why, const std::string& text) {
    out.add("erase order", why, unhex(text));
  };
  add("no entries", start + "8080");
  add("entries not in order", start + "82" + later + entry + "80");
  add("entry named twice", start + "82" + entry + entry + "80");
  add("entry with the sequence 0",
      start + "815848" + std::string(64, '1') + "0000000000000000" + zero + "80");
  add("entry of 71 bytes",
      start + "815847" + std::string(62, '1') + "0000000000000007" + zero + "80");
  add("field without names", start + "81" + entry + "8182617440");
  add("name of 9 bytes", start + "81" + entry + "8182617449" + "0123456789abcdef00");
  add("operation number 4096", start + "81" + entry + "818261744a" + "0123456789abcdef1000");
  add("name twice", start + "81" + entry + "8182617454" + name + name);
  add("field twice", start + "81" + entry + "82826174" + "4a" + name + "826174" + "4a" + name);
  add("no kind", "8601" + record + "600081" + entry + "80");
  add("reason above 255", "8601" + record + "67696e736967687419010081" + entry + "80");
  add("signature of 63 bytes",
      "87" + start.substr(2) + "81" + entry + "80583f" + std::string(126, '2'));
  add("signature missing", "87" + start.substr(2) + "81" + entry + "80");
  add("bytes left over", start + "81" + entry + "8000");
  add("version 0", "8600" + start.substr(4) + "81" + entry + "80");
}

void add_frames(Refusals& out, const World& world) {
  const auto add = [&](const char* why, std::string_view text) {
    out.add("frame", why, unhex(text));
  };
  add("type 0", "0000");
  add("length not in its shortest form", "80000c");
  add("length over 64 KiB", "8180040c");
  add("ping with a body", "010c00");
  add("mark of an unknown lane", "02040300");
  add("seg of an unknown audience", "0303070000");
  add("seg with unknown flags", "0303060400");
  add("plain seg of another size", "0303060001");
  add("buckets of too many bits", "090800000000000000000e");
  add("buckets with one hash too few", "0d0800000000000000000100000000");
  add("heads with too many bits", "03090e0000");
  add("heads with a bucket twice", "05090602030000");
  add("heads with a bucket past the last", "040901010200");
  add("heads with a bucket step over 32 bits", "0909060200808080801000");
  add("code that is no UTF-8", "030f01ff00");
  add("want with more feeds than bytes", "010a01");
  add("witness with more feeds than bytes", "011201");
  const Bytes hello = encode(samples::find(world.frames, "HELLO"));
  Bytes cut = without(hello, hello.size() - 1, 1);
  cut[0] = static_cast<std::uint8_t>(cut[0] - 1);
  out.add("frame", "hello cut short", cut);
  constexpr std::size_t one_short_head = 1 + 8 + 2 + 4;  // behind the lanes, with its count
  out.add("frame", "hello with unknown lanes", with(hello, hello.size() - one_short_head - 1, 3));
  out.add("segment", "cut short", unhex("0a05010203"));
  out.add("segment", "intro of no bytes", unhex("0b0000"));
  out.add("segment", "feed number over 2^20", unhex("8080800100"));
}

}  // namespace

Json refusals_of(const World& world) {
  Refusals out;
  add_statements(out, world);
  add_feeds(out, world);
  add_pieces(out, world);
  add_changes(out);
  add_erase_orders(out);
  out.add("receipt", "unknown version", with(world.receipts[0].value.bytes, 0, 2))
      .add("receipt", "unknown kind of key", with(world.receipts[0].value.bytes, 1, 2))
      .add("receipt", "bytes left over", with_tail(world.receipts[0].value.bytes));
  const std::string epoch = "0002aabbccddeeff";
  out.add("life", "nothing over", unhex(epoch))
      .add("life", "over itself", unhex(epoch + epoch))
      .add("life", "over a later one", unhex(epoch + "0002aabbccddef00"))
      .add("life", "bytes left over", unhex(epoch + "000111223344556600"));
  const Bytes wraps = encode(std::vector{KeyWrap{{1, {}}, world.kenya_node.public_key(), {}}});
  out.add("keys", "unknown version", with(wraps, 0, 2))
      .add("keys", "none", with(wraps, 1, 0))
      .add("keys", "more than there are", with(wraps, 1, 2))
      .add("keys", "generation 0", with(wraps, 5, 0))
      .add("keys", "bytes left over", with_tail(wraps));
  add_frames(out, world);
  return out.take();
}

}  // namespace chapterd
