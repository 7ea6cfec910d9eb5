// Writes the files of vectors, and seed corpora for the fuzzers: make_vectors VECTORS [CORPUS].
#include "crypto/certificate.h"
#include "crypto/key_file.h"
#include "replication/format/packing.h"
#include "tests/crypto/seeded_random.h"
#include "tests/format/bundle_sample.h"
#include "tests/format/document.h"

#include <filesystem>
#include <fstream>
#include <iostream>

namespace {

using namespace chapterd;

void write_file(const std::filesystem::path& path, ByteView bytes) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream out(path, std::ios::binary);
  out << as_text(bytes);
}

void write_all(const std::filesystem::path& folder, const Json& list) {
  std::size_t number = 0;
  for (const Json& each : list) {
    const auto bytes = from_hex(each["hex"].get<std::string>());
    write_file(folder / ("vector" + std::to_string(number++)), bytes.value());
  }
}

// Two blocks as the fuzzer cuts them: length, size of the content, packed bytes.
Bytes packed_seed() {
  Packer packer;
  Bytes out;
  for (const std::string_view text : {"borehole borehole borehole dry", "borehole is not dry"}) {
    const Bytes packed = packer.pack(as_bytes(text));
    out.push_back(static_cast<std::uint8_t>(packed.size()));
    out.push_back(0);
    out.push_back(static_cast<std::uint8_t>(text.size()));
    append(out, packed);
  }
  return out;
}

void write_corpora(const std::filesystem::path& folder, const samples::World& world) {
  const Json document = make_document(world);
  write_all(folder / "fuzz_statement", document["statements"]);
  write_file(folder / "fuzz_statement/genesis", world.genesis_bytes);
  write_all(folder / "fuzz_intro", document["feeds"]);
  write_all(folder / "fuzz_piece", document["pieces"]);
  write_all(folder / "fuzz_change", document["changes"]);
  write_all(folder / "fuzz_erase_order", document["erase_orders"]);
  write_all(folder / "fuzz_cbor", document["changes"]);
  write_all(folder / "fuzz_frame", document["frames"]);
  write_file(folder / "fuzz_packed/two_blocks", packed_seed());
  write_file(folder / "fuzz_bundle/two_runs", make_sample_bundle(world).file);
  SeededRandom random(1);
  const Bytes seed(32, 7);
  write_file(folder / "fuzz_key_file/machine",
             encode_key_file(KeyPurpose::node, seed,
                             Wrapping::with_machine(Bytes(machine_secret_bytes, 0)), random));
  write_file(folder / "fuzz_certificate/self_signed",
             self_signed_certificate(world.kenya_node).value());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::cerr << "usage: make_vectors VECTORS [CORPUS]\n";
    return 2;
  }
  const samples::World world = samples::make_world();
  const std::string text = text_of(make_document(world));
  write_file(argv[1], as_bytes(text));
  const std::string bundle = text_of(make_bundle_document(world));
  write_file(std::filesystem::path(argv[1]).parent_path() / "bundle.json", as_bytes(bundle));
  if (argc > 2) write_corpora(argv[2], world);
  return 0;
}
