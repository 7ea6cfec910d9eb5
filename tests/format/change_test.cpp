// Changes: what is written reads back, what breaks a rule is refused.
#include "replication/format/change.h"

#include "replication/format/cbor.h"
#include "replication/format/limits.h"
#include "tests/crypto/seeded_random.h"
#include "tests/crypto/vectors.h"
#include "tests/format/samples.h"

#include <gtest/gtest.h>

namespace chapterd {
namespace {

Change a_change() {
  return {samples::counting<RecordId>(1), "insight", 1, {}};
}

Bytes text(std::string_view value) {
  return CborWriter().text(value).take();
}

// The change that a view shows, owned.
Change owned(const ChangeView& view) {
  Change change{view.record, std::string(view.kind), view.schema, {}};
  for (const OperationView& each : view.operations) {
    const auto names = view.supersedes(each);
    change.operations.push_back({std::string(each.field),
                                 each.action,
                                 Bytes(each.value.begin(), each.value.end()),
                                 {names.begin(), names.end()}});
  }
  return change;
}

bool reads(const Bytes& bytes) {
  ChangeView view;
  return decode_change(bytes, view).has_value();
}

TEST(Change, ComesBackToTheSameBytes) {
  const samples::World world = samples::make_world();
  for (const Bytes& payload : world.payloads) {
    ChangeView view;
    ASSERT_TRUE(decode_change(payload, view));
    EXPECT_EQ(encode(owned(view)), payload);
  }
}

TEST(Change, ComesBackForAnyOperationsAndNames) {
  SeededRandom random(11);
  ChangeView view;  // used again and again, as readers do
  for (int round = 0; round < 300; ++round) {
    Change change = a_change();
    for (std::uint64_t left = random.number() % 20; left > 0; --left) {
      const auto action = static_cast<Action>(random.number() % 4);
      const Bytes value = action == Action::clear ? Bytes() : text("v");
      Operation operation{"field" + std::to_string(random.number() % 5), action, value, {}};
      for (std::uint64_t names = random.number() % 4; names > 0; --names) {
        operation.supersedes.push_back(
            {random.number() % 9, static_cast<std::uint16_t>(random.number() % 4096)});
      }
      change.operations.push_back(std::move(operation));
    }
    const Bytes bytes = encode(change);
    ASSERT_TRUE(decode_change(bytes, view)) << "round " << round;
    EXPECT_EQ(encode(owned(view)), bytes) << "round " << round;
    EXPECT_EQ(view.operations.size(), change.operations.size());
  }
}

TEST(Change, ListsAnEntryOnceHoweverOftenItsValuesAreNamed) {
  Change change = a_change();
  for (std::uint16_t i = 0; i < 100; ++i) {
    change.operations.push_back({"f", Action::set, text("v"), {{0x1122334455667788U, i}}});
  }
  const Bytes bytes = encode(change);
  const Bytes name = hex("1122334455667788");
  const auto found = std::search(bytes.begin(), bytes.end(), name.begin(), name.end());
  ASSERT_NE(found, bytes.end());
  EXPECT_EQ(std::search(found + 1, bytes.end(), name.begin(), name.end()), bytes.end());
}

TEST(Change, IsRefusedWhenCutAtAnyByte) {
  const samples::World world = samples::make_world();
  for (const Bytes& payload : world.payloads) {
    for (std::size_t size = 0; size < payload.size(); ++size) {
      EXPECT_FALSE(reads(Bytes(payload.begin(), payload.begin() + static_cast<long>(size))));
    }
  }
}

TEST(Change, WithAnyOtherByteIsRefusedOrReadsBackToExactlyTheseBytes) {
  const samples::World world = samples::make_world();
  for (const Bytes& payload : world.payloads) {
    for (std::size_t at = 0; at < payload.size(); ++at) {
      for (unsigned flip = 1; flip < 256; ++flip) {
        Bytes bytes = payload;
        bytes[at] = static_cast<std::uint8_t>(bytes[at] ^ flip);
        ChangeView view;
        if (decode_change(bytes, view)) {
          ASSERT_EQ(encode(owned(view)), bytes) << at;
        }
      }
    }
  }
}

TEST(Change, OfALaterFormatIsKeptForLaterAndNotCalledBroken) {
  ChangeView view;
  const Bytes later = hex("8702500102030405060708090a0b0c0d0e0f10616101808080");
  const auto read = decode_change(later, view);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().kind, Errc::not_compatible);
}

TEST(Change, OfNoRecordOrNoVersionIsMalformed) {
  for (const char* bytes : {"", "80", "f6", "8101", "860100", "a10102", "8601f6617801808080"}) {
    ChangeView view;
    const auto read = decode_change(hex(bytes), view);
    ASSERT_FALSE(read) << bytes;
    EXPECT_EQ(read.error().kind, Errc::malformed) << bytes;
  }
}

TEST(Change, KeepsNamesOfFieldsAndKindsToTheirLimits) {
  Change change = a_change();
  change.kind = std::string(limits::kind_bytes, 'k');
  change.operations = {{std::string(limits::field_bytes, 'f'), Action::clear, {}, {}}};
  EXPECT_TRUE(reads(encode(change)));
  change.kind += 'k';
  EXPECT_FALSE(reads(encode(change)));
  change.kind = "k";
  change.operations[0].field += 'f';
  EXPECT_FALSE(reads(encode(change)));
}

TEST(Change, HasUpTo4096Operations) {
  Change change = a_change();
  change.operations.assign(limits::operations, {"f", Action::clear, {}, {}});
  EXPECT_TRUE(reads(encode(change)));
  change.operations.push_back({"f", Action::clear, {}, {}});
  EXPECT_FALSE(reads(encode(change)));
}

TEST(Change, HasValuesUpTo32LevelsDeep) {
  Bytes deep(limits::depth, 0x81);
  deep.push_back(0x00);
  Change change = a_change();
  change.operations = {{"f", Action::set, deep, {}}};
  EXPECT_TRUE(reads(encode(change)));
  change.operations[0].value.insert(change.operations[0].value.begin(), 0x81);
  EXPECT_FALSE(reads(encode(change)));
}

TEST(Change, NamesAValueByTheFirstEightBytesOfItsEntry) {
  EXPECT_EQ(name_part(samples::counting<EntryHash>(1)), 0x0102030405060708U);
}

}  // namespace
}  // namespace chapterd
