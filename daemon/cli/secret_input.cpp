// Typed passphrases.
#include "daemon/cli/secret_input.h"

#include "crypto/passphrase.h"
#include "daemon/cli/context.h"

#include <istream>
#include <termios.h>
#include <unistd.h>

namespace chapterd {
namespace {

// Switches the echo of the terminal off for as long as it lives.
class Unseen {
 public:
  Unseen() {
    is_terminal_ = ::tcgetattr(STDIN_FILENO, &before_) == 0;
    if (!is_terminal_) return;
    termios unseen = before_;
    unseen.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &unseen);
  }

  Unseen(const Unseen&) = delete;
  Unseen& operator=(const Unseen&) = delete;

  ~Unseen() {
    if (is_terminal_) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
  }

 private:
  termios before_ = {};
  bool is_terminal_ = false;
};

std::string variable(const Context& context, const char* name) {
  const auto at = context.around.environment.find(name);
  return at == context.around.environment.end() ? std::string() : at->second;
}

}  // namespace

std::string ask_secret(Context& context, std::string_view question) {
  std::string line;
  {
    const Unseen unseen;
    context.output.ask(question);
    std::getline(context.around.in, line);
  }
  context.output.say("");
  return line;
}

Result<std::string> given_passphrase(Context& context) {
  if (std::string said = variable(context, "CHAPTERD_PASSPHRASE"); !said.empty()) return said;
  if (const std::string file = variable(context, "CHAPTERD_PASSPHRASE_FILE"); !file.empty()) {
    auto text = context.read_text(file);
    if (!text) return text;
    return passphrase_in(*text);
  }
  if (context.output.terminal().in) return ask_secret(context, "Passphrase: ");
  return fail(Errc::needs_person, "cli.no-passphrase",
              "This needs the passphrase, and there is no terminal to ask for it on.",
              "Nothing was changed.",
              "Put it into a file that only you can read and name that in "
              "CHAPTERD_PASSPHRASE_FILE.");
}

bool asked_passphrase(Context& context, const Error& error) {
  if (error.code != "key.passphrase-needed" || !context.output.terminal().in) return false;
  context.doors.say_passphrase(ask_secret(context, "Passphrase: "));
  return true;
}

Result<void> choose_passphrase(Context& context) {
  if (!context.output.terminal().in) {
    return fail(Errc::needs_person, "cli.no-terminal",
                "There is no terminal to ask for a passphrase on.", "Nothing was changed.",
                "Leave --passphrase out and name a file with it in CHAPTERD_PASSPHRASE_FILE.");
  }
  const std::string question =
      "New passphrase, " + std::to_string(least_passphrase) + " characters or more: ";
  const std::string first = ask_secret(context, question);
  if (auto checked = check_new_passphrase(first); !checked) return checked;
  if (ask_secret(context, "Once more: ") != first) {
    return fail(Errc::usage, "cli.not-the-same", "The two are not the same.",
                "Nothing was changed.", "Give the command again.");
  }
  context.doors.say_passphrase(first);
  return {};
}

}  // namespace chapterd
