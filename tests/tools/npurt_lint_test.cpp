// SPDX-License-Identifier: Apache-2.0
// npurt lint on our files, and on files with one thing wrong each. What is wrong is put in at the offsets of struct
// axlf and its sections (xrt/detail/xclbin.h), or as text of the same length.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string_view>

#include "binfmt/damage.hpp"
#include "binfmt/little_endian.hpp"
#include "config/cdo_writer.hpp"
#include "config/designs.hpp"
#include "config/register_writes.hpp"
#include "inspect/describe.hpp"
#include "inspect/lint.hpp"
#include "support/xclbin_bytes.hpp"
#include "tools/command.hpp"
#include "tools/npurt_findings.hpp"

using namespace npurt;
using namespace npurt::test;

namespace {

using ids = std::set<std::string>;

enum : std::uint32_t {
  embedded_metadata = 2,
  mem_topology = 6,
  connectivity = 7,
  ip_layout = 8,
  group_topology = 26,
  group_connectivity = 27,
  aie_partition = 32
};

/// The first occurrence of a text behind `from` replaced by one of the same length.
xclbin_bytes with_text(xclbin_bytes file, std::string_view old, std::string_view text, std::size_t from = 0) {
  REQUIRE(old.size() == text.size());
  const auto wanted = std::as_bytes(std::span(old));
  const auto at =
      std::search(file.begin() + static_cast<std::ptrdiff_t>(from), file.end(), wanted.begin(), wanted.end());
  REQUIRE(at != file.end());
  std::ranges::copy(std::as_bytes(std::span(text)), at);
  return file;
}

template <typename Integer>
xclbin_bytes with(xclbin_bytes file, std::size_t at, Integer value) {
  put(file, at, value);
  return file;
}

ids lint_of(const xclbin_bytes& file) { return ids_of(inspect::lint(file)); }

std::size_t in_metadata(const xclbin_bytes& file) { return section_of(file, embedded_metadata); }

/// Where the first PDI's entry lies: array_offset at 0x78 of the section.
std::size_t pdi_entry(const xclbin_bytes& file) {
  const std::size_t section = section_of(file, aie_partition);
  return section + get<std::uint32_t>(file, section + 0x7C);
}

std::size_t pdi_image(const xclbin_bytes& file) {
  return section_of(file, aie_partition) + get<std::uint32_t>(file, pdi_entry(file) + 0x14);
}

}  // namespace

TEST_CASE("lint finds nothing in the shipped kernels", "[tools][lint]") {
  CHECK(lint_of(read_prebuilt("i8-matmul")).empty());
  CHECK(lint_of(read_prebuilt("overlay")).empty());
}

TEST_CASE("lint names every section that is missing", "[tools][lint]") {
  const auto file = read_prebuilt();
  CHECK(lint_of(without_section(file, aie_partition)).contains("no-aie-partition"));
  CHECK(lint_of(without_section(file, embedded_metadata)).contains("no-embedded-metadata"));
  CHECK(lint_of(without_section(file, ip_layout)).contains("no-ip-layout"));
  CHECK(lint_of(without_section(file, mem_topology)).contains("no-mem-topology"));
  CHECK(lint_of(without_section(file, connectivity)).contains("no-connectivity"));
  CHECK(lint_of(without_section(file, group_topology)).contains("no-group-topology"));
  CHECK(lint_of(without_section(file, group_connectivity)).contains("no-group-connectivity"));
}

TEST_CASE("lint says what is wrong, where, and what to do", "[tools][lint]") {
  const auto found = inspect::lint(without_section(read_prebuilt(), aie_partition));
  const auto missing = find(found, "no-aie-partition");
  CHECK(missing.level == inspect::severity::error);
  CHECK(contains(missing.cause, "configuration of the array"));
  CHECK(contains(missing.evidence, "AIE_PARTITION"));
  CHECK(contains(missing.fix, "xclbinutil"));
}

TEST_CASE("lint sees kernels whose names and ids do not go together", "[tools][lint]") {
  const auto file = read_prebuilt();
  const std::size_t metadata = in_metadata(file);
  const auto other_id = with_text(file, "dpu_kernel_id=\"0x901\"", "dpu_kernel_id=\"0x902\"", metadata);
  CHECK(lint_of(other_id) == ids{"kernel-id-mismatch", "kernel-without-pdi"});
  CHECK(contains(find(inspect::lint(other_id), "kernel-id-mismatch").evidence, "0x902"));
  CHECK(lint_of(with_text(file, "<kernel name=\"i8_matmul\"", "<kernel name=\"i8_matmux\"", metadata))
            .contains("kernel-without-instance"));
  CHECK(lint_of(with_text(with_text(file, "<kernel ", "<kernex ", metadata), "</kernel>", "</kernex>", metadata)) ==
        ids{"no-kernel"});
}

