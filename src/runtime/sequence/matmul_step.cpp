// SPDX-License-Identifier: Apache-2.0
// Matrix multiplication by weights, with what follows it.
#include <fmt/format.h>

#include "runtime/overlay/matmul_code.hpp"
#include "runtime/sequence/step.hpp"
#include "runtime/sequence/weights_state.hpp"

namespace npurt::detail::sequences {

namespace {

overlay::matmul_result result_of(const matmul_weights_state& weights) {
  if (!weights.is_i8) return overlay::matmul_result::bf16;
  return weights.bias ? overlay::matmul_result::i8 : overlay::matmul_result::i32;
}

overlay::operation operation_of(const matmul_weights_state& weights) {
  if (!weights.is_i8) return overlay::operation::matmul_bf16;
  return weights.bias ? overlay::operation::matmul_i8 : overlay::operation::matmul_i8_i32;
}

/// Of the name.
const char* epilogue_of(const matmul_weights_state& weights) {
  if (weights.is_i8) return weights.bias ? " int8" : " int8 to int32";
  return weights.bias ? " +bias" : "";
}

overlay::matmul_job job_of(const matmul_inputs& in) {
  return {.m = static_cast<std::uint32_t>(in.a.rows),
          .n = in.weights->outputs,
          .k = in.weights->inputs,
          .bf16 = !in.weights->is_i8,
          .result = result_of(*in.weights),
          .bias = !in.weights->is_i8 && in.weights->bias.has_value(),
          .gelu = in.gelu,
          .residual = in.residual ? overlay::matmul_residual::bf16 : overlay::matmul_residual::none,
          .zero_point = in.weights->zero_point};
}

class matmul : public step {
 public:
  explicit matmul(const matmul_inputs& in) : in_(in), whole_(overlay::padded(job_of(in))) {}

  sequence_step describe() const override {
    const std::uint64_t m = in_.a.rows, n = in_.weights->outputs, k = in_.weights->inputs;
    return {.name = fmt::format("matmul {}x{}x{}{}{}{}", m, n, k, epilogue_of(*in_.weights), in_.gelu ? " gelu" : "",
                                in_.residual ? " +residual" : ""),
            .macs = m * n * k,
            .bytes = in_.a.bytes() + k * n * bytes_of(in_.a.element) + (in_.residual ? 2 : 1) * in_.result.bytes()};
  }

  std::vector<argument> arguments() const override {
    std::vector<argument> all{in_.a.tensor, in_.weights->values.native(), in_.result.tensor};
    if (in_.weights->bias) all.emplace_back(in_.weights->bias->native());
    if (in_.residual) all.emplace_back(in_.residual->tensor);
    return all;
  }

  bool shape(tensors& all) const override {
    bool changed = all[in_.a.tensor].need(whole_.m, whole_.k);
    changed |= all[in_.result.tensor].need(whole_.m, whole_.n);
    if (in_.residual) changed |= all[in_.residual->tensor].need(whole_.m, whole_.n);
    return changed;
  }

  std::size_t rows_written(const tensors&) const override { return whole_.m; }

  overlay::recipe write(const tensors& all) const override {
    overlay::matmul_job job = job_of(in_);
    job.a_pitch = pitch(all, in_.a);
    job.c_pitch = pitch(all, in_.result);
    if (in_.residual) job.residual_pitch = pitch(all, *in_.residual);
    constexpr unsigned after_c = 3;
    return {operation_of(*in_.weights),
            overlay::matmul_code(overlay::padded(job),
                                 {.bias = after_c, .residual = in_.weights->bias ? after_c + 1 : after_c}),
            {}};
  }

 private:
  static std::uint32_t pitch(const tensors& all, const operand& of) {
    return static_cast<std::uint32_t>(all[of.tensor].pitch);
  }

  matmul_inputs in_;
  overlay::matmul_job whole_;
};

}  // namespace

std::unique_ptr<step> matmul_step(const matmul_inputs& in) {
  check_extent("matmul in a sequence", "a", "K", in.a.columns, in.weights->inputs);
  if (in.residual) {
    check_extent("matmul in a sequence", "the residual", "M", in.residual->rows, in.a.rows);
    check_extent("matmul in a sequence", "the residual", "N", in.residual->columns, in.weights->outputs);
  }
  return std::make_unique<matmul>(in);
}

}  // namespace npurt::detail::sequences
