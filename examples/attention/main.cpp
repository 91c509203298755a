// SPDX-License-Identifier: Apache-2.0
// attention [--causal] [--int8] [Q.npy K.npy V.npy [OUT.npy]]: softmax(Q · Kᵀ / √d) · V for each head on the NPU;
// without files numbers are made up.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "i8-attention/reference.hpp"
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

struct options {
  bool causal = false, int8 = false;
};

npurt::tensor_view<std::bfloat16_t, 3> heads_of(examples::bf16_tensor& values) {
  return {values.data, values.shape[0], values.shape[1], values.shape[2]};
}

void attention(const operands& in, const options& how, const char* out_file) {
  examples::bf16_tensor out = in.q;
  npurt::device device;
  const npurt::op_report report =
      npurt::attention(device, heads_of(in.q), heads_of(in.k), heads_of(in.v), heads_of(out), {.causal = how.causal});
  examples::print_call(device, report);
  examples::print_error(out, exact(in, how.causal));
  if (out_file) examples::write_bf16(out_file, out);
}

/// A tensor in int8, and what a step is worth.
struct quantised {
  explicit quantised(const examples::bf16_tensor& values)
      : shape(values.shape), data(values.data.size()), scale(npurt::quantise(examples::to_floats(values), data)) {}

  npurt::tensor_view<const std::int8_t, 3> heads() const { return {data, shape[0], shape[1], shape[2]}; }

  std::vector<std::size_t> shape;
  std::vector<std::int8_t> data;
  float scale;
};

void attention_i8(const operands& in, const options& how, const char* out_file) {
  examples::bf16_tensor out = in.q;
  const quantised q(in.q), k(in.k), v(in.v);
  npurt::device device;
  const npurt::op_report report =
      npurt::attention_i8(device, q.heads(), k.heads(), v.heads(), {.q = q.scale, .k = k.scale, .v = v.scale},
                          heads_of(out), {.causal = how.causal});
  examples::print_call(device, report);
  examples::print_error(
      out, npurt::kernels::reference::attention(
               q.data, k.data, v.data,
               {.heads = q.shape[0], .rows = q.shape[1], .keys = k.shape[1], .d = q.shape[2], .causal = how.causal},
               1 / std::sqrt(static_cast<double>(q.shape[2])), {q.scale, k.scale, v.scale}));
  if (out_file) examples::write_bf16(out_file, out);
}

void run(const operands& in, const options& how, const char* out_file) {
  examples::print_tensor("Q", in.q);
  examples::print_tensor("K, V", in.k);
  (how.int8 ? attention_i8 : attention)(in, how, out_file);
}

}  // namespace

int main(int argc, char** argv) {
  options how;
  std::vector<const char*> files;
  for (const char* word : std::vector<const char*>(argv + 1, argv + argc)) {
    if (std::string_view(word) == "--causal") {
      how.causal = true;
    } else if (std::string_view(word) == "--int8") {
      how.int8 = true;
    } else {
      files.push_back(word);
    }
  }
  if (files.size() != 0 && files.size() != 3 && files.size() != 4) {
    std::fputs("usage: attention [--causal] [--int8] [Q.npy K.npy V.npy [OUT.npy]]\n", stderr);
    return 2;
  }
  return examples::run_example("attention",
                               [&] { run(read_or_make(files), how, files.size() > 3 ? files[3] : nullptr); });
}
