// SPDX-License-Identifier: Apache-2.0
// npy: matrices and tensors in NumPy's .npy files (format versions 1 and 2, C order).
#pragma once

#include <cstddef>
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

/// The last extent is the fastest; at least one extent.
template <typename T>
struct tensor_of {
  std::vector<std::size_t> shape;
  std::vector<T> data;
};
using tensor = tensor_of<float>;

/// Elements of whatever type, as bytes.
struct raw_tensor {
  std::string dtype;  ///< as NumPy writes it, for example "<f4"
  std::size_t element_bytes = 1;
  std::vector<std::size_t> shape;
  std::vector<std::byte> data;
};

/// The dtype of a file's elements as NumPy writes it, for example "<f4".
/// @throws npy_error if the file cannot be read or is no .npy file in C order
std::string npy_dtype(const std::filesystem::path& file);

/// The int8 matrix in a file: two dimensions, dtype |i1, C order, at most 2^30 elements.
/// @throws npy_error if the file cannot be read, is cut off or too long, or holds anything else
matrix<std::int8_t> read_npy_int8(const std::filesystem::path& file);

/// The int8 tensor in a file: dtype |i1, C order, one dimension at least, at most 2^30 elements.
/// @throws npy_error if the file cannot be read, is cut off or too long, or holds anything else
tensor_of<std::int8_t> read_npy_int8_tensor(const std::filesystem::path& file);

/// The float32 tensor in a file: dtype <f4, C order, one dimension at least, at most 2^30 elements.
/// @throws npy_error if the file cannot be read, is cut off or too long, or holds anything else
tensor read_npy_float(const std::filesystem::path& file);

/// The tensor in a file, whatever its elements are: booleans, numbers, complex numbers, void, in C order, one dimension
/// at least, at most 2^30 elements.
/// @throws npy_error if the file cannot be read, is cut off or too long, or holds anything else
raw_tensor read_npy_raw(const std::filesystem::path& file);

/// Writes an int32 matrix (dtype <i4, C order, format version 1); a file of that name is replaced.
/// @throws npy_error if the file cannot be written
void write_npy(const std::filesystem::path& file, const matrix<std::int32_t>& values);

/// Writes a tensor of float32 (dtype <f4), int8 (|i1), int32 (<i4) or what it says, otherwise as above.
/// @throws npy_error if the file cannot be written
void write_npy(const std::filesystem::path& file, const tensor& values);
void write_npy(const std::filesystem::path& file, const tensor_of<std::int8_t>& values);
void write_npy(const std::filesystem::path& file, const tensor_of<std::int32_t>& values);
void write_npy(const std::filesystem::path& file, const raw_tensor& values);

}  // namespace examples
