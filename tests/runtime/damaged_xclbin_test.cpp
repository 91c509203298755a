// SPDX-License-Identifier: Apache-2.0
// Damaged XCLBINs through the whole stack: npurt, XRT, its plug-in, the emulated driver and firmware. Each one opens,
// or throws one of npurt's errors; a crash of XRT ends the test program, and any other exception fails the test.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "npurt/detail/control_code.hpp"
#include "npurt/npurt.hpp"
#include "support/xclbin_bytes.hpp"

using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::MessageMatches;
using namespace npurt::test;

namespace {

/// C = A · B of 256 x 256 x 64, twos and threes, with an opened kernel.
bool multiplies(const npurt::kernel& kernel) {
  constexpr std::size_t extent = 256, depth = 64;
  npurt::buffer<std::int8_t> a(kernel, extent * depth), b(kernel, depth * extent);
  npurt::buffer<std::int32_t> c(kernel, extent * extent);
  std::ranges::fill(a, std::int8_t{2});
  std::ranges::fill(b, std::int8_t{3});
  std::ranges::fill(c, -1);
  a.to_device();
  b.to_device();
  c.to_device();
  npurt::run run(kernel, npurt::detail::matmul_control_code({extent, extent, depth}), a, b, c);
  run.start();
  run.wait(std::chrono::seconds(30));
  c.from_device();
  return std::ranges::all_of(c, [](std::int32_t value) { return value == 2 * 3 * static_cast<int>(depth); });
}

enum class outcome { refused, opened, wrong_result };

/// npurt's own look at a file.
outcome read(std::span<const std::byte> bytes) {
  try {
    return npurt::xclbin(bytes).kernels().empty() ? outcome::wrong_result : outcome::opened;
  } catch (const npurt::error&) {
    return outcome::refused;
  }
}

/// Opens the kernel of a file. A new device each time: XRT's would answer with the file that it knows by the same uuid.
outcome open(std::span<const std::byte> bytes, bool multiply) {
  try {
    const npurt::xclbin image(bytes);
    const npurt::device device;
    const npurt::hw_context context(device, image);
    const npurt::kernel kernel(context, image.kernels().front());
    return !multiply || multiplies(kernel) ? outcome::opened : outcome::wrong_result;
  } catch (const npurt::error&) {
    return outcome::refused;
  }
}

void check_refused(const xclbin_bytes& file, const std::string& text) {
  INFO(text);
  CHECK_THROWS_MATCHES(npurt::xclbin(file), npurt::xclbin_error, MessageMatches(ContainsSubstring(text)));
}

}  // namespace

TEST_CASE("the undamaged XCLBIN opens and multiplies", "[runtime][xclbin]") {
  CHECK(open(read_prebuilt(), true) == outcome::opened);
}

TEST_CASE("an XCLBIN cut at any 64th byte is refused", "[runtime][xclbin]") {
  const xclbin_bytes file = read_prebuilt();
  for (std::size_t size = 0; size < file.size(); size += 64) {
    INFO(size);
    CHECK_THROWS_AS(npurt::xclbin(std::span(file).first(size)), npurt::xclbin_error);
  }
}

TEST_CASE("an XCLBIN cut at any 64th byte whose header states the new length opens or is refused",
          "[runtime][xclbin]") {
  const xclbin_bytes file = read_prebuilt();
  std::size_t refused = 0;
  for (std::size_t size = 64 * 8; size < file.size(); size += 64) {
    xclbin_bytes cut(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size));
    put(std::span(cut), length_at, std::uint64_t{size});
    const outcome result = open(cut, true);
    CHECK(result != outcome::wrong_result);
    refused += result == outcome::refused;
  }
  // Only xclbinutil's mirror text at the end can be missed.
  CHECK(refused >= section_of(file, 32) / 64 - 8);
}

TEST_CASE("each missing section is an xclbin error with its name", "[runtime][xclbin]") {
  const xclbin_bytes file = read_prebuilt();
  check_refused(without_section(file, 2), "EMBEDDED_METADATA");
  check_refused(without_section(file, 6), "MEM_TOPOLOGY");
  check_refused(without_section(file, 7), "CONNECTIVITY");
  check_refused(without_section(file, 8), "IP_LAYOUT");
  check_refused(without_section(file, 26), "ASK_GROUP_TOPOLOGY");
  check_refused(without_section(file, 27), "ASK_GROUP_CONNECTIVITY");
  check_refused(without_section(file, 32), "AIE_PARTITION");
}

