// Verbs about assessments: importing scores, counting, publishing and showing figures.
#include "daemon/operations/arguments.h"
#include "daemon/operations/rounds.h"
#include "daemon/operations/verbs.h"
#include "daemon/operations/writing.h"
#include "domain/jee.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <ctime>
#include <set>

namespace chapterd {
namespace {

using Json = nlohmann::json;

constexpr const char* unchanged = "Nothing was changed.";

// --- jee ---

Result<Json> add_framework(NodeAccess& node, const Json& args) {
  Arguments in(args);
  const std::string given = in.text_or("framework_json", jee_framework_fields());
  if (auto done = in.done(); !done) return forward(done);
  const Json fields = Json::parse(given, nullptr, false);
  if (!fields.is_object()) {
    return fail(Errc::usage, "framework.form", "This is not a JSON object of a framework's fields.",
                unchanged, "See docs/kinds.md for how to write one.");
  }
  const NodeParts& parts = node.parts();
  const Kind& kind = *parts.kinds.find("framework");
  return node.write([&](Replica& replica) -> Result<Json> {
    const RecordKey key{replica.directory().chapter(), new_record_id(parts.date, parts.random)};
    const auto whole = with_whole_links(replica, parts.kinds, kind, fields);
    if (!whole) return forward(whole);
    return write_changes(replica, parts.kinds, key, accepted(draft_create(kind, key, *whole)));
  });
}

// Which areas of the file are wanted: by code or by name.
struct Areas {
  std::set<std::string> only;  // empty: all
  std::set<std::string> except;

