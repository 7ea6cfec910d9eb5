// What the chapter above says of an invite that it does not take, in words.
#pragma once

#include <string_view>

namespace chapterd {

struct JoinRefusal {
  std::string_view code;
  const char* what;
  const char* next;
  bool is_final = true;  // the same request will never be taken
};

// Null for a code that is not about the invite.
[[nodiscard]] const JoinRefusal* refusal_with(std::string_view code);

}  // namespace chapterd
