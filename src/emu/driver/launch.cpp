// SPDX-License-Identifier: Apache-2.0
// The server as a daemon: in a session of its own, without the program's descriptors, not its child.
#include "emu/driver/launch.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <format>
#include <string>
#include <vector>

#include "emu/driver/log.hpp"
#include "emu/driver/shared/place.hpp"

namespace npurt::emu::driver {
namespace {

namespace fs = std::filesystem;

/// bin/ is beside the library's directory, in the build tree as in an installation.
fs::path server_program() {
  Dl_info info{};
  if (::dladdr(reinterpret_cast<const void*>(&start_server), &info) == 0) return {};
  fs::path prefix = fs::absolute(info.dli_fname).parent_path();
  for ([[maybe_unused]] const auto& part : fs::path(NPURT_LIBDIR)) prefix = prefix.parent_path();
  return prefix / "bin/npurt-emu";
}

/// Without what would put the emulator in front of the server, too.
std::vector<char*> server_environment() {
  std::vector<char*> kept;
  for (char** entry = environ; *entry != nullptr; ++entry)
    if (std::strncmp(*entry, "LD_PRELOAD=", 11) != 0 && std::strncmp(*entry, "NPURT_EMU_SHARED=", 17) != 0)
      kept.push_back(*entry);
  kept.push_back(nullptr);
  return kept;
}

/// Between fork and exec: only what is safe in a copy of a process with threads. The interposer's dup2 is not, it
/// locks.
[[noreturn]] void become_server(char* const* arguments, char* const* environment, int nothing, int log) {
  ::setsid();
  if (::_Fork() != 0) ::_exit(0);
  ::syscall(SYS_dup3, nothing, STDIN_FILENO, 0);
  ::syscall(SYS_dup3, nothing, STDOUT_FILENO, 0);
  ::syscall(SYS_dup3, log, STDERR_FILENO, 0);
  ::close_range(STDERR_FILENO + 1, ~0u, 0);
  ::execve(arguments[0], arguments, environment);
  ::_exit(1);
}

}  // namespace

void start_server(std::string_view name) {
  const auto where = shared::find_place(name);
  std::string program = server_program(), serve = "--serve", given(name);
  if (!where || ::access(program.c_str(), X_OK) != 0)
    return log(std::format("the shared device {} has no server, and {} cannot be started", name, program));
  const std::vector<char*> arguments{program.data(), serve.data(), given.data(), nullptr};
  const auto environment = server_environment();
  const shared::descriptor nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
  const shared::descriptor log_file(
      ::open(where->log().c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600));
  // _Fork runs no handlers of the program. The server is not its child, which it could wait for by mistake.
  const pid_t child = ::_Fork();
  if (child == 0)
    become_server(arguments.data(), environment.data(), nothing.get(), (log_file ? log_file : nothing).get());
  while (child > 0 && ::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace npurt::emu::driver
