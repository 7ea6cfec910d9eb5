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
// The answer of init or join for --json: without the secrets when they go into a file.
[[nodiscard]] Json for_json(const std::optional<NewFile>& file, const Json& answer);
// Writes the kit into that file, or prints it. Errors: those of NewFile::write().
[[nodiscard]] Result<void> hand_out_kit(Context& context,
                                        std::optional<NewFile>& file,
                                        const KitOwner& owner,
                                        const Json& codes);

}  // namespace chapterd
