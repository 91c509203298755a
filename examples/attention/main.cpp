// SPDX-License-Identifier: Apache-2.0
// attention [--causal] [Q.npy K.npy V.npy [OUT.npy]]: softmax(Q · Kᵀ / √d) · V for each head on the NPU; without files
// numbers are made up.
#include <cmath>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "bf16-attention/reference.hpp"
#include "support/bf16_example.hpp"

namespace {

struct operands {
  examples::bf16_tensor q, k, v;
};

examples::bf16_tensor read_heads(const char* file) {
  examples::bf16_tensor values = examples::read_bf16(file);
  if (values.shape.size() != 3) throw std::runtime_error(std::string(file) + ": three extents expected, [heads, T, d]");
  return values;
}

operands read_or_make(const std::vector<const char*>& files) {
  using examples::made_up;
  if (files.empty()) return {made_up({4, 200, 64}, 1), made_up({4, 200, 64}, 2), made_up({4, 200, 64}, 3)};
  return {read_heads(files[0]), read_heads(files[1]), read_heads(files[2])};
}

npurt::tensor_view<const std::bfloat16_t, 3> heads_of(const examples::bf16_tensor& values) {
  return {values.data, values.shape[0], values.shape[1], values.shape[2]};
}

std::vector<double> widened(const examples::bf16_tensor& values) {
  const std::vector<float> floats = examples::to_floats(values);
  return {floats.begin(), floats.end()};
}

std::vector<double> exact(const operands& in, bool causal) {
  const std::size_t d = in.q.shape[2];
  return npurt::kernels::reference::attention(
      widened(in.q), widened(in.k), widened(in.v),
      {.heads = in.q.shape[0], .rows = in.q.shape[1], .keys = in.k.shape[1], .d = d, .causal = causal},
      1 / std::sqrt(static_cast<double>(d)));
}

void attention(const operands& in, bool causal, const char* out_file) {
  examples::bf16_tensor out = in.q;
  npurt::device device;
  examples::print_tensor("Q", in.q);
  examples::print_tensor("K, V", in.k);
  const npurt::op_report report =
      npurt::attention(device, heads_of(in.q), heads_of(in.k), heads_of(in.v),
                       npurt::tensor_view(out.data, out.shape[0], out.shape[1], out.shape[2]), {.causal = causal});
  examples::print_call(device, report);
  examples::print_error(out, exact(in, causal));
  if (out_file) examples::write_bf16(out_file, out);
}

}  // namespace

int main(int argc, char** argv) {
  const bool causal = argc > 1 && std::string_view(argv[1]) == "--causal";
  const std::vector<const char*> files(argv + (causal ? 2 : 1), argv + argc);
  if (files.size() != 0 && files.size() != 3 && files.size() != 4) {
    std::fputs("usage: attention [--causal] [Q.npy K.npy V.npy [OUT.npy]]\n", stderr);
    return 2;
  }
  return examples::run_example("attention",
                               [&] { attention(read_or_make(files), causal, files.size() > 3 ? files[3] : nullptr); });
}
