// SPDX-License-Identifier: Apache-2.0
// Files of the tools, read and written whole.
#include "files.hpp"

#include <cstdio>
#include <format>
#include <fstream>
#include <stdexcept>

namespace npurt::tools {
namespace {

constexpr std::size_t largest_file = 16 << 20;  // bytes; far above a core's ELF with symbols

}  // namespace

std::vector<std::uint8_t> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::vector<std::uint8_t> bytes;
  char block[65536];
  while (file && bytes.size() <= largest_file) {
    file.read(block, sizeof block);
    bytes.insert(bytes.end(), block, block + file.gcount());
  }
  if (bytes.size() > largest_file)
    throw std::runtime_error(std::format("{} has more than {} bytes", path, largest_file));
  if (!file.eof()) throw std::runtime_error("cannot read " + path);
  return bytes;
}

void write_file(const std::string& path, std::span<const std::byte> bytes) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (!file) throw std::runtime_error("cannot write " + path);
}

void print_text(std::string_view text) {
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (std::fflush(stdout) != 0 || !written) throw std::runtime_error("cannot write the standard output");
}

}  // namespace npurt::tools
