// Scores of Joint External Evaluations, first edition, from CSV into assessments: a real data set
// to begin with (data/README.md). Nothing is written here: the caller shows the plan, then makes
// drafts.
#pragma once

#include "base/result.h"
#include "domain/exchange/csv.h"
#include "domain/framework.h"

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chapterd {

struct JeeResponse {
  std::optional<double> value;
  std::optional<double> second;  // of the second sector
  std::string reason;            // exactly when there is no value
};

// One mission.
struct JeeAssessment {
  std::string iso2;  // empty where ISO 3166 has no code
  std::string area;
  int year = 0;
  int month = 0;
  std::map<std::string, JeeResponse> responses;  // by indicator
};

struct ImportPlan {
  std::string_view framework_fields;  // JSON text of a framework record's fields; lives for ever
  Framework framework;
  std::vector<JeeAssessment> assessments;  // in order of the file
  std::vector<CsvFault> refused;           // rows left out, by line, with the reason
  std::size_t rows = 0;                    // read, taken or refused
};

// The framework that the scores belong to, with short labels of our own.
[[nodiscard]] std::string_view jee_framework_fields();

// Columns: iso2, area, year, month, indicator, score, second_sector_score. “N/A” is the reason
// not_applicable; “??” is no code. Errors: those of read_csv, and jee.columns.
[[nodiscard]] Result<ImportPlan> import_jee_csv(std::string_view text);

// The responses as Framework::check_all() takes them, and the fields of an assessment record, to
// which the caller adds the round.
[[nodiscard]] nlohmann::json responses_json(const JeeAssessment& assessment);
[[nodiscard]] nlohmann::json assessment_fields(const JeeAssessment& assessment);

}  // namespace chapterd
