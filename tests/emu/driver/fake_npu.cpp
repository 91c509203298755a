// SPDX-License-Identifier: Apache-2.0
// Definitions of class npu that the linker takes before the firmware's.
#include "fake_npu.hpp"

#include <ostream>
#include <utility>

namespace npurt::tests {

fake_npu& fake_npu::instance() {
  static fake_npu fake;
  return fake;
}

void fake_npu::reset() {
  const std::lock_guard lock(mutex);
  execute = nullptr;
  statistics = nullptr;
  pdi_error.clear();
  pdis.clear();
  partitions = 100;
  columns = {0, 4};
  created = destroyed = executed = forgotten = 0;
}

void on_execute(fake_execute execute) {
  auto& fake = fake_npu::instance();
  const std::lock_guard lock(fake.mutex);
  fake.execute = std::move(execute);
}

}  // namespace npurt::tests

namespace npurt::emu {

using tests::fake_npu;

struct npu::impl {
  device_memory& memory;
};

npu::npu(device_memory& memory) : impl_(std::make_unique<impl>(memory)) {}
npu::~npu() = default;

std::optional<context_id> npu::create_context(unsigned) {
  auto& fake = fake_npu::instance();
  if (fake.created - fake.destroyed >= fake.partitions) return std::nullopt;
  return fake.created++;
}

unsigned npu::clock_mhz(unsigned mode_mhz) { return mode_mhz; }

npu::column_range npu::columns_of(context_id) const { return fake_npu::instance().columns; }

void npu::destroy_context(context_id) { ++fake_npu::instance().destroyed; }

std::string npu::configure_cu(context_id, std::uint32_t, std::vector<std::byte> pdi) {
  auto& fake = fake_npu::instance();
  fake.pdis.push_back(std::move(pdi));
  return fake.pdi_error;
}

void npu::forget_configurations() { ++fake_npu::instance().forgotten; }

command_result npu::execute(context_id, const npu_command& command) {
  auto& fake = fake_npu::instance();
  ++fake.executed;
  tests::fake_execute execute;
  {
    const std::lock_guard lock(fake.mutex);
    execute = fake.execute;
  }
  return execute ? execute(command, *command.memory) : command_result{};
}

void npu::record_timeline(std::size_t) {}
void npu::write_timeline(std::ostream& out) const { out << R"({"traceEvents":[]})"; }

std::string npu::statistics() const {
  auto& fake = fake_npu::instance();
  std::function<std::string()> statistics;
  {
    const std::lock_guard lock(fake.mutex);
    statistics = fake.statistics;
  }
  return statistics ? statistics() : R"({"fake": true})";
}

}  // namespace npurt::emu
