// SPDX-License-Identifier: Apache-2.0
// Ways of running a design that XRT offers, on the unmodified XRT: plain kernels, several per XCLBIN, run lists,
// control ELFs with and without control packets. The ELFs come from aiebu-asm, as in mlir-aie's flow.
#include <unistd.h>
#include <xrt/experimental/xrt_elf.h>
#include <xrt/experimental/xrt_kernel.h>
#include <xrt/experimental/xrt_module.h>

#include <algorithm>
#include <bit>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "config/subprocess.hpp"
#include "emu/designs/xrt_run.hpp"

using namespace npurt;
using namespace npurt::emu::testing;
using json = nlohmann::json;

namespace {

/// aiebu-asm's ELF for a transaction; with control packets if there are any, which are kernel argument `argument`.
xrt::elf control_elf(const std::vector<std::byte>& code, const words& packets = {}, unsigned argument = 0) {
  const config::temporary_folder folder;
  folder.write("insts.bin", code);
  std::vector<std::string> command{"aiebu-asm", "-t", "aie2txn", "-c", "insts.bin", "-o", "design.elf"};
  if (!packets.empty()) {
    folder.write("packets.bin", bytes_of(packets));
    const json buffer{{"xrt_id", argument},
                      {"logical_id", -1},
                      {"size_in_bytes", 4 * packets.size()},
                      {"ctrl_pkt_buffer", 1},
                      {"name", "runtime_control_packet"}};
    folder.write("buffers.json", json{{"external_buffers", {{"buffer_ctrl", buffer}}}}.dump());
    command.insert(command.end(), {"-p", "packets.bin", "-j", "buffers.json"});
  }
  folder.run(command);
  const auto file = folder.read("design.elf");
  const std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("npurt-design-" + std::to_string(::getpid()) + ".elf");
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(file.data()), static_cast<std::streamsize>(file.size()));
  xrt::elf elf(path.string());
  std::filesystem::remove(path);
  return elf;
}

/// A second kernel and its PDI in the file, by the tool's own way: the partition is taken out, extended, put back.
std::vector<std::byte> with_second_kernel(const std::vector<std::byte>& file, const std::vector<std::byte>& pdi) {
  const config::temporary_folder folder;
  folder.write("one.xclbin", file);
  folder.write("second.pdi", pdi);
  folder.run({"xclbinutil", "--input", "one.xclbin", "--dump-section", "AIE_PARTITION:JSON:partition.json", "--force",
              "--quiet"});
  const auto text = folder.read("partition.json");
  json partition = json::parse(std::string(reinterpret_cast<const char*>(text.data()), text.size()));
  json image = partition["aie_partition"]["PDIs"][0];
  image["file_name"] = "second.pdi";
  image["uuid"] = "11111111-2222-3333-4444-555555555555";
  image["cdo_groups"][0]["dpu_kernel_ids"] = json::array({"0x902"});
  partition["aie_partition"]["PDIs"].push_back(image);
  folder.write("partition.json", partition.dump());
  json arguments =
      json::array({{{"name", "opcode"}, {"address-qualifier", "SCALAR"}, {"type", "uint64_t"}, {"offset", "0x00"}},
                   {{"name", "instr"},
                    {"memory-connection", "SRAM"},
                    {"address-qualifier", "GLOBAL"},
                    {"type", "char *"},
                    {"offset", "0x08"}},
                   {{"name", "ninstr"}, {"address-qualifier", "SCALAR"}, {"type", "uint32_t"}, {"offset", "0x10"}}});
  for (unsigned i = 0; i < 5; ++i) {
    static constexpr std::array offsets{"0x14", "0x1c", "0x24", "0x2c", "0x34"};
    arguments.push_back({{"name", "bo" + std::to_string(i)},
                         {"memory-connection", "HOST"},
                         {"address-qualifier", "GLOBAL"},
                         {"type", "void*"},
                         {"offset", offsets.at(i)}});
  }
  const json kernel{{"name", "ADDTWO"},
                    {"type", "dpu"},
                    {"extended-data", {{"subtype", "DPU"}, {"functional", "0"}, {"dpu_kernel_id", "0x902"}}},
                    {"arguments", arguments},
                    {"instances", json::array({json{{"name", "ADDTWOINST"}}})}};
  folder.write("kernels.json", json{{"ps-kernels", {{"kernels", json::array({kernel})}}}}.dump());
  folder.run({"xclbinutil", "--input", "one.xclbin", "--add-kernel", "kernels.json", "--add-replace-section",
              "AIE_PARTITION:JSON:partition.json", "--force", "--quiet", "--output", "two.xclbin"});
  return folder.read("two.xclbin");
}

}  // namespace

