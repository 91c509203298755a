// SPDX-License-Identifier: Apache-2.0
// The translating engine in its process: no executable memory, forked children, several threads, programs rewritten
// for ever.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <catch2/catch_test_macros.hpp>
#include <cerrno>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "emu/core/core_bench.hpp"
#include "emu/core/pipeline.hpp"
#include "support/leave_child.hpp"

using namespace npurt;
using namespace npurt::test;

namespace {

constexpr std::uint64_t iteration = 7;  ///< cycles of counting_loop()

/// mmap and mprotect refuse PROT_EXEC with EACCES from here on, as under SELinux without execmem.
bool deny_executable_memory() {
  std::array filter = {
      sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 1, 0),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mprotect, 0, 3),
      sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[2])),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1),
      sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EACCES),
      sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program{filter.size(), filter.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

struct child_result {
  int status;
  std::string said;  ///< on stderr
};

/// Runs `body` in a forked child, which ends with what it returns.
child_result in_child(const std::function<int()>& body) {
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::dup2(ends[1], STDERR_FILENO);
    leave_child(body());
  }
  ::close(ends[1]);
  child_result result{};
  std::array<char, 512> part{};
  for (ssize_t n = 0; (n = ::read(ends[0], part.data(), part.size())) > 0;) {
    result.said.append(part.data(), static_cast<std::size_t>(n));
  }
  ::close(ends[0]);
  ::waitpid(child, &result.status, 0);
  return result;
}

}  // namespace

TEST_CASE("without executable memory the reference runs, and one line says so", "[emu][core][translate]") {
  core_bench one(counting_loop(1), emu::engine::eager), other(counting_loop(2), emu::engine::eager);
  const child_result result = in_child([&] {
    if (!deny_executable_memory()) return 2;
    one.core.run(iteration * 1000);
    other.core.run(iteration * 1000);
    return one.reg("r1") == 1000 && other.reg("r1") == 2000 ? 0 : 1;
  });
  INFO(result.said);
  REQUIRE(WIFEXITED(result.status));
  CHECK(WEXITSTATUS(result.status) == 0);
  const std::string_view said = result.said;
  CHECK(said.starts_with("npurt-emu: "));
  CHECK(said.contains("no executable memory"));
  CHECK(std::ranges::count(said, '\n') == 1);
}

TEST_CASE("a forked child and its parent go on with programs of their own", "[emu][core][translate]") {
  core_bench bench(counting_loop(1), emu::engine::eager);
  bench.core.run(iteration * 1000);
  const child_result result = in_child([&] {
    bench.core.run(iteration * 1000);
    if (bench.reg("r1") != 2000) return 1;
    bench.write(counting_loop(3));
    bench.core.run(iteration * 1000);
    return bench.reg("r1") == 5000 ? 0 : 2;
  });
  REQUIRE(WIFEXITED(result.status));
  CHECK(WEXITSTATUS(result.status) == 0);
  bench.core.run(iteration * 1000);
  CHECK(bench.reg("r1") == 2000);
}

TEST_CASE("cores translate on several threads at once", "[emu][core][translate]") {
  std::vector<std::unique_ptr<core_bench>> benches;
  for (int step = 1; step <= 4; ++step) {
    benches.push_back(std::make_unique<core_bench>(counting_loop(step), emu::engine::eager));
  }
  {
    std::vector<std::jthread> threads;
    for (const auto& bench : benches) {
      threads.emplace_back([&bench] { bench->core.run(iteration * 1000); });
    }
  }
  for (std::uint32_t step = 1; step <= 4; ++step) {
    CHECK(benches[step - 1]->reg("r1") == 1000 * step);
  }
}

TEST_CASE("rewriting the program of a running core does not hold on to old ones", "[emu][core][translate]") {
  scripted_ports ports;
  emu::machine machine(ports);
  const std::array programs = {machine_code(counting_loop(1)), machine_code(counting_loop(2))};
  machine.enabled = true;
  for (std::size_t i = 0; i < 1000; ++i) {
    std::ranges::copy(std::as_bytes(std::span(programs.at(i % 2))), machine.program.begin());
    machine.decoded.clear(machine.in_flight());
    machine.cycle();
  }
  REQUIRE_FALSE(machine.fault);
  // A loop of seven bundles, and what was issued in the eleven cycles before.
  CHECK(machine.decoded.size() <= 7 + 11);
}
