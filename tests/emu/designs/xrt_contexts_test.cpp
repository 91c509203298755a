// SPDX-License-Identifier: Apache-2.0
// What a process may have of the emulated device under the unmodified XRT: contexts, threads, memory, and what is left
// when they are gone.
#include <atomic>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>

#include "config/subprocess.hpp"
#include "emu/designs/xrt_run.hpp"

using namespace npurt;
using namespace npurt::emu::testing;
using json = nlohmann::json;

namespace {

template <typename Iterator = std::filesystem::directory_iterator>
std::ptrdiff_t entries(const std::filesystem::path& folder) {
  return std::distance(Iterator(folder), Iterator());
}

/// Parts of the process's memory that are mappings of the device's files.
std::ptrdiff_t device_mappings() {
  std::ifstream file("/proc/self/maps");
  std::ptrdiff_t n = 0;
  for (std::string line; std::getline(file, line);)
    if (line.find("npurt-emu") != std::string::npos) ++n;
  return n;
}

std::string this_program() { return std::filesystem::read_symlink("/proc/self/exe").string(); }

xrt::run start(const opened& o, const std::vector<std::byte>& code, const xrt::bo& input, const xrt::bo& output) {
  xrt::kernel kernel(o.context, "design");
  return kernel(transaction, instructions(o, kernel, code), code_words(code), input, output, 0, 0, 0);
}

}  // namespace

// In a process of its own, whose temporary files are in a folder that nobody else has.
TEST_CASE("a thousand devices, contexts and runs", "[.thousand]") {
  const auto files = [] {
    return entries<std::filesystem::recursive_directory_iterator>(std::filesystem::temp_directory_path());
  };
  const auto file = xclbin_of(add_one_file());
  const auto code = in_and_out(count, count).build();
  const words in = pattern(count);
  const auto open_run_close = [&](bool runs) {
    opened o(xrt::device(0), file);
    if (!runs) return;
    xrt::bo input = host_buffer(o, in), output = host_buffer(o, words(count));
    REQUIRE(start(o, code, input, output).wait() == ERT_CMD_STATE_COMPLETED);
  };
  open_run_close(true);
  const auto descriptors = entries("/proc/self/fd"), threads = entries("/proc/self/task");
  const auto mappings = device_mappings(), at_first = files();
  REQUIRE(at_first > 0);
  for (unsigned i = 0; i < 1000; ++i) open_run_close(i % 10 == 0);
  CHECK(entries("/proc/self/fd") == descriptors);
  CHECK(entries("/proc/self/task") == threads);
  CHECK(device_mappings() == mappings);
  CHECK(files() == at_first);
}

TEST_CASE("a thousand devices, contexts and runs leave no descriptor, thread, mapping or file behind",
          "[emu][designs][xrt]") {
  const config::temporary_folder folder;
  folder.run({"mkdir", "files"});
  CHECK_NOTHROW(folder.run(
      {"sh", "-c", "TMPDIR=$PWD/files XDG_RUNTIME_DIR=$PWD/files exec \"$0\" '[.thousand]'", this_program()}));
  CHECK_NOTHROW(folder.run({"rmdir", "files"}));
}

TEST_CASE("memory stays flat over many runs", "[emu][designs][xrt]") {
  const auto resident_pages = [] {
    std::ifstream file("/proc/self/statm");
    std::size_t whole = 0, resident = 0;
    file >> whole >> resident;
    return resident;
  };
  opened o(xrt::device(0), xclbin_of(add_one_file()));
  xrt::kernel kernel(o.context, "design");
  const auto code = in_and_out(count, count).build();
  xrt::bo input = host_buffer(o, pattern(count)), output = host_buffer(o, words(count));
  const char* const wanted = std::getenv("NPURT_TEST_RUNS");
  const unsigned runs = wanted == nullptr ? 6000 : static_cast<unsigned>(std::max(5001, std::atoi(wanted)));
  const xrt::bo control = instructions(o, kernel, code);
  auto run = kernel(transaction, control, code_words(code), input, output);
  REQUIRE(run.wait() == ERT_CMD_STATE_COMPLETED);
  std::size_t before = 0;
  for (unsigned i = 0; i < runs; ++i) {
    if (i == 5000) before = resident_pages();  // the records of single commands end at 4096
    run.start();
    if (run.wait() != ERT_CMD_STATE_COMPLETED) FAIL("run " << i);
  }
  const std::size_t after = resident_pages();
  if (wanted != nullptr)
    WARN(runs << " runs: " << before << " pages resident after 5,000 of them, " << after << " after all");
  CHECK(after < before + 512);  // 2 MB
}

TEST_CASE("eight threads, each with buffers and runs of its own on one kernel", "[emu][designs][xrt]") {
  opened o(xrt::device(0), xclbin_of(add_one_file()));
  const auto code = in_and_out(count, count).build();
  xrt::kernel kernel(o.context, "design");
  const xrt::bo control = instructions(o, kernel, code);
  std::vector<std::thread> threads;
  std::atomic<unsigned> good = 0;
  for (unsigned t = 0; t < 8; ++t)
    threads.emplace_back([&, t] {
      for (unsigned i = 0; i < 20; ++i) {
        const words in = pattern(count, 100 * t + i);
        xrt::bo input = host_buffer(o, in), output = host_buffer(o, words(count));
        auto run = kernel(transaction, control, code_words(code), input, output, 0, 0, 0);
        if (run.wait() == ERT_CMD_STATE_COMPLETED && contents_of(output) == added(in, 1)) ++good;
      }
    });
  for (auto& thread : threads) thread.join();
  CHECK(good == 160);
}