TEST_CASE("lint sees an IP_LAYOUT without a DPU kernel", "[tools][lint]") {
  const auto file = read_prebuilt();
  const std::size_t entry = section_of(file, ip_layout) + 8;
  CHECK(lint_of(with<std::uint32_t>(file, entry, 1)) == ids{"no-dpu-kernel"});               // IP_KERNEL
  CHECK(lint_of(with<std::uint32_t>(file, entry + 4, 0x09010000)) == ids{"no-dpu-kernel"});  // subtype PS
  CHECK(lint_of(with<std::uint32_t>(file, entry + 4, 0x08010001)) == ids{"kernel-id-mismatch"});
}

TEST_CASE("lint sees kernels that cannot be told apart", "[tools][lint]") {
  // The last argument becomes a second kernel of the same name and id, without arguments.
  const auto file = read_prebuilt();
  const auto twice = with_text(
      file,
      "<arg name=\"bo2\" addressQualifier=\"1\" id=\"5\" size=\"0x8\" offset=\"0x24\" hostOffset=\"0x0\" "
      "hostSize=\"0x8\"",
      "</kernel><kernel name=\"i8_matmul\"><extended-data dpu_kernel_id=\"0x901\" functional=\"0\"/><x           ",
      in_metadata(file));
  CHECK(lint_of(twice) == ids{"arguments", "duplicate-kernel", "duplicate-kernel-id"});
}

TEST_CASE("lint sees memories that buffers cannot live in", "[tools][lint]") {
  const auto file = read_prebuilt();
  const std::size_t groups = section_of(file, group_topology) + 8;
  const std::size_t memories = section_of(file, mem_topology) + 8;
  CHECK(lint_of(with<std::uint8_t>(file, groups + 1, 0)) == ids{"mem-topology"});   // not used
  CHECK(lint_of(with<std::uint64_t>(file, groups + 8, 0)) == ids{"mem-topology"});  // of no size
  CHECK(lint_of(with<std::uint8_t>(with<std::uint8_t>(file, groups, 9), memories, 9)) == ids{"mem-topology"});
  CHECK(lint_of(with<std::uint64_t>(file, groups + 16, 0)) == ids{"group-topology"});  // another base address
}

TEST_CASE("lint sees arguments in the wrong memory, or in none", "[tools][lint]") {
  const auto file = read_prebuilt();
  const std::size_t links = section_of(file, group_connectivity);
  const auto count = get<std::int32_t>(file, links);
  auto swapped = file, none = file;
  for (std::int32_t i = 0; i < count; ++i) {
    const std::size_t at = links + 4 + static_cast<std::size_t>(i) * 12;
    if (get<std::int32_t>(file, at) == 1) put<std::int32_t>(swapped, at + 8, 0);  // instructions to HOST
    if (get<std::int32_t>(file, at) == 3) put<std::int32_t>(none, at, 9);
  }
  CHECK(lint_of(swapped) == ids{"argument-memory"});
  CHECK(lint_of(none) == ids{"argument-without-memory"});
  CHECK(lint_of(with<std::int32_t>(file, links + 4 + 4, 7)).contains("connectivity"));
  CHECK(lint_of(with<std::int32_t>(file, section_of(file, connectivity) + 4 + 8, 7)).contains("connectivity"));
}

TEST_CASE("lint sees arguments that are not those of a call", "[tools][lint]") {
  const auto file = read_prebuilt();
  const std::size_t metadata = in_metadata(file);
  CHECK(lint_of(with_text(file, "name=\"opcode\" addressQualifier=\"0\"", "name=\"opcode\" addressQualifier=\"1\"",
                          metadata))
            .contains("arguments"));
  CHECK(lint_of(with_text(file, "offset=\"0x1c\"", "offset=\"0x18\"", metadata)) == ids{"argument-order"});
  CHECK(lint_of(with_text(file, "offset=\"0x24\"", "offset=\"0x48\"", metadata)) == ids{"too-many-arguments"});
}

