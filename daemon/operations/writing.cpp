// Ids, links and the staging of changes.
#include "daemon/operations/writing.h"

#include "base/contract.h"
#include "daemon/operations/arguments.h"
#include "daemon/operations/keys.h"
#include "replication/format/limits.h"

#include <nlohmann/json.hpp>

#include <utility>

namespace chapterd {
namespace {

using Json = nlohmann::json;

// One link, or whatever else stands in its place: that is for the kind to judge.
Result<void> complete_link(Replica& replica, const Kinds& kinds, const Field& field, Json& value) {
  if (value.is_array()) {
    for (Json& item : value) {
      if (auto done = complete_link(replica, kinds, field, item); !done) return done;
    }
    return {};
  }
  if (!value.is_string()) return {};
  const auto& text = value.get_ref<const std::string&>();
  const bool named = text.find('/') != std::string::npos;
  if (!named && !record_id_from(text)) return {};
  const bool wants_revision = field.exact && text.find('@') == std::string::npos;
  if (named && !wants_revision) return {};
  const auto record = find_record(replica, text);
  if (!record) {
    Error error = record.error();
    error.what = field.name + ": " + error.what;
    return fail(std::move(error));
  }
  const RecordView view = view_of(*record, kinds);
  value = wants_revision ? exact_link(view) : to_text(Link{view.key, std::nullopt});
  return {};
}

}  // namespace

Result<void> check_changes(const Replica& replica, const std::vector<LayerChange>& changes) {
  for (const LayerChange& layer : changes) {
    const Address address{layer.audience, layer.target};
    if (auto checked = replica.may_write(address, layer.change); !checked) return checked;
  }
  return {};
}

RecordId new_record_id(const Clock& date, Random& random) {
  auto id = random.fixed<RecordId>();
  const auto ms = static_cast<std::uint64_t>(date.now().ms);
  for (std::size_t i = 0; i < 6; ++i) id.bytes[i] = static_cast<std::uint8_t>(ms >> (8 * (5 - i)));
  id.bytes[6] = static_cast<std::uint8_t>(0x70U | (id.bytes[6] & 0x0FU));
  id.bytes[8] = static_cast<std::uint8_t>(0x80U | (id.bytes[8] & 0x3FU));
  return id;
}

std::string exact_link(const RecordView& view) {
  return to_text(Link{view.key, view.revision});
}

Result<Json> with_whole_links(Replica& replica, const Kinds& kinds, const Kind& kind, Json fields) {
  if (!fields.is_object()) return fields;
  for (const auto& item : fields.items()) {
    const Field* field = kind.field(item.key());
    if (field == nullptr || field->type != FieldType::link) continue;
    if (auto done = complete_link(replica, kinds, *field, item.value()); !done)
      return forward(done);
  }
  return fields;
}

Result<OwnRecord> own_record(Replica& replica, const Kinds& kinds, std::string_view id) {
  const auto found = find_record(replica, id);
  if (!found) return forward(found);
  const Directory& directory = replica.directory();
  if (found->key.home != directory.chapter()) {
    return fail(Errc::not_allowed, "record.not-ours",
                "This record belongs to " + name_of(directory.authority(), found->key.home) +
                    "; only its home changes a record.",
                "Nothing was changed.",
                "Answer with a record of your own, such as a review or an adaptation.");
  }
  // What its private layer holds decides what may be written next to it.
  if (found->is_locked) return chapter_locked();
  const Kind* kind = kinds.find(found->kind);
  if (kind == nullptr) {
    return fail(Errc::not_compatible, "kind.unknown",
                "This version does not know records of the kind " + shown(found->kind) + ".",
                "The record is kept as it is.", "Install a newer chapterd to change it.");
  }
  return OwnRecord{kind, view_of(*found, kinds)};
}

Result<std::shared_ptr<const SigningKey>> unlocked_authority(const NodeAccess& node) {
  if (auto key = node.parts().authority.get()) return key;
  if (protection_of(node.parts().folder.authority_key(), KeyPurpose::authority)) {
    return fail(Errc::needs_person, "invite.authority-locked",
                "The authority key of this chapter is locked.", "Nothing was changed.",
                "Unlock it with: chapterd unlock");
  }
  return fail(Errc::not_allowed, "invite.authority-locked",
              "The authority key of this chapter is not here.", "Nothing was changed.",
              "Put the file authority.key back into the data folder and start again.");
}

Result<void> check_may_write(const Directory& directory) {
  const Authority& authority = directory.authority();
  if (authority.node(directory.self()) == nullptr) {
    return fail(Errc::not_allowed, "node.void",
                "The key that certified this node was replaced, and the new one does not vouch for "
                "it.",
                "Everything that is stored here can still be read.", "Ask the chapter above.");
  }
  if (!authority.is_revoked(directory.self())) return {};
  return fail(Errc::not_allowed, "node.revoked",
              "This node was revoked, so nothing that it writes counts any more.",
              "Everything that is stored here can still be read.",
              "Ask the chapter above. It gave as reason: " +
                  shown(authority.revoked_because(directory.self())));
}

Result<Json> write_changes(Replica& replica,
                           const Kinds& kinds,
                           const RecordKey& key,
                           const Result<std::vector<LayerChange>>& changes) {
  if (!changes) return forward(changes);
  const Directory& directory = replica.directory();
  if (auto checked = check_may_write(directory); !checked) return forward(checked);
  if (auto checked = check_changes(replica, *changes); !checked) return forward(checked);
  Json written = Json::array();
  for (const LayerChange& layer : *changes) {
    const auto done = replica.write(Address{layer.audience, layer.target}, layer.change);
    CHECK(done.has_value());  // check_changes() asked for all that write() may refuse
    written.push_back({{"audience", name_of(layer.audience)},
                       {"feed", to_hex(directory.feed(done->feed).head.feed.view())},
                       {"seq", done->seq.value},
                       {"arrival", done->arrival.value}});
  }
  const auto record = find_record(replica, to_text(Link{key, std::nullopt}));
  if (!record) return forward(record);
  const RecordView view = view_of(*record, kinds);
  return Json{{"id", to_text(key.id)},
              {"kind", record->kind},
              {"revision", to_hex(view.revision.view())},
              {"state", view.state()},
              {"written", std::move(written)}};
}

}  // namespace chapterd
