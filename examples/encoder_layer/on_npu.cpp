// SPDX-License-Identifier: Apache-2.0
#include "on_npu.hpp"

#include <string>

namespace examples {
namespace {

using npurt::sequence;
using npurt::sequence_tensor;
using tensors = std::vector<sequence_tensor>;

npurt::matmul_weights upload(npurt::device& device, const linear& from) {
  return {device, from.view(), from.bias, npurt::weights_order::outputs_by_inputs};
}

npurt::layernorm_weights upload(npurt::device& device, const norm& from) { return {device, from.gamma, from.beta}; }

sequence_tensor attend(sequence& in, const sequence_tensor& qkv, std::size_t width) {
  return in.attention(qkv.columns(0, width), qkv.columns(width, width), qkv.columns(2 * width, width));
}

}  // namespace

device_weights::device_weights(npurt::device& device, const layer_weights& from)
    : attention_norm(upload(device, from.attention_norm)),
      qkv(upload(device, from.qkv)),
      out(upload(device, from.out)),
      mlp_norm(upload(device, from.mlp_norm)),
      fc1(upload(device, from.fc1)),
      fc2(upload(device, from.fc2)) {}

sequence record_layer(npurt::device& device, const device_weights& weights, const layer_shape& shape) {
  sequence s(device);
  const sequence_tensor x = s.input("x", shape.rows, shape.width);
  const sequence_tensor qkv = s.matmul(s.layernorm(x, weights.attention_norm, norm_eps), weights.qkv);
  const sequence_tensor h = s.matmul(attend(s, qkv, shape.width), weights.out, {.residual = x});
  const sequence_tensor inner = s.matmul(s.layernorm(h, weights.mlp_norm, norm_eps), weights.fc1, {.gelu = true});
  s.output("y", s.matmul(inner, weights.fc2, {.residual = h}));
  s.compile();
  return s;
}

void separate_calls::add(npurt::device& device, std::vector<std::size_t> operands,
                         std::vector<std::size_t> operand_columns,
                         const std::function<sequence_tensor(sequence&, const tensors&)>& op, std::size_t columns) {
  sequence s(device);
  tensors inputs;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    inputs.push_back(s.input("x" + std::to_string(i), rows_, operand_columns[i]));
  }
  s.output("y", op(s, inputs));
  s.compile();
  calls_.push_back({std::move(s), std::move(operands), columns});
}

separate_calls::separate_calls(npurt::device& device, const device_weights& weights, const layer_shape& shape)
    : rows_(shape.rows) {
  const std::size_t width = shape.width, inner = shape.inner;
  const auto normalised = [](const npurt::layernorm_weights& by) {
    return [&by](sequence& s, const tensors& in) { return s.layernorm(in[0], by, norm_eps); };
  };
  const auto product = [](const npurt::matmul_weights& by, bool gelu = false) {
    return [&by, gelu](sequence& s, const tensors& in) {
      if (in.size() == 1) return s.matmul(in[0], by, {.gelu = gelu});
      return s.matmul(in[0], by, {.gelu = gelu, .residual = in[1]});
    };
  };
  add(device, {0}, {width}, normalised(weights.attention_norm), width);                                           // 1
  add(device, {1}, {width}, product(weights.qkv), 3 * width);                                                     // 2
  add(device, {2}, {3 * width}, [=](sequence& s, const tensors& in) { return attend(s, in[0], width); }, width);  // 3
  add(device, {3, 0}, {width, width}, product(weights.out), width);                                               // 4
  add(device, {4}, {width}, normalised(weights.mlp_norm), width);                                                 // 5
  add(device, {5}, {width}, product(weights.fc1, true), inner);                                                   // 6
  add(device, {6, 4}, {inner, width}, product(weights.fc2), width);                                               // 7
}

bf16s separate_calls::operator()(const bf16s& x, const std::function<void()>& after) {
  std::vector<bf16s> results{x};
  for (call& each : calls_) {
    bf16s result(rows_ * each.columns);
    for (std::size_t i = 0; i < each.operands.size(); ++i) {
      const bf16s& operand = results[each.operands[i]];
      each.sequence.write("x" + std::to_string(i),
                          npurt::matrix_view<const std::bfloat16_t>(operand, rows_, operand.size() / rows_));
    }
    each.sequence.run();
    each.sequence.read("y", npurt::matrix_view<std::bfloat16_t>(result, rows_, each.columns));
    results.push_back(std::move(result));
    after();
  }
  return results.back();
}

}  // namespace examples
