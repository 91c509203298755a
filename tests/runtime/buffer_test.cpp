// SPDX-License-Identifier: Apache-2.0
// Buffers on the emulated NPU: memory of the program, parts, dma-bufs, and operations that use them where they are.
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "npurt/npurt.hpp"

using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::MessageMatches;
using bf16 = std::bfloat16_t;
using npurt::buffer;
using npurt::matrix_view;

namespace {

/// What an elementwise operation pads to is 256 KB: a third of it, and all of it.
constexpr std::size_t rows = 128, columns = 341, count = rows * columns, whole = 131072;

/// Has the program see zeros where a buffer is. The emulated device has a view of its own of the memory itself, so that
/// only what the host copies becomes zeros.
void hide(void* data, std::size_t bytes) {
  constexpr int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
  REQUIRE(::mmap(data, bytes, PROT_READ | PROT_WRITE, flags, -1, 0) == data);
}

/// Memory that the program can only read as long as this lives.
class unwritable {
 public:
  unwritable(void* data, std::size_t bytes) : data_(data), bytes_(bytes) {
    REQUIRE(::mprotect(data_, bytes_, PROT_READ) == 0);
  }
  ~unwritable() { ::mprotect(data_, bytes_, PROT_READ | PROT_WRITE); }
  unwritable(const unwritable&) = delete;
  unwritable& operator=(const unwritable&) = delete;

 private:
  void* data_;
  std::size_t bytes_;
};

/// Pages of the program's own.
struct pages {
  explicit pages(std::size_t size)
      : bytes(size),
        data(static_cast<bf16*>(::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))) {
    REQUIRE(data != MAP_FAILED);
  }
  ~pages() { ::munmap(data, bytes); }
  pages(const pages&) = delete;
  pages& operator=(const pages&) = delete;

  std::span<bf16> elements() const { return {data, bytes / sizeof(bf16)}; }

  std::size_t bytes;
  bf16* data;
};

/// ..., -2, -1, 0, 1, 2, ...: what bf16 has exactly.
void number(std::span<bf16> elements) {
  for (std::size_t i = 0; i < elements.size(); ++i) elements[i] = static_cast<bf16>(static_cast<float>(i % 255) - 127);
}

