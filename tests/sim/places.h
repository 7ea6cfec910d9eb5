// Where chapters stand and stood, as those know it who moved them: without the product's own rules.
#pragma once

#include "replication/format/feed.h"
#include "replication/format/ids.h"
#include "tests/sim/sim_node.h"

#include <deque>
#include <set>
#include <vector>

namespace chapterd::sim {

// A chapter that goes below another one. It has happened once its statement is on a disk that
// counts, and as long as it is on one.
struct Moving {
  int chapter = -1;
  int parent = -1;
  ChapterId issuer;
  StatementId statement;
  std::set<int> known_by;  // machines
  bool holds = false;
};

class Places {
 public:
  // Who follows all moves, or only some of them while news are under way: the most that a run has.
  static constexpr std::size_t most_moves = 4;

  explicit Places(std::deque<SimChapter>& chapters) : chapters_(chapters) {}

  [[nodiscard]] bool has_moves() const { return !moves_.empty(); }

  [[nodiscard]] std::vector<Moving>& moves() { return moves_; }

  [[nodiscard]] const std::vector<Moving>& moves() const { return moves_; }

  // Somebody is about to sign it.
  void begin(Moving move) { moves_.push_back(std::move(move)); }

  // Puts every chapter where the moves that hold left it.
  void settle();

  [[nodiscard]] int index_of(const ChapterId& id) const;
  // From a chapter up to the global one.
  [[nodiscard]] std::vector<int> line(int chapter) const;
  [[nodiscard]] ChapterPath path_of(int chapter) const;

  // Whether a node of this chapter may hold a feed: as chapters stand now; as they ever stood for
  // anybody; as they stood for everybody all the time.
  [[nodiscard]] bool may_hold(int chapter, const FeedIntro& intro);
  [[nodiscard]] bool may_ever_hold(int chapter, const FeedIntro& intro);
  [[nodiscard]] bool may_always_hold(int chapter, const FeedIntro& intro);
  // Whether the paths in an intro are those of now: else its author goes on in another feed.
  [[nodiscard]] bool is_current(const FeedIntro& intro) const;

 private:
  using Tree = std::vector<int>;                // a parent for each chapter
  using Below = std::set<std::pair<int, int>>;  // chapter, one of those that it stands below

  enum class When { now, ever, always };

  void remember();
  [[nodiscard]] Tree founded() const;
  [[nodiscard]] std::vector<Tree> trees() const;
  [[nodiscard]] bool may_hold(int chapter, const FeedIntro& intro, When when);
  [[nodiscard]] bool is_below(int chapter, int above, When when);

  std::deque<SimChapter>& chapters_;
  std::vector<Moving> moves_;
  // Of as many chapters and moves as there were when it was worked out.
  std::size_t known_chapters_ = 0;
  std::size_t known_moves_ = 0;
  std::set<std::vector<ChapterId>> paths_;  // the chapter itself last
  Below ever_below_;
  Below always_below_;
};

}  // namespace chapterd::sim
