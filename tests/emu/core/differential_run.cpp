// SPDX-License-Identifier: Apache-2.0
// Running a scenario on two engines: who advances how far, what happens in between, and what must be equal.
#include "emu/core/differential_run.hpp"

#include <algorithm>
#include <format>

#include "aie/isa/isa.hpp"
#include "emu/core/differential_operands.hpp"

namespace npurt::test {
namespace {

namespace isa = aie::isa;

constexpr std::size_t trace_length = 40;

bool starts_with_any(std::string_view name, std::initializer_list<std::string_view> prefixes) {
  return std::ranges::any_of(prefixes, [&](auto prefix) { return name.starts_with(prefix); });
}

/// Registers that hold all others: x and cm for their parts, every other one that has none.
const std::vector<std::string_view>& compared_registers() {
  static const auto names = [] {
    std::vector<std::string_view> result;
    for (const auto& info : isa::registers()) {
      const bool part = starts_with_any(info.name, {"wl", "wh", "am", "bm"});
      const bool whole = info.name.starts_with("cm") || (info.name.starts_with("x") && info.width == 512);
      if (whole || (info.parts.empty() && !part)) result.push_back(info.name);
    }
    return result;
  }();
  return names;
}

std::string hex(std::span<const std::byte> bytes) {
  std::string text;
  for (std::size_t i = bytes.size(); i-- > 0;) text += std::format("{:02x}", static_cast<unsigned>(bytes[i]));
  return text;
}

/// The cause of a fault up to its first number: one kind of fault.
std::string kind_of(const emu::core_fault& fault) {
  return fault.cause.substr(0, fault.cause.find_first_of("0123456789"));
}

template <typename Value>
void note_unequal(std::string& to, std::string_view what, const Value& a, const Value& b) {
  if (a != b) to += std::format("{}: {} and {}\n", what, a, b);
}

std::string fault_text(const emu::core& core) {
  if (!core.fault()) return "none";
  return std::format("pc {:#x}, \"{}\", {}", core.fault()->pc, core.fault()->bundle, core.fault()->cause);
}

bool stopped(const emu::core& core) { return core.fault() || !core.enabled(); }

}  // namespace

scenario make_scenario(std::uint64_t seed) {
  random_source random(seed * 0x2545F4914F6CDD1D + 1);
  scenario result;
  result.seed = seed;
  constexpr std::array<std::uint32_t, 6> banks = {0, 0, 3, 8, 32, 128}, others = {0, 2, 8, 8, 30, 30};
  constexpr std::array<std::uint32_t, 8> wild = {0, 0, 0, 0, 2000, 500, 100, 6};
  result.refuse = {.banks = random.pick(banks), .others = random.pick(others)};
  result.cycles = static_cast<std::uint32_t>(random.between(200, random.one_in(8) ? 20'000 : 4'000));
  result.others_write = random.one_in(2);
  result.rewritten = random.one_in(4);
  result.paused = random.one_in(8);
  result.program = make_program(random, {.one_in = random.pick(wild)});
  return result;
}

engine_pair::engine_pair(const setup& how)
    : sides_{std::make_unique<side>(emu::engine::reference, how.shares_claims),
             std::make_unique<side>(how.engine, how.shares_claims)} {}

void engine_pair::prepare(const scenario& what) {
  const auto image = what.program.image();
  for (auto& one : sides_) {
    one->ports.restart(what.seed, what.refuse);
    one->core.reset();
    one->core.write_program(0, std::as_bytes(std::span(image)));
    random_source registers(what.seed ^ 0x5EED);
    set_registers(registers, one->core);
    one->core.set_pc(what.program.start);
    one->core.enable(true);
  }
  recent_.clear();
  unequal_runs_.clear();
}

/// What the rest of the array does between cycles.
void engine_pair::interfere(const scenario& what, random_source& schedule) {
  if (what.others_write && schedule.one_in(6)) {
    std::array<std::byte, 256> bytes;
    fill_lanes(schedule, bytes);
    const auto length = 4 * static_cast<std::size_t>(schedule.between(1, 64));
    const auto at = 4 * schedule.below((sides_[0]->ports.memory.size() - bytes.size()) / 4);
    for (auto& one : sides_) std::copy_n(bytes.begin(), length, one->ports.memory.begin() + at);
  }
  if (what.rewritten && !what.program.rewrites.empty() && schedule.one_in(40)) {
    const auto& change = schedule.pick(what.program.rewrites);
    const auto& bundle = schedule.one_in(2) ? change.bundle : what.program.bundles[change.index];
    const auto bytes = std::as_bytes(std::span(bundle.bytes).first(bundle.length));
    const auto at = what.program.address(change.index);
    const auto half = schedule.one_in(2) ? bytes.size() / 2 : bytes.size();
    for (auto& one : sides_) {
      one->core.write_program(at, bytes.first(half));
      if (half != bytes.size()) one->core.write_program(at + static_cast<std::uint32_t>(half), bytes.subspan(half));
    }
  }
  if (what.paused && schedule.one_in(60)) {
    for (auto& one : sides_) {
      one->core.enable(false);
      for (int i = 0; i < 3; ++i) one->core.step();
      one->core.enable(true);
    }
  }
  for (auto& one : sides_) {
    if (one->core.done()) one->core.enable(true);
  }
}

void engine_pair::note_bundle(run_result& result, std::uint32_t pc) {
  if (pc < result.executed.size()) result.executed.set(pc);
  if (recent_.size() >= 4 * trace_length) recent_.erase(recent_.begin(), recent_.end() - trace_length);
  recent_.push_back(pc);
}

/// A single cycle of both, or a run of one or both; the other one steps as many.
void engine_pair::advance(random_source& schedule, run_result& result, bool closely) {
  const auto shape = schedule.below(8);
  const std::uint64_t wanted = shape < 3 ? 1 : shape < 7 ? 1 + schedule.below(64) : 1 + schedule.below(600);
  const bool first_may_run = schedule.one_in(3), second_may_step = schedule.one_in(2);
  const bool first_runs = first_may_run && !closely, second_runs = wanted > 1 && !(first_may_run && second_may_step);
  // What others claim is known for the first cycle only, as to an array that lets a core run on by itself.
  const auto taken = static_cast<std::uint8_t>(schedule.one_in(2) ? schedule.next() & schedule.next() : 0);
  const auto step_first = [&](std::uint64_t count) {
    auto& core = sides_[0]->core;
    for (std::uint64_t i = 0; i < count; ++i) {
      const auto pc = core.pc();
      const auto before = core.counters().bundles;
      sides_[0]->step(i == 0 ? taken : std::uint8_t{0});
      if (core.counters().bundles != before) note_bundle(result, pc);
    }
  };
  const auto step_second = [&](std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) sides_[1]->step(i == 0 ? taken : std::uint8_t{0});
  };
  if (first_runs && second_runs) {
    const auto a = sides_[0]->run(wanted, taken), b = sides_[1]->run(wanted, taken);
    note_unequal(unequal_runs_, std::format("cycles of run({})", wanted), a, b);
  } else if (first_runs) {
    step_second(sides_[0]->run(wanted, taken));
  } else if (second_runs) {
    step_first(sides_[1]->run(wanted, taken));
  } else {
    step_first(wanted);
    step_second(wanted);
  }
}

