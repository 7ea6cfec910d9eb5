// Reads tests/vectors: blocks of `word = value` lines, parted by empty lines, with # comments.
#pragma once

#include "base/bytes.h"

#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace chapterd {

struct Vector {
  std::map<std::string, std::string> words;

  [[nodiscard]] const std::string& text(const std::string& word) const { return words.at(word); }

  [[nodiscard]] Bytes bytes(const std::string& word) const {
    const auto value = from_hex(text(word));
    if (!value) throw std::runtime_error("not hexadecimal: " + word);
    return *value;
  }
};

inline std::vector<Vector> read_vectors(const std::string& file) {
  std::ifstream in(std::string(CHAPTERD_SOURCE_DIR "/tests/vectors/") + file);
  if (!in) throw std::runtime_error("no such file of vectors: " + file);
  std::vector<Vector> vectors;
  Vector current;
  const auto end_block = [&] {
    if (!current.words.empty()) vectors.push_back(std::move(current));
    current = {};
  };
  for (std::string line; std::getline(in, line);) {
    if (line.empty()) end_block();
    const auto equals = line.find(" =");
    if (line.starts_with('#') || equals == std::string::npos) continue;
    const auto value = line.find_first_not_of(' ', equals + 2);
    current.words[line.substr(0, equals)] = value == std::string::npos ? "" : line.substr(value);
  }
  end_block();
  return vectors;
}

// Bytes of hexadecimal text written in a test.
inline Bytes hex(std::string_view text) {
  const auto value = from_hex(text);
  if (!value) throw std::runtime_error("not hexadecimal");
  return *value;
}

}  // namespace chapterd
