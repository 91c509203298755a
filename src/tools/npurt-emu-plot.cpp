// SPDX-License-Identifier: Apache-2.0
// npurt-emu --plot: waits for the command and draws its statistics.
#include "npurt-emu-plot.hpp"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "tools/picture/array_picture.hpp"

namespace npurt::tools {
namespace {

/// A file in memory, under a name that other processes can open as long as this one lives.
std::string memory_file() {
  const int fd = ::memfd_create("npurt-emu:stats", 0);
  return fd < 0 ? std::string() : "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(fd);
}

/// What the terminal sends concerns the command, which decides what to do about it.
int wait_for(pid_t child) {
  std::signal(SIGINT, SIG_IGN);
  std::signal(SIGQUIT, SIG_IGN);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return EXIT_FAILURE;
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

void draw(const std::string& stats, const std::string& picture) {
  std::ifstream in(stats);
  if (!in || in.peek() == std::ifstream::traits_type::eof()) {
    std::cerr << "npurt-emu: the command did not use the device: there is nothing to plot\n";
    return;
  }
  const auto png = draw_array(nlohmann::json::parse(in)).png();
  std::ofstream out(picture, std::ios::binary);
  out.write(reinterpret_cast<const char*>(png.data()), static_cast<std::streamsize>(png.size()));
  if (!out.flush()) std::cerr << "npurt-emu: cannot write " << picture << '\n';
}

}  // namespace

int plot_after(const std::function<int()>& command, const std::string& stats, const std::string& picture) {
  const std::string path = stats.empty() ? memory_file() : stats;
  if (stats.empty()) ::setenv("NPURT_EMU_STATS", path.c_str(), 1);
  std::ofstream(path, std::ios::trunc);  // what an earlier run left is not this one's
  const pid_t child = ::fork();
  if (child < 0) {
    std::cerr << "npurt-emu: fork: " << std::strerror(errno) << '\n';
    return EXIT_FAILURE;
  }
  if (child == 0) ::_exit(command());
  const int status = wait_for(child);
  try {
    draw(path, picture);
  } catch (const std::exception& error) {
    std::cerr << "npurt-emu: cannot plot " << path << ": " << error.what() << '\n';
  }
  return status;
}

}  // namespace npurt::tools
