// SPDX-License-Identifier: Apache-2.0
// Each kind of file to its checks; ELF files.
#include "inspect/lint.hpp"

#include <algorithm>
#include <format>

#include "aie/geometry.hpp"
#include "binfmt/elf.hpp"
#include "binfmt/xclbin.hpp"
#include "inspect/control_elf.hpp"
#include "inspect/file_kind.hpp"

namespace npurt::inspect {

namespace {

void lint_core_elf(std::span<const std::byte> bytes, std::vector<finding>& out) {
  const std::uint32_t memory = aie::resources(aie::tile_kind::core).program_memory;
  bool has_program = false;
  for (const binfmt::elf_segment& s : binfmt::read_elf_segments(bytes)) {
    has_program = has_program || s.executable;
    if (s.executable && std::uint64_t{s.address} + s.memory_size > memory) {
      out.push_back({"program-too-large", severity::error,
                     std::format("the program does not fit into a core's {} bytes of program memory", memory),
                     std::format("a segment of {} bytes at {:#x}", s.memory_size, s.address),
                     "unroll less, or share code between phases"});
    }
    // Windows of a core onto its own and its neighbours' data memory (aie-rt xaie_elfloader.c).
    const std::uint32_t window = s.address >> 16;
    if (!s.executable && (window < 4 || window > 7 || (s.address & 0xFFFF) + std::uint64_t{s.memory_size} > 0x10000)) {
      out.push_back({"data-outside-memory", severity::error,
                     "a data segment lies in no data memory that a core reaches",
                     std::format("{} bytes at {:#x}", s.memory_size, s.address),
                     "place data between 0x40000 and 0x7ffff; 0x70000 is the core's own memory"});
    }
  }
  if (!has_program) {
    out.push_back({"no-program", severity::error, "the file has no program: a core has nothing to execute",
                   "no executable PT_LOAD segment", "link a .text section"});
  }
}

void lint_control_elf(std::span<const std::byte> bytes, std::vector<finding>& out) {
  const control_elf elf = read_control_elf(bytes);
  for (const elf_section& s : elf.sections) {
    if (s.name.starts_with(".preempt")) {
      out.push_back({"preemption", severity::error,
                     "npu1 has no preemption: the driver answers \"Operation not supported\" (EOPNOTSUPP)",
                     "section " + s.name, "assemble without preemption (no PREEMPT operation in the control code)"});
    }
  }
  const elf_section* text = elf.find(".ctrltext");
  if (text == nullptr) {
    out.push_back({"no-control-code", severity::error, "the ELF file holds no control code that npu1 can run",
                   "no section .ctrltext", "make it with aiebu-asm -t aie2txn -c INSTS -o FILE"});
    return;
  }
  lint_control_code(binfmt::read_control_code(text->data), true, out);
}

void lint_control_file(std::span<const std::byte> bytes, file_kind kind, std::vector<finding>& out) {
  const std::vector<std::byte> stream = control_code_bytes(bytes, kind);
  const binfmt::control_code code = binfmt::read_control_code(stream);
  if (code.bytes != stream.size()) {
    out.push_back({"trailing-bytes", severity::warning, "the file goes on after the stream's end",
                   std::format("the header states {} bytes, the file has {}", code.bytes, stream.size()),
                   "pass the stream's own number of words as the instruction count"});
  }
  lint_control_code(code, false, out);
}

void lint_contents(std::span<const std::byte> bytes, file_kind kind, std::vector<finding>& out) {
  switch (kind) {
    case file_kind::xclbin:
      return lint_xclbin(bytes, out);
    case file_kind::pdi:
      return lint_pdi_or_damage(bytes, physical_columns, "the PDI", out);
    case file_kind::core_elf:
      return lint_core_elf(bytes, out);
    case file_kind::control_elf:
      return lint_control_elf(bytes, out);
    case file_kind::control_code:
    case file_kind::control_code_text:
      return lint_control_file(bytes, kind, out);
    case file_kind::unknown:
      out.push_back(
          {"unknown-file", severity::error, "nothing on the way to an NPU reads this file",
           std::format("{} bytes that begin as neither an XCLBIN nor a PDI, an AIE or control ELF, or control code",
                       bytes.size()),
           "check that it was copied whole and in binary mode"});
  }
}

}  // namespace

void lint_columns(unsigned columns, const std::string& what, std::vector<finding>& out) {
  if (columns == 0 || columns > physical_columns) {
    out.push_back({"too-many-columns", severity::error,
                   "no partition of a Phoenix has this number of columns: creating a context fails (ENOSPC)",
                   std::format("{} {}, 1 to {} can be had", what, columns, aie::npu1.columns),
                   "build the design for at most 4 columns"});
  } else if (columns == physical_columns) {
    out.push_back({"whole-array", severity::warning,
                   "all five columns are given to one context only, from column 0, which has no shim DMA",
                   std::format("{} {}", what, columns), "build the design for at most 4 columns"});
  }
}

std::vector<finding> lint(std::span<const std::byte> bytes) {
  std::vector<finding> out;
  const file_kind kind = recognise(bytes);
  try {
    lint_contents(bytes, kind, out);
  } catch (const binfmt::format_error& damage) {
    out.push_back(
        {"damaged", severity::error,
         std::format("the {} is damaged or cut off: XRT, the driver or the firmware refuses it", to_string(kind)),
         damage.what(), "copy it or build it again"});
  }
  std::ranges::stable_sort(out, std::ranges::greater{}, &finding::level);
  return out;
}

std::vector<finding> lint_together(std::span<const std::byte> xclbin, std::span<const std::byte> instructions) {
  const binfmt::xclbin file = binfmt::read_xclbin(xclbin);
  const binfmt::control_code code =
      binfmt::read_control_code(control_code_bytes(instructions, recognise(instructions)));
  std::vector<finding> out;
  if (code.columns > file.partition.column_width) {
    out.push_back(
        {"columns-differ", severity::error, "the control code works on more columns than the partition has",
         std::format("{} columns in the control code, {} in AIE_PARTITION", code.columns, file.partition.column_width),
         "use control code and XCLBIN of the same design"});
  }
  std::size_t buffers = 0;
  for (const binfmt::kernel_metadata& kernel : file.kernels) {
    buffers = std::max(buffers, kernel.arguments.size() - std::min<std::size_t>(kernel.arguments.size(), 3));
  }
  for (const binfmt::control_operation& o : code.operations) {
    if (o.op == binfmt::control_op::ddr_patch && o.argument >= buffers) {
      out.push_back(
          {"missing-argument", severity::error, "the control code uses a buffer that no kernel of the XCLBIN takes",
           std::format("DDR_PATCH at byte {} takes bo{}, the kernel with most takes {}", o.offset, o.argument, buffers),
           "use control code and XCLBIN of the same design"});
      break;
    }
  }
  return out;
}

}  // namespace npurt::inspect
