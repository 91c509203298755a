// SPDX-License-Identifier: Apache-2.0
// matmul [OPTIONS] [A.npy B.npy [C.npy]]: C = A · B on the NPU; without files numbers are made up.
#include <charconv>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

#include "product.hpp"
#include "support/bf16_example.hpp"

namespace {

constexpr const char* usage =
    "usage: matmul [OPTIONS] [A.npy B.npy [C.npy]]\n"
    "  --transpose-a, --transpose-b  the file holds [K, M], [N, K]\n"
    "  --int8                        without files: made up numbers of int8\n"
    "of float32 operands, which are rounded to bfloat16:\n"
    "  --bias FILE --gelu --residual FILE    C = gelu(A * B + bias) + residual\n"
    "  --bf16                        C is rounded to bfloat16\n"
    "  --prepacked                   B is put on the device once, as weights\n"
    "of int8 operands:\n"
    "  --requantise FACTOR [--zero-point Z]  C is int8, clamp(round(A * B * FACTOR) + Z)\n";

template <typename Number>
std::optional<Number> number(std::string_view text) {
  Number value{};
  const auto [last, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  return failure == std::errc() && last == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

/// Takes an option's value.
bool take_value(matmul::options& into, std::string_view name, const char* value) {
  if (name == "--bias") into.bias = value;
  if (name == "--residual") into.residual = value;
  if (name == "--requantise") return (into.requantise = number<double>(value)).has_value();
  if (name != "--zero-point") return true;
  const auto point = number<std::int32_t>(value);
  into.zero_point = point.value_or(0);
  return point.has_value();
}

bool take_flag(matmul::options& into, std::string_view name) {
  bool* const flag = name == "--transpose-a"   ? &into.transpose_a
                     : name == "--transpose-b" ? &into.transpose_b
                     : name == "--int8"        ? &into.int8
                     : name == "--gelu"        ? &into.gelu
                     : name == "--bf16"        ? &into.bf16
                     : name == "--prepacked"   ? &into.prepacked
                                               : nullptr;
  if (flag != nullptr) *flag = true;
  return flag != nullptr;
}

std::optional<matmul::options> parse(int argc, char** argv) {
  matmul::options read;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (!word.starts_with("--")) {
      read.files.emplace_back(word);
    } else if (word == "--bias" || word == "--residual" || word == "--requantise" || word == "--zero-point") {
      if (++i == argc || !take_value(read, word, argv[i])) return std::nullopt;
    } else if (!take_flag(read, word)) {
      return std::nullopt;
    }
  }
  const std::size_t files = read.files.size();
  return files == 0 || files == 2 || files == 3 ? std::optional(read) : std::nullopt;
}

}  // namespace

int main(int argc, char** argv) {
  const std::optional<matmul::options> given = parse(argc, argv);
  if (!given) {
    std::fputs(usage, stderr);
    return 2;
  }
  return examples::run_example("matmul", [&] { matmul::multiply(*given); });
}
