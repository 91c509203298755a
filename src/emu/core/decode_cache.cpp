// SPDX-License-Identifier: Apache-2.0
// Bundles decoded once per address.
#include "emu/core/decode_cache.hpp"

#include <algorithm>
#include <format>
#include <functional>
#include <utility>

namespace npurt::emu {

namespace isa = aie::isa;

std::span<const std::uint8_t> bundle_bytes(std::span<const std::byte> program, std::uint32_t pc) {
  const std::span bytes(reinterpret_cast<const std::uint8_t*>(program.data()), program.size());
  const unsigned length = isa::bundle_length(bytes[pc]);
  return bytes.subspan(pc, std::min<std::size_t>(length, bytes.size() - pc));
}

void decode_cache::clear(std::span<const operation* const> in_flight) {
  const auto flies = [in_flight](const operation& op) { return std::ranges::contains(in_flight, &op); };
  const auto is_used = [&flies](const bundle& b) { return std::ranges::any_of(b.operations, flies); };
  std::erase_if(retired_, std::not_fn(is_used));
  if (bundles_.empty()) {
    return;
  }
  for (bundle& b : bundles_) {
    if (is_used(b)) {
      retired_.push_back(std::move(b));  // its operations stay where they are
    }
  }
  bundles_.clear();
  std::ranges::fill(index_, std::uint16_t{0});
}

const bundle& decode_cache::decode(std::span<const std::byte> program, std::uint32_t pc) {
  if (pc >= program.size()) {
    throw core_error(std::format("fetch: pc {:#x} is outside program memory", pc));
  }
  const auto bytes = bundle_bytes(program, pc);
  if (bytes.size() < isa::bundle_length(bytes[0])) {
    throw core_error(std::format("fetch: the bundle at {:#x} runs past program memory", pc));
  }
  const auto decoded = isa::decode(bytes);
  if (!decoded) {
    throw core_error("illegal bundle");
  }
  bundle result;
  result.next = pc + decoded->bytes;
  result.operations.reserve(decoded->count);
  for (unsigned i = 0; i < decoded->count; ++i) {
    const isa::decoded_instruction& insn = decoded->slots[i];
    if (is_nop(*insn.row)) {
      continue;
    }
    operation& op = result.operations.emplace_back();
    if (std::string refused = build_operation(op, insn); !refused.empty() && result.refused.empty()) {
      result.refused = std::move(refused);
    }
  }
  bundles_.push_back(std::move(result));
  index_[pc] = static_cast<std::uint16_t>(bundles_.size());
  return bundles_.back();
}

}  // namespace npurt::emu