TEST_CASE("lint sees columns that do not fit", "[tools][lint]") {
  const auto file = read_prebuilt();
  const std::size_t section = section_of(file, aie_partition);
  const std::size_t starts = section + get<std::uint32_t>(file, section + 0x2C);
  CHECK(lint_of(with<std::uint16_t>(file, section + 0x20, 6)) == ids{"start-columns", "too-many-columns"});
  CHECK(lint_of(with<std::uint16_t>(file, section + 0x20, 0)).contains("too-many-columns"));
  CHECK(lint_of(with<std::uint16_t>(with<std::uint16_t>(file, section + 0x20, 5), starts, 0)) == ids{"whole-array"});
  CHECK(lint_of(with<std::uint16_t>(file, section + 0x20, 3)) == ids{"outside-partition"});
  CHECK(lint_of(with<std::uint16_t>(file, starts, 2)) == ids{"start-columns"});
  CHECK(lint_of(with<std::uint32_t>(file, section + 0x28, 0)) == ids{"start-columns"});
}

TEST_CASE("lint sees PDIs that are missing, empty, damaged or for another device", "[tools][lint]") {
  const auto file = read_prebuilt();
  const std::size_t section = section_of(file, aie_partition);
  CHECK(lint_of(with<std::uint32_t>(file, section + 0x78, 0)) == ids{"kernel-without-pdi", "no-pdi"});
  CHECK(lint_of(with<std::uint32_t>(file, pdi_entry(file) + 0x10, 0)) == ids{"no-pdi"});
  CHECK(lint_of(with<std::uint32_t>(file, pdi_image(file) + 0x10 + 0x28, 0)) == ids{"pdi-damaged"});
  // As in AMD's own files: reserved words of the partition header set, its checksum not that of its words.
  const auto packed = with<std::uint32_t>(file, pdi_image(file) + 0xD0 + 0x70, 1);
  CHECK(lint_of(packed) == ids{"pdi-packed"});
  CHECK(inspect::describe(packed).at("partition").at("pdis").at(0).contains("problem"));
  CHECK(contains(inspect::to_text(inspect::describe(packed)), "cannot be read: PDI partition header checksum"));
  // Another id code; the table's checksum is the NOT of its words' sum, so one more here is one less there.
  auto other = with<std::uint32_t>(file, pdi_image(file) + 0x10 + 0x18, 0x14CA8094);
  put(other, pdi_image(file) + 0x10 + 0x7C, get<std::uint32_t>(file, pdi_image(file) + 0x10 + 0x7C) - 1);
  CHECK(lint_of(other) == ids{"pdi-id-code"});
}

TEST_CASE("lint calls a file that is cut off damaged, wherever it ends", "[tools][lint]") {
  const auto file = read_prebuilt();
  for (std::size_t size = 8; size < file.size(); size += 997) {
    const std::vector<std::byte> part(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size));
    INFO(size);
    CHECK(lint_of(part) == ids{"damaged"});
  }
  CHECK(lint_of({}) == ids{"unknown-file"});
  CHECK(lint_of({std::byte{'h'}, std::byte{'i'}}) == ids{"unknown-file"});
}

TEST_CASE("lint reads any damage to a file without an exception", "[tools][lint]") {
  const auto file = read_prebuilt();
  const auto reader = [](std::span<const std::byte> bytes) { inspect::lint(bytes); };
  CHECK(refused_mutations(reader, file, 200) == 0);
}

namespace {

using inspect::configuration;
using inspect::configured_tile;

/// A core that takes words from the shim of its column; nothing to find.
configuration sound() {
  const auto program = config::to_register_writes(one_core());
  inspect::configuration_reader reader;
  for (const auto* writes : {&program.elfs, &program.init, &program.enable})
    reader.apply_cdo(config::write_cdo(*writes));
  return reader.take();
}

ids array_ids(const configuration& array, unsigned columns = 1) {
  std::vector<inspect::finding> found;
  inspect::lint_array(array, columns, true, "it", found);
  return ids_of(found);
}

}  // namespace

TEST_CASE("lint finds nothing in a sound array", "[tools][lint]") { CHECK(array_ids(sound()).empty()); }

TEST_CASE("lint sees writes that no tile takes", "[tools][lint]") {
  auto array = sound();
  array.misplaced = {{0x12345678, "nothing there"}};
  CHECK(array_ids(array) == ids{"unknown-register"});
  CHECK(array_ids(sound(), 0) == ids{"outside-partition"});
  array = sound();
  array.unusual = {{"DMA_XFER", 1}};
  CHECK(array_ids(array) == ids{"cdo-command"});
}

