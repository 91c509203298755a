// SPDX-License-Identifier: Apache-2.0
#include "runtime/overlay/plan_arguments.hpp"

#include <algorithm>
#include <functional>

#include "runtime/run_state.hpp"
#include "runtime/trace.hpp"
#include "runtime/translate.hpp"

namespace npurt::detail::overlay {

namespace {

/// What the shim's DMAs address.
constexpr std::size_t address_unit = 4;

std::size_t offset_in(const operand_memory::entry& in, std::span<const std::byte> bytes) {
  return static_cast<std::size_t>(bytes.data() - in.elements.data());
}

bool reaches(const operand_memory::entry& in, std::size_t offset, std::size_t bytes) {
  return offset % address_unit == 0 && bytes <= in.capacity - offset;
}

const std::byte* end_of(std::span<const std::byte> bytes) { return bytes.data() + bytes.size(); }

bool share(std::span<const std::byte> one, std::span<const std::byte> other) {
  constexpr std::less<> before;
  return before(one.data(), end_of(other)) && before(other.data(), end_of(one));
}

}  // namespace

plan_arguments::plan_arguments(const kernel& target, const std::vector<std::size_t>& sizes,
                               std::shared_ptr<const operand_memory> operands)
    : operands_(std::move(operands)) {
  for (const std::size_t bytes : sizes) {
    slots_.push_back({.own = buffer<std::byte>(target, bytes)});
    std::ranges::fill(slots_.back().own, std::byte{0});
  }
}

plan_arguments plan_arguments::renewed(const kernel& target) const {
  plan_arguments made(operands_);
  for (const slot& each : slots_) {
    made.slots_.push_back({.own = buffer<std::byte>(target, each.own.size())});
    std::ranges::copy(each.own, made.slots_.back().own.begin());
    made.slots_.back().own.to_device();
  }
  return made;
}

std::size_t plan_arguments::size_bytes() const {
  std::size_t sum = 0;
  for (const slot& each : slots_) sum += each.own.size();
  return sum;
}

std::vector<xrt::bo> plan_arguments::own() const {
  std::vector<xrt::bo> all;
  for (const slot& each : slots_) all.push_back(each.own.native());
  return all;
}

void plan_arguments::begin() {
  for (slot& each : slots_) each.used = {};
}

bool plan_arguments::read(std::size_t argument, std::span<const std::byte> operand) {
  const auto found = operands_ ? operands_->find(operand) : std::nullopt;
  if (!found || !reaches(*found, offset_in(*found, operand), slots_[argument].own.size())) return false;
  use(argument, *found, operand);
  return true;
}

// Behind a result its padding is written: it must be in nobody's elements.
bool plan_arguments::write(std::size_t argument, std::span<const std::byte> result) {
  const auto found = operands_ ? operands_->find(result) : std::nullopt;
  const std::size_t bytes = slots_[argument].own.size();
  if (!found || !reaches(*found, offset_in(*found, result), bytes)) return false;
  if (bytes != result.size() && end_of(result) != end_of(found->elements)) return false;
  const std::span written(result.data(), bytes);
  if (std::ranges::any_of(slots_, [&](const slot& each) { return share(each.used, written); })) return false;
  use(argument, *found, result);
  return true;
}

void plan_arguments::use(std::size_t argument, const operand_memory::entry& of, std::span<const std::byte> bytes) {
  slot& into = slots_[argument];
  const std::size_t offset = offset_in(of, bytes);
  if (into.number != of.number || into.offset != offset) {
    into.foreign = offset == 0 ? of.bo : translated<buffer_error>("an operand in a buffer", [&] {
      return xrt::bo(of.bo, of.capacity - offset, offset);
    });
    into.number = of.number;
    into.offset = offset;
  }
  into.used = bytes;
}

void plan_arguments::bind(run& command) const {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const xrt::bo& wanted = in_place(i) ? slots_[i].foreign : slots_[i].own.native();
    if (command.shared()->buffers[i].get_handle() != wanted.get_handle()) command.bind(i, wanted);
  }
}

bool plan_arguments::forget(std::uint64_t number) {
  bool found = false;
  for (slot& each : slots_) {
    if (each.number != number) continue;
    each.foreign = {};
    each.number = 0;
    each.used = {};
    found = true;
  }
  return found;
}

void plan_arguments::sync(std::size_t argument, bool to_device) {
  slot& each = slots_[argument];
  if (each.used.empty()) return to_device ? each.own.to_device() : each.own.from_device();
  const trace::span now(to_device ? "to device" : "from device");
  translated<buffer_error>("synchronising an operand", [&] {
    each.foreign.sync(to_device ? XCL_BO_SYNC_BO_TO_DEVICE : XCL_BO_SYNC_BO_FROM_DEVICE, each.used.size(), 0);
  });
}

}  // namespace npurt::detail::overlay
