// SPDX-License-Identifier: Apache-2.0
// npurt-core: runs one function on one emulated core, with an input and an output buffer in its data memory.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdio>
#include <format>
#include <optional>
#include <string>

#include "../command_line.hpp"
#include "../files.hpp"
#include "core_program.hpp"
#include "lone_core.hpp"
#include "observer.hpp"

namespace {

using namespace npurt;
using namespace npurt::tools;

constexpr std::uint64_t default_limit = 100'000'000, default_traced_limit = 1'000'000;  // cycles

constexpr const char* description =
    "Runs one function on one emulated AIE2 core. At its start p0 holds the address of the input's bytes, p1 that of "
    "the\n"
    "output, both on 32 bytes in the core's own data memory (0x70000..0x7FFFF), sp that of a free stack (it grows\n"
    "upwards), lr a place that ends the run; all other registers are zero. 'ret lr' and 'done' end the run.\n"
    "Prints bundles and cycles (with the one bundle that ends the run) and stalls by cause.";

constexpr const char* footer =
    "Exit code: 0 the function came to its end; 1 it did not (fault, endless wait or loop), told on stderr with tile, "
    "pc,\n"
    "bundle and cause, the output as it was then; 2 wrong arguments or program, or a file that cannot be read or "
    "written.\n"
    "\n"
    "Examples:\n"
    "  npurt-core add.s --in a.bin --out c.bin --out-size 64\n"
    "  npurt-core conv.elf --entry conv_line --in a.bin --out c.bin --out-size 4096 --stats conv.json\n"
    "  npurt-core add.s --in a.bin --out-size 64 --trace add.trace    # what each bundle reads as and writes\n"
    "  npurt-core add.s --in a.bin --out-size 64 --profile            # where the cycles go";

struct options {
  std::string program, input, output, entry, stats, trace, engine;
  wanted_buffers buffers;
  std::vector<std::string> locks;
  std::optional<std::uint64_t> max_cycles;
  bool profile = false;