TEST_CASE("lint sees cores, BDs and tasks that cannot work", "[tools][lint]") {
  const auto changed = [](auto change) {
    auto array = sound();
    change(array.tiles.at({0, 2}));
    return array_ids(array);
  };
  CHECK(changed([](configured_tile& t) { t.program_bytes = 0; }) == ids{"core-without-program"});
  CHECK(changed([](configured_tile& t) { t.bds.at(3).next_bd = 4; }) == ids{"bd-chain"});
  CHECK(changed([](configured_tile& t) { t.bds.at(3).address = 0xFFF0; }) == ids{"bd-outside-memory"});
  CHECK(changed([](configured_tile& t) { t.bds.at(3).valid = false; }) == ids{"task-without-bd"});
  CHECK(changed([](configured_tile& t) { t.tasks.at(0).channel = 0; }) == ids{"channel-without-route"});
}

TEST_CASE("lint sees what a memtile's BDs and channels do not reach", "[tools][lint]") {
  auto array = sound();
  configured_tile& memtile = array.tiles[{0, 1}];
  memtile.kind = aie::tile_kind::memtile;
  memtile.bds[30] = {.address = 0x80000, .length = 4, .valid = true, .acquire_lock = 200};
  CHECK(array_ids(array) == ids{"bd-lock"});
  memtile.bds[30].acquire_lock = 64;
  CHECK(array_ids(array).empty());
  memtile.tasks = {{aie::dma_direction::s2mm, 0, {.bd = 30}}};
  CHECK(array_ids(array) == ids{"bd-channel", "channel-without-route"});
}

TEST_CASE("lint sees streams that do not arrive, and tokens without a way", "[tools][lint]") {
  auto array = sound();
  array.tiles.at({0, 2}).routes.masters.clear();
  CHECK(array_ids(array).contains("flow-broken"));
  auto design = one_core();
  design.packet_flows.clear();
  const auto program = config::to_register_writes(design);
  inspect::configuration_reader reader;
  reader.apply_cdo(config::write_cdo(program.init));
  CHECK(array_ids(reader.take()).contains("no-token-route"));
}

namespace {

using binfmt::control_code;
using binfmt::control_op;

constexpr std::uint64_t bd0 = 0x1D000, queue_s2mm_0 = 0x1D204;  // of a shim (AM025)

binfmt::control_operation operation(control_op op, std::uint64_t address = 0, std::uint32_t value = 0) {
  binfmt::control_operation o;
  o.op = op;
  o.address = address;
  o.value = value;
  return o;
}

/// Writes BD 0, its address, a task with a token, and waits for it.
control_code stream() {
  control_code code{
      .minor = 1, .generation = 3, .rows = 6, .columns = 1, .memtile_rows = 1, .bytes = 0, .operations = {}};
  auto bd = operation(control_op::block_write, bd0);
  bd.data = {16, 0, 0, 0, 0x80000000, 0, 0, 0x02000000};  // 16 words; Valid_BD is bit 25 of word 7
  auto wait = operation(control_op::tct_sync);
  wait.sync.columns = wait.sync.rows = 1;
  code.operations = {bd, operation(control_op::ddr_patch, bd0 + 4),
                     operation(control_op::write, queue_s2mm_0, 0x80000000), wait};
  return code;
}

ids stream_ids(const control_code& code) {
  std::vector<inspect::finding> found;
  inspect::lint_control_code(code, false, found);
  return ids_of(found);
}

}  // namespace

TEST_CASE("lint finds nothing in sound control code", "[tools][lint]") { CHECK(stream_ids(stream()).empty()); }

TEST_CASE("lint sees control code for another device or partition", "[tools][lint]") {
  const auto changed = [](auto change) {
    auto code = stream();
    change(code);
    return stream_ids(code);
  };
  CHECK(changed([](control_code& c) { c.generation = 4; }) == ids{"wrong-generation"});
  CHECK(changed([](control_code& c) { c.columns = 6; }) == ids{"too-many-columns"});
  CHECK(changed([](control_code& c) { c.columns = 5; }) == ids{"whole-array"});
  CHECK(changed([](control_code& c) { c.major = 1; }) == ids{"stream-version"});
  CHECK(changed([](control_code& c) { c.operations[0].address |= 1U << 25; }) ==
        ids{"outside-partition", "patch-without-bd", "task-without-bd"});
}

