// Scores of Joint External Evaluations from CSV.
#include "domain/jee.h"

#include "domain/value.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <tuple>

extern "C" {
extern const char chapterd_jee_framework[];
extern const char chapterd_jee_framework_end[];
}

namespace chapterd {
namespace {

using Json = nlohmann::json;

enum Column : std::size_t { iso2, area, year, month, indicator, score, second, column_count };

constexpr std::array<std::string_view, column_count> column_names{
    "iso2", "area", "year", "month", "indicator", "score", "second_sector_score"};
using Columns = std::array<std::size_t, column_count>;

constexpr std::string_view no_code = "??";

Result<Columns> find_columns(const CsvTable& table) {
  Columns columns{};
  for (std::size_t i = 0; i < column_count; ++i) {
    const auto at = table.column(column_names[i]);
    if (!at) {
      return fail(Errc::malformed, "jee.columns",
                  "The file has no column “" + std::string(column_names[i]) + "”.",
                  "Nothing was imported.", "Name the columns in the first line.");
    }
    columns[i] = *at;
  }
  return columns;
}

template <class T>
std::optional<T> number_from(const std::string& text) {
  T number{};
  const auto end = std::from_chars(text.data(), text.data() + text.size(), number);
  if (end.ec != std::errc() || end.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

Json response_json(const JeeResponse& response) {
  if (!response.value) return {{"reason", response.reason}};
  Json json = {{"value", json_number(*response.value)}};
  if (response.second) json["second_value"] = json_number(*response.second);
  return json;
}

// Takes rows one by one; each is added to its mission or says why not.
class JeeImport {
 public:
  JeeImport(const Columns& columns, ImportPlan& plan) : columns_(columns), plan_(plan) {}

  // Empty when the row was taken.
  std::string take(const CsvRow& row) {
    const auto when_year = number_from<int>(cell(row, year));
    const auto when_month = number_from<int>(cell(row, month));
    if (!when_year || *when_year < 1900 || *when_year > 9999) return "The year is no year.";
    if (!when_month || *when_month < 1 || *when_month > 12) return "The month is no month.";
    if (cell(row, area).empty()) return "The area has no name.";
    JeeResponse response;
    if (std::string reason = read_response(row, response); !reason.empty()) return reason;
    const std::string& code = cell(row, indicator);
    const auto checked = plan_.framework.check_response(code, response_json(response));
    if (!checked) return checked.error().what;
    JeeAssessment& mission =
        mission_of({cell(row, iso2), cell(row, area), *when_year, *when_month});
    if (!mission.responses.emplace(code, response).second) {
      return code + " of " + mission.area + " stands in the file twice.";
    }
    return {};
  }

 private:
  using Mission = std::tuple<std::string, std::string, int, int>;

  [[nodiscard]] const std::string& cell(const CsvRow& row, Column column) const {
    return row.cells[columns_[column]];
  }

  std::string read_response(const CsvRow& row, JeeResponse& response) const {
    const std::string& text = cell(row, score);
    if (text == "N/A") {
      response.reason = reason_not_applicable;
    } else if (text.empty()) {
      response.reason = reason_not_answered;
    } else {
      response.value = number_from<double>(text);
      if (!response.value) return "“" + text + "” is no score.";
    }
    const std::string& other = cell(row, second);
    if (other.empty()) return {};
    response.second = number_from<double>(other);
    if (!response.second) return "“" + other + "” is no score.";
    return response.value ? "" : "Only the second sector has a score.";
  }

  JeeAssessment& mission_of(const Mission& mission) {
    const auto [at, is_new] = places_.emplace(mission, plan_.assessments.size());
    if (is_new) {
      const auto& [code, name, when_year, when_month] = mission;
      plan_.assessments.push_back({code == no_code ? "" : code, name, when_year, when_month, {}});
    }
    return plan_.assessments[at->second];
  }

  const Columns& columns_;
  ImportPlan& plan_;
  std::map<Mission, std::size_t> places_;
};

std::string period_of(const JeeAssessment& assessment) {
  const std::string month = std::to_string(assessment.month);
  return std::to_string(assessment.year) + (month.size() == 1 ? "-0" : "-") + month;
}

}  // namespace

std::string_view jee_framework_fields() {
  return {chapterd_jee_framework,
          static_cast<std::size_t>(chapterd_jee_framework_end - chapterd_jee_framework)};
}

Result<ImportPlan> import_jee_csv(std::string_view text) {
  const auto table = read_csv(text);
  if (!table) return forward(table);
  const auto columns = find_columns(*table);
  if (!columns) return forward(columns);
  auto framework = Framework::parse(Json::parse(jee_framework_fields(), nullptr, false));
  if (!framework) return forward(framework);
  ImportPlan plan{jee_framework_fields(),
                  std::move(*framework),
                  {},
                  table->faults,
                  table->rows.size() + table->faults.size()};
  JeeImport import(*columns, plan);
  for (const CsvRow& row : table->rows) {
    if (std::string reason = import.take(row); !reason.empty()) {
      plan.refused.push_back({row.line, std::move(reason)});
    }
  }
  std::sort(plan.refused.begin(), plan.refused.end(),
            [](const CsvFault& a, const CsvFault& b) { return a.line < b.line; });
  return plan;
}

Json responses_json(const JeeAssessment& assessment) {
  Json responses = Json::object();
  for (const auto& [code, response] : assessment.responses) {
    responses[code] = response_json(response);
  }
  return responses;
}

Json assessment_fields(const JeeAssessment& assessment) {
  Json fields = {{"unit", assessment.area},
                 {"mode", "joint"},
                 {"period", period_of(assessment)},
                 {"response", responses_json(assessment)}};
  if (!assessment.iso2.empty()) fields["place"] = assessment.iso2;
  return fields;
}

}  // namespace chapterd
