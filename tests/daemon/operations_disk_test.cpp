// A disk that is nearly full: what is refused, and what still works.
#include "crypto/system_random.h"
#include "daemon/operations/disk.h"
#include "daemon/operations/operations.h"
#include "daemon/system_clock.h"
#include "tests/daemon/operations_support.h"

#include <gtest/gtest.h>

namespace chapterd::testing {
namespace {

// A node whose disk is nearly full. Nothing but the disk is asked before a verb begins.
class FullNode final : public NodeAccess {
 public:
  Result<Json> read(const Read&) override { return Json("read"); }

  Result<Json> write(const Write&) override { return Json("written"); }

  Result<Json> write_alone(const Write&) override { return Json("written"); }

  Connections* connections() override { return nullptr; }

  [[nodiscard]] Result<DiskSpace> disk() const override {
    return DiskSpace{3U << 20U, true, 64U << 20U};
  }

  [[nodiscard]] const NodeParts& parts() const override { return parts_; }

 private:
  Place place_;
  Config config_ = place_.config("data");
  DataFolder folder_ = std::move(*DataFolder::open(config_.node.data, Create::yes));
  Kinds kinds_ = std::move(*Kinds::load());
  SystemClock date_;
  SystemRandom random_;
  SigningKey key_ = SigningKey::generate(random_);
  AuthorityKey authority_;
  ChapterVault vault_{random_};
  MemberIndex members_;
  NoticedDamage damage_;
  std::string machine_file_;
  std::optional<Error> locked_because_;
  NodeParts parts_{config_,    folder_, kinds_,   date_,   random_,       key_,
                   authority_, vault_,  members_, damage_, machine_file_, locked_because_};
};

TEST(Disk, LowRefusesNewWritesInWords) {
  ASSERT_TRUE(start_crypto());
  FullNode node;
  for (const char* verb :
       {"record.add", "record.edit", "record.move", "invite.create", "join.answer", "jee.framework",
        "jee.import", "rollup.compute", "rollup.publish", "rebuild"}) {
    const auto answer = perform(node, verb, Json::object());
    ASSERT_FALSE(answer) << verb;
    EXPECT_EQ(answer.error().code, "disk.low") << verb;
    EXPECT_EQ(answer.error().kind, Errc::disk);
    EXPECT_NE(answer.error().what.find("3 MiB are free"), std::string::npos);
    EXPECT_FALSE(answer.error().safe.empty());
  }
}

TEST(Disk, LowStillLetsReadAndDelete) {
  ASSERT_TRUE(start_crypto());
  FullNode node;
  const Json one = {{"id", "0190163d-8694-739b-aea5-966c26f8ad91"}};
  EXPECT_EQ(must(perform(node, "record.show", one)), "read");
  EXPECT_EQ(must(perform(node, "record.list", {{"kind", "insight"}})), "read");
  EXPECT_EQ(must(perform(node, "record.delete", one)), "written");
  EXPECT_EQ(must(perform(node, "invite.revoke", {{"id", "00"}})), "written");
}

TEST(Disk, TheSmallerOfLimitAndATwentiethIsKeptFree) {
  constexpr std::uint64_t mib = 1024 * 1024;
  EXPECT_EQ(least_free(10'000 * mib, 64 * mib), 64 * mib);
  EXPECT_EQ(least_free(100 * mib, 64 * mib), 5 * mib);
  EXPECT_EQ(least_free(100 * mib, 0), 0U);
}

TEST(Disk, WithoutAFolderThereIsNoAnswer) {
  EXPECT_EQ(disk_space("/no/such/folder", 1).error().code, "folder.cannot-open");
  EXPECT_GT(disk_space("/", 1)->free_bytes, 0U);
}

}  // namespace
}  // namespace chapterd::testing
