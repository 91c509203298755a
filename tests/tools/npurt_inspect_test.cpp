// SPDX-License-Identifier: Apache-2.0
// npurt inspect: every kind of file against what its maker says of it, streams against the description that was routed.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <format>
#include <nlohmann/json.hpp>
#include <set>

#include "binfmt/damage.hpp"
#include "binfmt/xclbin.hpp"
#include "config/cdo_writer.hpp"
#include "config/designs.hpp"
#include "config/register_writes.hpp"
#include "inspect/describe.hpp"
#include "inspect/file_kind.hpp"
#include "inspect/flows.hpp"
#include "support/xclbin_bytes.hpp"
#include "tools/command.hpp"
#include "tools/npurt_findings.hpp"

using namespace npurt;
using namespace npurt::test;
using nlohmann::json;

namespace {

const std::string command = NPURT_COMMAND " ";
const std::string prebuilt = NPURT_SOURCE_DIR "/kernels/prebuilt/i8-matmul.xclbin";

json inspected(const scratch_folder& folder, const std::string& file) {
  const auto done = folder.run(command + "inspect --json " + file);
  INFO(done.err);
  REQUIRE(done.code == 0);
  return json::parse(done.out);
}

inspect::configuration configuration_of(const config::array_description& design) {
  const auto program = config::to_register_writes(design);
  inspect::configuration_reader reader;
  for (const auto* writes : {&program.elfs, &program.init, &program.enable})
    reader.apply_cdo(config::write_cdo(*writes));
  return reader.take();
}

}  // namespace

TEST_CASE("inspect tells of an XCLBIN what xclbinutil tells", "[tools][inspect]") {
  const scratch_folder folder;
  REQUIRE(folder
              .run("xclbinutil --input " + prebuilt +
                   " --dump-section AIE_PARTITION:JSON:partition.json --dump-section MEM_TOPOLOGY:JSON:memories.json")
              .code == 0);
  const json partition = json::parse(folder.read("partition.json")).at("aie_partition");
  const json memories = json::parse(folder.read("memories.json")).at("mem_topology").at("m_mem_data");
  const json file = inspected(folder, prebuilt);
  CHECK(file.at("kind") == "XCLBIN");
  CHECK(file.at("bytes") == read_prebuilt().size());
  CHECK(file.at("sections").size() == get<std::uint32_t>(read_prebuilt(), section_count_at));
  CHECK(std::to_string(file.at("partition").at("columns").get<int>()) ==
        partition.at("partition").at("column_width").get<std::string>());
  const json& kernel = file.at("kernels").at(0);
  CHECK(kernel.at("dpu_kernel_id") == partition.at("PDIs").at(0).at("cdo_groups").at(0).at("dpu_kernel_ids").at(0));
  REQUIRE(file.at("memories").size() == memories.size());
  for (std::size_t i = 0; i < memories.size(); ++i)
    CHECK(file.at("memories").at(i).at("tag") == memories.at(i).at("m_tag"));
}

TEST_CASE("inspect tells the arguments of a kernel with their groups", "[tools][inspect]") {
  const scratch_folder folder;
  const json arguments = inspected(folder, prebuilt).at("kernels").at(0).at("arguments");
  REQUIRE(arguments.size() == 6);
  CHECK(arguments.at(0).at("kind") == "scalar");
  CHECK(arguments.at(1).at("groups").at(0).at("tag") == "SRAM");
  for (std::size_t i = 3; i < 6; ++i) {
    CHECK(arguments.at(i).at("name") == "bo" + std::to_string(i - 3));
    CHECK(arguments.at(i).at("groups").at(0).at("tag") == "HOST");
  }
}

TEST_CASE("inspect shows what a description sets the array to", "[tools][inspect]") {
  const inspect::configuration array = configuration_of(one_core());
  CHECK(array.columns() == 1);
  CHECK(array.misplaced.empty());
  const inspect::configured_tile& core = array.tiles.at({0, 2});
  CHECK(core.enabled);
  CHECK(core.program_bytes == 16);
  CHECK(core.locks == std::map<std::uint8_t, std::uint32_t>{{0, 1}});
  REQUIRE(core.bds.contains(3));
  CHECK(core.bds.at(3).address == 0x400);
  CHECK(core.bds.at(3).length == 16);
  CHECK(core.bds.at(3).next_bd == 3);
  REQUIRE(core.tasks.size() == 1);
  CHECK(core.tasks[0].direction == aie::dma_direction::s2mm);
  CHECK(core.tasks[0].channel == 1);
  CHECK(core.tasks[0].task.bd == 3);
}

