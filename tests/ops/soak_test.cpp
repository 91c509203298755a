// SPDX-License-Identifier: Apache-2.0
// Mixed calls and sequences for long, and from many threads and two processes: results, modelled time, descriptors and
// memory stay as they are. NPURT_TEST_RUNS=100000 asks for the long run, which prints its figures.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <catch2/catch_test_macros.hpp>

#include "npurt/emulator.hpp"
#include "npurt/npurt.hpp"
#include "ops/bf16_check.hpp"

using namespace npurt::test;
using npurt::matrix_view, npurt::tensor_view;

namespace {

constexpr std::size_t rows = 4, columns = 64, elements = rows * columns;

using integers = std::vector<std::int8_t>;

/// Every kind of call on operands of its own. Calls of pages 0, 1 and 2 of the overlay's code.
class calls {
 public:
  explicit calls(npurt::device& on, unsigned seed = 1) : device_(on), norm_(on, weights_, weights_), sequence_(on) {
    std::mt19937 random(seed);
    x_ = normal_bf16(elements, 0, 1, random);
    std::ranges::generate(q_, [&] { return static_cast<std::int8_t>(static_cast<int>(random() % 61) - 30); });
    const npurt::sequence_tensor in = sequence_.input("x", rows, columns);
    const npurt::sequence_tensor normal = sequence_.layernorm(in, norm_, 1e-5F);
    sequence_.output("y", sequence_.add(sequence_.softmax(normal), in));
    sequence_.compile();
  }

  static constexpr std::size_t kinds = 9;
  /// Attention's code is on a page of its own: a load of code, before it and behind it.
  static std::size_t kind_of(std::size_t run) { return run % 20 == 19 ? kinds - 1 : run % (kinds - 1); }
  static const char* name_of(std::size_t kind) {
    constexpr std::array<const char*, kinds> names{"relu",        "add",       "softmax",  "layernorm", "gelu_i8",
                                                   "matmul (i8)", "transpose", "sequence", "attention"};
    return names[kind];
  }

  /// The bytes that a call gives.
  std::vector<std::byte> run(std::size_t kind) {
    bf16s y(elements);
    integers z(elements);
    std::vector<std::int32_t> c(rows * rows);
    const matrix_view<const bf16> x(x_, rows, columns);
    const matrix_view<bf16> out(y, rows, columns);
    const auto head = tensor_view<const bf16, 3>(x_, 1, rows, columns);
    switch (kind) {
      case 0:
        return npurt::relu(device_, x, out), bytes_of(y);
      case 1:
        return npurt::add(device_, x, x, out), bytes_of(y);
      case 2:
        return npurt::softmax(device_, x, out), bytes_of(y);
      case 3:
        return npurt::layernorm(device_, x, tensor_view(weights_, columns), tensor_view(weights_, columns), 1e-5F, out),
               bytes_of(y);
      case 4:
        return npurt::gelu_i8(device_, tensor_view(q_, elements), 0.1F, tensor_view(z, elements), 0.05F), bytes_of(z);
      case 5:
        return npurt::matmul(device_, matrix_view(q_, rows, columns), matrix_view(q_, columns, rows),
                             matrix_view(c, rows, rows)),
               bytes_of(c);
      case 6:
        return npurt::transpose(device_, x, matrix_view<bf16>(y, columns, rows)), bytes_of(y);
      case 7:
        sequence_.write("x", x);
        sequence_.run();
        sequence_.read("y", out);
        return bytes_of(y);
      default:
        return npurt::attention(device_, head, head, head, tensor_view<bf16, 3>(y, 1, rows, columns)), bytes_of(y);
    }
  }

 private:
  template <typename T>
  static std::vector<std::byte> bytes_of(const std::vector<T>& values) {
    const auto bytes = std::as_bytes(std::span(values));
    return {bytes.begin(), bytes.end()};
  }