  [[nodiscard]] bool wants(const JeeAssessment& assessment) const {
    const auto names = [&](const std::set<std::string>& set) {
      return set.contains(assessment.iso2) || set.contains(assessment.area);
    };
    return (only.empty() || names(only)) && !names(except);
  }
};

// The exact framework that the scores belong to: as given, else the round's.
Result<std::string> framework_of(Replica& replica,
                                 const Kinds& kinds,
                                 const std::string& id,
                                 const Round& round) {
  if (id.empty()) return to_text(round.framework_link);
  const auto record = find_record(replica, id);
  if (!record) return forward(record);
  if (record->kind == "framework") return exact_link(view_of(*record, kinds));
  return fail(Errc::usage, "framework.other-kind", shown(id) + " is no framework.", unchanged,
              "See the frameworks with: chapterd framework list");
}

// A new record of each wanted assessment: one transaction, all or none.
Result<Json> write_assessments(NodeAccess& node,
                               Replica& replica,
                               const std::vector<Json>& wanted) {
  const NodeParts& parts = node.parts();
  const Kind& kind = *parts.kinds.find("assessment");

  struct Ready {
    RecordKey key;
    std::vector<LayerChange> changes;
  };

  std::vector<Ready> ready;
  for (const Json& fields : wanted) {
    const RecordKey key{replica.directory().chapter(), new_record_id(parts.date, parts.random)};
    auto changes = accepted(draft_create(kind, key, fields));
    if (!changes) return forward(changes);
    if (auto checked = check_changes(replica, *changes); !checked) return forward(checked);
    ready.push_back({key, std::move(*changes)});
  }
  Json made = Json::array();
  for (std::size_t i = 0; i < ready.size(); ++i) {
    auto written = write_changes(replica, parts.kinds, ready[i].key, std::move(ready[i].changes));
    if (!written) return written;
    made.push_back({{"id", to_text(ready[i].key.id)}, {"area", wanted[i]["unit"]}});
  }
  return made;
}

struct Import {
  std::string csv;
  std::string round;
  std::string framework;
  Areas areas;
};

Result<Import> wanted_import(const Json& args) {
  Arguments in(args);
  Import import;
  import.csv = in.text("csv");
  import.round = in.text("round");
  import.framework = in.text_or("framework", "");
  for (const auto& area : in.texts("areas").value_or(std::vector<std::string>()))
    import.areas.only.insert(area);
  for (const auto& area : in.texts("except").value_or(std::vector<std::string>()))
    import.areas.except.insert(area);
  if (auto done = in.done(); !done) return forward(done);
  return import;
}

Result<Json> import_jee(NodeAccess& node, const Json& args) {
  const auto import = wanted_import(args);
  if (!import) return forward(import);
  const auto plan = import_jee_csv(import->csv);
  if (!plan) return forward(plan);
  Json refused = Json::array();
  for (const CsvFault& fault : plan->refused)
    refused.push_back({{"line", fault.line}, {"reason", fault.reason}});
  const Kinds& kinds = node.parts().kinds;
  return node.write([&](Replica& replica) -> Result<Json> {
    if (auto checked = check_may_write(replica.directory()); !checked) return forward(checked);
    const auto round = round_of(replica.store(), replica.directory(), kinds, import->round);
    if (!round) return forward(round);
    const auto framework = framework_of(replica, kinds, import->framework, *round);
    if (!framework) return forward(framework);
    std::vector<Json> wanted;
    for (const JeeAssessment& assessment : plan->assessments) {
      if (!import->areas.wants(assessment)) continue;
      Json fields = assessment_fields(assessment);
      fields["round"] = to_text(Link{round->view.key, std::nullopt});
      fields["framework"] = *framework;
      wanted.push_back(std::move(fields));
    }
    auto made = write_assessments(node, replica, wanted);
    if (!made) return made;
    return Json{{"assessments", std::move(*made)}, {"refused", refused}};
  });
}

// --- roll-up ---

std::string today(const Clock& date) {
  const std::time_t seconds = date.now().ms / 1000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[16];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%d", &parts)};
}

Json aggregate_fields(const Round& round,
                      const Counted& counted,
                      const std::string& unit,
                      const std::string& cut_off) {
  Json fields = to_json(counted.distribution);
  fields["round"] = to_text(Link{round.view.key, std::nullopt});
  fields["framework"] = to_text(round.framework_link);
  fields["unit"] = unit;
  fields["cut_off"] = cut_off;
  fields["method"] = name_of(round.framework.rule().method);
  fields["content_hash"] = counted.content_hash;
  return fields;
}

// The fields as a step takes them: without those that may not change any more.
Json for_restating(Json fields, const std::string& because) {
  for (const char* fixed : {"round", "framework", "unit", "method"}) fields.erase(fixed);
  fields["restated_because"] = because;
  return fields;
}

struct Rolled {
  Round round;
  Counted counted;
  Json fields;
};

Result<Rolled> roll(NodeAccess& node, Replica& replica, const std::string& id) {
  const Kinds& kinds = node.parts().kinds;
  const Directory& directory = replica.directory();
  auto round = round_of(replica.store(), directory, kinds, id);
  if (!round) return forward(round);
  auto counted = count_round(replica.store(), directory, kinds, *round);
  if (!counted) return forward(counted);
  Json fields = aggregate_fields(*round, *counted, own_chapter(directory).certificate.name,
                                 today(node.parts().date));
  return Rolled{std::move(*round), std::move(*counted), std::move(fields)};
}

Json rolled_json(const Rolled& rolled, const Json& written) {
  Json left_out = Json::array();
  for (const LeftOut& each : rolled.counted.left_out)
    left_out.push_back({{"id", each.id}, {"reason", each.reason}});
  return {{"id", written["id"]},
          {"revision", written["revision"]},
          {"state", written["state"]},
          {"written", written["written"]},
          {"units", rolled.counted.distribution.reporting},
          {"expected", rolled.counted.distribution.expected},
          {"unfinished", rolled.counted.unfinished},
          {"left_out", std::move(left_out)}};
}

// The aggregate as counted now, in the layer `up`: a new record, or the one there is.
Result<Json> write_counts(NodeAccess& node, Replica& replica, const Rolled& rolled) {
  const NodeParts& parts = node.parts();
  const Kind& kind = *parts.kinds.find("aggregate");
  const ChapterId own = replica.directory().chapter();
  const RecordView known =
      aggregate_of(replica.store(), replica.directory(), parts.kinds, rolled.round.view.key, own);
  if (known.layers.empty()) {
    const RecordKey key{own, new_record_id(parts.date, parts.random)};
    return write_changes(replica, parts.kinds, key,
                         accepted(draft_create(kind, key, rolled.fields)));
  }
  if (known.state() != "provisional") {
    return fail(Errc::not_allowed, "rollup.published",
                "The figures of this round are published; they do not change any more.", unchanged,
                "Restate them, with the reason in “because”.");
  }
  return write_changes(replica, parts.kinds, known.key,
                       accepted(draft_transition(kind, known, "recount", rolled.fields)));
}

Result<Json> compute(NodeAccess& node, const Json& args) {
  Arguments in(args);
  const std::string id = in.text("round");
  if (auto done = in.done(); !done) return forward(done);
  return node.write_alone([&](Replica& replica) -> Result<Json> {
    const auto rolled = roll(node, replica, id);
    if (!rolled) return forward(rolled);
    const auto written = write_counts(node, replica, *rolled);
    if (!written) return written;
    return rolled_json(*rolled, *written);
  });
}

Result<Json> restate(NodeAccess& node,
                     Replica& replica,
                     const Rolled& rolled,
                     const RecordView& known,
                     const std::string& because) {
  const Kinds& kinds = node.parts().kinds;
  const Kind& kind = *kinds.find("aggregate");
  return write_changes(
      replica, kinds, known.key,
      accepted(draft_transition(kind, known, "restate", for_restating(rolled.fields, because))));
}

// Carries the counts that are there into the layer `all`.
Result<Json> publish_counts(NodeAccess& node, Replica& replica, const std::string& id) {
  const Kinds& kinds = node.parts().kinds;
  const auto own = own_record(replica, kinds, id);
  if (!own) return forward(own);
  return write_changes(
      replica, kinds, own->view.key,
      accepted(draft_transition(*own->kind, own->view, "publish", Json::object())));
}

Result<Json> restate_round(NodeAccess& node, const std::string& id, const std::string& because) {
  return node.write_alone([&](Replica& replica) -> Result<Json> {
    const auto rolled = roll(node, replica, id);
    if (!rolled) return forward(rolled);
    const RecordView known = aggregate_of(replica.store(), replica.directory(), node.parts().kinds,
                                          rolled->round.view.key, replica.directory().chapter());
    if (known.layers.empty() || known.state() == "provisional") {
      return fail(Errc::not_allowed, "rollup.not-published",
                  "The figures of this round were not published yet.", unchanged,
                  "Publish them without “because”.");
    }
    const auto written = restate(node, replica, *rolled, known, because);
    if (!written) return written;
    return rolled_json(*rolled, *written);
  });
}

// Counts and publishes in two transactions: a draft that is refused must leave nothing staged.
Result<Json> publish(NodeAccess& node, const Json& args) {
  Arguments in(args);
  const std::string id = in.text("round");
  const std::string because = in.text_or("because", "");
  if (auto done = in.done(); !done) return forward(done);
  if (!because.empty()) return restate_round(node, id, because);
  auto counted = compute(node, {{"round", id}});
  if (!counted) return counted;
  const auto published = node.write([&](Replica& replica) -> Result<Json> {
    return publish_counts(node, replica, (*counted)["id"].get<std::string>());
  });
  if (!published) return published;
  for (const char* name : {"revision", "state", "written"}) (*counted)[name] = (*published)[name];
  return counted;
}

// This chapter's figures; where it has none, those that the round's chapter published.
RecordView shown_aggregate(Reader& reader,
                           const Directory& directory,
                           const Kinds& kinds,
                           const Round& round) {
  for (const ChapterId& home : {directory.chapter(), round.view.key.home, root_of(directory)}) {
    RecordView view = aggregate_of(reader, directory, kinds, round.view.key, home);
    if (!view.layers.empty()) return view;
  }
  return {};
}

Result<Json> figures(const Directory& directory,
                     const Kinds& kinds,
                     const Round& round,
                     const RecordView& view) {
  const Json fields = fields_json(view, kinds.find("aggregate"));
  const auto distribution = distribution_from(fields, round.framework);
  if (!distribution) return forward(distribution);
  Json json = figures_json(round.framework, *distribution);
  json["id"] = to_text(view.key.id);
  json["home_code"] = code_of(directory.authority(), view.key.home);
  json["round"] = {{"id", to_text(round.view.key.id)}, {"title", round.title}};
  json["framework"] = {{"id", to_text(round.framework_link.record.id)},
                       {"title", round.framework_title},
                       {"changed", round.framework_changed}};
  json["cut_off_ms"] = view.updated.instant().ms;
  json["published"] = view.state() == "published" || view.state() == "restated";
  return json;
}

Result<Json> show(NodeAccess& node, const Json& args) {
  Arguments in(args);
  const std::string id = in.text("round");
  const std::string code = in.text_or("chapter", "");
  if (auto done = in.done(); !done) return forward(done);
  const Kinds& kinds = node.parts().kinds;
  return node.read([&](Reader& reader, const Directory& directory) -> Result<Json> {
    const auto round = round_of(reader, directory, kinds, id);
    if (!round) return forward(round);
    const KnownChapter* chapter = directory.authority().chapter_with_code(code);
    if (!code.empty() && chapter == nullptr) {
      return fail(Errc::not_found, "chapter.unknown",
                  "There is no chapter " + shown(code) + " here.", unchanged,
                  "Leave it out to see this chapter's figures.");
    }
    const RecordView view =
        chapter == nullptr || code.empty()
            ? shown_aggregate(reader, directory, kinds, *round)
            : aggregate_of(reader, directory, kinds, round->view.key, chapter->certificate.chapter);
    if (view.layers.empty()) {
      return fail(Errc::not_found, "rollup.none", "Nothing was counted for this round yet.",
                  unchanged, "Count with: chapterd rollup compute");
    }
    return figures(directory, kinds, *round, view);
  });
}

constexpr std::array verbs{
    Verb{"jee.framework", Needs::space, add_framework},
    Verb{"jee.import", Needs::space, import_jee},
    Verb{"rollup.compute", Needs::space, compute},
    Verb{"rollup.publish", Needs::space, publish},
    Verb{"rollup.show", Needs::nothing, show},
};

}  // namespace

std::span<const Verb> figure_verbs() {
  return verbs;
}

}  // namespace chapterd
