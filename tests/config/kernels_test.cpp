// SPDX-License-Identifier: Apache-2.0
// The shipped kernels: what is committed is what the sources give.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <iterator>
#include <string>

#include "binfmt/cdo.hpp"
#include "binfmt/pdi.hpp"
#include "binfmt/xclbin.hpp"
#include "config/designs.hpp"
#include "kernels.hpp"

using namespace npurt;

namespace {

std::vector<std::uint32_t> program_of(const std::vector<std::byte>& file) {
  const binfmt::xclbin x = binfmt::read_xclbin(file);
  const binfmt::pdi pdi = binfmt::read_pdi(x.find_pdi(0x901)->image);
  binfmt::cdo_reader reader(pdi.cdo);
  while (const auto command = reader.next()) {
    if (command->op == binfmt::cdo_op::dma_write && command->address == 0x220000) {
      return {command->data.begin(), command->data.end()};
    }
  }
  return {};
}

}  // namespace

TEST_CASE("every prebuilt XCLBIN is what its source gives", "[config][kernels]") {
  REQUIRE_FALSE(kernels::entries().empty());
  for (const kernels::kernel_entry& k : kernels::entries()) {
    INFO(k.folder);
    std::ifstream in(std::string(NPURT_SOURCE_DIR "/kernels/prebuilt/") + std::string(k.folder) + ".xclbin",
                     std::ios::binary);
    REQUIRE(in);
    const std::string committed{std::istreambuf_iterator<char>(in), {}};
    const auto built = kernels::build_kernel(k.folder, kernels::read_source(NPURT_SOURCE_DIR "/kernels", k.folder));
    REQUIRE(committed.size() == built.size());
    CHECK(std::ranges::equal(std::as_bytes(std::span(committed)), built));
  }
}

TEST_CASE("another instruction in the source gives another program in the XCLBIN", "[config][kernels]") {
  std::vector<std::string> sources = kernels::read_source(NPURT_SOURCE_DIR "/kernels", "i8-matmul");
  std::string& source = sources.at(0);
  const auto original = program_of(kernels::build_kernel("i8-matmul", sources));
  const std::size_t at = source.find("; vmac cm");
  REQUIRE(at != std::string::npos);
  source.replace(at, 6, "; vmsc");
  const auto changed = program_of(kernels::build_kernel("i8-matmul", sources));
  REQUIRE(original.size() == changed.size());
  const bool same = original == changed;
  CHECK_FALSE(same);
}

TEST_CASE("source that cannot be assembled is refused with file and line", "[config][kernels]") {
  const std::string message = test::config_error_of(
      [] { kernels::build_kernel("i8-matmul", std::vector<std::string>{"    nop\n    frobnicate r1\n"}); });
  INFO(message);
  CHECK(message.find("i8-matmul.s:2:") != std::string::npos);
}

TEST_CASE("kernels that do not exist are refused", "[config][kernels]") {
  CHECK_THROWS_AS(kernels::build_kernel("i9-matmul", {}), config::config_error);
  CHECK_THROWS_AS(kernels::read_source(NPURT_SOURCE_DIR "/kernels", "i9-matmul"), config::config_error);
}
