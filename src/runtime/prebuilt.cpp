// SPDX-License-Identifier: Apache-2.0
// The folders that are searched for prebuilt XCLBINs.
#include "runtime/prebuilt.hpp"

#include <dlfcn.h>

#include <cstdlib>
#include <ranges>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "npurt/error.hpp"

namespace npurt::detail {

namespace {

namespace fs = std::filesystem;

// share/npurt/kernels of the prefix that a binary is installed under: prefix/bin, prefix/lib or prefix/lib/<triplet>.
void add_installed(std::vector<fs::path>& folders, const fs::path& binary) {
  const fs::path place = binary.parent_path();
  for (const fs::path& prefix : {place.parent_path(), place.parent_path().parent_path()}) {
    folders.push_back(prefix / "share/npurt/kernels");
  }
}

std::vector<fs::path> search_folders() {
  std::vector<fs::path> folders;
  if (const char* given = std::getenv("NPURT_KERNEL_PATH")) {
    for (const auto part : std::views::split(std::string_view(given), ':')) {
      if (!part.empty()) folders.emplace_back(std::string_view(part.begin(), part.end()));
    }
  }
  std::error_code ignored;
  Dl_info library{};
  if (dladdr(reinterpret_cast<const void*>(&find_prebuilt), &library) != 0 && library.dli_fname) {
    add_installed(folders, fs::canonical(library.dli_fname, ignored));
  }
  add_installed(folders, fs::read_symlink("/proc/self/exe", ignored));
  return folders;
}

}  // namespace

fs::path find_prebuilt(std::string_view name) {
  const std::vector<fs::path> folders = search_folders();
  for (const fs::path& folder : folders) {
    std::error_code ignored;
    if (fs::path file = folder / fmt::format("{}.xclbin", name); fs::is_regular_file(file, ignored)) return file;
  }
  throw file_error(
      fmt::format("{}.xclbin is in none of {}; NPURT_KERNEL_PATH names further folders", name,
                  fmt::join(folders | std::views::transform([](const fs::path& p) { return p.string(); }), ", ")));
}

}  // namespace npurt::detail
