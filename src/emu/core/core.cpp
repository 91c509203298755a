// SPDX-License-Identifier: Apache-2.0
// The interface of a core over its machine.
#include "emu/core/core.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "emu/core/pipeline.hpp"

namespace npurt::emu {

struct core::impl {
  explicit impl(core_ports& ports) : m(ports) {}
  machine m;
};

core::core(core_ports& ports) : impl_(std::make_unique<impl>(ports)) {}
core::~core() = default;
core::core(core&&) noexcept = default;
core& core::operator=(core&&) noexcept = default;

void core::reset() { impl_->m.reset(); }

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
  std::ranges::copy(bytes, m.program.begin() + offset);
  m.decoded.clear(m.in_flight());
}

std::span<const std::byte> core::program() const { return impl_->m.program; }

void core::step() { impl_->m.cycle(); }

std::uint64_t core::run(std::uint64_t cycles) {
  machine& m = impl_->m;
  if (!m.enabled) {
    return 0;
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

void core::set_pc(std::uint32_t pc) { impl_->m.pc = pc & address_mask; }
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
