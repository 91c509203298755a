// SPDX-License-Identifier: Apache-2.0
// Kernels and the roles of their arguments.
#include "npurt/kernel.hpp"

#include <algorithm>

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

std::shared_ptr<detail::kernel_state> open_kernel(const hw_context& context, std::string_view name) {
  auto state = std::make_shared<detail::kernel_state>();
  state->context = context.state();
  state->name = name;
  const detail::hw_context_state& place = *state->context;
  if (std::ranges::find(place.kernels, name) == place.kernels.end()) {
    throw kernel_not_found_error(
        fmt::format("{} has no kernel {}; it has {}", place.origin, name,
                    place.kernels.empty() ? "none" : fmt::format("{}", fmt::join(place.kernels, ", "))));
  }
  detail::translated<xclbin_error>(fmt::format("kernel {} of {}", name, place.origin), [&] {
    state->arguments = read_roles(place.native.get_xclbin().get_kernel(state->name));
    check_roles(state->arguments, place.origin, state->name);
    state->native = xrt::kernel(place.native, state->name);
  });
  return state;
}

}  // namespace

kernel::kernel(const hw_context& context, std::string_view name) : state_(open_kernel(context, name), "kernel") {}

const std::string& kernel::name() const { return state_->name; }
std::size_t kernel::buffer_count() const { return state_->arguments.buffers.size(); }
const xrt::kernel& kernel::native() const { return state_->native; }

}  // namespace npurt
