// SPDX-License-Identifier: Apache-2.0
// npurt-emu COMMAND...: runs a program with the emulated NPU in front of it, by preloading libnpurt_emulator.so.
#include <CLI/CLI.hpp>

#include <dlfcn.h>
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "npurt-emu-plot.hpp"

namespace {

namespace fs = std::filesystem;

// As env, nohup and timeout answer: they themselves fail; the command cannot be run; it is not found.
constexpr int wrong_arguments = 125;
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

constexpr const char* footer =
    "Exit code: the command's; 128 + N if signal N ended it; 125 wrong arguments; 126 the command cannot be run, or "
    "the\n"
    "emulator's library is missing; 127 no such command. What --stats, --trace and --plot cannot write is told on "
    "stderr.\n"
    "Several processes of the command that use the device write the same files: the last one's stay.\n"
    "\n"
    "Faults, separated by ';', with WHEN as N, N-M or N+, counted from 1:\n"
    "  ioctl:NAME@WHEN=ERRNO  NAME: create_bo, exec_cmd, ... or any; ERRNO: a name or number\n"
    "  command@WHEN=WHAT      error, timeout, abort, lost (neither runs nor ends) or dma_error\n"
    "  memory=SIZE            no more buffers beyond SIZE bytes altogether (suffix K, M, G)\n"
    "  device@N=gone[:K]      the device disappears at the N-th ioctl; after K opens it is back\n"
    "  firmware=A.B.C.D       the version that the driver tells\n"
    "  firmware=old           the driver refuses the firmware: there is no device\n"
    "\n"
    "Environment: NPURT_EMU_CORE=reference|fast|eager chooses how cores execute: the plain interpreter, translated "
    "where\n"
    "hot (the default), all translated; results and times are the same. NPURT_EMU_CHIP: the chip (phoenix).\n"
    "\n"
    "Examples:\n"
    "  npurt-emu xrt-smi examine\n"
    "  npurt-emu --stats s.json --trace t.json --plot p.png ./program\n"
    "  npurt-emu --fault 'ioctl:create_bo@3=ENOMEM;command@2=timeout' ./program";

/// The server of a shared device, which is in the library.
int serve(const std::string& name, unsigned linger_ms) {
  void* library = ::dlopen(emulator_library().c_str(), RTLD_NOW);
  using serve_function = int(const char*, unsigned);
  auto* function =
      library == nullptr ? nullptr : reinterpret_cast<serve_function*>(::dlsym(library, "npurt_emulator_serve"));
  if (function != nullptr) return function(name.c_str(), linger_ms);
  std::cerr << "npurt-emu: " << ::dlerror() << '\n';
  return cannot_run;
}

struct settings {
  std::string stats, trace, plot, faults, shared, serve;
  unsigned linger = 0;
  std::optional<std::size_t> trace_limit;
  std::optional<unsigned> clock, threads;
  bool null_commands = false, strict = false, syncobj = false;
};

void add_options(CLI::App& app, settings& given) {
  app.add_option("--stats", given.stats, "Write the statistics of the emulated device to this file, as JSON");
  app.add_option("--trace", given.trace,
                 "Write a timeline to this file, for ui.perfetto.dev (Chrome's JSON trace events)");
  app.add_option("--trace-limit", given.trace_limit,
                 "Events of the timeline, 1000000 unless given; later ones are counted");
  app.add_option("--plot", given.plot,
                 "Draw the array to this PNG file: what tiles spent their time on, words between them");
  app.add_option("--fault", given.faults, "Faults on demand, see below");
  app.add_option("--clock", given.clock, "Array clock in MHz; 1028 unless given, or what the power mode says")
      ->check(CLI::Range(1u, 10'000u));
  app.add_option("--threads", given.threads,
                 "Host threads that execute cores, 0 for lockstep; as many as the host has processors, at most 8,\n"
                 "unless given; results and modelled times are the same for all")
      ->check(CLI::Range(0u, 64u));
  app.add_flag("--null", given.null_commands,
               "Complete commands without executing them, to measure the host side alone; command faults do not apply");
  app.add_option("--shared", given.shared,
                 "Use the device NAME together with all processes of this user that are given the same NAME; a server\n"
                 "holds it, which starts by itself, with the settings of the first program")
      ->type_name("NAME");
  app.add_option("--serve", given.serve, "Be the server of the shared device NAME; no command")->type_name("NAME");
  app.add_option("--linger", given.linger, "With --serve: end after so many ms without a program, 10000 unless given");
  app.add_flag(
      "--strict", given.strict,
      "Tell of syncs that the program forgot: commands read what it changed and did not sync to the device, or\n"
      "wrote what it never synced from the device");
  app.add_flag("--syncobj", given.syncobj, "Give contexts a syncobj, as the kernel's driver does");
}

void set_environment(const settings& given) {
  const auto set = [](const char* name, const std::string& value) { ::setenv(name, value.c_str(), 1); };
  if (!given.stats.empty()) set("NPURT_EMU_STATS", fs::absolute(given.stats));
  if (!given.trace.empty()) set("NPURT_EMU_TRACE", fs::absolute(given.trace));
  if (given.trace_limit) set("NPURT_EMU_TRACE_LIMIT", std::to_string(*given.trace_limit));
  if (!given.faults.empty()) set("NPURT_EMU_FAULT", given.faults);
  if (given.clock) set("NPURT_EMU_CLOCK", std::to_string(*given.clock));
  if (given.threads) set("NPURT_EMU_THREADS", std::to_string(*given.threads));
  if (!given.shared.empty()) set("NPURT_EMU_SHARED", given.shared);
  if (given.null_commands) set("NPURT_EMU_NULL", "1");
  if (given.strict) set("NPURT_EMU_STRICT", "1");
  if (given.syncobj) set("NPURT_EMU_SYNCOBJ", "1");
}

int start(const settings& given, std::vector<std::string> command) {
  if (!fs::exists(emulator_library())) {
    std::cerr << "npurt-emu: " << emulator_library().string() << " is missing\n";
    return cannot_run;
  }
  set_environment(given);
  ::setenv("LD_PRELOAD", preload_list().c_str(), 1);
  if (!has_own_configuration(command.front())) set_driver_sync();
  if (given.plot.empty()) return run(std::move(command));
  const char* stats = std::getenv("NPURT_EMU_STATS");
  return npurt::tools::plot_after([&] { return run(command); }, stats == nullptr ? "" : stats, given.plot);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Runs a program on the emulated NPU (AMD Phoenix) under the installed XRT.", "npurt-emu");
  settings given;
  add_options(app, given);
  app.prefix_command();
  app.usage("Usage: npurt-emu [OPTIONS] COMMAND [ARGUMENTS...]");
  app.footer(footer);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : wrong_arguments;
  }
  auto command = app.remaining();
  if (!given.serve.empty() && command.empty()) {
    set_environment(given);
    return serve(given.serve, given.linger);
  }
  if (!command.empty() && command.front() == "--") command.erase(command.begin());
  if (!command.empty()) return start(given, std::move(command));
  std::cerr << app.help();
  return wrong_arguments;
}
