// SPDX-License-Identifier: Apache-2.0
// npurt-core: runs one function on one emulated core, with an input and an output buffer in its data memory.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <format>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "aie/isa/isa.hpp"
#include "asm/assembler.hpp"
#include "asm/disassembler.hpp"
#include "asm/elf_reader.hpp"
#include "emu/core/core.hpp"

namespace {

using namespace npurt;

constexpr std::uint32_t data_base = assembler::data_memory_base;
constexpr std::uint32_t data_size = assembler::data_memory_size;
constexpr std::uint32_t stack_bytes = 0x400;

/// A core with nothing around it but its own data memory: streams and locks never answer.
class lone_core : public emu::core_ports {
 public:
  std::byte* data(std::uint32_t address, std::uint32_t size) override {
    const bool inside = address >= data_base && size <= data_size && address - data_base <= data_size - size;
    return inside ? memory.data() + (address - data_base) : nullptr;
  }
  /// Eight banks of 8 KiB, 16 bytes wide, two interleaved in each 16 KiB; one access a cycle (aie2/README.md, Stalls).
  bool claim_banks(std::uint32_t address, std::uint32_t size) override {
    if (core->counters().cycles != cycle_) {
      cycle_ = core->counters().cycles;
      taken_ = 0;
    }
    unsigned wanted = 0;
    for (std::uint32_t at = address & ~15u; at < address + size; at += 16) {
      wanted |= 1u << (2 * (at / 0x4000 % 4) + at / 16 % 2);
    }
    if ((wanted & taken_) != 0) {
      return false;
    }
    taken_ |= wanted;
    return true;
  }
  bool acquire_lock(unsigned, int) override { return false; }
  void release_lock(unsigned, int) override {}
  std::optional<std::uint32_t> read_stream(unsigned, bool&) override { return std::nullopt; }
  bool write_stream(unsigned, std::uint32_t, bool) override { return false; }
  bool read_cascade(std::span<std::byte, 64>) override { return false; }
  bool write_cascade(std::span<const std::byte, 64>) override { return false; }
  void event(unsigned) override {}

  std::vector<std::byte> memory = std::vector<std::byte>(data_size);
  const emu::core* core = nullptr;

 private:
  std::uint64_t cycle_ = 0;
  unsigned taken_ = 0;
};

std::vector<std::uint8_t> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    throw std::runtime_error("cannot read " + path);
  }
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_file(const std::string& path, std::span<const std::byte> bytes) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!file) {
    throw std::runtime_error("cannot write " + path);
  }
}