bool is_relu(std::span<const bf16> y) {
  for (std::size_t i = 0; i < y.size(); ++i) {
    if (static_cast<float>(y[i]) != std::max(static_cast<float>(i % 255) - 127, 0.0F)) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("an operation reads and writes buffers of its device without the host touching them", "[runtime][buffer]") {
  npurt::device device;
  buffer<bf16> x(device, count), y(device, count);
  number(x.span());
  const matrix_view<const bf16> from(x, rows, columns);
  const matrix_view<bf16> to(y, rows, columns);
  npurt::elementwise_plan plan(device, npurt::elementwise::relu, count);
  hide(x.data(), count * sizeof(bf16));
  {
    const unwritable shut(y.data(), count * sizeof(bf16));
    plan(from, to);
    npurt::copy(device, from, to);
    npurt::relu(device, from, to);
  }
  CHECK(is_relu(y.span()));
}

TEST_CASE("results that cannot be written where they are, are copied there", "[runtime][buffer]") {
  npurt::device device;
  buffer<bf16> both(device, whole);
  number(both.span());
  SECTION("onto their operand") {
    npurt::relu(device, matrix_view<const bf16>(both, rows, whole / rows), matrix_view<bf16>(both, rows, whole / rows));
    CHECK(is_relu(both.span()));
  }
  SECTION("before elements of somebody else's") {
    const std::vector<bf16> x(both.begin(), both.begin() + count);
    npurt::relu(device, matrix_view<const bf16>(x, rows, columns),
                matrix_view<bf16>(both.span().first(count), rows, columns));
    CHECK(is_relu(both.span().first(count)));
    CHECK(both[count] == static_cast<bf16>(static_cast<float>(count % 255) - 127));
  }
  SECTION("at an odd element") {
    const matrix_view<bf16> odd(both.span().subspan(1, 100), 10, 10);
    npurt::scale(device, odd, 2, odd);
    CHECK(both[1] == static_cast<bf16>(-252));
    CHECK(both[101] == static_cast<bf16>(-26));
  }
}

TEST_CASE("a plan changes between buffers and other memory, and lets go of buffers", "[runtime][buffer]") {
  npurt::device device;
  std::optional<buffer<bf16>> x(std::in_place, device, whole);
  number(x->span());
  std::vector<bf16> y(whole), again(x->begin(), x->end());
  npurt::elementwise_plan plan(device, npurt::elementwise::relu, whole);
  plan(matrix_view<const bf16>(*x, rows, whole / rows), matrix_view<bf16>(y, rows, whole / rows));
  CHECK(is_relu(y));
  plan.start(matrix_view<const bf16>(*x, rows, whole / rows));
  plan.wait(matrix_view<bf16>(y, rows, whole / rows));
  CHECK(is_relu(y));
  x.reset();
  std::ranges::fill(again, bf16(3));
  plan(matrix_view<const bf16>(again, rows, whole / rows), matrix_view<bf16>(y, rows, whole / rows));
  CHECK(std::ranges::all_of(y, [](bf16 each) { return each == bf16(3); }));
}

TEST_CASE("a matmul takes its matrices from buffers", "[runtime][buffer]") {
  constexpr std::size_t m = 256, k = 256, n = 256;
  npurt::device device;
  buffer<std::int8_t> a(device, m * k), b(device, k * n);
  buffer<std::int32_t> c(device, m * n);
  std::ranges::fill(a, std::int8_t{-2});
  std::ranges::fill(b, std::int8_t{3});
  b[0] = 4;
  hide(a.data(), a.size());
  hide(b.data(), b.size());
  {
    const unwritable shut(c.data(), c.size() * sizeof(std::int32_t));
    npurt::matmul(device, matrix_view<const std::int8_t>(a, m, k), matrix_view<const std::int8_t>(b, k, n),
                  matrix_view<std::int32_t>(c, m, n));
  }
  CHECK(c[0] == -6 * static_cast<int>(k) - 2);
  CHECK(std::ranges::all_of(c.span().subspan(1, n - 1), [](std::int32_t each) { return each == -6 * int{k}; }));
  CHECK(c[m * n - 1] == -6 * static_cast<int>(k));
}

TEST_CASE("softmax and transpose use buffers as they use other memory", "[runtime][buffer]") {
  npurt::device device;
  constexpr std::size_t r = 64, c = 512;
  buffer<bf16> x(device, r * c), y(device, r * c);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<bf16>(static_cast<float>(i * 37 % 101) / 32 - 1);
  const std::vector<bf16> x_copy(x.begin(), x.end());
  std::vector<bf16> y_copy(r * c);
  npurt::softmax(device, matrix_view<const bf16>(x, r, c), matrix_view<bf16>(y, r, c));
  npurt::softmax(device, matrix_view<const bf16>(x_copy, r, c), matrix_view<bf16>(y_copy, r, c));
  CHECK(std::ranges::equal(y, y_copy));
  npurt::transpose(device, matrix_view<const bf16>(x, r, c), matrix_view<bf16>(y, c, r));
  CHECK(y[r] == x[1]);
  CHECK(y[r * c - 1] == x[r * c - 1]);
  CHECK(y[1] == x[c]);
}

TEST_CASE("memory of the program is a buffer without a copy, if it begins and ends with a page", "[runtime][buffer]") {
  npurt::device device;
  const pages x(whole * sizeof(bf16)), y(whole * sizeof(bf16));
  number(x.elements());
  {
    const buffer<bf16> in = buffer<bf16>::from_memory(device, x.elements());
    const buffer<bf16> out = buffer<bf16>::from_memory(device, y.elements());
    CHECK(in.data() == x.data);
    npurt::relu(device, matrix_view<const bf16>(x.elements(), rows, whole / rows),
                matrix_view<bf16>(y.elements(), rows, whole / rows));
    CHECK_THROWS_AS(buffer<bf16>::from_memory(device, x.elements().first(4096)), npurt::buffer_error);
  }
  CHECK(is_relu(y.elements()));
  const buffer<bf16> once_more = buffer<bf16>::from_memory(device, x.elements().first(4096));

  const auto required = [&](std::span<bf16> memory) -> std::size_t {
    try {
      static_cast<void>(buffer<bf16>::from_memory(device, memory));
    } catch (const npurt::alignment_error& error) {
      CHECK_THAT(error.what(), ContainsSubstring("multiples of 4096"));
      return error.required();
    }
    return 0;
  };
  CHECK(required(y.elements().subspan(1, 4096)) == 4096);
  CHECK(required(y.elements().first(4095)) == 4096);
  CHECK_THROWS_AS(buffer<bf16>::from_memory(device, {}), npurt::buffer_error);
  const auto mapped = std::make_unique<pages>(8192);
  const std::span<bf16> gone = mapped->elements();
  ::munmap(mapped->data, mapped->bytes);
  CHECK_THROWS_AS(buffer<bf16>::from_memory(device, gone), npurt::buffer_error);
}

TEST_CASE("a part of a buffer is the same memory, and keeps it", "[runtime][buffer]") {
  npurt::device device;
  std::optional<buffer<bf16>> x(std::in_place, device, 4096);
  number(x->span());
  buffer<bf16> part = x->part(100, 1000);
  buffer<bf16> inner = part.part(20, 30);
  CHECK(inner.data() == x->data() + 120);
  CHECK(inner.native().address() == x->native().address() + 240);
  inner.to_device();
  inner.from_device();
  CHECK_THROWS_AS(x->part(4000, 97), npurt::buffer_error);
  CHECK_THROWS_AS(x->part(4097, 1), npurt::buffer_error);
  CHECK_THROWS_AS(x->part(0, 0), npurt::buffer_error);
  CHECK_THROWS_AS(x->part(1, 2), npurt::alignment_error);
  x.reset();
  CHECK(inner[0] == static_cast<bf16>(120 - 127));
}

TEST_CASE("a file descriptor closes what it has", "[runtime][buffer]") {
  int ends[2] = {};
  REQUIRE(::pipe(ends) == 0);
  const npurt::file_descriptor write_end(ends[1]);
  npurt::file_descriptor read_end(ends[0]);
  npurt::file_descriptor moved = std::move(read_end);
  CHECK(read_end.get() == -1);
  CHECK(moved.get() == ends[0]);
  moved = npurt::file_descriptor();
  CHECK(::write(write_end.get(), "", 0) == 0);
  char byte = 0;
  CHECK(::read(ends[0], &byte, 1) == -1);  // closed
}

TEST_CASE("descriptors that are no dma-buf of the device, or too small, are refused", "[runtime][buffer]") {
  npurt::device device;
  CHECK_THROWS_AS(buffer<bf16>::from_fd(device, npurt::file_descriptor()), npurt::buffer_error);
  int ends[2] = {};
  REQUIRE(::pipe(ends) == 0);
  const npurt::file_descriptor one(ends[0]), other(ends[1]);
  CHECK_THROWS_AS(buffer<bf16>::from_fd(device, one), npurt::buffer_error);
  const npurt::file_descriptor small = buffer<bf16>(device, 64).export_fd();
  CHECK_THROWS_MATCHES(buffer<bf16>::from_fd(device, small, 1 << 20), npurt::buffer_error,
                       MessageMatches(ContainsSubstring("1048576 elements")));
  CHECK(buffer<bf16>::from_fd(device, small, 64).size() == 64);
  const pages memory(4096);
  const buffer<bf16> pinned = buffer<bf16>::from_memory(device, memory.elements());
  CHECK_THROWS_AS(pinned.export_fd(), npurt::buffer_error);
}

TEST_CASE("buffers that came from another process are operands, too", "[.importer]") {
  npurt::device device;
  const npurt::file_descriptor from(std::atoi(std::getenv("NPURT_TEST_FD")));
  buffer<bf16> x = buffer<bf16>::from_fd(device, from, count);
  REQUIRE(x[200] == static_cast<bf16>(73));
  npurt::relu(device, matrix_view<const bf16>(x, rows, columns), matrix_view<bf16>(x, rows, columns));
}

TEST_CASE("a buffer is shared with another process by its descriptor", "[runtime][buffer]") {
  npurt::device device;
  buffer<bf16> x(device, count);
  number(x.span());
  const npurt::file_descriptor given = x.export_fd();
  const pid_t child = ::fork();
  if (child == 0) {
    const int inherited = ::dup2(given.get(), given.get() + 1000);  // not close-on-exec
    ::setenv("NPURT_TEST_FD", std::to_string(inherited).c_str(), 1);
    ::execl("/proc/self/exe", "importer", "[.importer]", nullptr);
    ::_exit(127);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  CHECK(is_relu(x.span()));
}
