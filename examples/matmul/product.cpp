// SPDX-License-Identifier: Apache-2.0
#include "product.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <numbers>
#include <random>
#include <stdexcept>

#include "i8-matmul/reference.hpp"
#include "support/bf16_example.hpp"
#include "support/model_time.hpp"
#include "support/npy.hpp"

namespace matmul {
namespace {

using bf16 = std::bfloat16_t;
using examples::tensor_of;

/// A matrix is a batch of one.
struct extents {
  std::size_t batch, rows, columns;
};

template <typename Tensor>
extents extents_of(const Tensor& values, bool transposed) {
  const std::vector<std::size_t>& shape = values.shape;
  if (shape.size() != 2 && shape.size() != 3) throw std::runtime_error("a matrix or a batch of them expected");
  extents made{shape.size() == 3 ? shape[0] : 1, shape[shape.size() - 2], shape.back()};
  if (transposed) std::swap(made.rows, made.columns);
  return made;
}

template <typename Tensor>
auto matrices_of(const Tensor& values, bool transposed) {
  const extents e = extents_of(values, false);
  using element = typename decltype(values.data)::value_type;
  const npurt::tensor_view<const element, 3> dense(values.data, e.batch, e.rows, e.columns);
  return transposed ? npurt::transposed(dense) : npurt::strided_view<const element, 3>(dense);
}

template <typename Tensor>
auto matrix_of(const Tensor& values, bool transposed) {
  const extents e = extents_of(values, false);
  using element = typename decltype(values.data)::value_type;
  const npurt::tensor_view<const element, 2> dense(values.data, e.rows, e.columns);
  return transposed ? npurt::transposed(dense) : npurt::strided_view<const element, 2>(dense);
}

template <typename Tensor>
struct operands {
  Tensor a, b;
  bool transpose_a, transpose_b;

  extents a_extents() const { return extents_of(a, transpose_a); }
  extents b_extents() const { return extents_of(b, transpose_b); }
  /// One B for the whole batch.
  bool shared() const { return b.shape.size() == 2; }
  std::vector<std::size_t> result_shape() const {
    const extents e = a_extents();
    if (a.shape.size() == 2) return {e.rows, b_extents().columns};
    return {e.batch, e.rows, b_extents().columns};
  }
};

/// Rows of a product that are computed on the host, too: not all of a large one.
std::size_t checked_rows(const extents& a, const extents& b) {
  constexpr std::size_t most_macs = std::size_t{1} << 25;
  return std::clamp<std::size_t>(most_macs / (a.columns * b.columns * a.batch), 1, a.rows);
}

/// visit(index in C, column, exact sum) for the rows that are checked.
template <typename Sum, typename Tensor, typename Visit>
void for_each_sum(const operands<Tensor>& in, Visit visit) {
  const extents a = in.a_extents(), b = in.b_extents();
  const auto a_view = matrices_of(in.a, in.transpose_a), b_view = matrices_of(in.b, in.transpose_b);
  for (std::size_t g = 0; g < a.batch; ++g) {
    for (std::size_t row = 0; row < checked_rows(a, b); ++row) {
      for (std::size_t column = 0; column < b.columns; ++column) {
        Sum sum = 0;
        for (std::size_t k = 0; k < a.columns; ++k) {
          sum += static_cast<Sum>(a_view[g, row, k]) * static_cast<Sum>(b_view[in.shared() ? 0 : g, k, column]);
        }
        visit((g * a.rows + row) * b.columns + column, column, sum);
      }
    }
  }
}

void print_macs(const extents& a, const extents& b) {
  examples::model_time time;
  examples::add_last_command(time);
  if (time.cycles == 0) return;
  std::printf("%.1f MAC/cycle, without padding %.1f\n",
              static_cast<double>(time.macs) / static_cast<double>(time.cycles),
              static_cast<double>(a.batch * a.rows * a.columns * b.columns) / static_cast<double>(time.cycles));
}

/// What is done to a product of bf16.
struct epilogue {
  examples::bf16_tensor bias, residual;  ///< no elements where there is none
  bool gelu = false;

