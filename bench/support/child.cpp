// SPDX-License-Identifier: Apache-2.0
// This program as a child process, what it hands back in memory that both have open.
#include "bench/support/child.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <nlohmann/json.hpp>
#include <ranges>
#include <stdexcept>
#include <string_view>
#include <system_error>

namespace npurt::bench {
namespace {

class shared_file {
 public:
  shared_file() : fd_(::memfd_create("npurt-bench", 0)) {
    if (fd_ < 0) throw std::system_error(errno, std::generic_category(), "memfd_create");
  }
  ~shared_file() { ::close(fd_); }
  shared_file(const shared_file&) = delete;
  shared_file& operator=(const shared_file&) = delete;

  std::string path() const { return fmt::format("/proc/self/fd/{}", fd_); }

 private:
  int fd_;
};

/// The texts, and null behind them, as exec wants them.
std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> environment_with(const std::string& name, const std::string& value) {
  std::vector<std::string> all = {name + "=" + value};
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (!std::string_view(*entry).starts_with(name + "=")) all.emplace_back(*entry);
  }
  return all;
}

void run_to_end(std::vector<std::string> arguments, char** environment) {
  arguments.insert(arguments.begin(), "npurt-bench");
  pid_t child = 0;
  const int error =
      ::posix_spawn(&child, "/proc/self/exe", nullptr, nullptr, pointers_to(arguments).data(), environment);
  if (error != 0) throw std::system_error(error, std::generic_category(), "npurt-bench cannot start itself");
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) throw std::system_error(errno, std::generic_category(), "waitpid");
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    throw std::runtime_error(fmt::format("npurt-bench {} failed", fmt::join(arguments | std::views::drop(1), " ")));
  }
}

}  // namespace

std::vector<row> run_self(std::vector<std::string> arguments) {
  const shared_file rows;
  arguments.insert(arguments.end(), {"--json", rows.path()});
  run_to_end(std::move(arguments), environ);
  return read_rows(rows.path());
}

nlohmann::json emulator_statistics_of_self(std::vector<std::string> arguments) {
  const shared_file statistics;
  std::vector<std::string> environment = environment_with("NPURT_EMU_STATS", statistics.path());
  run_to_end(std::move(arguments), pointers_to(environment).data());
  std::ifstream in(statistics.path());
  nlohmann::json read = nlohmann::json::parse(in, nullptr, false);
  if (read.is_discarded()) throw std::runtime_error("the emulator wrote no statistics");
  return read;
}

}  // namespace npurt::bench
