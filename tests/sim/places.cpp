// Trees of chapters, one for each set of moves that somebody may know.
#include "tests/sim/places.h"

#include <algorithm>

namespace chapterd::sim {
namespace {

using Tree = std::vector<int>;

std::vector<int> line_in(const Tree& tree, int from) {
  std::vector<int> up;
  for (int at = from; at >= 0; at = tree[static_cast<std::size_t>(at)]) up.push_back(at);
  return up;
}

bool is_on(const std::vector<int>& list, int one) {
  return std::ranges::find(list, one) != list.end();
}

void apply(Tree& tree, const Moving& move) {
  if (is_on(line_in(tree, move.parent), move.chapter)) return;  // only with those that it followed
  tree[static_cast<std::size_t>(move.chapter)] = move.parent;
}

std::vector<ChapterId> names_of(const ChapterPath& path) {
  std::vector<ChapterId> names = path.above;
  names.push_back(path.chapter);
  return names;
}

// Down from where two paths part, the last that they share among them.
bool lies_between(const ChapterId& one, const ChapterPath& from, const ChapterPath& to) {
  const std::vector<ChapterId> a = names_of(from);
  const std::vector<ChapterId> b = names_of(to);
  const auto [end_a, end_b] = std::ranges::mismatch(a, b);
  if (end_a == a.begin()) return false;
  return std::find(end_a - 1, a.end(), one) != a.end() || std::find(end_b, b.end(), one) != b.end();
}

}  // namespace

int Places::index_of(const ChapterId& id) const {
  for (std::size_t i = 0; i < chapters_.size(); ++i)
    if (chapters_[i].id == id) return static_cast<int>(i);
  return -1;
}

Places::Tree Places::founded() const {
  Tree tree;
  for (const SimChapter& chapter : chapters_) tree.push_back(chapter.founded_below);
  return tree;
}

// One for each choice of moves: news of them may come in any order.
std::vector<Places::Tree> Places::trees() const {
  std::vector<Tree> all{founded()};
  for (const Moving& move : moves_) {
    for (std::size_t i = all.size(); i > 0; --i) {
      all.push_back(all[i - 1]);
      apply(all.back(), move);
    }
  }
  return all;
}

void Places::settle() {
  Tree tree = founded();
  for (const Moving& move : moves_)
    if (move.holds) apply(tree, move);
  for (std::size_t i = 0; i < chapters_.size(); ++i) chapters_[i].parent = tree[i];
}

void Places::remember() {
  if (known_chapters_ == chapters_.size() && known_moves_ == moves_.size()) return;
  known_chapters_ = chapters_.size();
  known_moves_ = moves_.size();
  paths_.clear();
  ever_below_.clear();
  always_below_.clear();
  bool is_first = true;
  for (const Tree& tree : trees()) {
    Below below;
    for (int chapter = 0; chapter < static_cast<int>(tree.size()); ++chapter) {
      std::vector<ChapterId> names;
      for (const int each : line_in(tree, chapter)) {
        names.insert(names.begin(), chapters_[static_cast<std::size_t>(each)].id);
        below.insert({chapter, each});
      }
      paths_.insert(std::move(names));
    }
    if (std::exchange(is_first, false)) always_below_ = below;
    std::erase_if(always_below_, [&](const auto& pair) { return !below.contains(pair); });
    ever_below_.merge(below);
  }
}

std::vector<int> Places::line(int chapter) const {
  std::vector<int> up;
  for (int at = chapter; at >= 0; at = chapters_[static_cast<std::size_t>(at)].parent)
    up.push_back(at);
  return up;
}

ChapterPath Places::path_of(int chapter) const {
  ChapterPath path;
  for (const int each : line(chapter))
    path.above.insert(path.above.begin(), chapters_[static_cast<std::size_t>(each)].id);
  path.chapter = path.above.back();
  path.above.pop_back();
  return path;
}

bool Places::is_current(const FeedIntro& intro) const {
  const auto stands = [&](const ChapterPath& path) {
    const int chapter = index_of(path.chapter);
    return chapter >= 0 && path == path_of(chapter);
  };
  return stands(intro.home) && (!intro.target || stands(*intro.target));
}

bool Places::may_hold(int chapter, const FeedIntro& intro) {
  return may_hold(chapter, intro, When::now);
}

bool Places::may_ever_hold(int chapter, const FeedIntro& intro) {
  return may_hold(chapter, intro, When::ever);
}

bool Places::may_always_hold(int chapter, const FeedIntro& intro) {
  return may_hold(chapter, intro, When::always);
}

bool Places::is_below(int chapter, int above, When when) {
  if (when == When::now) return is_on(line(chapter), above);
  return (when == When::ever ? ever_below_ : always_below_).contains({chapter, above});
}

// The paths in an intro are those of when its author began it, and have been somebody's once.
bool Places::may_hold(int chapter, const FeedIntro& intro, When when) {
  remember();
  if (!paths_.contains(names_of(intro.home))) return false;
  if (intro.target && !paths_.contains(names_of(*intro.target))) return false;
  const ChapterId& id = chapters_[static_cast<std::size_t>(chapter)].id;
  switch (intro.audience) {
    case Audience::auth:
    case Audience::all:
      return true;
    case Audience::chapter:
      return id == intro.home.chapter;
    case Audience::up:
      return id == intro.home.chapter ||
             std::ranges::find(intro.home.above, id) != intro.home.above.end();
    case Audience::down:
      return is_below(chapter, index_of(intro.home.chapter), when);
    case Audience::to:
      return intro.target && lies_between(id, intro.home, *intro.target);
  }
  return false;
}

}  // namespace chapterd::sim
