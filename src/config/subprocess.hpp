// SPDX-License-Identifier: Apache-2.0
// Vendor tools as subprocesses in a folder of their own.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace npurt::config {

/// A private temporary folder, removed with everything in it.
class temporary_folder {
 public:
  temporary_folder();
  ~temporary_folder();  ///< a folder that cannot be removed stays
  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;

  void write(const std::string& name, std::span<const std::byte> bytes) const;
  void write(const std::string& name, std::string_view text) const;
  std::vector<std::byte> read(const std::string& name) const;

  /// Runs a program found in PATH, with this folder as its working directory.
  /// @throws config_error with the program's output if it cannot be started or fails
  void run(const std::vector<std::string>& command) const;

 private:
  std::filesystem::path path_;
};

}  // namespace npurt::config
