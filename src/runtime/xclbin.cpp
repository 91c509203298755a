// SPDX-License-Identifier: Apache-2.0
// Reading and checking XCLBINs.
#include "npurt/xclbin.hpp"

#include <cstdint>
#include <fstream>

#include <fmt/format.h>

#include "runtime/translate.hpp"
#include "runtime/xclbin_check.hpp"

namespace npurt {

namespace detail {

struct xclbin_state {
  std::string origin;
  xrt::xclbin native;
  std::vector<std::string> kernels;
  unsigned columns = 0;
};

}  // namespace detail

namespace {

// More than any XCLBIN has: XRT itself takes PDIs of at most 128 MiB.
constexpr std::uintmax_t largest_file = std::uintmax_t{1} << 30;

std::vector<char> read_file(const std::filesystem::path& file) {
  std::error_code failure;
  if (!std::filesystem::is_regular_file(file, failure)) {
    throw file_error(fmt::format("{}: {}", file.string(), failure ? failure.message() : "not a regular file"));
  }
  const std::uintmax_t size = std::filesystem::file_size(file, failure);
  if (failure) throw file_error(fmt::format("{}: {}", file.string(), failure.message()));
  if (size > largest_file) throw xclbin_error(fmt::format("{}: {} bytes are no XCLBIN", file.string(), size));
  std::vector<char> bytes(size);
  std::ifstream stream(file, std::ios::binary);
  stream.read(bytes.data(), static_cast<std::streamsize>(size));
  if (!stream) throw file_error(fmt::format("{}: cannot be read", file.string()));
  return bytes;
}

std::shared_ptr<detail::xclbin_state> load(std::string origin, const std::vector<char>& bytes) {
  auto state = std::make_shared<detail::xclbin_state>();
  state->columns = detail::checked_columns(origin, std::as_bytes(std::span(bytes)));
  state->origin = std::move(origin);
  detail::translated<xclbin_error>(state->origin, [&] {
    state->native = xrt::xclbin(bytes);
    for (const auto& kernel : state->native.get_kernels()) state->kernels.push_back(kernel.get_name());
  });
  return state;
}

std::vector<char> copy_of(std::span<const std::byte> bytes) {
  const auto* first = reinterpret_cast<const char*>(bytes.data());
  return {first, first + bytes.size()};
}

}  // namespace

xclbin::xclbin(const std::filesystem::path& file) : state_(load(file.string(), read_file(file)), "xclbin") {}
xclbin::xclbin(std::span<const std::byte> bytes) : state_(load("bytes in memory", copy_of(bytes)), "xclbin") {}

const std::vector<std::string>& xclbin::kernels() const { return state_->kernels; }
unsigned xclbin::columns() const { return state_->columns; }
const std::string& xclbin::origin() const { return state_->origin; }
const xrt::xclbin& xclbin::native() const { return state_->native; }

}  // namespace npurt
