// SPDX-License-Identifier: Apache-2.0
// A validated XCLBIN.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include <xrt/experimental/xrt_xclbin.h>

#include "npurt/detail/owner.hpp"

namespace npurt {

namespace detail {
struct xclbin_state;
}

/// The container of kernels and array configuration. Every length and offset in it is checked before XRT sees it.
/// Move-only; whatever was made from it may outlive it. Immutable, hence thread-safe.
class xclbin {
 public:
  /// @throws file_error if the file cannot be read; xclbin_error naming the section or field that is wrong
  explicit xclbin(const std::filesystem::path& file);

  /// @param bytes the whole file; copied
  /// @throws xclbin_error naming the section or field that is wrong
  explicit xclbin(std::span<const std::byte> bytes);

  xclbin(xclbin&&) noexcept = default;
  xclbin& operator=(xclbin&&) noexcept = default;
  xclbin(const xclbin&) = delete;
  xclbin& operator=(const xclbin&) = delete;

  /// Names of the kernels, in the order of the file.
  const std::vector<std::string>& kernels() const;

  /// Columns of the partition that its configuration is for.
  unsigned columns() const;

  /// Where it came from: the path, or "bytes in memory".
  const std::string& origin() const;

  /// The XRT object, for what npurt does not cover.
  const xrt::xclbin& native() const;

 private:
  detail::owner<detail::xclbin_state> state_;
};

}  // namespace npurt