  double operator()(std::size_t index, std::size_t column, double sum) const {
    if (!bias.data.empty()) sum += double{npurt::to_float(bias.data[column])};
    if (gelu) sum = sum / 2 * std::erfc(-sum / std::numbers::sqrt2);
    return residual.data.empty() ? sum : sum + double{npurt::to_float(residual.data[index])};
  }
};

epilogue read_epilogue(const options& given) {
  epilogue made{.bias = {}, .residual = {}, .gelu = given.gelu};
  if (!given.bias.empty()) made.bias = examples::read_bf16(given.bias);
  if (!given.residual.empty()) made.residual = examples::read_bf16(given.residual);
  return made;
}

template <typename Result>
const npurt::op_report& call(npurt::device& device, const operands<examples::bf16_tensor>& in, const epilogue& after,
                             bool prepacked, const npurt::tensor_view<Result, 3>& c) {
  const auto a = matrices_of(in.a, in.transpose_a);
  const auto activation = after.gelu ? npurt::activation::gelu : npurt::activation::none;
  npurt::residual_view<Result> residual;
  if (!after.residual.data.empty()) residual = matrices_of(after.residual, false);
  if (prepacked) {
    if (!in.shared()) throw std::runtime_error("--prepacked: B must be one matrix");
    using enum npurt::weights_order;
    const npurt::matmul_weights weights(device, examples::rows_of(in.b), after.bias.data,
                                        in.transpose_b ? outputs_by_inputs : inputs_by_outputs);
    return npurt::matmul(device, a, weights, c, {.activation = activation, .residual = residual});
  }
  const npurt::matmul_options<bf16, Result> how{
      .bias = after.bias.data.empty() ? npurt::bias_view() : npurt::bias_view(after.bias.data),
      .activation = activation,
      .residual = residual};
  return in.shared() ? npurt::matmul(device, a, matrix_of(in.b, in.transpose_b), c, how)
                     : npurt::matmul(device, a, matrices_of(in.b, in.transpose_b), c, how);
}

void print_error(const operands<examples::bf16_tensor>& in, const epilogue& after, const std::vector<float>& c) {
  double worst = 0, largest = 0;
  for_each_sum<double>(in, [&](std::size_t index, std::size_t column, double sum) {
    const double exact = after(index, column, sum), error = std::abs(exact - c[index]);
    worst = std::isnan(error) ? error : std::max(worst, error);
    largest = std::max(largest, std::abs(exact));
  });
  std::printf("error of the first %zu rows against double: at most %.3g; the largest result is %.4g\n",
              checked_rows(in.a_extents(), in.b_extents()), worst, largest);
}

template <typename Result>
void multiply_bf16(const operands<examples::bf16_tensor>& in, const options& given) {
  const extents a = in.a_extents(), b = in.b_extents();
  const epilogue after = read_epilogue(given);
  std::vector<Result> c(a.batch * a.rows * b.columns);
  npurt::device device;
  examples::print_tensor("A", in.a);
  examples::print_tensor("B", in.b);
  examples::print_call(
      device, call(device, in, after, given.prepacked, npurt::tensor_view<Result, 3>(c, a.batch, a.rows, b.columns)));
  print_macs(a, b);
  const examples::tensor out{in.result_shape(), {c.begin(), c.end()}};
  print_error(in, after, out.data);
  if (given.files.size() > 2) examples::write_npy(given.files[2], out);
}

using int8_operands = operands<tensor_of<std::int8_t>>;

template <typename Result, typename... Options>
std::vector<Result> product_of(const int8_operands& in, const Options&... how) {
  const extents a = in.a_extents(), b = in.b_extents();
  std::vector<Result> c(a.batch * a.rows * b.columns);
  const npurt::tensor_view<Result, 3> out(c, a.batch, a.rows, b.columns);
  const auto a_view = matrices_of(in.a, in.transpose_a);
  npurt::device device;
  std::printf("A: int8 [%zu, %zu, %zu], B: int8 [%zu, %zu, %zu]\n", a.batch, a.rows, a.columns, b.batch, b.rows,
              b.columns);
  examples::print_call(device, in.shared()
                                   ? npurt::matmul(device, a_view, matrix_of(in.b, in.transpose_b), out, how...)
                                   : npurt::matmul(device, a_view, matrices_of(in.b, in.transpose_b), out, how...));
  print_macs(a, b);
  return c;
}

template <typename Result, typename Wanted>
void check_and_write(const int8_operands& in, const options& given, std::vector<Result> c, Wanted wanted) {
  std::size_t wrong = 0;
  for_each_sum<std::int64_t>(
      in, [&](std::size_t index, std::size_t, std::int64_t sum) { wrong += c[index] != wanted(sum) ? 1 : 0; });
  std::printf("of the first %zu rows %zu results differ from exact ones\n",
              checked_rows(in.a_extents(), in.b_extents()), wrong);
  if (given.files.size() > 2) examples::write_npy(given.files[2], tensor_of<Result>{in.result_shape(), std::move(c)});
}

void multiply_int8(const int8_operands& in, const options& given) {
  if (!given.bias.empty() || !given.residual.empty() || given.gelu || given.bf16 || given.prepacked) {
    throw std::runtime_error("--bias, --residual, --gelu, --bf16 and --prepacked are for float32 operands");
  }
  if (!given.requantise) {
    check_and_write(in, given, product_of<std::int32_t>(in),
                    [](std::int64_t sum) { return static_cast<std::int32_t>(sum); });
    return;
  }
  const std::vector<npurt::column_scale> scales(in.b_extents().columns, npurt::column_scale_of(*given.requantise));
  const npurt::matmul_options<std::int8_t, std::int8_t> how{.scales = scales, .zero_point = given.zero_point};
  check_and_write(in, given, product_of<std::int8_t>(in, how), [&](std::int64_t sum) {
    const npurt::column_scale& scale = scales.front();
    return npurt::kernels::reference::requantise(sum, scale.bias, scale.multiplier, scale.shift, given.zero_point);
  });
}

/// [150, 300] · [300, 200].
std::vector<std::size_t> made_up_shape(bool of_b, bool transposed) {
  std::vector<std::size_t> shape = of_b ? std::vector<std::size_t>{300, 200} : std::vector<std::size_t>{150, 300};
  if (transposed) std::ranges::reverse(shape);
  return shape;
}

tensor_of<std::int8_t> made_up_int8(const std::vector<std::size_t>& shape, unsigned seed) {
  tensor_of<std::int8_t> made{shape, std::vector<std::int8_t>(shape[0] * shape[1])};
  std::mt19937 random(seed);
  std::ranges::generate(made.data, [&] { return static_cast<std::int8_t>(random()); });
  return made;
}

bool is_int8(const options& given) {
  return given.files.empty() ? given.int8 : examples::npy_dtype(given.files[0]) == "|i1";
}

template <typename Tensor, typename Read, typename Make>
operands<Tensor> read_or_make(const options& given, Read read, Make make) {
  if (given.files.empty()) {
    return {make(made_up_shape(false, given.transpose_a), 1), make(made_up_shape(true, given.transpose_b), 2),
            given.transpose_a, given.transpose_b};
  }
  return {read(given.files[0]), read(given.files[1]), given.transpose_a, given.transpose_b};
}

}  // namespace

void multiply(const options& given) {
  if (is_int8(given)) {
    multiply_int8(read_or_make<tensor_of<std::int8_t>>(given, examples::read_npy_int8_tensor, made_up_int8), given);
    return;
  }
  if (given.requantise || given.zero_point != 0) {
    throw std::runtime_error("--requantise and --zero-point are for int8 operands");
  }
  const auto in = read_or_make<examples::bf16_tensor>(given, examples::read_bf16, examples::made_up);
  given.bf16 ? multiply_bf16<bf16>(in, given) : multiply_bf16<float>(in, given);
}

}  // namespace matmul
