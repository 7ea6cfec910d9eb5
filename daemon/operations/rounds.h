// What a round's figures are made of: its framework, this chapter's assessments, and the counts of
// the chapters below. Counting and figures are the domain's; here it is only gathered.
#pragma once

#include "base/result.h"
#include "daemon/operations/held.h"
#include "domain/framework.h"
#include "domain/rollup.h"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chapterd {

struct Round {
  RecordView view;
  std::string title;
  std::string framework_title;
  Link framework_link;  // with the revision that the round names
  Framework framework;
  bool framework_changed = false;    // it is held in another revision than the round names
  std::uint64_t expected_units = 0;  // 0: the round lists none
};

// Errors: record.id, record.unknown, round.other-kind (usage), round.no-framework (not_found),
// those of Framework::parse().
[[nodiscard]] Result<Round> round_of(Reader& reader,
                                     const Directory& directory,
                                     const Kinds& kinds,
                                     std::string_view id);

// What was left out of a count, and why.
struct LeftOut {
  std::string id;
  std::string reason;  // a code
};

struct Counted {
  Distribution distribution;
  std::vector<LeftOut> left_out;
  std::uint64_t unfinished = 0;  // own assessments counted that are still being scored
  std::string content_hash;      // over what was counted, with revisions
};

// This chapter's assessments of the round and the counts of the chapters below it, each unit once:
// of a branch only the topmost count. Expected are the units that the round lists, when it is this
// chapter's own; else those assessed here and those that the chapters below expect. Errors:
// rollup.twice.
[[nodiscard]] Result<Counted> count_round(Reader& reader,
                                          const Directory& directory,
                                          const Kinds& kinds,
                                          const Round& round);

// The newest aggregate of the round by this chapter; of several the one updated last. No layers:
// there is none.
[[nodiscard]] RecordView aggregate_of(Reader& reader,
                                      const Directory& directory,
                                      const Kinds& kinds,
                                      const RecordKey& round,
                                      const ChapterId& home);

// {"indicators": […], "units", "expected"} as rollup.show gives them.
[[nodiscard]] nlohmann::json figures_json(const Framework& framework,
                                          const Distribution& distribution);

}  // namespace chapterd
