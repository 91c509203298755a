// SPDX-License-Identifier: Apache-2.0
// Loading and placing of a program for one core.
#include "core_program.hpp"

#include <algorithm>
#include <cstring>
#include <format>
#include <sstream>
#include <stdexcept>

#include "../files.hpp"
#include "asm/assembler.hpp"
#include "asm/elf_reader.hpp"

namespace npurt::tools {
namespace {

constexpr std::uint32_t end_of_run = emu::core::program_bytes - 64;  ///< where lr points

bool is_elf(std::span<const std::uint8_t> bytes) {
  return bytes.size() >= 18 && std::memcmp(bytes.data(), "\177ELF", 4) == 0;
}

assembler::program read_elf_program(const std::string& path, std::span<const std::uint8_t> bytes) {
  constexpr std::size_t type_at = 16;
  constexpr std::uint8_t relocatable = 1;
  if (bytes[type_at] == relocatable)
    throw bad_program(path + " is a relocatable object file: link it first, its addresses are not final");
  auto program = assembler::read_elf(bytes);
  return program ? *std::move(program) : throw bad_program(path + ": " + program.error());
}

assembler::program assemble_program(const std::string& path, std::string_view text) {
  auto program = assembler::assemble(text, path);
  if (program) return *std::move(program);
  std::string message = "the source has errors";
  for (const auto& error : program.error()) message += "\n" + to_string(error);
  throw bad_program(message);
}

bool is_function(const assembler::program& program, const assembler::symbol& s) {
  return s.section >= 0 && program.sections[static_cast<std::size_t>(s.section)].executable;
}

std::string names_of_functions(const assembler::program& program) {
  constexpr std::size_t shown = 10;
  std::size_t count = 0;
  std::string names;
  for (const auto& s : program.symbols)
    if (is_function(program, s) && ++count <= shown) names += (names.empty() ? "" : ", ") + s.name;
  if (count == 0) return "there is no label in its code";
  return "its labels are " + names + (count > shown ? ", ..." : "");
}

struct range {
  std::uint32_t begin, end;
};

/// Data memory with what is taken of it.
class memory_map {
 public:
  explicit memory_map(const assembler::program& program) {
    for (const auto& s : program.sections)
      if (!s.executable && s.size > 0) taken_.push_back({s.address, s.address + s.size});
  }

  std::uint32_t take(std::string_view what, std::size_t bytes, std::optional<std::uint32_t> offset) {
    const auto at = offset ? given(what, bytes, *offset) : found(what, bytes);
    if (bytes > 0) taken_.push_back({at, at + static_cast<std::uint32_t>(bytes)});
    return at;
  }

 private:
  bool is_free(std::uint32_t at, std::size_t bytes) const {
    return bytes <= data_size && at >= data_base && at - data_base <= data_size - bytes &&
           std::ranges::none_of(taken_, [&](const range& r) { return at < r.end && r.begin < at + bytes; });
  }

  std::uint32_t given(std::string_view what, std::size_t bytes, std::uint32_t offset) const {
    if (offset < data_size && offset % 32 == 0 && is_free(data_base + offset, bytes)) return data_base + offset;
    throw std::runtime_error(std::format(
        "{} of {} bytes at offset {:#x}: expected a multiple of 32 below {:#x} with that many free bytes behind it",
        what, bytes, offset, data_size));
  }

  std::uint32_t found(std::string_view what, std::size_t bytes) const {
    constexpr std::uint32_t step = 64;
    for (std::uint32_t at = data_base; at < data_base + data_size; at += step)
      if (is_free(at, bytes)) return at;
    std::uint32_t used = 0;
    for (const auto& r : taken_) used += r.end - r.begin;
    throw std::runtime_error(
        std::format("{} of {} bytes does not fit: the core's data memory has {} bytes, and {} are "
                    "taken by the program's data, stack and other buffers",
                    what, bytes, data_size, used));
  }

  std::vector<range> taken_;
};

void set_register(emu::core& core, std::string_view name, std::uint32_t value) {
  std::memcpy(core.reg(name).data(), &value, sizeof value);
}

void load_section(emu::core& core, lone_core_ports& ports, const assembler::section& s) {
  if (s.executable) {
    if (s.size > end_of_run || s.address > end_of_run - s.size)
      throw bad_program(
          std::format("section '{}' takes {:#x}..{:#x} of program memory; a program may use it up to {:#x}, where the "
                      "end of the run stands",
                      s.name, s.address, std::uint64_t{s.address} + s.size, end_of_run));
    return core.write_program(s.address, std::as_bytes(std::span(s.bytes)));
  }
  if (s.size == 0) return;
  auto* const to = ports.data(s.address, s.size);
  if (to == nullptr)
    throw bad_program(std::format("section '{}' takes {:#x}..{:#x}, outside of the core's own data memory {:#x}..{:#x}",
                                  s.name, s.address, std::uint64_t{s.address} + s.size, data_base,
                                  data_base + data_size));
  std::ranges::copy(std::as_bytes(std::span(s.bytes)), to);
}

}  // namespace

std::string loaded_program::place(std::uint32_t pc) const {
  const auto found = std::ranges::find(program.lines, pc, &assembler::line_entry::address);
  return found == program.lines.end() ? std::string() : std::format("{}:{}", path, found->line);
}

loaded_program load_program(const std::string& path) {
  const auto bytes = read_file(path);
  if (is_elf(bytes)) return {read_elf_program(path, bytes), path, {}};
  const std::string text(bytes.begin(), bytes.end());
  loaded_program made{assemble_program(path, text), path, {}};
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) made.source.push_back(line);
  return made;
}

const assembler::symbol& find_entry(const assembler::program& program, const std::string& name) {
  const assembler::symbol* entry = nullptr;
  for (const auto& s : program.symbols) {
    const bool wanted = name.empty() ? s.global : s.name == name;
    if (wanted && is_function(program, s) && (entry == nullptr || s.value < entry->value)) entry = &s;
  }
  if (entry != nullptr) return *entry;
  throw bad_program((name.empty() ? "the program has no global function (.globl); --entry names another one: "
                                  : "the program has no function '" + name + "': ") +
                    names_of_functions(program));
}

placement place_buffers(const assembler::program& program, const wanted_buffers& wanted) {
  memory_map memory(program);
  placement made{};
  if (wanted.input_at) made.input = memory.take("an input", wanted.input, wanted.input_at);
  if (wanted.output_at) made.output = memory.take("an output", wanted.output, wanted.output_at);
  made.stack = memory.take("a stack", wanted.stack, std::nullopt);
  if (!wanted.input_at) made.input = memory.take("an input", wanted.input, std::nullopt);
  if (!wanted.output_at) made.output = memory.take("an output", wanted.output, std::nullopt);
  return made;
}

void prepare(emu::core& core, lone_core_ports& ports, const assembler::program& program, const placement& where,
             std::uint32_t entry) {
  for (const auto& s : program.sections) load_section(core, ports, s);
  const auto end = assembler::assemble("done\nnop\nnop\nnop\nnop\nnop\n", "end of the run");
  core.write_program(end_of_run, std::as_bytes(std::span(end->sections.at(0).bytes)));
  set_register(core, "p0", where.input);
  set_register(core, "p1", where.output);
  set_register(core, "SP", where.stack);
  set_register(core, "lr", end_of_run);
  core.set_pc(entry);
}

}  // namespace npurt::tools
