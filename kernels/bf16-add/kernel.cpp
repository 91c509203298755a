// SPDX-License-Identifier: Apache-2.0
// bf16-add, the residual addition: one group of 16 elements a cycle.
#include "codegen/operations.hpp"
#include "programs.hpp"

namespace npurt::kernels {

using namespace codegen;

compiled_function bf16_add(const compile_options& options) {
  constexpr std::int32_t group = 16 * 2;  // bytes
  constexpr unsigned nearest_even = 12;   // isa::rounding_modes()
  constexpr std::int32_t one = 0x3F80;    // as bf16

  kernel k("bf16_add");
  auto a = k.argument_pointer("a", k.memory("a", {0}));
  auto b = k.argument_pointer("b", k.memory("b", {3}));
  auto dst = k.argument_pointer("dst", k.memory("dst", {1}));
  const auto groups = k.argument_scalar("groups");
  k.set_rounding(nearest_even);
  const auto ones = broadcast<bfloat16, 32>(k.constant(one));
  // The multiplier adds two products a lane: a times one and b times one is the sum, in fp32, with a single rounding.
  k.loop("group", groups, [&] {
    const auto both = load_pair<bfloat16, 32>(a, post(group), b, post(group));
    store_bf16(dst, mul(both, ones, mac_shape::bf16_elementwise), post(group));
  });
  return k.compile(options);
}

}  // namespace npurt::kernels
