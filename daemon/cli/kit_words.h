// The recovery kit as a page to be copied by hand.
#pragma once

#include "base/result.h"
#include "daemon/cli/answers.h"
#include "daemon/cli/files.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace chapterd {

class Context;

// Whose kit it is.
struct KitOwner {
  std::string federation;
  std::string chapter;  // "Kenya (KE)"
};

// `codes` as init and kit.show give them: {"authority", "chapter", "recovery"}.
[[nodiscard]] std::string kit_page(const KitOwner& owner, const Json& codes, std::int64_t now_ms);

// Codes among the lines of a kit, however they were broken: letters and digits of a code follow
// each other, with nothing but spaces, dashes and line ends between them. Lines of words part them.
[[nodiscard]] std::vector<std::string> kit_codes_in(const std::string& text);

// The file that --kit names, made before there is a kit to lose; nothing without --kit. Errors:
// those of NewFile::make().
[[nodiscard]] Result<std::optional<NewFile>> kit_file(Context& context);
// Writes the kit into that file, if there is one. A kit that could not be written must not be lost:
// then `file` is none any more, so that what follows shows it. Errors: those of NewFile::write().
[[nodiscard]] Result<void> keep_kit(std::optional<NewFile>& file,
                                    const KitOwner& owner,
                                    const Json& codes);
// After keep_kit(): the answer of init or join for --json, without the secrets that lie in a file.
[[nodiscard]] Json for_json(const std::optional<NewFile>& file, const Json& answer);
// After keep_kit(): says where the kit is, or prints it.
void tell_kit(Context& context,
              const std::optional<NewFile>& file,
              const KitOwner& owner,
              const Json& codes);

}  // namespace chapterd
