// SPDX-License-Identifier: Apache-2.0
// Layernorm and softmax in a sequence.
#include <algorithm>
#include <bit>

#include <fmt/format.h>

#include "npurt/detail/row_calls.hpp"
#include "runtime/overlay/rows_code.hpp"
#include "runtime/sequence/step.hpp"
#include "runtime/sequence/weights_state.hpp"

namespace npurt::detail::sequences {

namespace {

using overlay::operation;

struct rows_job {
  operation op;
  const char* name;
  operand x, y;
  std::shared_ptr<const layernorm_weights_state> weights{};
  std::uint32_t eps = 0;  ///< bits of a float
};

class rows : public step {
 public:
  explicit rows(rows_job job) : job_(std::move(job)), layout_(overlay::rows_of(columns())) {
    // Behind a row's end the device would leave anything in the word that it shares.
    if (layout_.columns == columns()) return;
    throw shape_error("C", fmt::format("{} in a sequence: C is {}, it must be even, above 2044 a multiple of 4",
                                       job_.name, columns()));
  }

  sequence_step describe() const override {
    return {.name = fmt::format("{} {}x{}", job_.name, job_.x.rows, job_.x.columns),
            .macs = 0,
            .bytes = 2 * job_.x.bytes()};
  }

  std::vector<argument> arguments() const override {
    std::vector<argument> all{job_.x.tensor, job_.y.tensor};
    if (job_.weights) all.emplace_back(job_.weights->values.native());
    return all;
  }

  bool shape(tensors& all) const override {
    bool changed = false;
    for (const operand& each : {job_.x, job_.y}) changed |= all[each.tensor].need(padded_rows(), layout_.columns);
    return changed;
  }

  std::size_t rows_written(const tensors&) const override { return padded_rows(); }

  overlay::recipe write(const tensors& all) const override {
    return {job_.op,
            overlay::rows_code({.op = job_.op,
                                .rows = padded_rows(),
                                .columns = columns(),
                                .eps = job_.eps,
                                .weights = job_.weights != nullptr,
                                .x_pitch = static_cast<std::uint32_t>(all[job_.x.tensor].pitch),
                                .y_pitch = static_cast<std::uint32_t>(all[job_.y.tensor].pitch)}),
            {}};
  }

 private:
  std::uint32_t columns() const { return static_cast<std::uint32_t>(job_.x.columns); }
  std::uint32_t padded_rows() const { return overlay::padded_rows(job_.x.rows, layout_); }

  rows_job job_;
  overlay::row_layout layout_;
};

}  // namespace

std::unique_ptr<step> layernorm_step(const operand& x, const operand& y,
                                     std::shared_ptr<const layernorm_weights_state> weights, float eps) {
  check_rows("layernorm", {x.rows, x.columns});
  check_extent("layernorm", "gamma and beta", "C", weights->columns, x.columns);
  check_layernorm_eps(eps);
  return std::make_unique<rows>(
      rows_job{operation::layernorm_bf16, "layernorm", x, y, std::move(weights), std::bit_cast<std::uint32_t>(eps)});
}

std::unique_ptr<step> softmax_step(const operand& x, const operand& y) {
  check_rows("softmax", {x.rows, x.columns});
  return std::make_unique<rows>(rows_job{operation::softmax_bf16, "softmax", x, y});
}

}  // namespace npurt::detail::sequences
