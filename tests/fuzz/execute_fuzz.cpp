// SPDX-License-Identifier: Apache-2.0
// Any control code on a configured partition ends in a typed outcome after a bounded number of cycles, and the
// partition then still runs good control code. The first byte chooses between bytes as they are and operations made to
// be read.
#include <array>

#include "emu/firmware/program.hpp"
#include "fuzz/input.hpp"

using namespace npurt;
using namespace npurt::emu::testing;

namespace {

constexpr std::uint64_t most_cycles = 5000, enough_cycles = 200'000;

struct place {
  std::uint32_t offset, span;
};
// What of a tile control code can reach, with more weight on what starts things (offsets: aie/registers.hpp, AM025).
constexpr std::array shim_places{place{0x1D000, 0x200}, place{0x1D200, 0x40}, place{0x14000, 0x100},
                                 place{0x3F000, 0x200}, place{0x1F000, 0x10}, place{0x00000, 0x40000}};
constexpr std::array memtile_places{place{0xA0000, 0x600}, place{0xA0600, 0x80},  place{0xC0000, 0x400},
                                    place{0xB0000, 0x300}, place{0x00000, 0x100}, place{0x00000, 0x100000}};
constexpr std::array core_places{place{0x1D000, 0x200},   place{0x1DE00, 0x40},    place{0x1F000, 0x100},
                                 place{0x20000, 0x200},   place{0x32000, 0x10},    place{0x3F000, 0x300},
                                 place{0x30000, 0x10000}, place{0x00000, 0x100000}};

std::uint32_t make_address(fuzz::input& in) {
  const auto row = static_cast<std::uint32_t>(in.u8() % 7);
  const auto at = row == 0 ? in.pick(shim_places) : row == 1 ? in.pick(memtile_places) : in.pick(core_places);
  return row << 20 | (at.offset + in.u16() * 4u % at.span);
}

std::vector<std::byte> make_code(fuzz::input& in) {
  code_builder code;
  while (!in.empty()) {
    switch (in.u8() % 10) {
      case 0:
        code.write(make_address(in), in.u32());
        break;
      case 1:
        code.mask_write(make_address(in), in.u32(), in.u32());
        break;
      case 2:
        code.block(make_address(in), in.words(1 + in.u8() % 16));
        break;
      case 3:
        code.patch(make_address(in), in.u8() % 4, in.u16());
        break;
      case 4:
        code.sync({static_cast<std::uint8_t>(in.u8() % 2), static_cast<std::uint8_t>(in.u8() % 7)}, in.u8() % 2,
                  in.u8() % 6);
        break;
      case 5:
        code.add({0x0A, 4u + in.u8() % 32u * 4u, static_cast<std::uint32_t>(src_address), 0});
        break;
      case 6:
        code.add({0x0Bu | in.u8() % 40u << 8 | in.u8() % 3u << 16, in.u32()});
        break;
      case 7:
        code.add({0x0Cu | in.u8() % 40u << 8 | in.u8() % 3u << 16, in.u32(), make_address(in)});
        break;
      case 8:
        code.add({0x84, 12, in.u16()});
        break;
      default:
        code.mask_poll(make_address(in), in.u32(), in.u32());
        break;
    }
  }
  return code.build();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto pdi = relay(16).build();
  constexpr std::size_t count = 64;
  host_memory host;
  host.add(src_address, count) = pattern(count);
  host.add(dst_address, count);
  emu::npu npu(host);
  npu.limit_cycles(most_cycles);
  const auto context = npu.create_context(1);
  fuzz::require(context && npu.configure_cu(*context, 0, pdi).empty(), "a fresh device takes a PDI");

  fuzz::input in(data, size);
  const auto code = (in.u8() & 1) != 0 ? make_code(in) : std::vector(in.rest_bytes().begin(), in.rest_bytes().end());
  const auto result = npu.execute(*context, {.cu = 0, .control_code = code, .arguments = {src_address, dst_address}});
  const bool completed = result.outcome == emu::command_outcome::completed;
  fuzz::require(completed || !result.report.empty(), "a failure has a report");

  // A PDI that is loaded again resets the partition.
  fuzz::require(npu.configure_cu(*context, 1, pdi).empty(), "a used device takes a PDI");
  npu.limit_cycles(enough_cycles);
  const auto good = transfer(count).build();
  const auto after = npu.execute(*context, {.cu = 1, .control_code = good, .arguments = {src_address, dst_address}});
  if (!after.report.empty()) std::fprintf(stderr, "%s\n", after.report.c_str());
  fuzz::require(after.outcome == emu::command_outcome::completed, "a partition recovers with the next PDI");
  return 0;
}
