// SPDX-License-Identifier: Apache-2.0
// safetensors: tensors of floating-point numbers by their names in .safetensors files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace examples {

/// A file that is not the .safetensors file that was asked for; what() names the file and the reason.
class safetensors_error : public std::runtime_error {
 public:
  safetensors_error(const std::filesystem::path& file, const std::string& reason)
      : std::runtime_error(file.string() + ": " + reason) {}
};

/// An opened file: its directory is read and checked, tensors are read when they are asked for.
class safetensors {
 public:
  /// @throws safetensors_error if the file cannot be read or its header is none; unknown dtypes are no error yet
  explicit safetensors(std::filesystem::path file);

  bool contains(const std::string& name) const { return entries_.contains(name); }

  /// The elements in row-major order, as float; exact for F32, F16 and BF16.
  /// @param shape that it must have
  /// @throws safetensors_error if there is no such tensor, of another shape or dtype, or the file is cut off
  std::vector<float> read(const std::string& name, const std::vector<std::size_t>& shape);

 private:
  struct entry {
    std::string dtype;
    std::vector<std::size_t> shape;
    std::uint64_t begin = 0, end = 0;  ///< bytes behind the header
  };

  void read_header();
  void add(const std::string& name, const entry& found, std::uint64_t data_bytes);

  std::filesystem::path file_;
  std::ifstream in_;
  std::uint64_t data_ = 0;  ///< where the elements begin
  std::map<std::string, entry> entries_;
};

}  // namespace examples
