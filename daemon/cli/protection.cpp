// The three ways to protect a node's keys, in words.
#include "daemon/cli/protection.h"

#include "daemon/cli/context.h"
#include "daemon/cli/secret_input.h"

namespace chapterd {

const char* const protection_help =
    "The keys of the node are bound to this computer, which protects a copied folder but not a\n"
    "stolen computer. With a passphrase (--passphrase, or CHAPTERD_PASSPHRASE_FILE) private data\n"
    "cannot be read on a computer that is switched off. --unattended lets the daemon start "
    "without\n"
    "the passphrase: it exchanges what is shared, and private data waits for “chapterd unlock”.";

std::vector<Flag> protection_flags() {
  return {Flag{.name = "passphrase",
               .value = "",
               .help = "Ask for a passphrase that protects the keys of this node."},
          Flag{.name = "unattended",
               .value = "",
               .help = "With a passphrase: start without it, with private data locked."},
          Flag{.name = "kit",
               .value = "FILE",
               .help = "Write the recovery kit into this new file instead of showing it."}};
}

Result<void> choose_protection(Context& context) {
  if (context.given.has("unattended")) context.doors.say_unattended();
  if (!context.given.has("passphrase")) return {};
  return choose_passphrase(context);
}

void tell_protection(Context& context, const Json& answer) {
  const std::string protection = text(answer, "protection");
  if (protection == "machine") {
    context.output.say(
        "The keys are bound to this computer by a file in its home folder: a copy of the data "
        "folder "
        "alone\nopens nothing. Whoever takes the whole computer can read everything, the private "
        "data of members too.\nFor that case set the node up with a passphrase: --passphrase.");
  } else if (protection == "passphrase" && is_true(answer, "unattended")) {
    context.output.say(
        "The daemon starts by itself and exchanges what is shared. Private data and the authority "
        "wait for the\npassphrase: " +
        context.command("unlock") + ". What is shared can be read on a stolen disk.");
  } else if (protection == "passphrase") {
    context.output.say(
        "Private data cannot be read on this computer while it is switched off, without the "
        "passphrase.\nWhat is shared with other chapters can.");
  }
}

}  // namespace chapterd
