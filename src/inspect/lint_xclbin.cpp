// SPDX-License-Identifier: Apache-2.0
// Mistakes in the tables of an XCLBIN. What XRT and its XDNA plug-in make of each was read in their sources:
// core/common/{xclbin_parser.cpp,api/xrt_xclbin.cpp,api/xrt_kernel.cpp}, amd/xdna-driver src/shim/hwctx.cpp.
#include <algorithm>
#include <array>
#include <format>
#include <set>
#include <utility>

#include "aie/geometry.hpp"
#include "binfmt/xclbin.hpp"
#include "inspect/lint.hpp"
#include "inspect/section_name.hpp"

namespace npurt::inspect {

namespace {

using binfmt::section_kind;

constexpr std::uint32_t ip_ps_kernel = 7;
constexpr std::uint32_t dpu_subtype = 1;
constexpr std::uint8_t mem_dram = 2;
constexpr std::uint32_t scalar = 0;
constexpr std::uint64_t largest_payload = 19 * 4;  // bytes of arguments that the driver hands to the firmware
constexpr std::size_t first_buffer = 3;            // behind opcode, instructions and their count

struct missing_section {
  section_kind kind;
  const char* id;
  const char* cause;
};
constexpr std::array<missing_section, 7> needed{{
    {section_kind::aie_partition, "no-aie-partition",
     "there is no configuration of the array: creating a context fails (\"PDI for kernel ID not found\", then EINVAL)"},
    {section_kind::embedded_metadata, "no-embedded-metadata",
     "the kernels are not described: \"No valid DPU kernel found in xclbin\", \"No such kernel\""},
    {section_kind::ip_layout, "no-ip-layout", "there is no instance of a kernel: \"No compute units matching\""},
    {section_kind::mem_topology, "no-mem-topology", "there is no memory that buffers can live in"},
    {section_kind::connectivity, "no-connectivity", "no argument is connected to a memory"},
    {section_kind::ask_group_topology, "no-group-topology", "XRT's parser ends with std::out_of_range for its groups"},
    {section_kind::ask_group_connectivity, "no-group-connectivity",
     "group_id() of every buffer is \"no memory\", and setting a buffer fails"},
}};

class xclbin_lint {
 public:
  xclbin_lint(const binfmt::xclbin& file, std::vector<finding>& out) : file_(file), out_(out) {}

  void run() {
    sections();
    if (file_.has(section_kind::embedded_metadata) && file_.kernels.empty()) {
      error("no-kernel", "the metadata describe no kernel: \"No valid DPU kernel found in xclbin\"",
            "EMBEDDED_METADATA has no <kernel>", "add one with xclbinutil --add-kernel, or npurt pack");
    }
    ip_layout();
    memories();
    connections("CONNECTIVITY", file_.connectivity, file_.mem_topology.size());
    connections("ASK_GROUP_CONNECTIVITY", file_.group_connectivity, file_.group_topology.size());
    names();
    for (const binfmt::kernel_metadata& kernel : file_.kernels) {
      identity(kernel);
      layout(kernel);
      for (const binfmt::kernel_argument& a : kernel.arguments) {
        placement(kernel, a);
      }
    }
    if (file_.has(section_kind::aie_partition)) {
      partition();
    }
  }

 private:
  void error(const char* id, const std::string& cause, const std::string& evidence, const char* fix) {
    out_.push_back({id, severity::error, cause, evidence, fix});
  }

  void sections() {
    for (const missing_section& m : needed) {
      if (!file_.has(m.kind)) {
        error(m.id, m.cause, "no section " + section_name(std::to_underlying(m.kind)),
              "make the file with xclbinutil --add-kernel and sections MEM_TOPOLOGY and AIE_PARTITION, or npurt pack");
      }
    }
  }

  static bool is_dpu(const binfmt::ip_data& ip) {
    return ip.type == ip_ps_kernel && (ip.properties & 3) == dpu_subtype;
  }

  void ip_layout() {
    if (file_.has(section_kind::ip_layout) && std::ranges::none_of(file_.ip_layout, is_dpu)) {
      error("no-dpu-kernel", "IP_LAYOUT has no DPU kernel: no compute unit can be opened",
            std::format("{} entries, none of type IP_PS_KERNEL (7) and subtype DPU (1)", file_.ip_layout.size()),
            "state \"type\": \"dpu\" and \"subtype\": \"DPU\" in the kernel's JSON");
    }
  }

