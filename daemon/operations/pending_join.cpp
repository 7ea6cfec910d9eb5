// Three texts, one after the other.
#include "daemon/operations/pending_join.h"

#include "base/byte_stream.h"
#include "replication/store/folder.h"

#include <utility>

namespace chapterd {
namespace {

constexpr std::size_t most_pending_bytes = 16 * 1024;

}  // namespace

std::string pending_join_file(const std::string& folder) {
  return folder + "/join.pending";
}

Result<void> keep(const std::string& folder, const PendingJoin& pending) {
  ByteWriter out;
  out.sized_text(to_text(pending.invite)).sized_text(pending.node_name).sized_text(pending.refused);
  return write_file_durably(pending_join_file(folder), out.view());
}

Result<PendingJoin> pending_join(const std::string& folder) {
  const auto bytes = read_file(pending_join_file(folder), most_pending_bytes);
  if (!bytes && bytes.error().kind == Errc::not_found) {
    return fail(Errc::not_found, "join.not-asked", "This folder has asked nobody to join.",
                "Nothing was changed.",
                "Name the folder that the request was made in, or begin with: chapterd join CODE");
  }
  if (!bytes) return forward(bytes);
  ByteReader in(*bytes);
  const std::string text(in.sized_text(most_pending_bytes));
  PendingJoin pending;
  pending.node_name = std::string(in.sized_text(most_pending_bytes));
  if (in.remaining() > 0) pending.refused = std::string(in.sized_text(most_pending_bytes));
  auto invite = invite_from_text(text);
  if (!in.finished() || !invite) {
    return fail(Errc::check_failed, "join.damaged", "The kept request to join is damaged.",
                "Nothing was changed.", "Begin again with the invite: chapterd join CODE");
  }
  pending.invite = std::move(*invite);
  return pending;
}

}  // namespace chapterd