std::string engine_pair::differing_registers() {
  std::string result;
  for (const auto name : compared_registers()) {
    const auto a = sides_[0]->core.reg(name), b = sides_[1]->core.reg(name);
    if (!std::ranges::equal(a, b)) result += std::format("{}: {} and {}\n", name, hex(a), hex(b));
  }
  return result;
}

std::string engine_pair::differing_memory() {
  const auto &a = sides_[0]->ports.memory, &b = sides_[1]->ports.memory;
  if (std::memcmp(a.data(), b.data(), a.size()) == 0) return {};
  const auto at = std::ranges::mismatch(a, b).in1 - a.begin();
  const auto line = static_cast<std::size_t>(at) / 32 * 32;
  return std::format("memory, 32 bytes at {:#x} of own, south, north: {} and {}\n", line,
                     hex(std::span(a).subspan(line, 32)), hex(std::span(b).subspan(line, 32)));
}

std::string engine_pair::compare(bool everything) {
  const emu::core &a = sides_[0]->core, &b = sides_[1]->core;
  std::string result = std::move(unequal_runs_);
  unequal_runs_.clear();
  note_unequal(result, "cycles", a.counters().cycles, b.counters().cycles);
  note_unequal(result, "bundles", a.counters().bundles, b.counters().bundles);
  note_unequal(result, "macs", a.counters().macs, b.counters().macs);
  for (std::size_t i = 0; i < a.counters().stalls.size(); ++i) {
    note_unequal(result, std::format("stalls of kind {}", i), a.counters().stalls[i], b.counters().stalls[i]);
  }
  note_unequal(result, "pc", a.pc(), b.pc());
  note_unequal(result, "waiting", static_cast<int>(a.waiting()), static_cast<int>(b.waiting()));
  if (a.waiting() == emu::stall::lock && b.waiting() == emu::stall::lock) {
    note_unequal(result, "waiting for lock", a.waiting_lock(), b.waiting_lock());
    note_unequal(result, "waiting for value", a.waiting_lock_value(), b.waiting_lock_value());
  }
  note_unequal(result, "done", a.done(), b.done());
  if (a.fault() || b.fault()) note_unequal(result, "fault", fault_text(a), fault_text(b));
  for (unsigned kind = 0; kind < seeded_ports::kinds; ++kind) {
    if (sides_[0]->ports.digests[kind] != sides_[1]->ports.digests[kind])
      result += std::format("{}: not the same ones\n", seeded_ports::names[kind]);
  }
  for (std::size_t i = 0; i < 2; ++i) {
    note_unequal(result, std::format("banks claimed in window {}", i), sides_[0]->ports.shared[i].taken,
                 sides_[1]->ports.shared[i].taken);
    note_unequal(result, std::format("cycle of the claims in window {}", i), sides_[0]->ports.shared[i].cycle,
                 sides_[1]->ports.shared[i].cycle);
  }
  if (everything || !result.empty()) result += differing_registers() + differing_memory();
  return result;
}