TEST_CASE("a partition without a PDI, with an empty or a broken one is an xclbin error", "[runtime][xclbin]") {
  const xclbin_bytes file = read_prebuilt();
  const std::size_t partition = section_of(file, 32);
  const std::size_t pdi = partition + get<std::uint32_t>(file, partition + 0x7C);
  xclbin_bytes none = file, empty = file, broken = file;
  put(std::span(none), partition + 0x78, std::uint32_t{0});
  check_refused(none, "PDI");
  put(std::span(empty), pdi + 0x10, std::uint32_t{0});
  check_refused(empty, "PDI");
  broken[partition + get<std::uint32_t>(file, pdi + 0x14)] ^= std::byte{1};
  check_refused(broken, "PDI");
}

TEST_CASE("a partition wider than the device is an architecture error", "[runtime][xclbin]") {
  xclbin_bytes file = read_prebuilt();
  put(std::span(file), section_of(file, 32) + 0x20, std::uint16_t{8});  // the width of an npu2
  const npurt::device device;
  const npurt::xclbin image(file);
  CHECK(image.columns() == 8);
  CHECK_THROWS_MATCHES(npurt::hw_context(device, image), npurt::architecture_error,
                       MessageMatches(ContainsSubstring("8 columns")));
}

TEST_CASE("an XCLBIN with any bit of its headers flipped opens and multiplies, or is refused", "[runtime][xclbin]") {
  const xclbin_bytes file = read_prebuilt();
  // What npurt lets through goes to XRT, and the product of some is looked at: as many as time allows, of every bit of
  // a byte.
  constexpr std::size_t opens = 5, every = 205;
  std::size_t opened = 0, refused = 0;
  for (const auto& [begin, end] : header_ranges(file)) {
    for (std::size_t bit = 8 * begin; bit < 8 * end; ++bit) {
      INFO("bit " << bit % 8 << " of byte " << bit / 8);
      const xclbin_bytes flipped = with_flipped_bit(file, bit);
      const outcome result = bit % opens == 0 ? open(flipped, bit % every == 0) : read(flipped);
      opened += result == outcome::opened;
      refused += result == outcome::refused;
      if (result == outcome::wrong_result) FAIL_CHECK("it computes something else");
    }
  }
  INFO(opened << " opened, " << refused << " refused");
  CHECK(refused > 2000);
}

TEST_CASE("2000 XCLBINs with a random bit flipped open or are refused", "[runtime][xclbin]") {
  const xclbin_bytes file = read_prebuilt();
  std::mt19937 random(20240915);
  std::size_t refused = 0;
  for (int round = 0; round < 2000; ++round) {
    const std::size_t bit = random() % (8 * file.size());
    INFO("bit " << bit % 8 << " of byte " << bit / 8);
    refused += open(with_flipped_bit(file, bit), false) == outcome::refused;
  }
  CHECK(refused > 200);
}

TEST_CASE("the matmul never computes with a damaged PDI", "[runtime][xclbin]") {
  const xclbin_bytes file = read_prebuilt("overlay");
  const std::size_t partition = section_of(file, 32);
  const std::size_t pdi = partition + get<std::uint32_t>(file, partition + 0x7C);
  const std::size_t image = partition + get<std::uint32_t>(file, pdi + 0x14);
  const std::size_t size = get<std::uint32_t>(file, pdi + 0x10);
  const auto folder = std::filesystem::temp_directory_path() / ("npurt-damaged-" + std::to_string(getpid()));
  std::filesystem::create_directories(folder);
  setenv("NPURT_KERNEL_PATH", folder.c_str(), 1);
  std::mt19937 random(5);
  const std::vector<std::int8_t> a(64), b(64);
  std::vector<std::int32_t> c(64);
  npurt::device device;
  for (int round = 0; round < 200; ++round) {
    const xclbin_bytes damaged = with_flipped_bit(file, 8 * image + random() % (8 * size));
    std::ofstream(folder / "overlay.xclbin", std::ios::binary)
        .write(reinterpret_cast<const char*>(damaged.data()), static_cast<std::streamsize>(damaged.size()));
    CHECK_THROWS_AS(
        npurt::matmul(device, npurt::tensor_view(a, 8, 8), npurt::tensor_view(b, 8, 8), npurt::tensor_view(c, 8, 8)),
        npurt::xclbin_error);
  }
  unsetenv("NPURT_KERNEL_PATH");
  std::filesystem::remove_all(folder);
}
