// SPDX-License-Identifier: Apache-2.0
// npy: matrices and tensors in NumPy's .npy files (format versions 1 and 2, C order).
#pragma once

#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/matrix.hpp"

namespace examples {

/// A file that is not the .npy file that was asked for; what() names the file and the reason.
class npy_error : public std::runtime_error {
 public:
  npy_error(const std::filesystem::path& file, const std::string& reason)
      : std::runtime_error(file.string() + ": " + reason) {}
};

/// float32 elements, the last extent the fastest; at least one extent.
struct tensor {
  std::vector<std::size_t> shape;
  std::vector<float> data;
};

/// The dtype of a file's elements as NumPy writes it, for example "<f4".
/// @throws npy_error if the file cannot be read or is no .npy file in C order
std::string npy_dtype(const std::filesystem::path& file);

/// The int8 matrix in a file: two dimensions, dtype |i1, C order, at most 2^30 elements.
/// @throws npy_error if the file cannot be read, is cut off or too long, or holds anything else
matrix<std::int8_t> read_npy_int8(const std::filesystem::path& file);

/// The float32 tensor in a file: dtype <f4, C order, one dimension at least, at most 2^30 elements.
/// @throws npy_error if the file cannot be read, is cut off or too long, or holds anything else
tensor read_npy_float(const std::filesystem::path& file);

/// Writes an int32 matrix (dtype <i4, C order, format version 1); a file of that name is replaced.
/// @throws npy_error if the file cannot be written
void write_npy(const std::filesystem::path& file, const matrix<std::int32_t>& values);

/// Writes a float32 tensor (dtype <f4, otherwise as above).
/// @throws npy_error if the file cannot be written
void write_npy(const std::filesystem::path& file, const tensor& values);

}  // namespace examples
