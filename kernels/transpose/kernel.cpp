// SPDX-License-Identifier: Apache-2.0
// transpose, the overlay's operation 15: rows that share words become columns of words; DMAs move the words.
#include "codegen/operations.hpp"
#include "overlay/chunks.hpp"
#include "programs.hpp"

namespace npurt::kernels {

using namespace codegen;

compiled_function op_transpose(const compile_options&) {
  constexpr unsigned at_once = 4;
  constexpr std::int32_t vector_bytes = 64;

  kernel k("op_transpose");
  auto parameters = k.argument_pointer("parameters", k.memory("parameters", {1}));
  const auto pairs = load_i32(parameters, at(4)), mode = load_i32(parameters, at(8));
  auto out = overlay::chunk_stream::out(k);
  auto a = overlay::chunk_stream::a(k), b = overlay::chunk_stream::b(k);
  const auto to_area = k.memory("transposed", {0});
  const auto chunk = [&](overlay::chunk_stream& stream, const memory_area& area) {
    auto from = stream.take(area);
    k.loop("half", 2, [&] {
      auto to = out.take(to_area);
      k.loop("16 columns", overlay::out_bytes / (at_once * vector_bytes), [&] {
        std::array<vector<std::int8_t, 64>, at_once> blocks;
        for (auto& block : blocks) block = load<std::int8_t, 64>(from, post(vector_bytes));
        for (const auto& block : blocks) store(to, shuffle(block, mode), post(vector_bytes));
      });
      out.give();
    });
    stream.give();
  };
  k.loop("pair", pairs, [&] {
    chunk(a, k.memory("A", {0, 1}));
    chunk(b, k.memory("B", {3}));
  });
  for (auto* stream : {&a, &b, &out}) stream->finish();
  return k.compile({.pipeline = false});  // the streams are slower
}

}  // namespace npurt::kernels
