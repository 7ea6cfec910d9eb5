// Groups, refusals, full and broken disks.
#include "daemon/writer.h"

#include "replication/store/sqlite/sqlite_reader.h"
#include "tests/support/erasing.h"
#include "tests/support/node.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <future>
#include <vector>

namespace chapterd {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the nodes and their words

struct WriterRoom : ::testing::Test {
  SeededRandom random{21};
  SetClock clock;
  std::unique_ptr<TestNode> node = TestNode::founder(random, clock);
  std::atomic<int> commits = 0;
  std::atomic<int> breaks = 0;
  std::atomic<int> damages = 0;
  std::promise<void> gate;
  std::shared_future<void> opened = gate.get_future().share();

  Writer::Events events() {
    return {[this](Arrival) { ++commits; }, [this](const std::exception&) { ++breaks; },
            [this](const Error&) { ++damages; }};
  }

  // Keeps the writer busy until the gate opens, so that what comes now waits together.
  void hold(Writer& writer) {
    std::promise<void> begun;
    writer.submit(
        [&begun, held = opened](Replica&) -> Result<void> {
          begun.set_value();
          held.wait();
          return {};
        },
        [](const Result<void>&) {});
    begun.get_future().wait();
  }

  static auto note(const std::string& name, std::size_t size = 10) {
    return [change = a_change(record_named(name), "title", std::string(size, 'x'))](
               Replica& replica) { return replica.write(up, change); };
  }
};

// Keeps the answer of one job.
template <class T>
struct Heard {
  std::promise<Result<T>> promise;
  std::future<Result<T>> future = promise.get_future();

  auto keep() {
    return [this](Result<T> answer) { promise.set_value(std::move(answer)); };
  }

  Result<T> get() { return future.get(); }
};

// Two of these do not fit into one group.
struct Large final : Writer::Job {
  explicit Large(std::function<void(Replica&)> what)
      : Job({5 * 1024 * 1024, 1}), stages(std::move(what)) {}

  void stage(Replica& replica) override { stages(replica); }

  void finish(const std::optional<Error>& error) override {
    EXPECT_FALSE(error);
    done.set_value();
  }

