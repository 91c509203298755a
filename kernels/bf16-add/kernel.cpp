// SPDX-License-Identifier: Apache-2.0
// bf16-add, the residual addition: operation 5 of the overlay.
#include <array>

#include "codegen/operations.hpp"
#include "overlay/chunks.hpp"
#include "programs.hpp"

namespace npurt::kernels {

using namespace codegen;

compiled_function op_add_bf16(const compile_options&) {
  constexpr std::int32_t group = 16 * 2;  // bytes
  constexpr unsigned at_once = 4, nearest_even = 12, no_saturation = 0;
  constexpr std::int32_t one = 0x3F80;  // as bf16

  kernel k("op_add_bf16");
  auto parameters = k.argument_pointer("parameters", k.memory("parameters", {1}));
  const auto pairs = load_i32(parameters, at(4));
  auto x = overlay::chunk_stream::a(k), y = overlay::chunk_stream::b(k), sum = overlay::chunk_stream::out(k);
  const auto x_area = k.memory("x", {0, 1}), y_area = k.memory("y", {3}), sum_area = k.memory("x + y", {0});
  k.set_rounding(nearest_even);
  k.set_saturation(no_saturation);
  const auto ones = broadcast<bfloat16, 32>(k.constant(one));
  k.loop("pair", pairs, [&] {
    auto xs = x.take(x_area), ys = y.take(y_area);
    k.loop("half", 2, [&] {
      auto to = sum.take(sum_area);
      // The multiplier adds two products a lane: x times one and y times one is the sum, with a single rounding.
      k.loop("64 elements", overlay::out_bytes / (at_once * group), [&] {
        std::array<vector<bfloat16, 32>, at_once> both;
        for (auto& b : both) {
          b = load_pair<bfloat16, 32>(xs, post(group), ys, post(group));
        }
        for (const auto& b : both) {
          store_bf16(to, mul(b, ones, mac_shape::bf16_elementwise), post(group));
        }
      });
      sum.give();
    });
    x.give();
    y.give();
  });
  x.finish();
  y.finish();
  sum.finish();
  return k.compile({.pipeline = false});  // the streams are slower: a quarter of the code
}

}  // namespace npurt::kernels
