// SPDX-License-Identifier: Apache-2.0
// layer: the weights of one encoder layer of Whisper, and what it computes, in double.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include <npurt/npurt.hpp>

namespace examples {

struct layer_shape {
  std::size_t rows = 1500;  ///< T: positions in time
  std::size_t width = 512;
  std::size_t heads = 8;  ///< of 64 columns each
  std::size_t inner = 2048;
};

using bf16s = std::vector<std::bfloat16_t>;

/// [outputs, inputs], as PyTorch keeps it.
struct linear {
  std::size_t outputs = 0, inputs = 0;
  bf16s weight, bias;

  npurt::matrix_view<const std::bfloat16_t> view() const { return {weight, outputs, inputs}; }
};

struct norm {
  bf16s gamma, beta;
};

inline constexpr float norm_eps = 1e-5F;

/// y = h + fc2(gelu(fc1(norm(h)))), h = x + out(attention(qkv(norm(x)))).
struct layer_weights {
  norm attention_norm;
  linear qkv;  ///< the three projections one below the other
  linear out;
  norm mlp_norm;
  linear fc1, fc2;
};

/// Rounded to bfloat16.
/// @param number of the layer, from 0
/// @throws safetensors_error
layer_weights read_layer(const std::filesystem::path& file, const layer_shape& shape, unsigned number);

/// Normally distributed, of sizes as in trained layers; the same ones for the same seed.
layer_weights made_up_layer(const layer_shape& shape, unsigned seed);
/// [T, width]
bf16s made_up_input(const layer_shape& shape, unsigned seed);

/// The layer in double, of the same bfloat16 weights and input.
std::vector<double> exact_layer(const layer_weights& weights, const layer_shape& shape,
                                std::span<const std::bfloat16_t> x);

/// Of the angle between two vectors.
double cosine(std::span<const double> exact, std::span<const std::bfloat16_t> given);

}  // namespace examples