  std::function<void(Replica&)> stages;
  std::promise<void> done;
};

// Posts it, and tells when it is done.
std::future<void> post_large(Writer& writer, std::function<void(Replica&)> what) {
  auto job = std::make_unique<Large>(std::move(what));
  auto done = job->done.get_future();
  writer.post(std::move(job));
  return done;
}

TEST_F(WriterRoom, AnswersOnceItIsOnDisk) {
  Writer writer(*node->replica, events());
  const auto written = writer.run(note("a"));
  ASSERT_TRUE(written);
  EXPECT_EQ(commits, 1);
  writer.stop();
  EXPECT_EQ(node->store->counters().arrival, written->arrival);
}

TEST_F(WriterRoom, WhatWaitsTogetherIsCommittedTogether) {
  Writer writer(*node->replica, events());
  hold(writer);
  std::vector<Heard<Written>> heard(100);
  for (std::size_t i = 0; i < heard.size(); ++i)
    writer.submit(note(std::to_string(i)), heard[i].keep());
  gate.set_value();
  Arrival newest;
  for (Heard<Written>& each : heard) {
    const auto written = each.get();
    ASSERT_TRUE(written);
    EXPECT_GT(written->arrival, newest);
    newest = written->arrival;
  }
  EXPECT_EQ(commits, 1);
}

TEST_F(WriterRoom, AGroupIsBounded) {
  Writer writer(*node->replica, events());
  hold(writer);
  const auto note_it = [](Replica& replica) { replica.set_value("large", Bytes(10)); };
  const auto first = post_large(writer, note_it);
  const auto second = post_large(writer, note_it);
  gate.set_value();
  first.wait();
  second.wait();
  EXPECT_EQ(commits, 2);
}

TEST_F(WriterRoom, WhatWasErasedIsSweptFromTheFileOnceNobodyWaits) {
  const std::string words = "told by a nurse of Kisumu";
  Writer writer(*node->replica, events());
  const auto written = writer.run([&](Replica& replica) {
    return replica.write(up, a_change(record_named("a"), "title", words));
  });
  ASSERT_TRUE(written);
  hold(writer);
  Heard<std::vector<Written>> erased;
  writer.submit(
      [&](Replica& replica) {
        return replica.erase({up, record_named("a"), {written->hash}, EraseReason::request, {}});
      },
      erased.keep());
  const auto holds = [](Replica& replica) { return replica.store().holds_remains(); };
  bool held = false;
  const auto first = post_large(writer, [](Replica&) {});
  const auto second = post_large(writer, [&](Replica& replica) { held = holds(replica); });
  gate.set_value();
  second.wait();
  ASSERT_TRUE(erased.get());
  EXPECT_TRUE(held) << "somebody waited for the whole file to be written anew";
  // Whoever asks may come before the sweeping: then it is done after the answer.
  for (int asked = 0; held && asked < 1000; ++asked) {
    held = *writer.run([&](Replica& replica) -> Result<bool> { return holds(replica); });
  }
  EXPECT_FALSE(held);
  writer.stop();
  EXPECT_FALSE(holds_text(*node, words));
}

TEST_F(WriterRoom, AJobThatRefusesDoesNotSpoilItsGroup) {
  Writer writer(*node->replica, events());
  hold(writer);
  Heard<Written> good;
  Heard<Written> bad;
  Heard<Written> other;
  writer.submit(note("a"), good.keep());
  writer.submit(note("b", 60'000), bad.keep());
  writer.submit(note("c"), other.keep());
  gate.set_value();
  EXPECT_TRUE(good.get());
  EXPECT_EQ(bad.get().error().code, "change.too-large");
  EXPECT_TRUE(other.get());
  EXPECT_EQ(commits, 1);
}

TEST_F(WriterRoom, AJobThatOnlyReadsCommitsNothing) {
  Writer writer(*node->replica, events());
  const auto arrival =
      writer.run([](Replica& replica) -> Result<Arrival> { return replica.directory().arrival(); });
  EXPECT_TRUE(arrival);
  EXPECT_EQ(commits, 0);
}

TEST_F(WriterRoom, AFullDiskIsSaidToEveryoneOfTheGroupAndTheWriterGoesOn) {
  node->replica.reset();
  node->store.reset();
  SqliteOptions small;
  small.writer.most_pages = 60;
  small.seal = node->vault.get();
  auto store = SqliteStore::open(node->folder.file("chapterd.db"), small);
  ASSERT_TRUE(store);
  auto replica = Replica::open(**store, clock, random, *node->key, *node->vault);
  ASSERT_TRUE(replica);
  Writer writer(**replica, events());
  hold(writer);
  std::vector<Heard<Written>> heard(12);
  for (std::size_t i = 0; i < heard.size(); ++i)
    writer.submit(note(std::to_string(i), 40'000), heard[i].keep());
  gate.set_value();
  for (Heard<Written>& each : heard) {
    const auto written = each.get();
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().kind, Errc::disk);
    EXPECT_EQ(written.error().code, "store.disk-full");
    EXPECT_FALSE(written.error().safe.empty());
    EXPECT_FALSE(written.error().next.empty());
  }
  EXPECT_EQ(commits, 0);
  EXPECT_TRUE(writer.run(note("small")));
  EXPECT_EQ(commits, 1);
  EXPECT_EQ(breaks, 0);
}

TEST_F(WriterRoom, ABrokenMachineIsNeverAnsweredWithSuccess) {
  Writer writer(*node->replica, events());
  const Arrival before = node->store->counters().arrival;
  hold(writer);
  Heard<Written> good;
  Heard<void> broken;
  Heard<Written> after;
  writer.submit(note("a"), good.keep());
  writer.submit([](Replica&) -> Result<void> { throw Broken("a page is damaged"); }, broken.keep());
  writer.submit(note("b"), after.keep());
  gate.set_value();
  EXPECT_EQ(good.get().error().code, "writer.broken");
  EXPECT_EQ(broken.get().error().code, "writer.broken");
  EXPECT_EQ(after.get().error().code, "writer.broken");
  EXPECT_EQ(writer.run(note("c")).error().code, "writer.broken");
  EXPECT_EQ(writer.broken_because(), "a page is damaged");
  writer.stop();
  EXPECT_EQ(breaks, 1);
  EXPECT_EQ(commits, 0);
  EXPECT_EQ(node->store->counters().arrival, before);
}

// Half of a change must never get to the disk, and whoever waits behind it must not suffer from it.
TEST_F(WriterRoom, WhoMeetsDamageIsToldAndTheWriterGoesOn) {
  Writer writer(*node->replica, events());
  hold(writer);
  Heard<Written> before;
  Heard<Written> damaged;
  Heard<Written> after;
  writer.submit(note("before"), before.keep());
  writer.submit(
      [half = note("half")](Replica& replica) -> Result<Written> {
        static_cast<void>(half(replica));
        throw Damaged("a page is damaged");
      },
      damaged.keep());
  writer.submit(note("after"), after.keep());
  gate.set_value();
  EXPECT_EQ(before.get().error().code, "writer.taken-back");
  const Error told = damaged.get().error();
  EXPECT_EQ(told.code, "store.damaged");
  EXPECT_EQ(told.kind, Errc::check_failed);
  EXPECT_NE(told.next.find("chapterd verify"), std::string::npos);
  EXPECT_NE(told.next.find("restore"), std::string::npos);
  EXPECT_TRUE(after.get());
  EXPECT_TRUE(writer.run(note("before")));
  writer.stop();
  EXPECT_EQ(damages, 1);
  EXPECT_EQ(breaks, 0);
  node->restart();
  const auto titles = [&](const char* record) {
    return node->values(Audience::up, record, "title").size();
  };
  EXPECT_EQ(titles("before"), 1U);
  EXPECT_EQ(titles("half"), 0U);
  EXPECT_EQ(titles("after"), 1U);
}

// Nobody writes any more, so no later transaction does it.
TEST_F(WriterRoom, WhatWasErasedLeavesTheFilesOnceTheLastReaderIsDone) {
  const std::string path = node->folder.file("chapterd.db");
  const auto reader = open_reader(path);
  auto before = std::make_unique<Snapshot>(*reader);
  static_cast<void>(reader->counters());
  const Written written = node->write_text(up, "a", "title", "Wanjiku");
  Writer writer(*node->replica, events());
  ASSERT_TRUE(writer.run([&](Replica& replica) {
    return replica.erase(
        {up, record_named("a"), {written.hash}, EraseReason::request, node->authority.get()});
  }));
  ASSERT_TRUE(writer.run([](Replica&) -> Result<void> { return {}; }));
  EXPECT_TRUE(testing::holds_text(*node, "Wanjiku"));
  before.reset();
  while (testing::holds_text(*node, "Wanjiku")) std::this_thread::yield();
}

TEST_F(WriterRoom, StoppingFinishesWhatWasPosted) {
  Writer writer(*node->replica, events());
  hold(writer);
  std::vector<Heard<Written>> heard(50);
  for (std::size_t i = 0; i < heard.size(); ++i)
    writer.submit(note(std::to_string(i)), heard[i].keep());
  gate.set_value();
  writer.stop();
  for (Heard<Written>& each : heard) EXPECT_TRUE(each.get());
  EXPECT_EQ(writer.run(note("late")).error().code, "writer.stopped");
}

TEST_F(WriterRoom, TooMuchThatWaitsIsRefusedAtOnce) {
  Writer writer(*node->replica, events());
  hold(writer);
  std::atomic<int> busy = 0;
  std::atomic<int> done = 0;
  for (int i = 0; i < 20'100; ++i) {
    writer.submit([](Replica&) -> Result<void> { return {}; },
                  [&](const Result<void>& answer) {
                    if (answer) {
                      ++done;
                    } else if (answer.error().code == "writer.busy") {
                      ++busy;
                    }
                  });
  }
  gate.set_value();
  writer.stop();
  EXPECT_EQ(busy, 100);
  EXPECT_EQ(done, 20'000);
}

}  // namespace
}  // namespace chapterd
