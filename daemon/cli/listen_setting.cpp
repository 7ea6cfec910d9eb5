// Checks an address by the table of settings and keeps it in chapterd.toml.
#include "daemon/cli/listen_setting.h"

#include "config/settings.h"

namespace chapterd {

Result<void> take_listen(Context& context, const char* otherwise) {
  const Setting* setting = find_setting("sync.listen");
  const auto origin = context.loaded.origins.find("sync.listen");
  const bool chosen =
      origin != context.loaded.origins.end() && origin->second.kind != Origin::Kind::standard;
  if (!context.given.has("listen") && (chosen || otherwise == nullptr)) return {};
  const std::string address =
      context.given.has("listen") ? context.given.text("listen") : otherwise;
  if (assign(*setting, address, context.loaded.config)) return {};
  return fail(Errc::usage, "config.bad-value", "--listen is “" + address + "”.",
              "Nothing was done.", "Allowed is " + allowed(*setting) + ".");
}

Result<void> keep_listen(Context& context) {
  if (!context.config_file.empty()) {
    if (!context.given.has("listen")) return {};
    context.output.say("Your configuration file was left as it is; set sync.listen there: " +
                       context.config_file);
    return {};
  }
  const std::string text =
      "# Settings of this node; each is told by: chapterd config explain KEY\n"
      "[sync]\n"
      "listen = \"" +
      context.config().sync.listen + "\"\n";
  auto file = context.new_file(context.config().node.data + "/chapterd.toml");
  if (!file) return forward(file);
  return context.write_text(*file, text);
}

}  // namespace chapterd
