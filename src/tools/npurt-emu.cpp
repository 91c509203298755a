// SPDX-License-Identifier: Apache-2.0
// npurt-emu COMMAND...: runs a program with the emulated NPU in front of it, by preloading libnpurt_emulator.so.
#include <CLI/CLI.hpp>

#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "npurt-emu-plot.hpp"

namespace {

namespace fs = std::filesystem;

// What a shell answers for a command that cannot be run, or is not found.
constexpr int cannot_run = 126;
constexpr int not_found = 127;

/// The library lies beside bin/, in the build tree as in an installation.
fs::path emulator_library() {
  return fs::read_symlink("/proc/self/exe").parent_path().parent_path() / NPURT_LIBDIR / "libnpurt_emulator.so";
}

/// ASan's runtime, if this is a build with it: it refuses to start unless it is loaded first.
std::string sanitizer_library() {
  std::string found;
  const auto look = [](dl_phdr_info* info, std::size_t, void* result) {
    if (std::string_view(info->dlpi_name).find("libasan.so") == std::string_view::npos) return 0;
    *static_cast<std::string*>(result) = info->dlpi_name;
    return 1;
  };
  ::dl_iterate_phdr(look, &found);
  return found;
}

std::string preload_list() {
  std::string list = emulator_library().string();
  if (const auto sanitizer = sanitizer_library(); !sanitizer.empty()) list = sanitizer + ":" + list;
  if (const char* before = std::getenv("LD_PRELOAD"); before != nullptr && before[0] != '\0')
    list += std::string(":") + before;
  return list;
}

/// XRT looks for an xrt.ini beside the program and in the working directory.
bool has_own_configuration(const std::string& command) {
  if (std::getenv("XRT_INI_PATH") != nullptr || fs::exists("xrt.ini")) return true;
  return command.contains('/') && fs::exists(fs::path(command).parent_path() / "xrt.ini");
}

/// Makes XRT leave bo.sync to the driver instead of flushing cache lines, which an emulated device does not need
/// (16 MiB: 30 ms). The file is an inherited memfd, so nothing is left behind.
void set_driver_sync() {
  constexpr std::string_view ini = "[Debug]\nforce_driver_sync=true\n";
  const int fd = ::memfd_create("npurt-emu:xrt.ini", 0);
  if (fd < 0 || ::write(fd, ini.data(), ini.size()) != static_cast<ssize_t>(ini.size())) return;
  ::setenv("XRT_INI_PATH", ("/proc/self/fd/" + std::to_string(fd)).c_str(), 1);
}

int run(std::vector<std::string> command) {
  std::vector<char*> arguments;
  for (auto& argument : command) arguments.push_back(argument.data());
  arguments.push_back(nullptr);
  ::execvp(arguments[0], arguments.data());
  const int error = errno;
  std::cerr << "npurt-emu: " << command[0] << ": " << std::strerror(error) << '\n';
  return error == ENOENT ? not_found : cannot_run;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Runs a program on the emulated NPU (AMD Phoenix) under the installed XRT.", "npurt-emu");
  std::string stats, trace, plot, faults;
  std::size_t trace_limit = 0;
  unsigned clock = 0, threads = 0;
  bool null_commands = false, syncobj = false;
  app.add_option("--stats", stats, "Write the statistics of the emulated device to this file, as JSON");
  app.add_option("--trace", trace, "Write a timeline to this file, for ui.perfetto.dev (Chrome's JSON trace events)");
  auto* const limit_given = app.add_option("--trace-limit", trace_limit,
                                           "Events of the timeline, 1000000 unless given; later ones are counted");
  app.add_option("--plot", plot, "Draw the array to this PNG file: what tiles spent their time on, words between them");
  app.add_option("--fault", faults, "Faults on demand, such as 'ioctl:create_bo@3=ENOMEM;command@2=timeout'");
  auto* const clock_given =
      app.add_option("--clock", clock, "Array clock in MHz; 1028 unless given, or what the power mode says")
          ->check(CLI::Range(1u, 10'000u));
  auto* const threads_given =
      app.add_option("--threads", threads,
                     "Host threads that execute cores; results and modelled times are the same for all")
          ->check(CLI::Range(0u, 64u));
  app.add_flag("--null", null_commands, "Complete commands without executing them, to measure the host side alone");
  app.add_flag("--syncobj", syncobj, "Give contexts a syncobj, as the kernel's driver does");
  app.prefix_command();
  app.usage("Usage: npurt-emu [OPTIONS] COMMAND [ARGUMENTS...]");
  app.footer(
      "The exit status is the command's. Example: npurt-emu xrt-smi examine\n"
      "Several processes of the command that use the device write the same files: the last one's stay.\n"
      "Environment: NPURT_EMU_CHIP selects the chip (phoenix). Memory needs no root and no memlock limit.");
  CLI11_PARSE(app, argc, argv);

  auto command = app.remaining();
  if (!command.empty() && command.front() == "--") command.erase(command.begin());
  if (command.empty()) {
    std::cerr << app.help();
    return EXIT_FAILURE;
  }
  if (!fs::exists(emulator_library())) {
    std::cerr << "npurt-emu: " << emulator_library().string() << " is missing\n";
    return cannot_run;
  }
  if (!stats.empty()) ::setenv("NPURT_EMU_STATS", fs::absolute(stats).c_str(), 1);
  if (!trace.empty()) ::setenv("NPURT_EMU_TRACE", fs::absolute(trace).c_str(), 1);
  if (limit_given->count() != 0) ::setenv("NPURT_EMU_TRACE_LIMIT", std::to_string(trace_limit).c_str(), 1);
  if (!faults.empty()) ::setenv("NPURT_EMU_FAULT", faults.c_str(), 1);
  if (clock_given->count() != 0) ::setenv("NPURT_EMU_CLOCK", std::to_string(clock).c_str(), 1);
  if (threads_given->count() != 0) ::setenv("NPURT_EMU_THREADS", std::to_string(threads).c_str(), 1);
  if (null_commands) ::setenv("NPURT_EMU_NULL", "1", 1);
  if (syncobj) ::setenv("NPURT_EMU_SYNCOBJ", "1", 1);
  if (!has_own_configuration(command.front())) set_driver_sync();
  ::setenv("LD_PRELOAD", preload_list().c_str(), 1);
  if (plot.empty()) return run(std::move(command));
  return npurt::tools::plot_after([&] { return run(std::move(command)); }, stats, plot);
}
