// SPDX-License-Identifier: Apache-2.0
// Attention in a sequence: heads are 64 columns each of matrices.
#include <fmt/format.h>

#include "runtime/ops/attention_call.hpp"
#include "runtime/sequence/step.hpp"

namespace npurt::detail::sequences {

namespace {

attention_shape shape_of(const attention_inputs& in) {
  return {.heads = in.q.columns / in.d, .rows = in.q.rows, .keys = in.k.rows, .d = in.d};
}

overlay::attention_job job_of(const attention_inputs& in, const attention_shape& shape) {
  return in.scales ? attention_i8_job_of(shape, *in.scales, in.options) : attention_job_of(shape, in.options);
}

class attention : public step {
 public:
  explicit attention(const attention_inputs& in) : in_(in), shape_(shape_of(in)), job_(job_of(in, shape_)) {}

  sequence_step describe() const override {
    const std::uint64_t scores = shape_.heads * shape_.rows * shape_.keys;
    return {.name = fmt::format("attention{} {}x{}x{}x{}{}", in_.scales ? "_i8" : "", shape_.heads, shape_.rows,
                                shape_.keys, shape_.d, in_.options.causal ? " causal" : ""),
            .macs = 2 * scores * shape_.d,
            .bytes = in_.q.bytes() + in_.k.bytes() + in_.v.bytes() + in_.result.bytes()};
  }

  std::vector<argument> arguments() const override {
    return {in_.q.tensor, in_.k.tensor, in_.v.tensor, in_.result.tensor};
  }

  bool shape(tensors& all) const override {
    const std::size_t queries = padded_queries(), keys = overlay::padded_keys(job_.keys);
    bool changed = false;
    for (const auto& [each, rows] : {std::pair(in_.q, queries), {in_.k, keys}, {in_.v, keys}, {in_.result, queries}}) {
      changed |= all[each.tensor].need(rows, each.first_column + each.columns);
    }
    return changed;
  }

  std::size_t rows_written(const tensors&) const override { return padded_queries(); }

  overlay::recipe write(const tensors& all) const override {
    overlay::attention_job job = job_;
    job.q = columns_of(all, in_.q);
    job.k = columns_of(all, in_.k);
    job.v = columns_of(all, in_.v);
    job.out = columns_of(all, in_.result);
    return {in_.scales ? overlay::operation::attention_i8 : overlay::operation::attention_bf16,
            overlay::attention_code(job),
            {}};
  }

 private:
  std::uint32_t padded_queries() const { return overlay::padded_queries(job_.queries, job_.width); }

  overlay::head_layout columns_of(const tensors& all, const operand& heads) const {
    return {.row_words = static_cast<std::uint32_t>(all[heads.tensor].pitch_bytes() / 4),
            .head_words = static_cast<std::uint32_t>(shape_.d * bytes_of(heads.element) / 4),
            .first_byte = static_cast<std::uint32_t>(heads.first_column * bytes_of(heads.element))};
  }

  attention_inputs in_;
  attention_shape shape_;
  overlay::attention_job job_;
};

void check_heads(const char* name, const operand& given, std::size_t columns) {
  check_extent("attention in a sequence", name, "H", given.columns, columns);
}

/// The device reads words.
void check_first_column(const char* name, const operand& given) {
  if (given.first_column * bytes_of(given.element) % 4 == 0) return;
  throw shape_error(
      "C", fmt::format("attention in a sequence: {} begins at column {}, which is not the first of a word", name,
                       given.first_column));
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
  check_attention_shape("attention", shape_of(in), attention_max_shape);
  check_heads("the columns of k", in.k, in.q.columns);
  check_heads("the columns of v", in.v, in.q.columns);
  check_extent("attention", "v", "S", in.v.rows, in.k.rows);
  for (const auto& [name, given] : {std::pair("q", in.q), {"k", in.k}, {"v", in.v}}) check_first_column(name, given);
  return std::make_unique<attention>(in);
}

}  // namespace npurt::detail::sequences