TEST_CASE("six contexts of one column work in turn; a seventh is ENOENT", "[emu][designs][xrt]") {
  const xrt::device device(0);
  const auto file = xclbin_of(add_one_file());
  const auto code = in_and_out(count, count).build();
  std::vector<std::unique_ptr<opened>> all;
  for (unsigned i = 0; i < 6; ++i) all.push_back(std::make_unique<opened>(device, file));
  try {
    opened seventh(device, file);
    FAIL("a seventh context");
  } catch (const std::exception& error) {
    CHECK(std::string(error.what()).find("err=-2") != std::string::npos);
  }
  for (unsigned round = 0; round < 2; ++round)
    for (auto& o : all) {
      xrt::kernel kernel(o->context, "design");
      const words in = pattern(count, round + 1);
      xrt::bo input = host_buffer(*o, in), output = host_buffer(*o, words(count));
      auto run = kernel(transaction, instructions(*o, kernel, code), code_words(code), input, output, 0, 0, 0);
      REQUIRE(run.wait() == ERT_CMD_STATE_COMPLETED);
      CHECK(contents_of(output) == added(in, 1));
    }
}

// In a process of its own, by the test below.
TEST_CASE("two contexts on different columns at work", "[.two_contexts]") {
  const xrt::device device(0);
  const auto file = xclbin_of(add_one_file());
  auto left = std::make_unique<opened>(device, file);
  auto right = std::make_unique<opened>(device, file);
  const auto code = in_and_out(count, count).build();
  const words in = pattern(count);
  xrt::bo input = host_buffer(*left, in), output = host_buffer(*left, words(count));
  xrt::bo other_output = host_buffer(*right, words(count));
  auto first = start(*left, code, input, output), second = start(*right, code, input, other_output);
  REQUIRE(first.wait() == ERT_CMD_STATE_COMPLETED);
  REQUIRE(second.wait() == ERT_CMD_STATE_COMPLETED);
  CHECK(contents_of(output) == added(in, 1));
  CHECK(contents_of(other_output) == added(in, 1));
  // A core that turns in a circle two million times before it works: meanwhile the other context's commands come and
  // go.
  left.reset();
  device_design slow = add_by_one_core(1);
  slow.array.programs.clear();
  slow.program(core2, "movxm r4, #2000000\n" + nops(2) + "circle:\nadd r4, r4, #-1\n" + nops(2) + "jnz r4, #circle\n" +
                          nops(5) + add_in_turn(1, {0, 1}, {2, 3}, {{0x70400, 0x71000}, {0x70440, 0x71040}}));
  opened circling(device, xclbin_of(config::make_xclbin(slow.array)));
  auto long_run = start(circling, code, input, output);
  REQUIRE(start(*right, code, input, other_output).wait() == ERT_CMD_STATE_COMPLETED);
  CHECK(long_run.state() != ERT_CMD_STATE_COMPLETED);
  CHECK(long_run.wait() == ERT_CMD_STATE_COMPLETED);
}

TEST_CASE("two contexts on different columns run at once", "[emu][designs][xrt]") {
  const config::temporary_folder folder;
  folder.run({"env", "NPURT_EMU_STATS=stats.json", this_program(), "[.two_contexts]"});
  const auto text = folder.read("stats.json");
  const json commands =
      json::parse(std::string(reinterpret_cast<const char*>(text.data()), text.size())).at("commands");
  REQUIRE(commands.size() == 4);
  const auto column = [&](std::size_t i) { return commands[i].at("start_column").get<unsigned>(); };
  const auto begin = [&](std::size_t i) { return commands[i].at("start_cycle").get<std::uint64_t>(); };
  const auto end = [&](std::size_t i) { return begin(i) + commands[i].at("cycles").get<std::uint64_t>(); };
  CHECK(column(0) != column(1));
  CHECK(begin(0) < end(1));
  CHECK(begin(1) < end(0));
}

TEST_CASE("instruction buffers beyond 64 MB make the heap grow, and run from there", "[emu][designs][xrt]") {
  opened o(xrt::device(0), xclbin_of(add_one_file()));
  xrt::kernel kernel(o.context, "design");
  const auto code = in_and_out(count, count).build();
  const words in = pattern(count);
  xrt::bo input = host_buffer(o, in);
  std::vector<xrt::bo> buffers;
  std::uint64_t lowest = ~std::uint64_t{0}, highest = 0;
  for (unsigned i = 0; i < 5; ++i) {
    buffers.emplace_back(o.device, std::size_t{24} << 20, xrt::bo::flags::cacheable, kernel.group_id(1));
    buffers.back().write(code.data(), code.size(), 0);
    buffers.back().sync(XCL_BO_SYNC_BO_TO_DEVICE, code.size(), 0);
    lowest = std::min(lowest, buffers.back().address());
    highest = std::max(highest, buffers.back().address());
  }
  CHECK(highest - lowest > std::uint64_t{64} << 20);
  for (auto& control : buffers) {
    xrt::bo output = host_buffer(o, words(count));
    auto run = kernel(transaction, control, code_words(code), input, output, 0, 0, 0);
    REQUIRE(run.wait() == ERT_CMD_STATE_COMPLETED);
    CHECK(contents_of(output) == added(in, 1));
  }
}
