// The composition root of the program: hands the real doors and the real streams to run_program().
#include "base/bytes.h"
#include "daemon/cli/program.h"
#include "daemon/control/control_client.h"
#include "daemon/daemon.h"
#include "daemon/operations/folder_work.h"
#include "daemon/operations/founding.h"
#include "daemon/operations/keys.h"
#include "daemon/operations/kit.h"
#include "daemon/operations/reach.h"

#include <nlohmann/json.hpp>

#include <array>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <string_view>
#include <unistd.h>

namespace chapterd {
namespace {

Doors real_doors() {
  Doors doors;
  doors.reach = reach_node;
  doors.daemon_answers = [](const Config& config) {
    return ControlClient::connect(config.control.socket).has_value();
  };
  doors.found = [](const Config& config, const FoundingWords& words) {
    return found_federation(config,
                            FoundOptions{words.federation, words.code, words.chapter, words.node});
  };
  doors.prepare_join = prepare_join;
  doors.finish_join = [](const Config& config, const Bytes& answer) {
    return finish_join(config, answer);
  };
  doors.join_online = join_online;
  doors.run = run_daemon;
  doors.folder_work = work_on_folder;
  doors.say_passphrase = say_passphrase;
  doors.say_unattended = say_unattended;
  doors.show_kit = show_kit;
  doors.restore_kit = restore_kit;
  return doors;
}

Terminal real_terminal() {
  const char* const kind = std::getenv("TERM");           // NOLINT(concurrency-mt-unsafe)
  const char* const no_colour = std::getenv("NO_COLOR");  // NOLINT(concurrency-mt-unsafe)
  const bool dumb = kind == nullptr || std::string_view(kind) == "dumb";
  // https://no-color.org: present and not empty.
  const bool unwanted = no_colour != nullptr && *no_colour != '\0';
  return {.in = isatty(STDIN_FILENO) == 1,
          .out = isatty(STDOUT_FILENO) == 1,
          .err = isatty(STDERR_FILENO) == 1,
          .colour = !dumb && !unwanted};
}

std::map<std::string, std::string> real_environment() {
  std::map<std::string, std::string> variables;
  for (char** at = environ; *at != nullptr; ++at) {
    const std::string_view line = *at;
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) continue;
    variables.emplace(line.substr(0, equals), line.substr(equals + 1));
  }
  return variables;
}

std::string real_host_name() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "computer";
  return name.data();
}

}  // namespace
}  // namespace chapterd

int main(int count, char** words) {
  // Who reads what is said here may go at any time: that ends no daemon and no half-done work.
  std::signal(SIGPIPE, SIG_IGN);
  std::ios::sync_with_stdio(false);
  const chapterd::Surroundings around{std::cin,
                                      std::cout,
                                      std::cerr,
                                      chapterd::real_terminal(),
                                      chapterd::real_environment(),
                                      chapterd::real_host_name()};
  return chapterd::run_program(chapterd::real_doors(), around, {words + 1, words + count});
}