  std::uint64_t limit() const { return max_cycles.value_or(trace.empty() ? default_limit : default_traced_limit); }
  bool observed() const { return profile || !trace.empty(); }
};

bool waits_for_ever(const emu::core& core) {
  return core.waiting() != emu::stall::none && core.waiting() != emu::stall::memory;
}

bool goes_on(const emu::core& core, std::uint64_t limit) { return !core.fault() && core.counters().cycles < limit; }

/// Cycles of waiting after which nothing can come any more: a lock operation takes some, though nobody else has locks.
constexpr unsigned longest_lock_operation = 16;

void run_to_end(emu::core& core, observer* watch, std::uint64_t limit) {
  for (unsigned waits = 0; goes_on(core, limit);) {
    const auto bundles = core.counters().bundles;
    const bool ran = watch != nullptr ? watch->step() : core.run(limit - core.counters().cycles) > 0;
    if (!ran) return;
    waits = waits_for_ever(core) && core.counters().bundles == bundles ? waits + 1 : 0;
    if (waits > longest_lock_operation) return;
  }
}

constexpr std::array<std::string_view, 7> stall_names{"none",       "memory",     "lock",       "stream_in",
                                                      "stream_out", "cascade_in", "cascade_out"};

void print_counters(const emu::core& core) {
  const auto& c = core.counters();
  std::string text = std::format("bundles {}  cycles {}  MACs {}\n", c.bundles, c.cycles, c.macs);
  for (std::size_t i = 1; i < stall_names.size(); ++i)
    if (c.stalls[i] != 0) text += std::format("stalls by {}: {} cycles\n", stall_names[i], c.stalls[i]);
  std::fputs(text.c_str(), stdout);
}

void write_stats(const emu::core& core, const std::string& path, bool finished) {
  const auto& c = core.counters();
  std::string text = std::format("{{\"finished\": {}, \"bundles\": {}, \"cycles\": {}, \"macs\": {}", finished,
                                 c.bundles, c.cycles, c.macs);
  for (std::size_t i = 1; i < stall_names.size(); ++i)
    text += std::format(", \"stall_{}\": {}", stall_names[i], c.stalls[i]);
  text += "}\n";
  write_file(path, std::as_bytes(std::span(text)));
}

struct failure {
  std::uint32_t pc;
  std::string bundle, cause;
};

std::optional<failure> failure_of(const emu::core& core, const lone_core_ports& ports, std::uint64_t limit) {
  if (core.fault()) return failure{core.fault()->pc, core.fault()->bundle, core.fault()->cause};
  if (core.done()) return std::nullopt;
  if (waits_for_ever(core)) return failure{core.pc(), text_at(core, core.pc()), explain_wait(core, ports)};
  return failure{core.pc(), text_at(core, core.pc()),
                 std::format("has not come to its end after {} cycles, an endless loop? (--max-cycles)", limit)};
}

/// A core that runs alone is the one at column 0 of the first row of core tiles.
void print_failure(const failure& f, const loaded_program& loaded) {
  const auto place = loaded.place(f.pc);
  std::fputs(std::format("npurt-core: tile (0, 2), pc {:#x}{}, bundle \"{}\": {}\n", f.pc,
                         place.empty() ? "" : " (" + place + ")", f.bundle, f.cause)
                 .c_str(),
             stderr);
}

emu::engine engine_of(const options& opt) {
  if (opt.engine.empty() && !opt.observed()) return emu::default_engine();
  return opt.engine == "fast" ? emu::engine::fast : emu::engine::reference;
}

void set_locks(lone_core_ports& ports, const std::vector<std::string>& locks) {
  for (const auto& text : locks) {
    unsigned id = 0;
    int value = 0;
    char rest = 0;
    if (std::sscanf(text.c_str(), "%u=%d%c", &id, &value, &rest) != 2)
      throw std::runtime_error("--lock " + text + ": expected ID=VALUE");
    if (value < 0 || value > lone_core_ports::largest_lock)
      throw std::runtime_error(std::format("--lock {}: a lock holds 0 to {}", text, lone_core_ports::largest_lock));
    ports.set_lock(id, value);
  }
}

int run(options opt) {
  const auto loaded = load_program(opt.program);
  const auto input = opt.input.empty() ? std::vector<std::uint8_t>{} : read_file(opt.input);
  opt.buffers.input = input.size();
  const auto where = place_buffers(loaded.program, opt.buffers);
  lone_core_ports ports;
  emu::core core(ports, engine_of(opt));
  ports.serve(core);
  set_locks(ports, opt.locks);
  prepare(core, ports, loaded.program, where, find_entry(loaded.program, opt.entry).value);
  std::ranges::copy(std::as_bytes(std::span(input)), ports.memory().begin() + (where.input - data_base));
  std::optional<observer> watch;
  if (opt.observed()) watch.emplace(core, opt.trace);
  core.enable(true);
  run_to_end(core, watch ? &*watch : nullptr, opt.limit());

  const auto failed = failure_of(core, ports, opt.limit());
  print_counters(core);
  if (opt.profile) std::fputs(watch->profile(loaded).c_str(), stdout);
  if (!opt.stats.empty()) write_stats(core, opt.stats, !failed);
  if (!opt.output.empty()) write_file(opt.output, ports.memory().subspan(where.output - data_base, opt.buffers.output));
  if (failed) print_failure(*failed, loaded);
  return failed ? 1 : 0;
}

void add_options(CLI::App& app, options& opt) {
  app.add_option("program", opt.program, "assembly text (.s) or ELF")->required();
  app.add_option("--in", opt.input, "file whose bytes p0 points to");
  auto* size = app.add_option("--out-size", opt.buffers.output, "bytes of the output");
  app.add_option("--out", opt.output, "file for the bytes that p1 points to")->needs(size);
  app.add_option("--entry", opt.entry, "function (default: the first global one)");
  app.add_option("--stats", opt.stats, "file for the counters, JSON");
  app.add_option("--trace", opt.trace, "file for a line a bundle: cycle, pc, text, registers written");
  app.add_flag("--profile", opt.profile,
               "print the program with cycles, executions, stalls and used slots of each line");
  app.add_option("--max-cycles", opt.max_cycles,
                 "give up after so many cycles (default: 100 million, 1 million traced)");
  app.add_option("--engine", opt.engine,
                 "reference (the plain interpreter) or fast (translated); the same results and cycles.\n"
                 "Default: fast, NPURT_EMU_CORE if set; reference with --trace and --profile")
      ->check(CLI::IsMember({"reference", "fast"}));
  app.add_option("--in-at", opt.buffers.input_at, "offset of the input in data memory (default: where there is room)");
  app.add_option("--out-at", opt.buffers.output_at, "offset of the output in data memory");
  app.add_option("--stack-size", opt.buffers.stack, "bytes of the stack")->capture_default_str();
  app.add_option("--lock", opt.locks,
                 "ID=VALUE: a lock of the own tile (48 to 63) starts with this value (0 to 63), not 0");
}

}  // namespace

int main(int argc, char** argv) {
  options opt;
  opt.buffers.stack = 1024;
  CLI::App app{description};
  app.footer(footer);
  add_options(app, opt);
  return npurt::tools::parse_and_run(app, "npurt-core", argc, argv, [&] { return run(std::move(opt)); });
}