run_result engine_pair::run(const scenario& what, bool closely) {
  prepare(what);
  random_source schedule(what.seed ^ 0xC0DE);
  run_result result;
  unsigned turn = 0;
  std::uint64_t equal_until = 0;
  const auto& first = sides_[0]->core;
  for (;;) {
    advance(schedule, result, closely);
    const bool last = stopped(first) || first.counters().cycles >= what.cycles;
    const bool everything = last || closely || ++turn % 4 == 0;
    if (auto text = compare(everything); !text.empty()) {
      result.differs = difference{equal_until, std::move(text)};
    } else if (everything) {
      equal_until = first.counters().cycles;
    }
    if (last || result.differs) break;
    interfere(what, schedule);
  }
  result.cycles = first.counters().cycles;
  result.bundles = first.counters().bundles;
  if (first.fault()) {
    result.fault = kind_of(*first.fault());
    result.fault_example = fault_text(first);
  }
  if (closely) {
    const auto shown = std::min(recent_.size(), trace_length);
    for (const auto pc : std::span(recent_).last(shown)) {
      std::size_t index = 0;
      std::uint32_t at = what.program.start;
      while (index < what.program.bundles.size() && at < pc) at += what.program.bundles[index++].length;
      const bool known = index < what.program.bundles.size() && at == pc;
      result.trace += std::format("  {:#06x}  {}\n", pc, known ? text_of(what.program.bundles[index]) : "?");
    }
  }
  return result;
}

void coverage::add(const scenario& what, const run_result& result) {
  std::uint32_t at = what.program.start;
  for (const auto& bundle : what.program.bundles) {
    const bool executed = result.executed.test(at);
    at += bundle.length;
    if (!executed) continue;
    const auto decoded = isa::decode(bundle.bytes);
    if (!decoded) continue;
    formats.insert(decoded->format->name);
    for (unsigned i = 0; i < decoded->count; ++i) instructions.insert(decoded->slots[i].row->name);
  }
}

}  // namespace npurt::test
