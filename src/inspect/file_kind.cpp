// SPDX-License-Identifier: Apache-2.0
// Told apart by magic numbers; control code by its header (binfmt/control_code.hpp).
#include "inspect/file_kind.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "binfmt/little_endian.hpp"

namespace npurt::inspect {

namespace {

constexpr std::uint16_t machine_aie = 264;       // llvm-aie EM_AIE
constexpr unsigned char control_osabi = 69;      // aiebu aie2_blob_elfwriter.h
constexpr std::uint32_t smap_word = 0x000000DD;  // first of a PDI's bus width words

std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

bool starts_with(std::span<const std::byte> bytes, std::string_view magic) { return as_text(bytes).starts_with(magic); }

std::uint32_t word_at(std::span<const std::byte> bytes, std::size_t at) {
  binfmt::le32 word;
  std::memcpy(&word, bytes.data() + at, sizeof word);
  return word;
}

file_kind elf_kind(std::span<const std::byte> bytes) {
  if (bytes.size() < 20) {
    return file_kind::unknown;
  }
  const auto machine = static_cast<std::uint16_t>(word_at(bytes, 16) >> 16);
  if (machine == machine_aie) {
    return file_kind::core_elf;
  }
  return static_cast<unsigned char>(bytes[7]) == control_osabi ? file_kind::control_elf : file_kind::unknown;
}

/// Versions 0.1 and 1.0, generations npu1 (3) and npu2 (4).
bool is_control_header(std::uint32_t word) {
  const unsigned major = word & 0xFF, minor = word >> 8 & 0xFF, generation = word >> 16 & 0xFF;
  return major + minor == 1 && (generation == 3 || generation == 4);
}

struct text_word {
  std::uint32_t value;
  std::size_t end;  ///< behind it and the white space that follows
};

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

/// The word at `at`, which is no white space.
text_word read_word(std::string_view text, std::size_t at) {
  std::size_t begin = at;
  if (text.substr(at).starts_with("0x")) {
    begin += 2;
  }
  std::uint32_t value = 0;
  const auto [stop, error] = std::from_chars(text.data() + begin, text.data() + text.size(), value, 16);
  auto end = static_cast<std::size_t>(stop - text.data());
  if (error != std::errc{} || (end < text.size() && !is_space(text[end]))) {
    throw binfmt::format_error("control code text: no hexadecimal word", at);
  }
  while (end < text.size() && is_space(text[end])) {
    ++end;
  }
  return {value, end};
}

bool is_control_text(std::span<const std::byte> bytes) {
  try {
    return !bytes.empty() && is_control_header(read_word(as_text(bytes), 0).value);
  } catch (const binfmt::format_error&) {
    return false;
  }
}

}  // namespace

std::string to_string(file_kind kind) {
  constexpr std::array names{"unknown", "XCLBIN", "PDI", "AIE core ELF", "control ELF", "control code", "control code"};
  return names[static_cast<std::size_t>(kind)];
}

file_kind recognise(std::span<const std::byte> bytes) {
  if (starts_with(bytes, "xclbin2")) {
    return file_kind::xclbin;
  }
  if (starts_with(bytes,
                  "\x7f"
                  "ELF")) {
    return elf_kind(bytes);
  }
  if (bytes.size() >= 4 && word_at(bytes, 0) == smap_word) {
    return file_kind::pdi;
  }
  if (bytes.size() >= 4 && is_control_header(word_at(bytes, 0))) {
    return file_kind::control_code;
  }
  return is_control_text(bytes) ? file_kind::control_code_text : file_kind::unknown;
}

std::vector<std::byte> control_code_bytes(std::span<const std::byte> file, file_kind kind) {
  if (kind != file_kind::control_code_text) {
    return {file.begin(), file.end()};
  }
  std::vector<std::uint32_t> words;
  const std::string_view text = as_text(file);
  for (std::size_t at = 0; at < text.size();) {
    const text_word word = read_word(text, at);
    words.push_back(word.value);
    at = word.end;
  }
  return binfmt::bytes_of(words);
}

}  // namespace npurt::inspect