TEST_CASE("lint sees addresses that go nowhere", "[tools][lint]") {
  const auto changed = [](auto change) {
    auto code = stream();
    change(code.operations[1]);
    return stream_ids(code);
  };
  CHECK(changed([](auto& patch) { patch.address = bd0 + 8; }) == ids{"patch-place"});
  CHECK(changed([](auto& patch) { patch.address = bd0 + 0x24; }) == ids{"patch-without-bd"});
  CHECK(changed([](auto& patch) { patch.argument = 7; }) == ids{"too-many-buffers"});
  CHECK(changed([](auto& patch) { patch.argument_offset = 2; }) == ids{"patch-offset"});
}

TEST_CASE("lint sees waits that never end and operations that npu1 may not have", "[tools][lint]") {
  auto code = stream();
  code.operations[2].value = 0;  // no token
  CHECK(stream_ids(code) == ids{"wait-without-token"});
  code = stream();
  code.operations.push_back(code.operations.back());  // twice
  CHECK(stream_ids(code) == ids{"wait-without-token"});
  code = stream();
  code.operations.push_back(operation(control_op::preempt));
  CHECK(stream_ids(code).empty());  // of level 0 it does nothing
  code.operations.back().id = 2;
  CHECK(stream_ids(code) == ids{"preemption"});
  code = stream();
  code.operations.push_back(operation(control_op::load_pdi));
  CHECK(stream_ids(code) == ids{"operation-not-established"});
}

TEST_CASE("lint sees control code and XCLBIN that do not belong together", "[tools][lint]") {
  const scratch_folder folder;
  REQUIRE(folder.run(NPURT_INSTS " matmul-i8 256 256 64 -o insts.bin").code == 0);
  auto file = read_prebuilt();
  const auto lint_with = [&](const xclbin_bytes& xclbin) {
    folder.write("k.xclbin", std::string(reinterpret_cast<const char*>(xclbin.data()), xclbin.size()));
    return folder.run(NPURT_COMMAND " lint k.xclbin insts.bin");
  };
  CHECK(lint_with(file).code == 0);
  const std::size_t section = section_of(file, aie_partition);
  CHECK(contains(lint_with(with<std::uint16_t>(file, section + 0x20, 2)).out, "[columns-differ]"));
  // The last argument is no argument any more.
  const auto fewer = lint_with(with_text(file, "<arg name=\"bo2\"", "<xrg name=\"bo2\"", in_metadata(file)));
  CHECK(fewer.code == 1);
  CHECK(contains(fewer.out, "[missing-argument]"));
  const auto json_text = folder.run(NPURT_COMMAND " lint --json k.xclbin insts.bin").out;
  CHECK(contains(json_text, "\"id\": \"missing-argument\""));
}

TEST_CASE("lint sees trailing bytes and ELF files that npu1 cannot run", "[tools][lint]") {
  const scratch_folder folder;
  REQUIRE(folder.run(NPURT_INSTS " matmul-i8 256 256 64 -o insts.bin").code == 0);
  folder.write("long.bin", folder.read("insts.bin") + std::string(8, '\0'));
  CHECK(contains(folder.run(NPURT_COMMAND " lint long.bin").out, "[trailing-bytes]"));
  REQUIRE(folder.run("aiebu-asm -t aie2txn -c insts.bin -o insts.elf").code == 0);
  std::string elf = folder.read("insts.elf");
  const auto rename = [&](const std::string& name) {  // in the section names
    std::string changed = elf;
    const std::size_t at = changed.rfind(".ctrltext");
    REQUIRE(at != std::string::npos);
    changed.replace(at, name.size(), name);
    folder.write("changed.elf", changed);
    return folder.run(NPURT_COMMAND " lint changed.elf").out;
  };
  CHECK(contains(rename(".preempt_"), "[preemption]"));
  CHECK(contains(rename(".ctrltexx"), "[no-control-code]"));
}

TEST_CASE("lint sees core programs that no core can hold", "[tools][lint]") {
  auto elf = program_elf({0, 0, 0, 0});
  CHECK(lint_of(elf).empty());
  CHECK(lint_of(with<std::uint32_t>(elf, 52 + 12, 0x3FF8)) == ids{"program-too-large"});  // p_paddr
  const auto data = with<std::uint32_t>(elf, 52 + 24, 6);                                 // p_flags: not executable
  CHECK(lint_of(data) == ids{"data-outside-memory", "no-program"});
  CHECK(lint_of(with<std::uint32_t>(data, 52 + 12, 0x70000)) == ids{"no-program"});
}
