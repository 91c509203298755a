// SPDX-License-Identifier: Apache-2.0
// Weights of a layer: read from a file as Hugging Face keeps Whisper, or made up.
#include "layer.hpp"

#include <algorithm>
#include <cmath>
#include <random>

#include "safetensors.hpp"

namespace examples {
namespace {

bf16s rounded(std::span<const float> values) {
  bf16s made(values.size());
  npurt::to_bfloat16(values, made);
  return made;
}

class layer_file {
 public:
  layer_file(const std::filesystem::path& file, unsigned number) : tensors_(file) {
    for (const char* root : {"model.encoder.", "encoder.", ""}) {
      prefix_ = root + ("layers." + std::to_string(number) + ".");
      if (tensors_.contains(prefix_ + "fc1.weight")) return;
    }
    throw safetensors_error(file, "there is no encoder layer " + std::to_string(number) + " (model.encoder.layers." +
                                      std::to_string(number) + ".fc1.weight)");
  }

  norm read_norm(const std::string& name, std::size_t width) {
    return {rounded(tensors_.read(prefix_ + name + ".weight", {width})),
            rounded(tensors_.read(prefix_ + name + ".bias", {width}))};
  }

  /// Zeros where it has no bias, as Whisper's keys.
  linear read_linear(const std::string& name, std::size_t outputs, std::size_t inputs) {
    linear read{outputs, inputs, rounded(tensors_.read(prefix_ + name + ".weight", {outputs, inputs})), bf16s(outputs)};
    if (tensors_.contains(prefix_ + name + ".bias"))
      read.bias = rounded(tensors_.read(prefix_ + name + ".bias", {outputs}));
    return read;
  }

 private:
  safetensors tensors_;
  std::string prefix_;
};

void append(linear& to, const linear& more) {
  to.outputs += more.outputs;
  to.inputs = more.inputs;
  to.weight.insert(to.weight.end(), more.weight.begin(), more.weight.end());
  to.bias.insert(to.bias.end(), more.bias.begin(), more.bias.end());
}

bf16s normal(std::size_t count, float mean, float deviation, std::mt19937& random) {
  std::normal_distribution<float> value(mean, deviation);
  bf16s made(count);
  std::ranges::generate(made, [&] { return npurt::to_bfloat16(value(random)); });
  return made;
}

linear made_up_linear(std::size_t outputs, std::size_t inputs, std::mt19937& random) {
  const float deviation = 1 / std::sqrt(static_cast<float>(inputs));
  return {outputs, inputs, normal(outputs * inputs, 0, deviation, random), normal(outputs, 0, 0.1F, random)};
}

norm made_up_norm(std::size_t width, std::mt19937& random) {
  return {normal(width, 1, 0.2F, random), normal(width, 0, 0.1F, random)};
}

}  // namespace

layer_weights read_layer(const std::filesystem::path& file, const layer_shape& shape, unsigned number) {
  layer_file from(file, number);
  layer_weights weights;
  weights.attention_norm = from.read_norm("self_attn_layer_norm", shape.width);
  for (const char* part : {"q", "k", "v"}) {
    append(weights.qkv, from.read_linear(std::string("self_attn.") + part + "_proj", shape.width, shape.width));
  }
  weights.out = from.read_linear("self_attn.out_proj", shape.width, shape.width);
  weights.mlp_norm = from.read_norm("final_layer_norm", shape.width);
  weights.fc1 = from.read_linear("fc1", shape.inner, shape.width);
  weights.fc2 = from.read_linear("fc2", shape.width, shape.inner);
  return weights;
}

layer_weights made_up_layer(const layer_shape& shape, unsigned seed) {
  std::mt19937 random(seed);
  layer_weights weights;
  weights.attention_norm = made_up_norm(shape.width, random);
  weights.qkv = made_up_linear(3 * shape.width, shape.width, random);
  weights.out = made_up_linear(shape.width, shape.width, random);
  weights.mlp_norm = made_up_norm(shape.width, random);
  weights.fc1 = made_up_linear(shape.inner, shape.width, random);
  weights.fc2 = made_up_linear(shape.width, shape.inner, random);
  return weights;
}

bf16s made_up_input(const layer_shape& shape, unsigned seed) {
  std::mt19937 random(seed);
  return normal(shape.rows * shape.width, 0, 1, random);
}

}  // namespace examples