  npurt::device& device_;
  bf16s x_ = bf16s(elements);
  bf16s weights_ = bf16s(columns, bf16(1));
  integers q_ = integers(elements);
  npurt::layernorm_weights norm_;
  npurt::sequence sequence_;
};

std::size_t entries(const char* folder) {
  const std::filesystem::directory_iterator all(folder);
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

std::size_t resident_kib() {
  std::ifstream file("/proc/self/statm");
  std::size_t whole = 0, resident = 0;
  file >> whole >> resident;
  return resident * 4;
}

struct range {
  std::uint64_t least = ~std::uint64_t{0}, most = 0;
  void take(std::uint64_t value) {
    least = std::min(least, value);
    most = std::max(most, value);
  }
};

}  // namespace

TEST_CASE("soak: mixed calls and sequences leave results, modelled time, descriptors and memory as they are",
          "[ops][soak]") {
  const char* const wanted = std::getenv("NPURT_TEST_RUNS");
  const std::size_t runs = wanted == nullptr ? 25 : std::strtoul(wanted, nullptr, 10);
  // The emulator keeps figures of 4,096 single commands; before the memory is flat.
  constexpr std::size_t settled = 10'000;
  npurt::device device;
  calls all(device);
  std::array<std::vector<std::byte>, calls::kinds> right;
  for (std::size_t kind = 0; kind < calls::kinds; ++kind) right[kind] = all.run(kind);
  std::array<range, calls::kinds> cycles;
  const std::size_t files = entries("/proc/self/fd"), threads = entries("/proc/self/task");
  std::size_t memory = 0;
  for (std::size_t i = 0; i < runs; ++i) {
    if (i == settled) memory = resident_kib();
    const std::size_t kind = calls::kind_of(i);
    if (all.run(kind) != right[kind]) FAIL("run " << i << ", " << calls::name_of(kind));
    cycles[kind].take(npurt::emulator::last_command().value_or(npurt::emulator::command_figures{}).cycles);
  }
  CHECK(entries("/proc/self/fd") <= files);
  CHECK(entries("/proc/self/task") <= threads);
  for (std::size_t kind = 0; kind < calls::kinds; ++kind) {
    INFO(calls::name_of(kind) << ": " << cycles[kind].least << " to " << cycles[kind].most << " cycles");
    CHECK(cycles[kind].most - cycles[kind].least <= cycles[kind].least / 100);
  }
  if (wanted == nullptr) return;
  const std::size_t after = resident_kib();
  for (std::size_t kind = 0; kind < calls::kinds; ++kind) {
    fmt::print("{:12} {} to {} cycles\n", calls::name_of(kind), cycles[kind].least, cycles[kind].most);
  }
  fmt::print("{} runs; descriptors {} -> {}, threads {} -> {}, resident {} KiB at run {} -> {} KiB\n", runs, files,
             entries("/proc/self/fd"), threads, entries("/proc/self/task"), memory, settled, after);
  if (runs > settled) CHECK(after < memory + 4096);
}

TEST_CASE("eight threads call every operation of one device", "[ops][threads]") {
  npurt::device device;
  constexpr unsigned count = 8, seeds = 2, calls_each = 3;
  std::array<std::vector<std::vector<std::byte>>, seeds> right;  // alone
  for (unsigned seed = 0; seed < seeds; ++seed) {
    calls mine(device, seed);
    for (std::size_t kind = 0; kind < calls::kinds; ++kind) right[seed].push_back(mine.run(kind));
  }
  std::array<std::string, count> wrong;
  {
    std::vector<std::jthread> threads;
    for (unsigned t = 0; t < count; ++t) {
      threads.emplace_back([&, t] {
        try {
          calls mine(device, t % seeds);
          for (std::size_t i = 0; i < calls_each; ++i) {
            const std::size_t kind = (i * count + t) % calls::kinds;
            if (mine.run(kind) != right[t % seeds][kind]) wrong[t] = calls::name_of(kind);
          }
        } catch (const std::exception& failure) {
          wrong[t] = failure.what();
        }
      });
    }
  }
  for (const std::string& each : wrong) CHECK(each == "");
}

TEST_CASE("one of two processes", "[.process]") {
  npurt::device device;
  calls all(device);
  for (std::size_t kind = 0; kind < calls::kinds; ++kind) {
    const std::vector<std::byte> first = all.run(kind);
    CHECK(all.run(kind) == first);
  }
}

// Each has an overlay of its own on the same columns: what one loads, the other one loses.
TEST_CASE("two processes call every operation of one device", "[ops][process]") {
  const std::string self = std::filesystem::read_symlink("/proc/self/exe");
  const std::string command = fmt::format("NPURT_EMU_SHARED=npurt-soak-{} '{}' '[.process]'", ::getpid(), self);
  std::array<int, 2> status{-1, -1};
  {
    std::vector<std::jthread> processes;
    for (int& each : status) processes.emplace_back([&each, &command] { each = std::system(command.c_str()); });
  }
  CHECK(status[0] == 0);
  CHECK(status[1] == 0);
}