  void memories() {
    if (file_.has(section_kind::ask_group_topology) && file_.has(section_kind::mem_topology)) {
      const auto same = [](const binfmt::mem_data& a, const binfmt::mem_data& b) {
        return a.tag == b.tag && a.type == b.type && a.base_address == b.base_address;
      };
      if (file_.group_topology.size() < file_.mem_topology.size() ||
          !std::ranges::equal(file_.mem_topology, std::span(file_.group_topology).first(file_.mem_topology.size()),
                              same)) {
        error("group-topology",
              "XRT looks memories up in ASK_GROUP_TOPOLOGY, which does not begin as MEM_TOPOLOGY does",
              std::format("{} memories, {} groups", file_.mem_topology.size(), file_.group_topology.size()),
              "let xclbinutil make the group sections (no --skip-bank-grouping)");
      }
    }
    for (const binfmt::mem_data& m : file_.group_topology) {
      if (m.type != mem_dram || !m.used || m.size_kb == 0) {
        error("mem-topology", "buffers of an NPU live in used DRAM: none can be allocated in this memory",
              std::format("memory {}: type {}, {}, {} KB", m.tag, m.type, m.used ? "used" : "not used", m.size_kb),
              "state m_type MEM_DRAM, m_used 1 and a size in MEM_TOPOLOGY");
      }
    }
  }

  void connections(const char* section, const std::vector<binfmt::connection>& all, std::size_t memories) {
    const auto inside = [](std::int32_t index, std::size_t size) { return index >= 0 && std::cmp_less(index, size); };
    for (const binfmt::connection& c : all) {
      if (!inside(c.ip, file_.ip_layout.size()) || !inside(c.memory, memories) || c.argument < 0) {
        error("connectivity", "a connection names what is not there: XRT reads beyond its tables",
              std::format("{}: argument {} of IP {} (of {}) to memory {} (of {})", section, c.argument, c.ip,
                          file_.ip_layout.size(), c.memory, memories),
              "let xclbinutil make the section from memory-connection of the kernel's JSON");
        return;
      }
    }
  }

  void names() {
    std::set<std::string> seen;
    std::set<std::uint64_t> ids;
    for (const binfmt::kernel_metadata& kernel : file_.kernels) {
      if (!seen.insert(kernel.name).second) {
        error("duplicate-kernel", "two kernels have one name: a program gets the first", "kernel " + kernel.name,
              "give each a name of its own");
      }
      if (!ids.insert(kernel.dpu_kernel_id).second) {
        error("duplicate-kernel-id", "two kernels have one id, which selects the PDI: they get the same",
              std::format("kernel {}: {:#x}", kernel.name, kernel.dpu_kernel_id),
              "give each a dpu_kernel_id of its own");
      }
    }
  }

  /// The id is said three times: in the metadata, in IP_LAYOUT and with the PDI.
  void identity(const binfmt::kernel_metadata& kernel) {
    const auto mine = [&](const binfmt::ip_data& ip) { return ip.name.starts_with(kernel.name + ":"); };
    const auto ip = std::ranges::find_if(file_.ip_layout, mine);
    if (ip == file_.ip_layout.end()) {
      if (file_.has(section_kind::ip_layout)) {
        error("kernel-without-instance", "the kernel cannot be opened: \"No compute units matching\"",
              "IP_LAYOUT has no \"" + kernel.name + ":INSTANCE\"", "name an instance in the kernel's JSON");
      }
    } else if ((ip->properties >> 16 & 0xFFF) != (kernel.dpu_kernel_id & 0xFFF)) {
      error("kernel-id-mismatch", "metadata and IP_LAYOUT name different ids for the kernel",
            std::format("kernel {}: {:#x} in EMBEDDED_METADATA, {:#x} in IP_LAYOUT", kernel.name, kernel.dpu_kernel_id,
                        ip->properties >> 16 & 0xFFF),
            "build the file again from one JSON");
    }
    if (file_.has(section_kind::aie_partition) && file_.find_pdi(kernel.dpu_kernel_id) == nullptr) {
      error("kernel-without-pdi", "no PDI is for the kernel's id: \"PDI for kernel ID 0x... not found\", then EINVAL",
            std::format("kernel {} has dpu_kernel_id {:#x}, no cdo_group of AIE_PARTITION names it", kernel.name,
                        kernel.dpu_kernel_id),
            "write the same id to the kernel's dpu_kernel_id and to dpu_kernel_ids of the PDI, as lower-case 0x901");
    }
  }

