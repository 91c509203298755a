// SPDX-License-Identifier: Apache-2.0
// The layer in double.
#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>
#include <thread>

#include "layer.hpp"

namespace examples {
namespace {

using doubles = std::vector<double>;

doubles widened(std::span<const std::bfloat16_t> values) {
  doubles made(values.size());
  std::ranges::transform(values, made.begin(), [](std::bfloat16_t value) { return double{npurt::to_float(value)}; });
  return made;
}

/// Calls f(row) for all rows, on all of the host's processors.
void for_each_row(std::size_t rows, const std::function<void(std::size_t)>& f) {
  const std::size_t count = std::max(1u, std::thread::hardware_concurrency());
  std::vector<std::jthread> threads;
  for (std::size_t first = 0; first < count; ++first) {
    threads.emplace_back([&, first] {
      for (std::size_t row = first; row < rows; row += count) f(row);
    });
  }
}

doubles apply(const norm& by, const doubles& x, std::size_t width) {
  const doubles gamma = widened(by.gamma), beta = widened(by.beta);
  doubles y(x.size());
  for_each_row(x.size() / width, [&](std::size_t row) {
    const double* in = &x[row * width];
    double mean = 0, variance = 0;
    for (std::size_t i = 0; i < width; ++i) mean += in[i] / static_cast<double>(width);
    for (std::size_t i = 0; i < width; ++i) variance += (in[i] - mean) * (in[i] - mean) / static_cast<double>(width);
    const double scale = 1 / std::sqrt(variance + norm_eps);
    for (std::size_t i = 0; i < width; ++i) y[row * width + i] = (in[i] - mean) * scale * gamma[i] + beta[i];
  });
  return y;
}

doubles apply(const linear& by, const doubles& x) {
  const doubles bias = widened(by.bias), given = widened(by.weight);
  doubles weight(given.size());  // [inputs, outputs]: the innermost loop runs along a row
  for (std::size_t n = 0; n < by.outputs; ++n) {
    for (std::size_t k = 0; k < by.inputs; ++k) weight[k * by.outputs + n] = given[n * by.inputs + k];
  }
  const std::size_t rows = x.size() / by.inputs;
  doubles y(rows * by.outputs);
  for_each_row(rows, [&](std::size_t row) {
    double* out = &y[row * by.outputs];
    std::ranges::copy(bias, out);
    for (std::size_t k = 0; k < by.inputs; ++k) {
      const double factor = x[row * by.inputs + k];
      const double* along = &weight[k * by.outputs];
      for (std::size_t n = 0; n < by.outputs; ++n) out[n] += factor * along[n];
    }
  });
  return y;
}

/// One query of one head; `out` has been zeroed.
void attend(const doubles& qkv, const layer_shape& shape, std::size_t row, std::size_t head, double* out) {
  const std::size_t d = shape.width / shape.heads, pitch = 3 * shape.width;
  const double* q = &qkv[row * pitch + head * d];
  doubles p(shape.rows);
  double largest = -INFINITY, sum = 0;
  for (std::size_t key = 0; key < shape.rows; ++key) {
    const double* k = &qkv[key * pitch + shape.width + head * d];
    for (std::size_t i = 0; i < d; ++i) p[key] += q[i] * k[i];
    p[key] /= std::sqrt(static_cast<double>(d));
    largest = std::max(largest, p[key]);
  }
  for (double& each : p) sum += each = std::exp(each - largest);
  for (std::size_t key = 0; key < shape.rows; ++key) {
    const double* v = &qkv[key * pitch + 2 * shape.width + head * d];
    for (std::size_t i = 0; i < d; ++i) out[i] += p[key] / sum * v[i];
  }
}

doubles attention(const doubles& qkv, const layer_shape& shape) {
  doubles out(shape.rows * shape.width);
  for_each_row(shape.rows, [&](std::size_t row) {
    for (std::size_t head = 0; head < shape.heads; ++head) {
      attend(qkv, shape, row, head, &out[row * shape.width + head * (shape.width / shape.heads)]);
    }
  });
  return out;
}

doubles sum(doubles a, const doubles& b) {
  std::ranges::transform(a, b, a.begin(), std::plus());
  return a;
}

doubles gelu(doubles x) {
  for (double& each : x) each = each / 2 * std::erfc(-each / std::numbers::sqrt2);
  return x;
}

}  // namespace

std::vector<double> exact_layer(const layer_weights& weights, const layer_shape& shape,
                                std::span<const std::bfloat16_t> x) {
  const doubles in = widened(x);
  const doubles qkv = apply(weights.qkv, apply(weights.attention_norm, in, shape.width));
  const doubles middle = sum(apply(weights.out, attention(qkv, shape)), in);
  return sum(apply(weights.fc2, gelu(apply(weights.fc1, apply(weights.mlp_norm, middle, shape.width)))), middle);
}

double cosine(std::span<const double> exact, std::span<const std::bfloat16_t> given) {
  double dot = 0, left = 0, right = 0;
  for (std::size_t i = 0; i < exact.size(); ++i) {
    const double value = npurt::to_float(given[i]);
    dot += exact[i] * value;
    left += exact[i] * exact[i];
    right += value * value;
  }
  return dot / std::sqrt(left * right);
}

}  // namespace examples