TEST_CASE("inspect finds the flows that were routed", "[tools][inspect]") {
  using enum aie::bundle;
  config::array_description design = one_core();
  design.columns = 2;
  design.flows = {{{{0, 0}, {dma, 0}}, {{0, 2}, {dma, 1}}},
                  {{{0, 0}, {dma, 0}}, {{1, 3}, {dma, 0}}},  // a broadcast
                  {{{1, 1}, {dma, 4}}, {{0, 5}, {dma, 0}}},
                  {{{1, 3}, {dma, 1}}, {{1, 0}, {dma, 1}}}};
  design.packet_flows = config::token_flows(2);
  std::set<std::pair<aie::tile_port, aie::tile_port>> wanted, found;
  for (const auto& f : design.flows) wanted.insert({f.from, f.to});
  std::size_t tokens = 0;
  for (const inspect::flow& f : inspect::find_flows(configuration_of(design))) {
    CHECK(f.problem.empty());
    if (!f.packet_ids.empty()) {
      CHECK(f.packet_ids == std::vector<std::uint8_t>{config::token_packet_id});
      REQUIRE(f.to.size() == 1);
      CHECK(inspect::end_name(f.to[0], true) == aie::to_string(f.from.tile) + " firmware");
      ++tokens;
    } else {
      for (const aie::tile_port& end : f.to) found.insert({f.from, end});
    }
  }
  CHECK(found == wanted);
  CHECK(tokens == 2);
}

TEST_CASE("inspect takes a PDI by itself", "[tools][inspect]") {
  const scratch_folder folder;
  const auto file = read_prebuilt();
  const auto image = binfmt::read_xclbin(file).partition.pdis.at(0).image;
  folder.write("one.pdi", std::string(reinterpret_cast<const char*>(image.data()), image.size()));
  const json pdi = inspected(folder, "one.pdi");
  CHECK(pdi.at("kind") == "PDI");
  CHECK(pdi.at("array") == inspected(folder, prebuilt).at("partition").at("pdis").at(0).at("array"));
  CHECK(pdi.at("array").at("tiles").size() ==
        24);  // all cores, memtiles and shims of four columns (kernels/i8-matmul/README.md)
}

TEST_CASE("inspect reads control code as words and as text, and what it does with its buffers", "[tools][inspect]") {
  const scratch_folder folder;
  REQUIRE(folder.run(NPURT_INSTS " matmul-i8 256 256 64 -o insts.bin").code == 0);
  const auto words = values_of<std::uint32_t>(folder.read("insts.bin"));
  std::string text;
  for (const std::uint32_t word : words) text += std::format("{:08X}\n", word);
  folder.write("insts.txt", text);
  json binary = inspected(folder, "insts.bin"), written = inspected(folder, "insts.txt");
  CHECK(binary.at("kind") == "control code");
  CHECK(binary.at("stream_bytes") == words.size() * 4);
  CHECK(binary.at("operations") == words.at(2));  // the header's count
  CHECK(binary.at("generation") == "npu1");
  binary.erase("bytes");
  written.erase("bytes");
  CHECK(binary == written);
  REQUIRE(binary.at("arguments").size() == 3);  // A and B are read, C is written
  CHECK((binary.at("arguments").at(0).at("tasks_that_read") > 0 &&
         binary.at("arguments").at(0).at("tasks_that_write") == 0));
  CHECK((binary.at("arguments").at(1).at("tasks_that_read") > 0 &&
         binary.at("arguments").at(1).at("tasks_that_write") == 0));
  CHECK((binary.at("arguments").at(2).at("tasks_that_read") == 0 &&
         binary.at("arguments").at(2).at("tasks_that_write") > 0));
  CHECK(folder.run(command + "lint insts.bin insts.txt").code == 0);
}

