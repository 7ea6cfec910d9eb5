// The data folder: private, locked, and its files whole.
#include "replication/store/folder.h"

#include "tests/store/scratch_folder.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace chapterd {

namespace {

std::string refusal(const std::string& path, Create create) {
  const auto folder = DataFolder::open(path, create);
  return folder ? "" : folder.error().code;
}

mode_t mode_of(const std::string& path) {
  struct stat status = {};
  return ::stat(path.c_str(), &status) == 0 ? status.st_mode & 0777 : 0;
}

}  // namespace

TEST(DataFolder, IsMadeForItsUserAloneWhenAsked) {
  const ScratchFolder scratch;
  const std::string path = scratch.file("a/b");
  EXPECT_EQ(refusal(path, Create::no), "folder.missing");
  const mode_t before = ::umask(0);
  const auto folder = DataFolder::open(path, Create::yes);
  ::umask(before);
  ASSERT_TRUE(folder.has_value());
  EXPECT_EQ(mode_of(path), 0700U);
  EXPECT_EQ(mode_of(scratch.file("a")), 0700U);
  EXPECT_EQ(mode_of(path + "/lock"), 0600U);
  EXPECT_EQ(folder->database(), path + "/chapterd.db");
}

TEST(DataFolder, IsRefusedWhenOthersCanReadOrWriteIt) {
  const ScratchFolder scratch;
  for (const mode_t mode : {0750U, 0705U, 0720U, 0701U}) {
    ::chmod(scratch.path().c_str(), mode);
    const auto folder = DataFolder::open(scratch.path(), Create::yes);
    ASSERT_FALSE(folder.has_value());
    EXPECT_EQ(folder.error().code, "folder.open-to-others");
    EXPECT_NE(folder.error().next.find("chmod 700 '" + scratch.path()), std::string::npos);
  }
}

TEST(DataFolder, IsNotAFile) {
  const ScratchFolder scratch;
  ASSERT_TRUE(write_file_durably(scratch.file("file"), as_bytes("x")));
  EXPECT_EQ(refusal(scratch.file("file"), Create::no), "folder.cannot-open");
  EXPECT_EQ(refusal(scratch.file("file/below"), Create::yes), "folder.cannot-make");
}

TEST(DataFolder, IsRefusedToASecondProcessWhichLearnsWhoHoldsIt) {
  const ScratchFolder scratch;
  auto folder = DataFolder::open(scratch.path(), Create::no);
  ASSERT_TRUE(folder.has_value());
  const DataFolder moved = std::move(*folder);
  const std::string holder = "process " + std::to_string(::getpid()) + ".";
  const pid_t child = ::fork();
  if (child == 0) {
    const auto second = DataFolder::open(scratch.path(), Create::no);
    const bool told = !second && second.error().code == "folder.in-use" &&
                      second.error().what.find(holder) != std::string::npos;
    ::_exit(told ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

TEST(DataFolder, IsRefusedTwiceInOneProcessTooUntilItIsLetGo) {
  const ScratchFolder scratch;
  {
    const auto folder = DataFolder::open(scratch.path(), Create::no);
    ASSERT_TRUE(folder.has_value());
    EXPECT_EQ(refusal(scratch.path(), Create::no), "folder.in-use");
  }
  EXPECT_EQ(refusal(scratch.path(), Create::no), "");
}

TEST(DataFolder, IsRefusedWhenItsLockIsNoFileOfItsOwn) {
  const ScratchFolder scratch;
  ASSERT_TRUE(write_file_durably(scratch.file("elsewhere"), as_bytes("theirs")));
  std::filesystem::create_symlink(scratch.file("elsewhere"), scratch.file("lock"));
  EXPECT_EQ(refusal(scratch.path(), Create::no), "folder.cannot-open");
  EXPECT_EQ(as_text(read_file(scratch.file("elsewhere"), 10).value()), "theirs");
}

TEST(DataFolder, IsFreeAgainWhenItsHolderIsGone) {
  const ScratchFolder scratch;
  const pid_t child = ::fork();
  if (child == 0) {
    const auto folder = DataFolder::open(scratch.path(), Create::no);
    ::_exit(folder ? 0 : 1);  // without giving the lock back
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(refusal(scratch.path(), Create::no), "");
  EXPECT_EQ(refusal(scratch.path(), Create::no), "");
}

TEST(DurableFile, ReplacesAFileAndLeavesNoOther) {
  const ScratchFolder scratch;
  const std::string path = scratch.file("instance");
  ASSERT_TRUE(write_file_durably(path, as_bytes("one")));
  ASSERT_TRUE(write_file_durably(path, as_bytes("two!")));
  EXPECT_EQ(as_text(read_file(path, 4).value()), "two!");
  EXPECT_EQ(mode_of(path), 0600U);
  std::size_t files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(scratch.path())) {
    ++files;
  }
  EXPECT_EQ(files, 1U);
}

TEST(DurableFile, GoesAroundWhatACrashLeft) {
  const ScratchFolder scratch;
  const std::string path = scratch.file("instance");
  ASSERT_TRUE(write_file_durably(scratch.file("other"), as_bytes("keep")));
  std::filesystem::create_symlink(scratch.file("other"), path + ".new");
  ASSERT_TRUE(write_file_durably(path, as_bytes("new")));
  EXPECT_EQ(as_text(read_file(scratch.file("other"), 10).value()), "keep");
  EXPECT_EQ(as_text(read_file(path, 10).value()), "new");
}

TEST(DurableFile, SaysWhyItCannotBeWritten) {
  const ScratchFolder scratch;
  const auto written = write_file_durably(scratch.file("missing/file"), as_bytes("x"));
  ASSERT_FALSE(written.has_value());
  EXPECT_EQ(written.error().code, "file.cannot-write");
  std::filesystem::create_directory(scratch.file("taken"));
  EXPECT_EQ(write_file_durably(scratch.file("taken"), as_bytes("x")).error().code,
            "file.cannot-write");
  EXPECT_FALSE(std::filesystem::exists(scratch.file("taken.new"))) << "nothing half done is left";
}

TEST(ReadFile, RefusesWhatIsMissingOrTooLargeAndLinks) {
  const ScratchFolder scratch;
  const std::string path = scratch.file("file");
  EXPECT_EQ(read_file(path, 10).error().code, "file.missing");
  ASSERT_TRUE(write_file_durably(path, as_bytes("12345")));
  EXPECT_EQ(read_file(path, 4).error().code, "file.too-large");
  EXPECT_EQ(read_file(path, 5).value().size(), 5U);
  std::filesystem::create_symlink(path, scratch.file("link"));
  EXPECT_EQ(read_file(scratch.file("link"), 10).error().code, "file.cannot-read");
  EXPECT_EQ(read_file(scratch.path(), 10).error().code, "file.cannot-read") << "a folder";
}

}  // namespace chapterd
