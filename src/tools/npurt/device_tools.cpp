// SPDX-License-Identifier: Apache-2.0
// Finds the module beside the command: PREFIX/bin/npurt, PREFIX/lib/npurt/.
#include "device_tools.hpp"

#include <dlfcn.h>

#include <filesystem>
#include <format>
#include <stdexcept>

namespace npurt::tools {

namespace {

/// A function of the module, which stays loaded.
template <typename Function>
Function* find(const char* symbol) {
  const auto self = std::filesystem::read_symlink("/proc/self/exe");
  const auto module = self.parent_path().parent_path() / NPURT_LIBDIR / "npurt/npurt_device_tools.so";
  void* loaded = ::dlopen(module.c_str(), RTLD_NOW | RTLD_GLOBAL);
  if (loaded == nullptr) {
    throw std::runtime_error(std::format("{}; `npurt doctor` says what this machine lacks", ::dlerror()));
  }
  auto* function = reinterpret_cast<Function*>(::dlsym(loaded, symbol));
  if (function == nullptr) {
    throw std::runtime_error(std::format("{} has no {}: it is of another version", module.string(), symbol));
  }
  return function;
}

}  // namespace

int run_on_device(const run_options& options) { return find<run_function>(run_symbol)(options); }
int run_hw_check(const hw_check_options& options) { return find<hw_check_function>(hw_check_symbol)(options); }

}  // namespace npurt::tools
