// SPDX-License-Identifier: Apache-2.0
// PDI and XCLBIN made by the real bootgen and xclbinutil.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>

#include "binfmt/cdo.hpp"
#include "binfmt/pdi.hpp"
#include "binfmt/xclbin.hpp"
#include "config/designs.hpp"
#include "config/package.hpp"
#include "config/stamp.hpp"
#include "config/subprocess.hpp"

using namespace npurt;

namespace {

std::vector<std::byte> pdi_of(const config::array_description& d) {
  return config::make_pdi(config::to_register_writes(d));
}

}  // namespace

TEST_CASE("bootgen's PDI has the header words of real files", "[config][pdi]") {
  const std::vector<std::uint32_t> w = binfmt::words_of(pdi_of(test::one_core()));
  const std::uint32_t head[]{0x000000DD, 0x11223344, 0x55667788, 0x99AABBCC, 0x00040000, 1,          0x24, 1, 0x34, 0,
                             0x14CA8093, 0,          0,          0,          0x50504449, 0x00201020, 0x30, 0, 0,    0,
                             0,          1,          0,          0,          0,          0,          0,    0, 0,    0,
                             0,          0,          0,          0,          0,          0x9AC12A78, 0x34, 1, 0,    0,
                             0x5F656961, 0x67616D69, 0x65,       0,          0x1C000000, 0,          0,    0, 0,    0,
                             0,          0x1D39289B};
  REQUIRE(w.size() > std::size(head) + 32);
  for (std::size_t i = 0; i < std::size(head); ++i) {
    INFO("word " << i);
    CHECK(w[i] == head[i]);
  }
  const std::uint32_t total = w[54];
  CHECK(w[52] == total);
  CHECK(total % 4 == 0);
  CHECK(total * 4 + 0x150 == w.size() * 4);
  CHECK(w[53] == w[84 + 3] + 5);
  CHECK((w[58] == 0xFFFFFFFF && w[59] == 0xFFFFFFFF));
  CHECK(w[60] == 0x54);
  CHECK(w[61] == 0x02000006);
  CHECK(w[62] == 1);
}

TEST_CASE("the PDI's commands are the description's register writes, in order", "[config][pdi]") {
  const auto program = config::to_register_writes(test::one_core());
  std::vector<config::register_write> writes = program.elfs;
  writes.insert(writes.end(), program.init.begin(), program.init.end());
  writes.insert(writes.end(), program.enable.begin(), program.enable.end());

  const binfmt::pdi pdi = binfmt::read_pdi(config::make_pdi(program));
  binfmt::cdo_reader reader(pdi.cdo);
  std::size_t next = 0;
  while (const auto command = reader.next()) {
    if (command->op == binfmt::cdo_op::nop) {
      continue;
    }
    REQUIRE(next < writes.size());
    const config::register_write& w = writes[next++];
    CHECK(command->address == w.address);
    switch (w.how) {
      case config::register_write::form::word:
        CHECK((command->op == binfmt::cdo_op::write && command->value == w.value));
        break;
      case config::register_write::form::mask:
        CHECK((command->op == binfmt::cdo_op::mask_write && command->value == w.value && command->mask == w.mask));
        break;
      case config::register_write::form::block:
        CHECK((command->op == binfmt::cdo_op::dma_write && std::ranges::equal(command->data, w.data)));
        break;
    }
  }
  CHECK(next == writes.size());
}

TEST_CASE("bootgen reads the PDI and xclbinutil the XCLBIN", "[config][package]") {
  const config::temporary_folder folder;
  folder.write("design.pdi", pdi_of(test::one_core()));
  CHECK_NOTHROW(folder.run({"bootgen", "-arch", "versal", "-read", "design.pdi"}));
  folder.write("design.xclbin", config::make_xclbin(test::one_core()));
  CHECK_NOTHROW(folder.run({"xclbinutil", "--info", "--input", "design.xclbin"}));
}

