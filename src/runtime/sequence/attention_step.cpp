// SPDX-License-Identifier: Apache-2.0
// Attention in a sequence: heads are 64 columns each of matrices.
#include <cmath>

#include <fmt/format.h>

#include "runtime/overlay/attention_code.hpp"
#include "runtime/sequence/step.hpp"

namespace npurt::detail::sequences {

namespace {

class attention : public step {
 public:
  explicit attention(const attention_inputs& in)
      : in_(in), shape_{in.q.columns / in.d, in.q.rows, in.k.rows, in.d}, keys_(key_length_of(shape_, in.options)) {}

  sequence_step describe() const override {
    const std::uint64_t scores = shape_.heads * shape_.rows * shape_.keys;
    return {.name = fmt::format("attention {}x{}x{}x{}{}", shape_.heads, shape_.rows, shape_.keys, shape_.d,
                                in_.options.causal ? " causal" : ""),
            .macs = 2 * scores * shape_.d,
            .bytes = 2 * shape_.heads * (shape_.rows + shape_.keys) * shape_.d * tensor::element_bytes};
  }

  std::vector<argument> arguments() const override {
    return {in_.q.tensor, in_.k.tensor, in_.v.tensor, in_.result.tensor};
  }

  bool shape(tensors& all) const override {
    const std::size_t queries = overlay::padded_queries(static_cast<std::uint32_t>(shape_.rows), width());
    const std::size_t keys = overlay::padded_keys(static_cast<std::uint32_t>(keys_));
    bool changed = false;
    for (const auto& [each, rows] : {std::pair(in_.q, queries), {in_.k, keys}, {in_.v, keys}, {in_.result, queries}}) {
      changed |= all[each.tensor].need(rows, each.first_column + each.columns);
    }
    return changed;
  }

  std::size_t rows_written(const tensors&) const override {
    return overlay::padded_queries(static_cast<std::uint32_t>(shape_.rows), width());
  }

  overlay::recipe write(const tensors& all) const override {
    return {overlay::operation::attention_bf16,
            overlay::attention_code({.heads = static_cast<std::uint32_t>(shape_.heads),
                                     .queries = static_cast<std::uint32_t>(shape_.rows),
                                     .keys = static_cast<std::uint32_t>(keys_),
                                     .width = width(),
                                     .causal = in_.options.causal,
                                     .scale = scale_of(shape_, in_.options),
                                     .q = columns_of(all, in_.q),
                                     .k = columns_of(all, in_.k),
                                     .v = columns_of(all, in_.v),
                                     .out = columns_of(all, in_.result)}),
            {}};
  }

 private:
  std::uint32_t width() const { return static_cast<std::uint32_t>(shape_.d); }

  overlay::head_layout columns_of(const tensors& all, const operand& heads) const {
    return {.row_words = static_cast<std::uint32_t>(all[heads.tensor].pitch_bytes() / 4),
            .head_words = static_cast<std::uint32_t>(shape_.d * tensor::element_bytes / 4),
            .first_byte = static_cast<std::uint32_t>(heads.first_column * tensor::element_bytes)};
  }

  attention_inputs in_;
  attention_shape shape_;
  std::size_t keys_;
};

void check_heads(const char* name, const operand& given, std::size_t columns) {
  check_extent("attention in a sequence", name, "H", given.columns, columns);
}

}  // namespace

std::unique_ptr<step> attention_step(const attention_inputs& in) {
  if (in.d != overlay::attention_width && in.d != overlay::most_attention_width) {
    throw shape_error("d", fmt::format("attention in a sequence: d is {}, it must be {} or {}", in.d,
                                       overlay::attention_width, overlay::most_attention_width));
  }
  if (in.q.columns % in.d != 0) {
    throw shape_error("d", fmt::format("attention in a sequence: q has {} columns, they must be a multiple of d, {}",
                                       in.q.columns, in.d));
  }
  check_range("attention", "q", "H", in.q.columns / in.d, attention_max_shape.heads);
  check_range("attention", "q", "T", in.q.rows, attention_max_shape.rows);
  check_range("attention", "k", "S", in.k.rows, attention_max_shape.keys);
  check_heads("the columns of k", in.k, in.q.columns);
  check_heads("the columns of v", in.v, in.q.columns);
  check_extent("attention", "v", "S", in.v.rows, in.k.rows);
  return std::make_unique<attention>(in);
}

}  // namespace npurt::detail::sequences
