// SPDX-License-Identifier: Apache-2.0
// The inputs of bootgen and xclbinutil, as mlir-aie's aiecc writes them.
#include "config/package.hpp"

#include <nlohmann/json.hpp>
#include <string>

#include "binfmt/content_uuid.hpp"
#include "binfmt/little_endian.hpp"
#include "binfmt/pdi.hpp"
#include "binfmt/xclbin.hpp"
#include "config/cdo_writer.hpp"
#include "config/stamp.hpp"
#include "config/subprocess.hpp"

namespace npurt::config {

namespace {

using json = nlohmann::ordered_json;

constexpr const char* kernel_id = "0x901";  // compared as text: written as xclbinutil prints it
constexpr std::uint32_t first_buffer_offset = 0x14;

constexpr const char* bif = R"(all:
{
  id_code = 0x14ca8093
  extended_id_code = 0x01
  image
  {
    name=aie_image, id=0x1c000000
    { type=cdo
      file=elfs.bin
      file=init.bin
      file=enable.bin
    }
  }
}
)";

std::string hex(std::uint32_t value) {
  constexpr const char* digits = "0123456789abcdef";
  std::string text;
  do {
    text.insert(text.begin(), digits[value & 0xF]);
    value >>= 4;
  } while (value != 0);
  return (text.size() < 2 ? "0x0" : "0x") + text;
}

/// The two memories that every NPU design names: host buffers, and the device heap for control code.
json mem_topology() {
  const auto memory = [](const char* tag, const char* size_kb) {
    return json{{"m_type", "MEM_DRAM"},
                {"m_used", "1"},
                {"m_sizeKB", size_kb},
                {"m_tag", tag},
                {"m_base_address", "0x4000000"}};
  };
  return {{"mem_topology",
           {{"m_count", "2"}, {"m_mem_data", json::array({memory("HOST", "0x10000"), memory("SRAM", "0xc000")})}}}};
}

json scalar(const char* name, const char* type, std::uint32_t offset) {
  return {{"name", name}, {"address-qualifier", "SCALAR"}, {"type", type}, {"offset", hex(offset)}};
}

json pointer(const std::string& name, const char* memory, const char* type, std::uint32_t offset) {
  return {{"name", name},
          {"memory-connection", memory},
          {"address-qualifier", "GLOBAL"},
          {"type", type},
          {"offset", hex(offset)}};
}

json kernels(const package_description& package) {
  json arguments = json::array({scalar("opcode", "uint64_t", 0x00), pointer("instr", "SRAM", "char *", 0x08),
                                scalar("ninstr", "uint32_t", 0x10)});
  std::uint32_t offset = first_buffer_offset;
  for (const std::string& buffer : package.buffers) {
    arguments.push_back(pointer(buffer, "HOST", "void*", offset));
    offset += 8;
  }
  const json extended{{"subtype", "DPU"}, {"functional", "0"}, {"dpu_kernel_id", kernel_id}};
  const json kernel{{"name", package.kernel},
                    {"type", "dpu"},
                    {"extended-data", extended},
                    {"arguments", arguments},
                    {"instances", json::array({json{{"name", "MLIRAIE"}}})}};
  return {{"ps-kernels", {{"kernels", json::array({kernel})}}}};
}

json aie_partition(unsigned columns, std::span<const std::byte> pdi) {
  json starts = json::array();
  for (unsigned column = 1; column + columns <= aie::npu1.columns + 1U; ++column) {
    starts.push_back(column);  // physical; column 0 has no shim
  }
  const json group{{"name", "DPU"},
                   {"type", "PRIMARY"},
                   {"pdi_id", "0x01"},
                   {"dpu_kernel_ids", json::array({kernel_id})},
                   {"pre_cdo_groups", json::array({"0xC1"})}};
  const json image{{"uuid", binfmt::to_text(binfmt::uuid_of(pdi))},
                   {"file_name", "design.pdi"},
                   {"cdo_groups", json::array({group})}};
  return {{"aie_partition",
           {{"name", "QoS"},
            {"operations_per_cycle", "2048"},
            {"inference_fingerprint", "23423"},
            {"pre_post_fingerprint", "12345"},
            {"partition", {{"column_width", columns}, {"start_columns", starts}}},
            {"PDIs", json::array({image})}}}};
}

}  // namespace

std::vector<std::byte> make_pdi(const register_program& program) {
  const temporary_folder folder;
  folder.write("elfs.bin", binfmt::bytes_of(write_cdo(program.elfs)));
  folder.write("init.bin", binfmt::bytes_of(write_cdo(program.init)));
  folder.write("enable.bin", binfmt::bytes_of(write_cdo(program.enable)));
  folder.write("design.bif", std::string_view(bif));
  folder.run({"bootgen", "-arch", "versal", "-image", "design.bif", "-o", "design.pdi", "-w"});
  std::vector<std::byte> pdi = folder.read("design.pdi");
  binfmt::read_pdi(pdi);
  return pdi;
}

std::vector<std::byte> make_xclbin(std::span<const std::byte> pdi, const package_description& package) {
  const temporary_folder folder;
  folder.write("design.pdi", pdi);
  folder.write("mem_topology.json", mem_topology().dump(2));
  folder.write("kernels.json", kernels(package).dump(2));
  folder.write("aie_partition.json", aie_partition(package.columns, pdi).dump(2));
  std::vector<std::string> command{
      "xclbinutil",   "--add-replace-section", "MEM_TOPOLOGY:JSON:mem_topology.json",   "--add-kernel",
      "kernels.json", "--add-replace-section", "AIE_PARTITION:JSON:aie_partition.json", "--force",
      "--output",     "design.xclbin"};
  if (!package.user_metadata.empty()) {
    folder.write("user_metadata.bin", package.user_metadata);
    command.insert(command.end(), {"--add-replace-section", "USER_METADATA:RAW:user_metadata.bin"});
  }
  folder.run(command);
  std::vector<std::byte> file = folder.read("design.xclbin");
  stamp_xclbin(file);
  return file;
}

std::vector<std::byte> make_xclbin(const array_description& design) {
  package_description package{
      .kernel = design.name, .columns = design.columns, .buffers = {}, .user_metadata = design.user_metadata};
  for (unsigned i = 0; i < design.buffers; ++i) {
    package.buffers.push_back("bo" + std::to_string(i));
  }
  return make_xclbin(make_pdi(to_register_writes(design)), package);
}

}  // namespace npurt::config
