// SPDX-License-Identifier: Apache-2.0
// Files of every kind as JSON.
#include "inspect/describe.hpp"

#include <algorithm>
#include <format>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "binfmt/content_uuid.hpp"
#include "binfmt/elf.hpp"
#include "binfmt/pdi.hpp"
#include "binfmt/xclbin.hpp"
#include "inspect/control_elf.hpp"
#include "inspect/file_kind.hpp"
#include "inspect/section_name.hpp"

namespace npurt::inspect {

namespace {

using json = nlohmann::ordered_json;

json describe_memories(const std::vector<binfmt::mem_data>& memories) {
  json out = json::array();
  for (std::size_t i = 0; i < memories.size(); ++i) {
    const binfmt::mem_data& m = memories[i];
    out.push_back({{"index", i},
                   {"tag", m.tag},
                   {"type", m.type},
                   {"used", m.used},
                   {"size_kb", m.size_kb},
                   {"base_address", m.base_address}});
  }
  return out;
}

json describe_groups(const binfmt::xclbin& file, const binfmt::kernel_metadata& kernel, std::uint32_t argument) {
  std::vector<std::size_t> found;
  for (const binfmt::connection& c : file.group_connectivity) {
    const bool known = c.ip >= 0 && std::cmp_less(c.ip, file.ip_layout.size()) && c.memory >= 0 &&
                       std::cmp_less(c.memory, file.group_topology.size());
    if (known && std::cmp_equal(c.argument, argument) &&
        file.ip_layout[static_cast<std::size_t>(c.ip)].name.starts_with(kernel.name + ":") &&
        !std::ranges::contains(found, static_cast<std::size_t>(c.memory))) {
      found.push_back(static_cast<std::size_t>(c.memory));
    }
  }
  json out = json::array();
  for (const std::size_t memory : found) {
    out.push_back({{"group", memory}, {"tag", file.group_topology[memory].tag}});
  }
  return out;
}

json describe_kernel(const binfmt::xclbin& file, const binfmt::kernel_metadata& kernel) {
  json arguments = json::array();
  for (const binfmt::kernel_argument& a : kernel.arguments) {
    arguments.push_back({{"index", a.id},
                         {"name", a.name},
                         {"type", a.type},
                         {"kind", a.address_qualifier == 0 ? "scalar" : "buffer"},
                         {"bytes", a.size},
                         {"offset", a.offset},
                         {"groups", describe_groups(file, kernel, a.id)}});
  }
  return {{"name", kernel.name},
          {"dpu_kernel_id", std::format("{:#x}", kernel.dpu_kernel_id)},
          {"functional", kernel.functional},
          {"instances", kernel.instances},
          {"arguments", arguments}};
}

json describe_pdi(std::span<const std::byte> image) {
  const binfmt::pdi pdi = binfmt::read_pdi(image);
  return {{"image_name", pdi.image_name},
          {"id_code", std::format("{:#010x}", pdi.id_code)},
          {"cdo_words", pdi.cdo.size()},
          {"array", describe(configuration_of_pdi(image))}};
}

json describe_partition(const binfmt::aie_partition& partition) {
  json pdis = json::array();
  for (const binfmt::aie_pdi& entry : partition.pdis) {
    json ids = json::array();
    for (const binfmt::cdo_group& group : entry.cdo_groups) {
      for (const std::uint64_t id : group.dpu_kernel_ids) {
        ids.push_back(std::format("{:#x}", id));
      }
    }
    json one{{"uuid", binfmt::to_text(entry.uuid)}, {"bytes", entry.image.size()}, {"dpu_kernel_ids", ids}};
    try {
      one.update(describe_pdi(entry.image));
    } catch (const binfmt::format_error& unreadable) {  // the other PDIs and tables are still worth seeing
      one["problem"] = unreadable.what();
    }
    pdis.push_back(one);
  }
  return {{"columns", partition.column_width},
          {"start_columns", partition.start_columns},
          {"operations_per_cycle", partition.operations_per_cycle},
          {"pdis", pdis}};
}

json describe_xclbin(std::span<const std::byte> bytes) {
  const binfmt::xclbin file = binfmt::read_xclbin(bytes);
  json sections = json::array();
  for (const binfmt::xclbin_section& s : file.sections) {
    sections.push_back({{"kind", s.kind}, {"section", section_name(s.kind)}, {"offset", s.offset}, {"bytes", s.size}});
  }
  json ips = json::array();
  for (const binfmt::ip_data& ip : file.ip_layout) {
    ips.push_back({{"name", ip.name}, {"type", ip.type}, {"properties", std::format("{:#010x}", ip.properties)}});
  }
  json kernels = json::array();
  for (const binfmt::kernel_metadata& kernel : file.kernels) {
    kernels.push_back(describe_kernel(file, kernel));
  }
  return {{"uuid", binfmt::to_text(file.uuid)},
          {"sections", sections},
          {"memories", describe_memories(file.mem_topology)},
          {"ip_layout", ips},
          {"kernels", kernels},
          {"partition", describe_partition(file.partition)}};
}

json describe_core_elf(std::span<const std::byte> bytes) {
  json segments = json::array();
  std::uint64_t program = 0;
  for (const binfmt::elf_segment& s : binfmt::read_elf_segments(bytes)) {
    program += s.executable ? s.memory_size : 0;
    segments.push_back(
        {{"memory", s.executable ? "program" : "data"}, {"address", s.address}, {"bytes", s.memory_size}});
  }
  return {{"program_bytes", program},
          {"program_memory", aie::resources(aie::tile_kind::core).program_memory},
          {"segments", segments}};
}

json describe_control_elf(std::span<const std::byte> bytes) {
  const control_elf elf = read_control_elf(bytes);
  json sections = json::array();
  for (const elf_section& s : elf.sections) {
    sections.push_back({{"section", s.name}, {"bytes", s.data.size()}});
  }
  std::map<std::string, std::size_t> symbols;
  for (const elf_relocation& r : elf.relocations) {
    ++symbols[r.symbol];
  }
  json out{{"sections", sections}, {"relocations", elf.relocations.size()}, {"relocations_by_symbol", symbols}};
  if (const elf_section* text = elf.find(".ctrltext")) {
    out["control_code"] = describe(binfmt::read_control_code(text->data));
  }
  return out;
}

json describe_contents(std::span<const std::byte> bytes, file_kind kind) {
  switch (kind) {
    case file_kind::xclbin:
      return describe_xclbin(bytes);
    case file_kind::pdi:
      return describe_pdi(bytes);
    case file_kind::core_elf:
      return describe_core_elf(bytes);
    case file_kind::control_elf:
      return describe_control_elf(bytes);
    case file_kind::control_code:
    case file_kind::control_code_text:
      return describe(binfmt::read_control_code(control_code_bytes(bytes, kind)));
    case file_kind::unknown:
      break;
  }
  throw binfmt::format_error("neither an XCLBIN nor a PDI, an AIE or control ELF, or control code", 0);
}

}  // namespace

json describe(std::span<const std::byte> bytes) {
  const file_kind kind = recognise(bytes);
  json out{{"kind", to_string(kind)}, {"bytes", bytes.size()}};
  out.update(describe_contents(bytes, kind));
  return out;
}

std::vector<configuration> configurations(std::span<const std::byte> bytes) {
  const file_kind kind = recognise(bytes);
  std::vector<configuration> found;
  if (kind == file_kind::xclbin) {
    for (const binfmt::aie_pdi& entry : binfmt::read_xclbin(bytes).partition.pdis) {
      found.push_back(configuration_of_pdi(entry.image));
    }
  } else if (kind == file_kind::pdi) {
    found.push_back(configuration_of_pdi(bytes));
  } else if (kind == file_kind::control_code || kind == file_kind::control_code_text) {
    configuration_reader reader;
    reader.apply(binfmt::read_control_code(control_code_bytes(bytes, kind)));
    found.push_back(reader.take());
  }
  return found;
}

}  // namespace npurt::inspect
