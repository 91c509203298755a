// SPDX-License-Identifier: Apache-2.0
// Rows of bytes and the line of assembly that they are, and how both ways between them are checked.
#pragma once

#include <catch2/catch_test_macros.hpp>
#include <cstdio>
#include <string>
#include <vector>

#include "asm/assembler.hpp"
#include "asm/disassembler.hpp"

namespace npurt::test {

struct row {
  std::string bytes, text;
};

inline std::string hex(const std::vector<std::uint8_t>& bytes) {
  std::string text;
  char two[4];
  for (const auto byte : bytes) {
    std::snprintf(two, sizeof two, text.empty() ? "%02x" : " %02x", byte);
    text += two;
  }
  return text;
}

inline std::vector<std::uint8_t> bytes_of(const std::string& hex_text) {
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i < hex_text.size(); i += 3)
    bytes.push_back(static_cast<std::uint8_t>(std::stoi(hex_text.substr(i, 2), nullptr, 16)));
  return bytes;
}

inline std::string assembled(const std::string& text) {
  const auto program = assembler::assemble(text + "\n", "row");
  return program ? hex(program->sections.at(0).bytes) : to_string(program.error().front());
}

template <std::size_t Count>
void check(const row (&rows)[Count]) {
  for (const auto& r : rows) {
    INFO(r.text);
    CHECK(assembled(r.text) == r.bytes);
    const auto bundle = aie::isa::decode(bytes_of(r.bytes));
    REQUIRE(bundle);
    CHECK(assembled(assembler::to_text(*bundle)) == r.bytes);
  }
}

}  // namespace npurt::test