TEST_CASE("add_one_two_runlist: two kernels of an appended XCLBIN, alone and in one run list", "[emu][designs][xrt]") {
  const auto second = config::make_pdi(config::to_register_writes(add_by_one_core(2).array));
  opened o(xrt::device(0), xclbin_of(with_second_kernel(add_one_file(), second)));
  const auto code = in_and_out(count, count).build();
  const words in = pattern(count);
  xrt::bo input = host_buffer(o, in);
  std::vector<xrt::kernel> kernels{xrt::kernel(o.context, "design"), xrt::kernel(o.context, "ADDTWO")};
  for (unsigned k = 0; k < 2; ++k) {
    xrt::bo output = host_buffer(o, words(count));
    auto run = kernels[k](transaction, instructions(o, kernels[k], code), code_words(code), input, output, 0, 0, 0);
    REQUIRE(run.wait() == ERT_CMD_STATE_COMPLETED);
    CHECK(contents_of(output) == added(in, k + 1));
  }
  xrt::runlist list(o.context);
  std::vector<xrt::bo> keep;
  std::vector<xrt::run> runs;
  std::vector<xrt::bo> outputs;
  for (unsigned i = 0; i < 30; ++i) {
    auto& kernel = kernels[i % 2];
    keep.push_back(instructions(o, kernel, code));
    outputs.push_back(host_buffer(o, words(count)));
    xrt::run run(kernel);
    run.set_arg(0, transaction);
    run.set_arg(1, keep.back());
    run.set_arg(2, code_words(code));
    run.set_arg(3, input);
    run.set_arg(4, outputs.back());
    for (int unused = 5; unused < 8; ++unused) run.set_arg(unused, 0);
    list.add(run);
    runs.push_back(run);
  }
  list.execute();
  list.wait();
  for (unsigned i = 0; i < 30; ++i) REQUIRE(contents_of(outputs[i]) == added(in, i % 2 + 1));
}

TEST_CASE("add_one_objFifo_elf: control code in an ELF", "[emu][designs][xrt]") {
  opened o(xrt::device(0), xclbin_of(add_one_file()));
  const auto elf = control_elf(in_and_out(count, count).build());
  xrt::module module{elf};
  auto kernel = xrt::ext::kernel(o.context, module, "design");
  for (unsigned i = 0; i < 3; ++i) {
    const words in = pattern(count, 1 + i);
    xrt::bo input = host_buffer(o, in), output = host_buffer(o, words(count));
    auto run = kernel(transaction, 0, 0, input, output);
    run.wait2();
    CHECK(contents_of(output) == added(in, 1));
  }
}

TEST_CASE("the length of control code may be given in bytes, as mlir-aie's Python runtime does",
          "[emu][designs][xrt]") {
  opened o(xrt::device(0), xclbin_of(add_one_file()));
  xrt::kernel kernel(o.context, "design");
  const auto code = in_and_out(count, count).build();
  const words in = pattern(count);
  xrt::bo input = host_buffer(o, in), output = host_buffer(o, words(count));
  const auto length = static_cast<std::uint32_t>(code.size());
  auto run = kernel(transaction, instructions(o, kernel, code), length, input, output);
  REQUIRE(run.wait() == ERT_CMD_STATE_COMPLETED);
  CHECK(contents_of(output) == added(in, 1));
}