TEST_CASE("inspect reads the control ELF that aiebu-asm makes", "[tools][inspect]") {
  const scratch_folder folder;
  REQUIRE(folder.run(NPURT_INSTS " matmul-i8 256 256 64 -o insts.bin").code == 0);
  REQUIRE(folder.run("aiebu-asm -t aie2txn -c insts.bin -o insts.elf").code == 0);
  const json elf = inspected(folder, "insts.elf");
  CHECK(elf.at("kind") == "control ELF");
  const json code = inspected(folder, "insts.bin");
  std::size_t patches = 0;
  for (const json& argument : code.at("arguments")) patches += argument.at("patches").get<std::size_t>();
  CHECK(elf.at("relocations") == patches);
  CHECK(elf.at("relocations_by_symbol").contains("3"));  // bo0 is the kernel's argument 3
  CHECK(elf.at("control_code").at("operations_by_name").at("tct_sync") == code.at("operations_by_name").at("tct_sync"));
  CHECK(folder.run(command + "lint insts.elf").code == 0);
  std::string many = folder.read("insts.elf");
  many.replace(48, 2, "\xff\xff");  // e_shnum
  folder.write("many.elf", many);
  CHECK(contains(folder.run(command + "inspect many.elf").err, "has 65535 section headers"));
}

TEST_CASE("inspect reads the program of a core", "[tools][inspect]") {
  const scratch_folder folder;
  folder.write("f.s", ".globl f\nf: ret lr\nnop\nnop\nnop\nnop\nnop\n");
  REQUIRE(folder.run(NPURT_AS " f.s -o f.elf").code == 0);
  const json elf = inspected(folder, "f.elf");
  CHECK(elf.at("kind") == "AIE core ELF");
  CHECK(elf.at("program_bytes") > 0);
  CHECK(elf.at("program_memory") == 16384);
}

TEST_CASE("inspect prints text and draws the array", "[tools][inspect]") {
  const scratch_folder folder;
  const auto done = folder.run(command + "inspect " + prebuilt + " --plot array.png");
  CHECK(done.code == 0);
  CHECK(contains(done.out, "kernel i8_matmul (id 0x901)"));
  CHECK(contains(done.out, "partition of 4 columns"));
  CHECK(contains(done.out, "(0,0) DMA 0 -> "));
  CHECK(contains(done.out, "packets 15"));
  CHECK(folder.read("array.png").starts_with("\x89PNG"));
}

TEST_CASE("inspect refuses damaged and unknown files with a sentence", "[tools][inspect]") {
  const scratch_folder folder;
  const auto whole = read_prebuilt();
  folder.write("half.xclbin", std::string(reinterpret_cast<const char*>(whole.data()), whole.size() / 2));
  folder.write("text.txt", "hello\n");
  folder.write("core.elf", bytes_of(program_elf({1, 2, 3, 4})));
  const auto refused = [&](const std::string& arguments, const std::string& part) {
    const auto done = folder.run(command + "inspect " + arguments);
    INFO(done.err);
    CHECK(done.code == 2);
    CHECK(contains(done.err, part));
  };
  refused("half.xclbin", "half.xclbin: xclbin has 24357 bytes");
  refused("text.txt", "neither an XCLBIN nor a PDI");
  refused("missing.xclbin", "cannot read missing.xclbin");
  refused("core.elf --plot p.png", "no configured array to draw");
  refused(prebuilt + " --plot missing/p.png", "cannot write missing/p.png");
}

TEST_CASE("inspect reads any damage to a file with a format_error or none", "[tools][inspect]") {
  const auto describe = [](std::span<const std::byte> bytes) { inspect::to_text(inspect::describe(bytes)); };
  const auto file = read_prebuilt();
  CHECK(accepted_prefixes(describe, file, 499) == 0);
  CHECK(refused_mutations(describe, file, 200) > 0);
  const scratch_folder folder;
  REQUIRE(folder.run(NPURT_INSTS " matmul-i8 256 256 64 -o insts.bin").code == 0);
  const auto insts = folder.read("insts.bin");
  const auto words = std::as_bytes(std::span(insts));
  CHECK(accepted_prefixes(describe, words) == 0);
  CHECK(refused_mutations(describe, words, 500) > 0);
  REQUIRE(folder.run("aiebu-asm -t aie2txn -c insts.bin -o insts.elf").code == 0);
  const auto elf = folder.read("insts.elf");
  CHECK(refused_mutations(describe, std::as_bytes(std::span(elf)), 500) > 0);
}