TEST_CASE("the XCLBIN holds one kernel of the description's name and buffers", "[config][package]") {
  config::array_description d = test::one_core();
  d.name = "some_name";
  d.buffers = 5;
  d.columns = 2;
  d.packet_flows = config::token_flows(2);
  const std::vector<std::byte> file = config::make_xclbin(d);
  const binfmt::xclbin x = binfmt::read_xclbin(file);
  REQUIRE(x.kernels.size() == 1);
  CHECK(x.kernels[0].name == "some_name");
  REQUIRE(x.kernels[0].arguments.size() == 8);
  CHECK(x.kernels[0].arguments[7].name == "bo4");
  CHECK(x.kernels[0].arguments[7].offset == 0x34);
  CHECK(x.partition.column_width == 2);
  CHECK(x.partition.start_columns == std::vector<std::uint16_t>{1, 2, 3});
  REQUIRE(x.find_pdi(0x901) != nullptr);
  CHECK(std::ranges::equal(x.find_pdi(0x901)->image, pdi_of(d)));
}

TEST_CASE("the same description gives the same bytes at another time", "[config][package]") {
  const std::vector<std::byte> first = config::make_xclbin(test::one_core());
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));  // xclbinutil's clock counts seconds
  CHECK(config::make_xclbin(test::one_core()) == first);
}

TEST_CASE("other contents give another uuid, in header and mirror", "[config][package]") {
  const std::vector<std::byte> a = config::make_xclbin(test::one_core());
  config::array_description d = test::one_core();
  d.locks[0].initial = 2;
  const std::vector<std::byte> b = config::make_xclbin(d);
  CHECK(binfmt::read_xclbin(a).uuid != binfmt::read_xclbin(b).uuid);
  const std::string text(reinterpret_cast<const char*>(a.data()), a.size());
  std::string hex;
  for (const std::byte byte : binfmt::read_xclbin(a).uuid) {
    constexpr const char* digits = "0123456789abcdef";
    hex += digits[static_cast<unsigned>(byte) >> 4];
    hex += digits[static_cast<unsigned>(byte) & 0xF];
  }
  CHECK(text.find("\"XclBinUUID\":\"" + hex + "\"") != std::string::npos);
}

TEST_CASE("an XCLBIN whose mirror is not xclbinutil's is not stamped", "[config][package]") {
  const std::vector<std::byte> whole = config::make_xclbin(test::one_core());
  const auto error = [&](std::string_view text, std::size_t at, char with) {
    std::vector<std::byte> file = whole;
    const auto found = std::ranges::search(file, std::as_bytes(std::span(text)));
    REQUIRE(!found.empty());
    found[at] = static_cast<std::byte>(with);
    return test::config_error_of([&] { config::stamp_xclbin(file); });
  };
  CHECK(error("XCLBIN_MIRROR_DATA_START", 0, '?') == "xclbinutil wrote no mirror");
  CHECK(error("\"XclBinUUID\":", 1, '?') == "xclbinutil's mirror has no XclBinUUID");
  CHECK(error("\"XclBinUUID\":\"", 18, '"').find("has a uuid of 4 characters, not 32") != std::string::npos);
}

TEST_CASE("a folder that cannot be made, and a file that cannot be written, are named", "[config][subprocess]") {
  const config::temporary_folder folder;
  CHECK(test::config_error_of([&] { folder.write("no/such", "text"); }).find("no/such") != std::string::npos);
  const char* const before = std::getenv("TMPDIR");
  const std::string kept = before == nullptr ? "" : before;
  ::setenv("TMPDIR", "/proc/self", 1);
  const std::string error = test::config_error_of([] { const config::temporary_folder none; });
  before == nullptr ? ::unsetenv("TMPDIR") : ::setenv("TMPDIR", kept.c_str(), 1);
  CHECK(error.find("cannot make a temporary folder /proc/self/npurt-") != std::string::npos);
}

TEST_CASE("a tool that fails is reported with its output", "[config][subprocess]") {
  const config::temporary_folder folder;
  const std::string failed = test::config_error_of([&] { folder.run({"sh", "-c", "echo it broke; exit 3"}); });
  CHECK(failed.find("exit code 3") != std::string::npos);
  CHECK(failed.find("it broke") != std::string::npos);
  CHECK(test::config_error_of([&] { folder.run({"no-such-tool-anywhere"}); }).find("no-such-tool-anywhere") !=
        std::string::npos);
  CHECK(test::config_error_of([&] { folder.run({"sh", "-c", "kill -9 $$"}); }).find("signal 9") != std::string::npos);
  CHECK_THROWS_AS(folder.read("nothing"), config::config_error);
}
