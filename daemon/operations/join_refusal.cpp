// A table.
#include "daemon/operations/join_refusal.h"

#include <algorithm>
#include <array>

namespace chapterd {
namespace {

constexpr const char* ask_anew = "Ask the chapter above for a new invite.";
constexpr std::array refusals{
    JoinRefusal{"invite.used", "Another computer has joined with this invite already.",
                "If that was not yours, tell the chapter above. Ask it for a new invite."},
    JoinRefusal{"invite.revoked", "The chapter above has withdrawn this invite.", ask_anew},
    JoinRefusal{"invite.expired", "This invite has expired, by the clock of the chapter above.",
                ask_anew},
    JoinRefusal{"invite.unknown", "The chapter above does not know this invite.", ask_anew},
    JoinRefusal{"invite.proof", "The chapter above does not know the secret of this invite.",
                ask_anew},
    JoinRefusal{"invite.outranked",
                "A chapter further up gave this chapter its authority key, and its word stands "
                "above that of the one that invited.",
                "Ask for an invite with another code."},
    JoinRefusal{"invite.authority-locked",
                "The chapter above cannot sign just now: its authority key is not there.",
                "Ask it to put its authority.key back, then join again with the same invite.",
                false},
};

}  // namespace

const JoinRefusal* refusal_with(std::string_view code) {
  const auto at = std::ranges::find(refusals, code, &JoinRefusal::code);
  return at == refusals.end() ? nullptr : &*at;
}

}  // namespace chapterd
