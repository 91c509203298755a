// SPDX-License-Identifier: Apache-2.0
// Attention: scores of some queries to all keys, their softmax, and the mean of the values.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/attention.cpp"
#include <hwy/foreach_target.h>
// After it: what is compiled for each set.
#include "cpu/attention.hpp"
#include "cpu/panels-inl.hpp"

#include <cmath>
#include <limits>
#include <new>

HWY_BEFORE_NAMESPACE();

namespace npurt::cpu::HWY_NAMESPACE {

using product = bf16_product;

// All of int8 is in bf16, and fp32 holds their products' sums up to a d of 1,024.
float number_of(std::bfloat16_t value) { return to_float(value); }
float number_of(std::int8_t value) { return value; }
std::uint16_t bf16_bits(std::bfloat16_t value) { return std::bit_cast<std::uint16_t>(value); }
std::uint16_t bf16_bits(std::int8_t value) { return std::bit_cast<std::uint16_t>(to_bfloat16(value)); }

/// B[k, n] is from[k · k_stride + n · n_stride], in panels.
template <typename T>
void pack_panels(const T* from, std::size_t depth, std::size_t k_stride, std::size_t columns, std::size_t n_stride,
                 std::uint16_t* to) {
  const std::size_t width = panel_columns();
  for (std::size_t first = 0; first < columns; first += width) {
    for (std::size_t k = 0; k < depth; ++k, to += width) {
      for (std::size_t i = 0; i < width; ++i) {
        to[i] = first + i < columns ? bf16_bits(from[k * k_stride + (first + i) * n_stride]) : std::uint16_t{0};
      }
    }
  }
}

template <typename T>
packed<T> allocate(std::size_t size) {
  auto made = hwy::AllocateAligned<T>(size);
  if (!made) throw std::bad_alloc();
  return made;
}

/// One head after the other; six queries at a time.
template <typename T>
class heads {
 public:
  explicit heads(const attention_job& job)
      : job_(job),
        keys_(allocate<std::uint16_t>(rounded(job.key_length) * job.d)),
        values_(allocate<std::uint16_t>(rounded(job.d) * job.key_length)),
        query_(allocate<float>(group_rows * job.d)),
        scores_(allocate<float>(group_rows * rounded(job.key_length))),
        weights_(allocate<float>(group_rows * job.key_length)) {}

  void run(const T* q, const T* k, const T* v, std::bfloat16_t* out) {
    pack_panels(k, job_.d, 1, job_.key_length, job_.d, keys_.get());
    pack_panels(v, job_.key_length, job_.d, job_.d, 1, values_.get());
    for (std::size_t first = 0; first < job_.rows; first += group_rows) {
      first_ = first;
      count_ = std::min(group_rows, job_.rows - first);
      make_scores(q);
      for (std::size_t row = 0; row < count_; ++row) make_weights(row);
      make_result(out);
    }
  }

 private:
  static std::size_t rounded(std::size_t columns) { return divided_up(columns, panel_columns()) * panel_columns(); }

  /// Keys that a row of the group sees; later rows see no fewer.
  std::size_t seen(std::size_t row) const {
    return job_.causal ? std::min(job_.key_length, first_ + row + 1) : job_.key_length;
  }

  void make_scores(const T* q) {
    for (std::size_t i = 0; i < job_.d; ++i) {
      for (std::size_t row = 0; row < group_rows; ++row) {
        query_[i * group_rows + row] = row < count_ ? number_of(q[(first_ + row) * job_.d + i]) : 0.0F;
      }
    }
    const std::size_t width = panel_columns(), pitch = rounded(job_.key_length), most = seen(count_ - 1);
    for (std::size_t key = 0; key < most; key += width) {
      std::fill_n(sums_.begin(), group_rows * width, 0.0F);
      multiply_group<product>(query_.get(), keys_.get() + key * job_.d, job_.d, sums_.data());
      for (std::size_t row = 0; row < count_; ++row) {
        std::copy_n(sums_.data() + row * width, width, scores_.get() + row * pitch + key);
      }
    }
  }

