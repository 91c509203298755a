// SPDX-License-Identifier: Apache-2.0
// This program as a child process, its rows in memory that both have open.
#include "bench/support/child.hpp"

#include <fmt/format.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>

namespace npurt::bench {
namespace {

class shared_file {
 public:
  shared_file() : fd_(::memfd_create("npurt-bench rows", 0)) {
    if (fd_ < 0) throw std::system_error(errno, std::generic_category(), "memfd_create");
  }
  ~shared_file() { ::close(fd_); }
  shared_file(const shared_file&) = delete;
  shared_file& operator=(const shared_file&) = delete;

  std::string path() const { return fmt::format("/proc/self/fd/{}", fd_); }

 private:
  int fd_;
};

}  // namespace

std::vector<row> run_self(std::vector<std::string> arguments) {
  const shared_file rows;
  arguments.insert(arguments.begin(), "npurt-bench");
  arguments.insert(arguments.end(), {"--json", rows.path()});
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  pid_t child = 0;
  const int error = ::posix_spawn(&child, "/proc/self/exe", nullptr, nullptr, pointers.data(), environ);
  if (error != 0) throw std::system_error(error, std::generic_category(), "npurt-bench cannot start itself");
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) throw std::system_error(errno, std::generic_category(), "waitpid");
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) throw std::runtime_error("a group of measurements failed");
  return read_rows(rows.path());
}

}  // namespace npurt::bench
