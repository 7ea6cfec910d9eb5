// A configuration file: loaded or refused with its place. What is loaded can be shown, and loading
// it twice gives the same.
#include "config/load.h"
#include "tests/fuzz/target.h"

namespace chapterd {
namespace {

Sources sources_of(std::string_view text) {
  Sources sources;
  sources.toml_text = std::string(text);
  sources.toml_name = "fuzz.toml";
  return sources;
}

void check(std::string_view text) {
  const auto loaded = load(sources_of(text));
  if (!loaded) {
    const Error& error = loaded.error();
    CHECK(!error.code.empty() && !error.what.empty() && !error.safe.empty() && !error.next.empty());
    return;
  }
  const auto again = load(sources_of(text));
  CHECK(again.has_value());
  const auto one = show(*loaded);
  const auto other = show(*again);
  CHECK(one.size() == other.size());
  for (std::size_t i = 0; i < one.size(); ++i)
    CHECK(one[i].value == other[i].value && one[i].origin == other[i].origin);
}

}  // namespace
}  // namespace chapterd

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  chapterd::check(chapterd::as_text({data, size}));
  return 0;
}
