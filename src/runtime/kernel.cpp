// SPDX-License-Identifier: Apache-2.0
// Kernels and the roles of their arguments.
#include "npurt/kernel.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "runtime/kernel_state.hpp"
#include "runtime/translate.hpp"

namespace npurt {

namespace {

// The names that mlir-aie and AMD's own kernels give the arguments of a kernel that takes control code.
detail::argument_roles read_roles(const xrt::xclbin::kernel& description) {
  detail::argument_roles roles;
  for (const auto& argument : description.get_args()) {
    const std::string name = argument.get_name();
    const int index = static_cast<int>(argument.get_index());
    if (name == "opcode") {
      roles.opcode = index;
    } else if (name == "instr") {
      roles.instructions = index;
    } else if (name == "ninstr") {
      roles.instruction_count = index;
    } else if (argument.get_host_type().ends_with('*')) {
      roles.buffers.push_back(index);
    }
  }
  return roles;
}

void check_roles(const detail::argument_roles& roles, const std::string& origin, const std::string& name) {
  const char* missing = roles.opcode < 0              ? "opcode"
                        : roles.instructions < 0      ? "instr"
                        : roles.instruction_count < 0 ? "ninstr"
                        : roles.buffers.empty()       ? "of a buffer"
                                                      : nullptr;
  if (!missing) return;
  throw xclbin_error(
      fmt::format("EMBEDDED_METADATA of {}: kernel {} has no argument {}, it is none that takes control "
                  "code",
                  origin, name, missing));
}

}  // namespace

namespace detail {

kernel_state::kernel_state(std::shared_ptr<hw_context_state> place, std::string_view called)
    : context(std::move(place)), name(called) {
  if (std::ranges::find(context->kernels, name) == context->kernels.end()) {
    throw kernel_not_found_error(
        fmt::format("{} has no kernel {}; it has {}", context->origin, name,
                    context->kernels.empty() ? "none" : fmt::format("{}", fmt::join(context->kernels, ", "))));
  }
  const auto held = context->use();
  translated<xclbin_error>(fmt::format("kernel {} of {}", name, context->origin), [&] {
    arguments = read_roles(context->image.get_kernel(name));
    check_roles(arguments, context->origin, name);
    const xrt::kernel opened = in(*held);
    instruction_group = static_cast<xrt::memory_group>(opened.group_id(arguments.instructions));
    buffer_group = static_cast<xrt::memory_group>(opened.group_id(arguments.buffers.front()));
  });
  context->attach(*this);
}

kernel_state::~kernel_state() { context->detach(*this); }

xrt::kernel kernel_state::in(const open_context& place) {
  const std::lock_guard lock(mutex_);
  if (number_ != place.number) {
    native_ = xrt::kernel(place.native, name);
    number_ = place.number;
  }
  return native_;
}

void kernel_state::let_go() noexcept {
  const std::lock_guard lock(mutex_);
  native_ = {};
  number_ = 0;
}

}  // namespace detail

kernel::kernel(const hw_context& context, std::string_view name)
    : state_(std::make_shared<detail::kernel_state>(context.state(), name), "kernel") {}

const std::string& kernel::name() const { return state_->name; }
std::size_t kernel::buffer_count() const { return state_->arguments.buffers.size(); }
const xrt::kernel& kernel::native() const {
  detail::kernel_state& state = *state_;
  state.context->expose();
  state.exposed = state.in(*state.context->use());
  return state.exposed;
}

}  // namespace npurt
