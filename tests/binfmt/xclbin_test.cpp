// SPDX-License-Identifier: Apache-2.0
// The XCLBIN reader against xclbinutil's view of a file that xclbinutil wrote.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>

#include "binfmt/damage.hpp"
#include "binfmt/little_endian.hpp"
#include "binfmt/pdi.hpp"
#include "binfmt/xclbin.hpp"
#include "config/subprocess.hpp"

using namespace npurt;
using nlohmann::json;

namespace {

std::vector<std::byte> prebuilt() {
  std::ifstream in(NPURT_SOURCE_DIR "/kernels/prebuilt/i8-matmul.xclbin", std::ios::binary);
  REQUIRE(in);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

/// What xclbinutil --dump-section gives for a section.
std::vector<std::byte> dump(const std::vector<std::byte>& file, const std::string& section, const std::string& format) {
  const config::temporary_folder folder;
  folder.write("in.xclbin", file);
  folder.run({"xclbinutil", "--input", "in.xclbin", "--dump-section", section + ":" + format + ":out"});
  return folder.read("out");
}

json dump_json(const std::vector<std::byte>& file, const std::string& section) {
  const std::vector<std::byte> bytes = dump(file, section, "JSON");
  return json::parse(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

std::uint64_t number(const json& text) { return std::stoull(text.get<std::string>(), nullptr, 0); }

const auto reader = [](std::span<const std::byte> bytes) { return binfmt::read_xclbin(bytes); };

}  // namespace

TEST_CASE("the memory topology is the one that xclbinutil reports", "[binfmt][xclbin]") {
  const auto file = prebuilt();
  const binfmt::xclbin x = binfmt::read_xclbin(file);
  const json memories = dump_json(file, "MEM_TOPOLOGY").at("mem_topology").at("m_mem_data");
  REQUIRE(x.mem_topology.size() == memories.size());
  for (std::size_t i = 0; i < memories.size(); ++i) {
    CHECK(x.mem_topology[i].tag == memories[i].at("m_tag").get<std::string>());
    CHECK(x.mem_topology[i].size_kb == number(memories[i].at("m_sizeKB")));
    CHECK(x.mem_topology[i].base_address == number(memories[i].at("m_base_address")));
    CHECK(x.mem_topology[i].used);
    CHECK(x.mem_topology[i].type == 2);
  }
}

TEST_CASE("the IP layout and connectivity are those that xclbinutil reports", "[binfmt][xclbin]") {
  const auto file = prebuilt();
  const binfmt::xclbin x = binfmt::read_xclbin(file);
  const json ips = dump_json(file, "IP_LAYOUT").at("ip_layout").at("m_ip_data");
  REQUIRE(x.ip_layout.size() == ips.size());
  CHECK(x.ip_layout[0].name == ips[0].at("m_name").get<std::string>());
  CHECK(x.ip_layout[0].type == 7);
  CHECK(x.ip_layout[0].properties == 0x09010001);
  const json connections = dump_json(file, "CONNECTIVITY").at("connectivity").at("m_connection");
  REQUIRE(x.connectivity.size() == connections.size());
  for (std::size_t i = 0; i < connections.size(); ++i) {
    CHECK(static_cast<std::uint64_t>(x.connectivity[i].argument) == number(connections[i].at("arg_index")));
    CHECK(static_cast<std::uint64_t>(x.connectivity[i].memory) == number(connections[i].at("mem_data_index")));
  }
  CHECK_FALSE(x.group_connectivity.empty());
  CHECK(x.group_topology.size() >= x.mem_topology.size());
}

TEST_CASE("the AIE partition is the one that xclbinutil reports", "[binfmt][xclbin]") {
  const auto file = prebuilt();
  const binfmt::xclbin x = binfmt::read_xclbin(file);
  const json p = dump_json(file, "AIE_PARTITION").at("aie_partition");
  CHECK(x.partition.operations_per_cycle == number(p.at("operations_per_cycle")));
  CHECK(x.partition.inference_fingerprint == number(p.at("inference_fingerprint")));
  CHECK(x.partition.pre_post_fingerprint == number(p.at("pre_post_fingerprint")));
  CHECK(x.partition.column_width == number(p.at("partition").at("column_width")));
  const json starts = p.at("partition").at("start_columns");
  REQUIRE(x.partition.start_columns.size() == starts.size());
  for (std::size_t i = 0; i < starts.size(); ++i) {
    CHECK(x.partition.start_columns[i] == number(starts[i]));
  }
  REQUIRE(x.partition.pdis.size() == 1);
  const json group = p.at("PDIs").at(0).at("cdo_groups").at(0);
  const binfmt::cdo_group& g = x.partition.pdis[0].cdo_groups.at(0);
  CHECK(g.name == group.at("name").get<std::string>());
  CHECK(g.type == 1);
  CHECK(g.pdi_id == number(group.at("pdi_id")));
  CHECK(g.dpu_kernel_ids == std::vector<std::uint64_t>{number(group.at("dpu_kernel_ids").at(0))});
  CHECK(g.pre_cdo_groups ==
        std::vector<std::uint32_t>{static_cast<std::uint32_t>(number(group.at("pre_cdo_groups").at(0)))});
  CHECK(x.find_pdi(0x901) == &x.partition.pdis[0]);
  CHECK(x.find_pdi(0x902) == nullptr);
  CHECK_FALSE(binfmt::read_pdi(x.partition.pdis[0].image).cdo.empty());
}

TEST_CASE("the kernel's arguments are those of the embedded metadata", "[binfmt][xclbin]") {
  const auto file = prebuilt();
  const binfmt::xclbin x = binfmt::read_xclbin(file);
  REQUIRE(x.kernels.size() == 1);
  const binfmt::kernel_metadata& k = x.kernels[0];
  CHECK(k.name == "i8_matmul");
  CHECK(k.dpu_kernel_id == 0x901);
  CHECK(k.functional == 0);
  CHECK(k.instances == std::vector<std::string>{"MLIRAIE"});
  CHECK(x.ip_layout[0].name == k.name + ":" + k.instances[0]);
  // The command layout of opcode 3: 4-byte packed (formats.md 4.5).
  const std::uint64_t offsets[]{0, 8, 0x10, 0x14, 0x1C, 0x24};
  REQUIRE(k.arguments.size() == 6);
  for (std::size_t i = 0; i < k.arguments.size(); ++i) {
    CHECK(k.arguments[i].id == i);
    CHECK(k.arguments[i].offset == offsets[i]);
    CHECK(k.arguments[i].size == (i == 2 ? 4 : 8));
    CHECK(k.arguments[i].address_qualifier == (i == 0 || i == 2 ? 0 : 1));
  }
}

TEST_CASE("sections lie where xclbinutil finds them", "[binfmt][xclbin]") {
  const auto file = prebuilt();
  const binfmt::xclbin x = binfmt::read_xclbin(file);
  const auto at = std::ranges::find(x.sections, 2U, &binfmt::xclbin_section::kind);
  REQUIRE(at != x.sections.end());
  CHECK(std::ranges::equal(std::span(file).subspan(at->offset, at->size), dump(file, "EMBEDDED_METADATA", "RAW")));
}

TEST_CASE("every truncated XCLBIN is refused", "[binfmt][xclbin]") {
  CHECK(test::accepted_prefixes(reader, prebuilt(), 7) == 0);
}

TEST_CASE("an XCLBIN that is cut inside a table is refused although its length fits", "[binfmt][xclbin]") {
  const auto file = prebuilt();
  const auto shortened = [&](std::size_t size) {
    std::vector<std::byte> cut(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size));
    const binfmt::le64 length = size;
    std::memcpy(cut.data() + 0x130, &length, 8);
    return cut;
  };
  const binfmt::xclbin whole = binfmt::read_xclbin(file);
  std::uint64_t end = 0;
  for (const auto& s : whole.sections) {
    end = std::max(end, s.offset + s.size);
  }
  CHECK_FALSE(test::refused(reader, shortened(end)));  // the mirror text alone is missing
  for (std::size_t size = 0x1C8; size < end; size += 13) {
    INFO(size);
    REQUIRE(test::refused(reader, shortened(size)));
  }
}

TEST_CASE("wrong tables of an XCLBIN are refused with section and offset", "[binfmt][xclbin]") {
  const auto file = prebuilt();
  const binfmt::xclbin x = binfmt::read_xclbin(file);
  const auto section = [&](std::uint32_t kind) {
    return std::ranges::find(x.sections, kind, &binfmt::xclbin_section::kind)->offset;
  };
  const auto message = [&](std::size_t at, std::uint32_t value) -> std::string {
    std::vector<std::byte> damaged = file;
    const binfmt::le32 word = value;
    std::memcpy(damaged.data() + at, &word, 4);
    try {
      binfmt::read_xclbin(damaged);
    } catch (const binfmt::format_error& e) {
      CHECK(e.offset() >= at - 0x80);
      return e.what();
    }
    return "accepted";
  };
  CHECK(message(section(6), 0x7FFFFFFF).find("MEM_TOPOLOGY") != std::string::npos);
  CHECK(message(section(6), 0xFFFFFFFF).find("MEM_TOPOLOGY") != std::string::npos);
  CHECK(message(section(8), 1000).find("IP_LAYOUT") != std::string::npos);
  CHECK(message(section(7), 1000).find("CONNECTIVITY") != std::string::npos);
  CHECK(message(section(32) + 0x28, 1000).find("AIE_PARTITION") != std::string::npos);  // start columns
  CHECK(message(section(32) + 0x78, 200).find("AIE_PARTITION") != std::string::npos);   // PDIs
  CHECK(message(section(32) + 0x7C, 0xFFFFFFF0).find("AIE_PARTITION") != std::string::npos);
  CHECK(message(section(32) + 0x04, 0xFFFFFFF0).find("AIE_PARTITION") != std::string::npos);  // name
  CHECK(message(0x1C0, 10001).find("sections") != std::string::npos);
  CHECK(message(0x1C8 + 0x18, 0xFFFFFFF0).find("MEM_TOPOLOGY") != std::string::npos);
}

TEST_CASE("damaged XCLBINs give nothing but format errors", "[binfmt][xclbin]") {
  CHECK(test::refused_mutations(reader, prebuilt(), 3000) > 0);
}
