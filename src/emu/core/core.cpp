// SPDX-License-Identifier: Apache-2.0
// The interface of a core over its machine.
#include "emu/core/core.hpp"

#include <algorithm>
#include <cstdlib>
#include <format>
#include <stdexcept>
#include <string>

#include "emu/core/pipeline.hpp"
#include "emu/core/translate/engine.hpp"

namespace npurt::emu {

engine default_engine() {
  const char* value = std::getenv("NPURT_EMU_CORE");
  const std::string_view name = value != nullptr ? value : "fast";
  if (name == "reference") return engine::reference;
  if (name == "fast") return engine::fast;
  if (name == "eager") return engine::eager;
  throw std::invalid_argument(std::format("NPURT_EMU_CORE={}: expected reference, fast or eager", name));
}

struct core::impl {
  impl(core_ports& ports, engine which) : m(ports) {
    if (which != engine::reference) {
      fast.emplace(m, which == engine::eager ? 0u : executions_before_translation);
    }
  }
  /// All of the core's state in the machine.
  machine& whole() {
    if (fast) {
      fast->release();
    }
    return m;
  }

  static constexpr unsigned executions_before_translation = 32;
  machine m;
  std::optional<translate::fast_engine> fast;
};

core::core(core_ports& ports, engine which) : impl_(std::make_unique<impl>(ports, which)) {}
core::~core() = default;
core::core(core&&) noexcept = default;
core& core::operator=(core&&) noexcept = default;

void core::reset() {
  impl_->m.reset();
  if (impl_->fast) {
    impl_->fast->drop();
  }
}

void core::enable(bool on) {
  impl_->m.enabled = on;
  if (on) {
    impl_->m.resume();
  }
}

bool core::enabled() const { return impl_->m.enabled; }

void core::write_program(std::uint32_t offset, std::span<const std::byte> bytes) {
  machine& m = impl_->m;
  if (offset > m.program.size() || bytes.size() > m.program.size() - offset) {
    throw std::out_of_range("program memory ends before offset " + std::to_string(offset + bytes.size()));
  }
  const auto to = std::span(m.program).subspan(offset, bytes.size());
  if (std::ranges::equal(bytes, to)) {
    return;
  }
  std::ranges::copy(bytes, to.begin());
  impl_->whole();
  m.decoded.clear(m.in_flight());
  if (impl_->fast) {
    impl_->fast->forget();
  }
}

std::span<const std::byte> core::program() const { return impl_->m.program; }

void core::step() {
  if (impl_->fast && impl_->m.enabled) {
    impl_->fast->run(1);
  } else {
    impl_->m.cycle();
  }
}

std::uint64_t core::run(std::uint64_t cycles) {
  machine& m = impl_->m;
  if (!m.enabled) {
    return 0;
  }
  if (impl_->fast) {
    return impl_->fast->run(cycles);
  }
  const std::uint64_t start = m.counters.cycles;
  const std::uint64_t end = start + cycles;
  while (m.counters.cycles < end && !m.fault && !m.halted()) {
    m.cycle();
    if (m.waiting != stall::none && m.waiting != stall::memory) {
      break;
    }
  }
  return m.counters.cycles - start;
}

bool core::done() const { return impl_->m.finished(); }
const std::optional<core_fault>& core::fault() const { return impl_->m.fault; }
stall core::waiting() const { return impl_->m.waiting; }
unsigned core::waiting_lock() const { return impl_->m.waiting_lock; }
int core::waiting_lock_value() const { return impl_->m.waiting_lock_value; }

std::uint32_t core::pc() const {
  const bool held = impl_->m.waiting != stall::none && impl_->m.waiting != stall::memory;
  return held ? impl_->m.stalled_pc : impl_->m.pc;
}

void core::set_pc(std::uint32_t pc) { impl_->whole().pc = pc & address_mask; }
hardware_loop core::loop() const { return impl_->m.loop(); }
const core_counters& core::counters() const { return impl_->m.counters; }

std::span<std::byte> core::reg(std::string_view name) {
  const auto id = aie::isa::find_register(name);
  if (!id) {
    throw std::out_of_range("no register " + std::string(name));
  }
  const register_place& place = place_of(*id);
  if (place.count != 1) {
    throw std::out_of_range("register " + std::string(name) + " is not contiguous; ask for its parts");
  }
  return std::span(impl_->m.registers.bytes).subspan(place.pieces[0].offset, place.pieces[0].size);
}

}  // namespace npurt::emu
