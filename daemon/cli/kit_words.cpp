// Words of the kit.
#include "daemon/cli/kit_words.h"

#include "daemon/cli/context.h"

#include <chrono>

namespace chapterd {
namespace {

constexpr std::size_t code_letters = 68;

// Seven groups a line, as one reads them aloud.
std::string in_lines(const std::string& code) {
  constexpr std::size_t groups_a_line = 7;
  std::string lines = "     ";
  std::size_t groups = 0;
  for (const char letter : code) {
    if (letter == '-' && ++groups % groups_a_line == 0) {
      lines += "\n     ";
    } else {
      lines += letter;
    }
  }
  return lines + "\n";
}

std::string part(const Json& codes, const char* name, const char* what) {
  const std::string code = text(codes, name);
  if (code.empty()) return "";
  return std::string("\n") + what + "\n" + in_lines(code);
}

std::int64_t now_ms() {
  using std::chrono::system_clock;
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

std::string kit_page(const KitOwner& owner, const Json& codes, std::int64_t made_ms) {
  return "Recovery kit of " + plain(owner.chapter) + ", " + plain(owner.federation) + ", " +
         date_of(made_ms) + "\n" +
         "Copy it onto paper, check the copy, and lock it away from this computer. Whoever holds\n"
         "it can speak for this chapter and read its private data.\n" +
         part(codes, "authority",
              "Authority key: certifies the computers of this chapter, and revokes them.") +
         part(codes, "chapter", "Chapter key: opens the private data on this computer.") +
         part(codes, "recovery",
              "Recovery key of the federation: the last resort when the authority of the top is "
              "lost.\nIt is shown this once and kept nowhere else.");
}

std::vector<std::string> kit_codes_in(const std::string& text) {
  std::vector<std::string> codes;
  std::string code;
  const auto is_code_line = [](const std::string& line) {
    std::size_t letters = 0;
    for (const char c : line) {
      const bool letter =
          (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
      if (!letter && c != '-' && c != ' ' && c != '\r') return false;
      letters += letter ? 1 : 0;
    }
    // A line of words without any stop would be taken for one; its words are no groups of five.
    return letters > 0 && line.find('-') != std::string::npos;
  };
  std::string line;
  for (std::size_t at = 0; at <= text.size(); ++at) {
    if (at < text.size() && text[at] != '\n') {
      line += text[at];
      continue;
    }
    if (is_code_line(line)) {
      for (const char c : line) {
        if (c != '-' && c != ' ' && c != '\r') code += c;
      }
    } else if (!code.empty()) {
      codes.push_back(std::move(code));
      code.clear();
    }
    if (code.size() >= code_letters) {
      codes.push_back(std::move(code));
      code.clear();
    }
    line.clear();
  }
  if (!code.empty()) codes.push_back(std::move(code));
  return codes;
}

Result<std::optional<NewFile>> kit_file(Context& context) {
  if (!context.given.has("kit")) return std::nullopt;
  return context.new_file(context.given.text("kit"));
}

Result<void> keep_kit(std::optional<NewFile>& file, const KitOwner& owner, const Json& codes) {
  if (!file || !codes.is_object()) return {};
  auto written = file->write(kit_page(owner, codes, now_ms()));
  if (!written) file.reset();
  return written;
}

Json for_json(const std::optional<NewFile>& file, const Json& answer) {
  Json shown = answer;
  if (file) {
    shown.erase("kit");
    shown.erase("recovery_key");
  }
  return shown;
}

void tell_kit(Context& context,
              const std::optional<NewFile>& file,
              const KitOwner& owner,
              const Json& codes) {
  if (!codes.is_object()) return;  // an older node said none
  const std::string check = "Check the copy by typing it back: " + context.command("kit check");
  if (!file) {
    context.output.print("\n" + kit_page(owner, codes, now_ms()));
    context.output.say(check);
    return;
  }
  context.output.say("The recovery kit is in " + context.given.text("kit") +
                     ". Print it, lock the paper away, and delete the file.\n" + check);
}

}  // namespace chapterd