TEST_CASE("ELF kernels in a run list", "[emu][designs][xrt]") {
  opened o(xrt::device(0), xclbin_of(add_one_file()));
  xrt::module module{control_elf(in_and_out(count, count).build())};
  auto kernel = xrt::ext::kernel(o.context, module, "design");
  const words in = pattern(count);
  xrt::bo input = host_buffer(o, in);
  xrt::runlist list(o.context);
  std::vector<xrt::bo> outputs;
  for (unsigned i = 0; i < 3; ++i) {
    outputs.push_back(host_buffer(o, words(count)));
    xrt::run run(kernel);
    run.set_arg(0, transaction);
    run.set_arg(1, 0);
    run.set_arg(2, 0);
    run.set_arg(3, input);
    run.set_arg(4, outputs.back());
    list.add(run);
  }
  list.execute();
  list.wait();
  for (auto& output : outputs) CHECK(contents_of(output) == added(in, 1));
}

TEST_CASE("ctrl_packet_reconfig_elf: control packets travel inside the ELF", "[emu][designs][xrt]") {
  device_design d = add_by_one_core(1);
  d.packets(shim, {bundle::dma, 1}, core2, {bundle::tile_control, 0}, 26, false);
  opened o(xrt::device(0), xclbin_of(config::make_xclbin(d.array)));
  // The packet sets the core's addend: r0's immediate is out of reach, so it writes a lock that control code polls.
  const auto odd = [](std::uint32_t v) { return std::popcount(v) % 2 == 0 ? v | 0x80000000u : v; };
  const words packets{odd(26), odd(0x1F0F0), 21};
  code_builder code = in_and_out(count, count);
  const shim_transfer packet{.argument = 2, .count = 3, .bd = 3, .channel = 1, .shape = {}};
  add(code, packet);
  wait(code, packet);
  code.mask_poll(aie::pack_address({core2, 0x1F0F0}), 21, 0x3F);
  xrt::module module{control_elf(code.build(), packets, 2)};
  auto kernel = xrt::ext::kernel(o.context, module, "design");
  const words in = pattern(count);
  xrt::bo input = host_buffer(o, in), output = host_buffer(o, words(count));
  auto run = kernel(transaction, 0, 0, input, output);
  run.wait2();
  CHECK(contents_of(output) == added(in, 1));
}

TEST_CASE("user pointers, sub-buffers and imported buffers are what a kernel reads and writes", "[emu][designs][xrt]") {
  opened o(xrt::device(0), xclbin_of(add_one_file()));
  xrt::kernel kernel(o.context, "design");
  const auto code = in_and_out(count, count).build();
  const words in = pattern(count);
  std::unique_ptr<void, decltype(&std::free)> memory(std::aligned_alloc(4096, 4096), &std::free);
  std::ranges::copy(in, static_cast<std::uint32_t*>(memory.get()));
  xrt::bo user(o.device, memory.get(), 4096, xrt::bo::flags::host_only, kernel.group_id(3));
  xrt::bo parent = xrt::ext::bo(o.device, 8192);
  xrt::bo part(parent, bytes, 4096);
  const xrt::bo control = instructions(o, kernel, code);
  auto first = kernel(transaction, control, code_words(code), user, part, 0, 0, 0);
  REQUIRE(first.wait() == ERT_CMD_STATE_COMPLETED);
  CHECK(contents_of(part) == added(in, 1));
  xrt::bo imported(o.device, parent.export_buffer());
  xrt::bo moved(imported, bytes, 4096);
  auto second = kernel(transaction, control, code_words(code), moved, user, 0, 0, 0);
  REQUIRE(second.wait() == ERT_CMD_STATE_COMPLETED);
  user.sync(XCL_BO_SYNC_BO_FROM_DEVICE);
  CHECK(std::equal(in.begin(), in.end(), static_cast<std::uint32_t*>(memory.get()),
                   [](std::uint32_t a, std::uint32_t b) { return a + 2 == b; }));
}
