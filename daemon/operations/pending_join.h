// The request to join that a folder keeps until it is answered.
#pragma once

#include "base/result.h"
#include "replication/invite.h"

#include <string>

namespace chapterd {

// What was prepared here: the invite, how this computer is to be called, and with what code the
// chapter above refused the request for good, if it did.
struct PendingJoin {
  Invite invite;
  std::string node_name;
  std::string refused;
};

// Where a data folder keeps it.
[[nodiscard]] std::string pending_join_file(const std::string& folder);

// On disk when it returns. Errors: those of write_file_durably().
[[nodiscard]] Result<void> keep(const std::string& folder, const PendingJoin& pending);

// Errors: join.not-asked (not_found), join.damaged (check_failed), those of read_file().
[[nodiscard]] Result<PendingJoin> pending_join(const std::string& folder);

}  // namespace chapterd