assembler::program load_program(const std::string& path) {
  const std::vector<std::uint8_t> bytes = read_file(path);
  if (bytes.size() >= 4 && std::memcmp(bytes.data(), "\177ELF", 4) == 0) {
    auto program = assembler::read_elf(bytes);
    return program ? *std::move(program) : throw std::runtime_error(path + ": " + program.error());
  }
  auto program = assembler::assemble({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path);
  if (!program) {
    std::string message;
    for (const auto& d : program.error()) {
      message += to_string(d) + "\n";
    }
    throw std::runtime_error(message);
  }
  return *std::move(program);
}

const assembler::symbol& find_entry(const assembler::program& program, const std::string& name) {
  const auto is_function = [&](const assembler::symbol& s) {
    return s.section >= 0 && program.sections[static_cast<std::size_t>(s.section)].executable;
  };
  const assembler::symbol* entry = nullptr;
  for (const auto& s : program.symbols) {
    const bool wanted = name.empty() ? s.global : s.name == name;
    if (wanted && is_function(s) && (entry == nullptr || s.value < entry->value)) {
      entry = &s;
    }
  }
  return entry != nullptr ? *entry
                          : throw std::runtime_error(name.empty() ? "the program has no global function"
                                                                  : "the program has no function " + name);
}

/// Where things lie in data memory: the program's sections, stack, input, output.
struct placement {
  std::uint32_t stack, input, output;
};

placement place(const assembler::program& program, std::size_t input_size, std::size_t output_size,
                std::uint32_t input_at, std::uint32_t output_at) {
  constexpr auto aligned = [](std::size_t v) { return static_cast<std::uint32_t>((v + 63) / 64 * 64); };
  std::uint32_t end = data_base;
  for (const auto& s : program.sections) {
    if (!s.executable) {
      end = std::max(end, s.address + s.size);
    }
  }
  placement p{};
  p.stack = aligned(end);
  p.input = input_at != 0 ? data_base + input_at : p.stack + stack_bytes;
  p.output = output_at != 0 ? data_base + output_at : aligned(p.input + input_size);
  const std::size_t last = std::max(p.input + input_size, p.output + output_size);
  if (last > data_base + data_size || p.input % 32 != 0 || p.output % 32 != 0) {
    throw std::runtime_error(
        std::format("buffers do not fit: input {} bytes at {:#x}, output {} bytes at {:#x} of "
                    "64 KiB data memory from {:#x}, on 32 bytes",
                    input_size, p.input, output_size, p.output, data_base));
  }
  return p;
}

void set_register(emu::core& core, std::string_view name, std::uint32_t value) {
  std::memcpy(core.reg(name).data(), &value, sizeof value);
}

/// Program and data into memories; `done` at the end of program memory, where lr points.
void prepare(emu::core& core, lone_core& around, const assembler::program& program, const placement& where,
             std::uint32_t entry) {
  constexpr std::uint32_t end_at = emu::core::program_bytes - 64;
  for (const auto& s : program.sections) {
    if (s.executable) {
      if (s.address + s.size > end_at) {
        throw std::runtime_error("the program leaves no room for the end of the run in program memory");
      }
      core.write_program(s.address, std::as_bytes(std::span(s.bytes)));
    } else if (!s.bytes.empty()) {
      std::ranges::copy(std::as_bytes(std::span(s.bytes)), around.data(s.address, s.size));
    }
  }
  const auto end = assembler::assemble("done\nnop\nnop\nnop\nnop\nnop\n", "end of the run");
  core.write_program(end_at, std::as_bytes(std::span(end->sections.at(0).bytes)));
  set_register(core, "p0", where.input);
  set_register(core, "p1", where.output);
  set_register(core, "SP", where.stack);
  set_register(core, "lr", end_at);
  core.set_pc(entry);
}

/// Registers whose value changes, a cycle at a time.
class register_watch {
 public:
  explicit register_watch(emu::core& core) {
    for (const auto& info : aie::isa::registers()) {
      if (info.parts.empty()) {
        watched_.push_back({info.asm_name, core.reg(info.name), {}});
        watched_.back().last.assign(watched_.back().now.begin(), watched_.back().now.end());
      }
    }
  }

  std::string changes() {
    std::string text;
    for (auto& w : watched_) {
      if (std::ranges::equal(w.now, w.last)) {
        continue;
      }
      w.last.assign(w.now.begin(), w.now.end());
      text += std::format(" {}=", w.name);
      for (auto byte = w.last.rbegin(); byte != w.last.rend(); ++byte) {
        text += std::format("{:02x}", std::to_integer<unsigned>(*byte));
      }
    }
    return text;
  }

 private:
  struct watched {
    std::string_view name;
    std::span<const std::byte> now;
    std::vector<std::byte> last;
  };
  std::vector<watched> watched_;
};

std::string text_at(const emu::core& core, std::uint32_t pc) {
  if (pc >= core.program().size()) {
    return "outside program memory";
  }
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(core.program().data());
  const auto bundle = aie::isa::decode(std::span(bytes, core.program().size()).subspan(pc));
  return bundle ? assembler::to_text(*bundle) : "illegal bundle";
}

bool is_over(const emu::core& core) {
  return core.fault() || core.done() || (core.waiting() != emu::stall::none && core.waiting() != emu::stall::memory);
}

struct options {
  std::string program, input, output, entry, stats, trace;
  std::size_t output_size = 0;
  std::uint32_t input_at = 0, output_at = 0;
  std::uint64_t max_cycles = 100'000'000;
  bool profile = false;
};

/// A cycle at a time, with a trace line a bundle and the cycles of each pc.
void run_watched(emu::core& core, const options& opt, std::map<std::uint32_t, std::uint64_t>& cycles_at) {
  std::ofstream trace;
  if (!opt.trace.empty()) {
    trace.open(opt.trace);
  }
  register_watch watch(core);
  for (std::uint64_t cycle = 0; cycle < opt.max_cycles && !is_over(core); ++cycle) {
    const std::uint32_t pc = core.pc();
    const std::uint64_t issued = core.counters().bundles;
    core.step();
    ++cycles_at[pc];
    if (trace.is_open()) {
      const bool stalled = core.counters().bundles == issued;
      trace << std::format("{:6} {:05x}  {}{}\n", cycle, pc, stalled ? "stall" : text_at(core, pc), watch.changes());
    }
  }
}

constexpr std::array<std::string_view, 7> stall_names = {"none",       "memory",     "lock",       "stream_in",
                                                         "stream_out", "cascade_in", "cascade_out"};

void print_counters(const emu::core& core) {
  const auto& c = core.counters();
  std::puts(std::format("bundles {}  cycles {}  MACs {}", c.bundles, c.cycles, c.macs).c_str());
  for (std::size_t i = 1; i < stall_names.size(); ++i) {
    if (c.stalls[i] != 0) {
      std::puts(std::format("stalls by {}: {} cycles", stall_names[i], c.stalls[i]).c_str());
    }
  }
}

void write_stats(const emu::core& core, const std::string& path) {
  const auto& c = core.counters();
  std::string text = std::format("{{\"bundles\": {}, \"cycles\": {}, \"macs\": {}", c.bundles, c.cycles, c.macs);
  for (std::size_t i = 1; i < stall_names.size(); ++i) {
    text += std::format(", \"stall_{}\": {}", stall_names[i], c.stalls[i]);
  }
  text += "}\n";
  write_file(path, std::as_bytes(std::span(text)));
}

void print_profile(const emu::core& core, const std::map<std::uint32_t, std::uint64_t>& cycles_at) {
  for (const auto& [pc, cycles] : cycles_at) {
    std::puts(std::format("{:9}  {:05x}  {}", cycles, pc, text_at(core, pc)).c_str());
  }
}

int report(const emu::core& core, const options& opt) {
  if (core.fault()) {
    const auto& f = *core.fault();
    std::fputs(std::format("npurt-core: fault at pc {:#x} in \"{}\": {}\n", f.pc, f.bundle, f.cause).c_str(), stderr);
    return 1;
  }
  if (!core.done()) {
    const auto why = static_cast<std::size_t>(core.waiting());
    std::fputs(
        (why > 1 ? std::format("npurt-core: waits for ever at pc {:#x} ({})\n", core.pc(), stall_names[why])
                 : std::format("npurt-core: not at its end after {} cycles, pc {:#x}\n", opt.max_cycles, core.pc()))
            .c_str(),
        stderr);
    return 1;
  }
  return 0;
}

int run(const options& opt) {
  const assembler::program program = load_program(opt.program);
  const std::vector<std::uint8_t> input = opt.input.empty() ? std::vector<std::uint8_t>{} : read_file(opt.input);
  const placement where = place(program, input.size(), opt.output_size, opt.input_at, opt.output_at);
  lone_core around;
  emu::core core(around);
  around.core = &core;
  prepare(core, around, program, where, find_entry(program, opt.entry).value);
  std::ranges::copy(std::as_bytes(std::span(input)), around.memory.begin() + (where.input - data_base));
  core.enable(true);
  std::map<std::uint32_t, std::uint64_t> cycles_at;
  if (opt.profile || !opt.trace.empty()) {
    run_watched(core, opt, cycles_at);
  }
  core.run(core.done() || opt.max_cycles <= core.counters().cycles ? 64 : opt.max_cycles - core.counters().cycles);
  print_counters(core);
  if (opt.profile) {
    print_profile(core, cycles_at);
  }
  if (!opt.stats.empty()) {
    write_stats(core, opt.stats);
  }
  if (!opt.output.empty()) {
    write_file(opt.output, std::span(around.memory).subspan(where.output - data_base, opt.output_size));
  }
  return report(core, opt);
}

}  // namespace

int main(int argc, char** argv) {
  options opt;
  CLI::App app{"Runs one function on one emulated AIE2 core: p0 = input bytes, p1 = output, lr ends the run."};
  app.add_option("program", opt.program, "assembly text (.s) or ELF")->required();
  app.add_option("--in", opt.input, "file whose bytes p0 points to");
  app.add_option("--out", opt.output, "file for the bytes that p1 points to");
  app.add_option("--out-size", opt.output_size, "bytes of the output");
  app.add_option("--in-at", opt.input_at, "offset of the input in data memory (default: behind data and stack)");
  app.add_option("--out-at", opt.output_at, "offset of the output in data memory (default: behind the input)");
  app.add_option("--entry", opt.entry, "function (default: the first global one)");
  app.add_option("--stats", opt.stats, "JSON file of the counters");
  app.add_option("--trace", opt.trace, "file with a line a cycle: pc, bundle, registers that changed");
  app.add_flag("--profile", opt.profile, "print the cycles of each bundle");
  app.add_option("--max-cycles", opt.max_cycles, "give up after so many cycles");
  CLI11_PARSE(app, argc, argv);
  try {
    return run(opt);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "npurt-core: %s\n", error.what());
    return 1;
  }
}