  /// exp of what its scores are below the largest, and what these numbers add up to.
  HWY_INLINE void make_weights(std::size_t row) {
    const floats d;
    const std::size_t lanes = hn::Lanes(d), count = seen(row);
    float* scores = scores_.get() + row * rounded(job_.key_length);
    auto largest = hn::Set(d, -std::numeric_limits<float>::infinity());
    const auto hidden = largest;
    for (std::size_t i = 0; i < count; i += lanes) {
      const auto values = hn::LoadU(d, scores + i);
      largest = hn::Max(largest, hn::IfThenElse(hn::FirstN(d, std::min(lanes, count - i)), values, hidden));
    }
    const auto most = hn::Set(d, hn::ReduceMax(d, largest)), scale = hn::Set(d, static_cast<float>(job_.scale));
    auto total = hn::Zero(d);
    for (std::size_t i = 0; i < count; i += lanes) {
      const auto power = hn::Exp(d, hn::Mul(hn::Sub(hn::LoadU(d, scores + i), most), scale));
      total = hn::Add(total, hn::IfThenElseZero(hn::FirstN(d, std::min(lanes, count - i)), power));
      hn::StoreU(power, d, scores + i);
    }
    factors_[row] = static_cast<float>(job_.v_scale / double{hn::ReduceSum(d, total)});
    for (std::size_t i = 0; i < count; ++i) weights_[i * group_rows + row] = scores[i];
  }

  /// Not by weights of 0 beyond what a row sees: times a NaN that would be one.
  void make_result(std::bfloat16_t* out) {
    const std::size_t width = panel_columns(), common = seen(0);
    for (std::size_t row = count_; row < group_rows; ++row) {
      for (std::size_t i = 0; i < common; ++i) weights_[i * group_rows + row] = 0;
    }
    for (std::size_t column = 0; column < job_.d; column += width) {
      const std::uint16_t* panel = values_.get() + column * job_.key_length;
      std::fill_n(sums_.begin(), group_rows * width, 0.0F);
      multiply_group<product>(weights_.get(), panel, common, sums_.data());
      for (std::size_t row = 0; row < count_; ++row) {
        float* sums = sums_.data() + row * width;
        multiply_row<product>(weights_.get() + common * group_rows + row, panel + common * width, seen(row) - common,
                              sums);
        std::bfloat16_t* to = out + (first_ + row) * job_.d + column;
        for (std::size_t i = 0; i < std::min(width, job_.d - column); ++i) to[i] = to_bfloat16(sums[i] * factors_[row]);
      }
    }
  }

  const attention_job& job_;
  packed<std::uint16_t> keys_, values_;
  packed<float> query_;
  packed<float> scores_;   // of each query to all keys
  packed<float> weights_;  // the same as multiply_group takes them
  std::array<float, group_rows * most_panel_columns> sums_{};
  std::array<float, group_rows> factors_{};
  std::size_t first_ = 0, count_ = 0;
};

template <typename T>
void attend(const attention_job& job, const T* q, const T* k, const T* v, std::bfloat16_t* out) {
  heads<T> all(job);
  const std::size_t queries = job.rows * job.d, keys = job.keys * job.d;
  for (std::size_t head = 0; head < job.heads; ++head) {
    all.run(q + head * queries, k + head * keys, v + head * keys, out + head * queries);
  }
}

void attend_bf16(const attention_job& job, const std::bfloat16_t* q, const std::bfloat16_t* k, const std::bfloat16_t* v,
                 std::bfloat16_t* out) {
  attend(job, q, k, v, out);
}
void attend_i8(const attention_job& job, const std::int8_t* q, const std::int8_t* k, const std::int8_t* v,
               std::bfloat16_t* out) {
  attend(job, q, k, v, out);
}

}  // namespace npurt::cpu::HWY_NAMESPACE

HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace npurt::cpu {

HWY_EXPORT(attend_bf16);
HWY_EXPORT(attend_i8);

void attention(const attention_job& job, const std::bfloat16_t* q, const std::bfloat16_t* k, const std::bfloat16_t* v,
               std::bfloat16_t* out) {
  HWY_DYNAMIC_DISPATCH(attend_bf16)(job, q, k, v, out);
}
void attention(const attention_job& job, const std::int8_t* q, const std::int8_t* k, const std::int8_t* v,
               std::bfloat16_t* out) {
  HWY_DYNAMIC_DISPATCH(attend_i8)(job, q, k, v, out);
}

}  // namespace npurt::cpu

#endif  // HWY_ONCE
