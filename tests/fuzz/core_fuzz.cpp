// SPDX-License-Identifier: Apache-2.0
// Any program memory: the core ends in done, a fault, or a stall that its ports explain, or uses up its cycles. The
// first byte chooses between bytes as they are and bundles made to decode.
#include "emu/core/core.hpp"

#include "fuzz/bundles.hpp"

using namespace npurt;

namespace {

constexpr std::uint64_t most_cycles = 2000;

/// Data memory at 0x70000, locks and streams that give in every other time.
class ports final : public emu::core_ports {
 public:
  std::byte* data(std::uint32_t address, std::uint32_t size) override {
    const auto offset = std::uint64_t{address} - 0x70000;
    return address >= 0x70000 && offset + size <= memory_.size() ? memory_.data() + offset : nullptr;
  }
  bool claim_banks(std::uint32_t, std::uint32_t) override { return next(); }
  bool acquire_lock(unsigned id, int) override {
    fuzz::require(id < 64, "a core has 64 locks");
    return next();
  }
  void release_lock(unsigned id, int) override { fuzz::require(id < 64, "a core has 64 locks"); }
  std::optional<std::uint32_t> read_stream(unsigned, bool& last) override {
    last = next();
    return last ? std::optional(std::uint32_t{0x80000001}) : std::nullopt;
  }
  bool write_stream(unsigned, std::uint32_t, bool) override { return next(); }
  bool read_cascade(std::span<std::byte, 64> value) override {
    std::ranges::fill(value, std::byte{0x5A});
    return next();
  }
  bool write_cascade(std::span<const std::byte, 64>) override { return next(); }
  void event(unsigned) override {}

 private:
  bool next() { return (turn_ = !turn_); }
  bool turn_ = false;
  std::vector<std::byte> memory_ = std::vector<std::byte>(0x10000);
};

std::vector<std::uint8_t> make_program(fuzz::input& in) {
  if ((in.u8() & 1) == 0) return {in.rest().begin(), in.rest().end()};
  std::vector<std::uint8_t> program;
  while (!in.empty() && program.size() < emu::core::program_bytes - 16) {
    unsigned length = 0;
    const auto bundle = fuzz::make_bundle(in, length);
    program.insert(program.end(), bundle.begin(), bundle.begin() + length);
  }
  return program;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::input in(data, size);
  auto program = make_program(in);
  program.resize(std::min(program.size(), emu::core::program_bytes));
  ports surroundings;
  emu::core core(surroundings);
  core.write_program(0, std::as_bytes(std::span(program)));
  core.enable(true);
  std::uint64_t used = 0;
  while (used < most_cycles && !core.done() && !core.fault()) {
    const auto cycles = core.run(most_cycles - used);
    fuzz::require(cycles <= most_cycles - used, "run() keeps to its cycles");
    fuzz::require(cycles != 0 || core.done() || core.fault(), "a core that is enabled uses cycles");
    used += cycles;
  }
  if (core.fault()) fuzz::require(!core.fault()->cause.empty(), "a fault has a cause");
  return 0;
}