  /// opcode, instructions, their count, then buffers, packed to 4 bytes.
  void layout(const binfmt::kernel_metadata& kernel) {
    const auto& arguments = kernel.arguments;
    const bool shape = arguments.size() >= first_buffer && arguments[0].address_qualifier == scalar &&
                       arguments[1].address_qualifier != scalar && arguments[2].address_qualifier == scalar;
    if (!shape) {
      error("arguments",
            "the kernel does not begin with opcode, instructions and their count: the firmware would read others",
            std::format("kernel {} has {} arguments", kernel.name, arguments.size()),
            "state opcode (uint64_t, 0x0), instr (char *, 0x8), ninstr (uint32_t, 0x10), then buffers from 0x14");
      return;
    }
    std::uint64_t end = 0;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      const binfmt::kernel_argument& a = arguments[i];
      const std::string name = std::format("argument {} ({}) of kernel {}", i, a.name, kernel.name);
      if (a.id != i || a.offset < end) {
        error("argument-order", "arguments overlap or are numbered wrongly: XRT writes one over another",
              std::format("{}: id {}, offset {:#x}, the one before ends at {:#x}", name, a.id, a.offset, end),
              "number them from 0, each behind the other");
      }
      end = a.offset + a.size;
      if (end > largest_payload) {
        error("too-many-arguments",
              "the driver hands only 19 words of arguments to the firmware, which are seven buffers",
              std::format("{} ends at {:#x}", name, end), "use fewer buffers, several parts of one at offsets");
      }
    }
  }

  void placement(const binfmt::kernel_metadata& kernel, const binfmt::kernel_argument& a) {
    if (a.address_qualifier == scalar || !file_.has(section_kind::ask_group_connectivity)) {
      return;
    }
    const std::string name = std::format("argument {} ({}) of kernel {}", a.id, a.name, kernel.name);
    const auto connects = [&](const binfmt::connection& c) {
      return std::cmp_equal(c.argument, a.id) && c.ip >= 0 && std::cmp_less(c.ip, file_.ip_layout.size()) &&
             c.memory >= 0 && std::cmp_less(c.memory, file_.group_topology.size()) &&
             file_.ip_layout[static_cast<std::size_t>(c.ip)].name.starts_with(kernel.name + ":");
    };
    const auto c = std::ranges::find_if(file_.group_connectivity, connects);
    if (c == file_.group_connectivity.end()) {
      error("argument-without-memory", "group_id() of the argument is \"no memory\", and setting its buffer fails",
            name, "state its memory-connection in the kernel's JSON");
      return;
    }
    const std::string& tag = file_.group_topology[static_cast<std::size_t>(c->memory)].tag;
    const char* wanted = a.id == 1 ? "SRAM" : "HOST";
    if (tag != wanted) {
      error("argument-memory",
            a.id == 1 ? "instructions must live in the device heap (SRAM): the firmware reads them there"
                      : "data buffers must live in host memory (HOST): those of the device heap hold control code",
            std::format("{} is connected to memory {}", name, tag), "correct its memory-connection");
    }
  }

  void partition() {
    const binfmt::aie_partition& p = file_.partition;
    lint_columns(p.column_width, "column_width", out_);
    if (p.start_columns.empty()) {
      error("start-columns", "AIE_PARTITION names no column to begin at", "start_columns is empty",
            "name those that the width leaves room for, [1] for four columns");
    }
    for (const std::uint16_t start : p.start_columns) {
      if (start + p.column_width > physical_columns) {
        error("start-columns", "a partition from this column does not fit onto the array",
              std::format("start column {} with {} columns, the array has {}", start, p.column_width, physical_columns),
              "name those that the width leaves room for, [1] for four columns");
      }
    }
    if (p.pdis.empty()) {
      error("no-pdi", "AIE_PARTITION has no PDI: there is nothing to configure the array with", "PDIs is empty",
            "name the PDI in the section's JSON");
    }
    for (std::size_t i = 0; i < p.pdis.size(); ++i) {
      pdi(p.pdis[i], std::format("PDI {}", i));
    }
  }

  void pdi(const binfmt::aie_pdi& entry, const std::string& name) {
    if (entry.image.empty()) {
      error("no-pdi", "a PDI is empty: there is nothing to configure the array with", name + " has 0 bytes",
            "name the file that bootgen wrote");
      return;
    }
    lint_pdi_or_damage(entry.image, file_.partition.column_width, name, out_);
  }

  const binfmt::xclbin& file_;
  std::vector<finding>& out_;
};

}  // namespace

void lint_xclbin(std::span<const std::byte> bytes, std::vector<finding>& out) {
  const binfmt::xclbin file = binfmt::read_xclbin(bytes);
  xclbin_lint(file, out).run();
}

}  // namespace npurt::inspect
