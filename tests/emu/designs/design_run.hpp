// SPDX-License-Identifier: Apache-2.0
// Designs as a compiler gives them to XRT: a PDI made of an array description, control code; run by the firmware.
#pragma once

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "asm/assembler.hpp"
#include "asm/elf_writer.hpp"
#include "config/description.hpp"
#include "config/register_writes.hpp"
#include "emu/firmware/program.hpp"

namespace npurt::emu::testing {

using aie::bundle;
using aie::dma_bd;
using aie::tile_id;

inline constexpr auto mm2s = aie::dma_direction::mm2s, s2mm = aie::dma_direction::s2mm;
inline constexpr tile_id core3{0, 3}, core4{0, 4};
inline constexpr unsigned own_locks = 48;  ///< as a core numbers its tile's locks

inline std::string nops(int count) {
  std::string text;
  while (count-- > 0) text += "nop\n";
  return text;
}

/// Takes and gives of a core; lock numbers as the core has them.
inline std::string take(unsigned lock) { return "acq #" + std::to_string(lock) + ", r2\n"; }
inline std::string give(unsigned lock) { return "rel #" + std::to_string(lock) + ", r3\n"; }

/// Core addresses of a block of sixteen words.
struct from_to {
  std::uint32_t from, to;
};

/// The sixteen words at `at.from` and those of x4 added by `addition`, to `at.to`; p0 and p1 point there then.
inline std::string add_block(from_to at, const std::string& addition = "vadd.32") {
  return "movxm p0, #" + std::to_string(at.from) + "\nmovxm p1, #" + std::to_string(at.to) + "\n" + nops(4) +
         "vlda wl0, [p0, #0]\nvlda wh0, [p0, #32]\n" + nops(8) + addition + " x0, x0, x4\n" + nops(4) +
         "vst wl0, [p1, #0]\nvst wh0, [p1, #32]\n" + nops(8);
}

/// r2 = -1 and r3 = 1 for locks, x4 = `addend` sixteen times, or as often as `broadcast` says.
inline std::string addend_and_locks(int addend, const std::string& broadcast = "vbcst.32") {
  return "mova r0, #" + std::to_string(addend) + "\nmova r2, #-1\nmova r3, #1\n" + nops(4) + broadcast + " x4, r0\n" +
         nops(4);
}

/// That, then `body` for ever.
inline std::string for_ever(int addend, const std::string& body) {
  return addend_and_locks(addend) + "again:\n" + body + "j #again\n" + nops(5);
}

/// `body`, which leaves r4 alone, `count` times; no two loops of one program have one `label`.
inline std::string times(int count, const std::string& label, const std::string& body) {
  return "mova r4, #" + std::to_string(count) + "\n" + nops(2) + label + ":\n" + body + "add r4, r4, #-1\n" + nops(2) +
         "jnz r4, #" + label + "\n" + nops(5);
}

/// The core ends.
inline std::string end_of_program() { return nops(4) + "done\n" + nops(6); }

/// Locks of the tile that an object fifo's two ends have.
struct fifo_locks {
  unsigned free, full;
};

/// Adds to blocks that come and go by fifos: one block per pair of addresses, in turn, for ever.
inline std::string add_in_turn(int addend, fifo_locks in, fifo_locks out, const std::vector<from_to>& blocks) {
  std::string body;
  for (const from_to& at : blocks)
    body += take(own_locks + in.full) + take(own_locks + out.free) + nops(4) + add_block(at) +
            give(own_locks + in.free) + give(own_locks + out.full) + nops(2);
  return for_ever(addend, body);
}

/// A design under construction.
struct device_design {
  explicit device_design(std::uint8_t columns = 1)
      : array{.name = "design",
              .columns = columns,
              .buffers = 5,
              .memory = {},
              .locks = {},
              .transfers = {},
              .starts = {},
              .flows = {},
              .packet_flows = config::token_flows(columns),
              .programs = {},
              .user_metadata = {}} {}

  void buffer(tile_id t, const std::string& name, std::uint32_t offset, std::uint32_t count,
              const words& initial = {}) {
    array.memory.push_back({t, name, offset, 4 * count, bytes_of(initial)});
  }
  void lock(tile_id t, unsigned id, unsigned initial) {
    array.locks.push_back({t, static_cast<std::uint8_t>(id), static_cast<std::uint8_t>(initial)});
  }
  void fifo(tile_id t, fifo_locks locks, unsigned depth) {
    lock(t, locks.free, depth);
    lock(t, locks.full, 0);
  }
  /// Buffers `name`0, `name`1, ... of `count` words from `offset` on, each at a multiple of 64 bytes from it.
  std::vector<std::string> buffers(tile_id t, const std::string& name, std::uint32_t offset, unsigned depth,
                                   std::uint32_t count) {
    std::vector<std::string> names;
    for (unsigned i = 0; i < depth; ++i) {
      names.push_back(name + std::to_string(i));
      buffer(t, names.back(), offset + i * ((4 * count + 63) / 64 * 64), count);
    }
    return names;
  }
  /// BDs from `first` on, one per buffer of `count` words, each followed by the next, the last by the first; a channel
  /// that receives takes `free` and gives `full`, one that sends the other way round.
  void ring(tile_id t, aie::dma_direction d, unsigned channel, unsigned first, const std::vector<std::string>& buffers,
            std::uint32_t count, fifo_locks locks, dma_bd shape = {}) {
    const bool receives = d == s2mm;
    for (unsigned i = 0; i < buffers.size(); ++i) {
      dma_bd bd = shape;
      bd.length = count;
      bd.use_next = true;
      bd.next_bd = static_cast<std::uint8_t>(first + (i + 1) % buffers.size());
      bd.acquire_enable = true;
      bd.acquire_lock = static_cast<std::uint8_t>(receives ? locks.free : locks.full);
      bd.acquire_value = -1;
      bd.release_lock = static_cast<std::uint8_t>(receives ? locks.full : locks.free);
      bd.release_value = 1;
      array.transfers.push_back({t, static_cast<std::uint8_t>(first + i), buffers[i], bd});
    }
    array.starts.push_back({t, d, static_cast<std::uint8_t>(channel), {.bd = static_cast<std::uint8_t>(first)}});
  }
  void flow(tile_id from, aie::port out, tile_id to, aie::port in) { array.flows.push_back({{from, out}, {to, in}}); }
  void packets(tile_id from, aie::port out, tile_id to, aie::port in, std::uint8_t id, bool drop) {
    array.packet_flows.push_back({{from, out}, {to, in}, id, drop});
  }
  void program(tile_id t, const std::string& source) {
    const auto assembled = assembler::assemble(source, "design");
    if (!assembled) FAIL(to_string(assembled.error().front()) << "\n" << source);
    const auto elf = assembler::to_elf(*assembled);
    REQUIRE(elf.has_value());
    const auto bytes = std::as_bytes(std::span(*elf));
    array.programs.push_back({t, {bytes.begin(), bytes.end()}});
  }

  /// All register writes in the order of a PDI, as the firmware's loader gets them.
  std::vector<config::register_write> writes() const {
    auto parts = config::to_register_writes(array);
    std::vector<config::register_write> all;
    for (auto* part : {&parts.elfs, &parts.init, &parts.enable}) all.insert(all.end(), part->begin(), part->end());
    return all;
  }
  pdi_builder pdi() const {
    pdi_builder p;
    for (const auto& w : writes()) {
      const auto at = aie::unpack_address(w.address);
      if (w.how == config::register_write::form::block) p.block(at.tile, at.offset, w.data);
      if (w.how == config::register_write::form::word) p.write(at.tile, at.offset, w.value);
      if (w.how == config::register_write::form::mask) p.append({0x00030102, w.address, w.mask, w.value});
    }
    return p;
  }

  config::array_description array;
};

/// One transfer of a shim in control code, as mlir-aie's dma_memcpy_nd and tasks become operations.
struct shim_transfer {
  aie::dma_direction direction = mm2s;
  unsigned argument = 0;     ///< host buffer
  std::uint32_t count = 0;   ///< words
  std::uint32_t offset = 0;  ///< bytes
  unsigned bd = 0;
  unsigned channel = 0;
  std::uint8_t column = 0;
  bool token = true;
  unsigned repeat = 1;
  dma_bd shape = {};  ///< dimensions, iteration, packet
};

inline void add(code_builder& code, const shim_transfer& t) {
  const tile_id at{t.column, 0};
  const auto reg = [&](std::uint32_t offset) { return aie::pack_address({at, offset}); };
  const std::uint32_t bd = aie::bd_offset(aie::tile_kind::shim, t.bd);
  dma_bd words_of_bd = t.shape;
  words_of_bd.length = t.count;
  code.block(reg(bd), bd_words(aie::tile_kind::shim, words_of_bd)).patch(reg(bd + 4), t.argument, t.offset);
  code.mask_write(reg(aie::dma_ctrl_offset(aie::tile_kind::shim, t.direction, t.channel)), 15u << 8, 0x1F00);
  code.write(reg(aie::dma_queue_offset(aie::tile_kind::shim, t.direction, t.channel)),
             aie::pack_task({static_cast<std::uint8_t>(t.bd), static_cast<std::uint16_t>(t.repeat), t.token}));
}

inline void wait(code_builder& code, const shim_transfer& t) {
  code.sync({t.column, 0}, t.direction == mm2s ? 1 : 0, t.channel);
}

/// In and out by shim (0,0), each by one task; waits for what comes out.
inline code_builder in_and_out(std::uint32_t count_in, std::uint32_t count_out) {
  code_builder code;
  const shim_transfer out{.direction = s2mm, .argument = 1, .count = count_out, .bd = 1, .shape = {}};
  add(code, {.argument = 0, .count = count_in, .token = false, .shape = {}});
  add(code, out);
  wait(code, out);
  return code;
}

/// Takes `count` words from the design, which have no input, by S2MM 0 of that column's shim into bo`argument`.
inline code_builder out_only(std::uint32_t count, unsigned argument = 0, std::uint8_t column = 0) {
  code_builder code;
  const shim_transfer out{
      .direction = s2mm, .argument = argument, .count = count, .bd = 1, .column = column, .shape = {}};
  add(code, out);
  wait(code, out);
  return code;
}

/// All input first: when the last word of it has left the host, the output is asked for.
inline code_builder in_then_out(std::uint32_t count_in, std::uint32_t count_out, std::uint8_t column = 0) {
  code_builder code;
  const shim_transfer in{.count = count_in, .column = column, .shape = {}};
  const shim_transfer out{.direction = s2mm, .argument = 1, .count = count_out, .bd = 1, .column = column, .shape = {}};
  add(code, in);
  wait(code, in);
  add(code, out);
  wait(code, out);
  return code;
}

/// A context that has the design, and host buffers bo0, bo1, ...
class device_run {
 public:
  explicit device_run(const device_design& design) : device_run(design.pdi(), design.array.columns) {}
  device_run(const pdi_builder& pdi, std::uint8_t columns) : context_(npu.create_context(columns).value()) {
    add_unit(0, pdi);
  }
  void add_unit(std::uint32_t cu, const pdi_builder& pdi) {
    const auto problem = npu.configure_cu(context_, cu, pdi.build());
    INFO(problem);
    REQUIRE(problem.empty());
  }
  /// The next host buffer.
  words& add_buffer(std::size_t count) {
    const std::uint64_t address = 0x10000000 * (addresses_.size() + 1);
    addresses_.push_back(address);
    return host.add(address, count);
  }
  /// An argument that is not given is 0.
  void add_missing() { addresses_.push_back(0); }
  words& add_buffer(const words& contents) { return add_buffer(contents.size()) = contents; }

  command_result execute(const code_builder& code, std::uint32_t cu = 0) {
    const auto bytes = code.build();
    return npu.execute(context_, {.cu = cu, .control_code = bytes, .arguments = addresses_});
  }
  void run(const code_builder& code, std::uint32_t cu = 0) {
    const auto result = execute(code, cu);
    INFO(result.report);
    REQUIRE(result.outcome == command_outcome::completed);
    CHECK(result.notes.empty());
  }

  host_memory host;
  emu::npu npu{host};

 private:
  context_id context_;
  std::vector<std::uint64_t> addresses_;
};

inline words added(words values, std::uint32_t addend) {
  for (std::uint32_t& v : values) v += addend;
  return values;
}

/// A core that adds `addend` to what its S2MM 0 gets and sends it off by MM2S 0, 16 words at a time, in two buffers in
/// and two out.
inline void put_adder(device_design& d, tile_id t, int addend) {
  for (unsigned i = 0; i < 2; ++i) {
    d.buffer(t, "in" + std::to_string(i), 0x400 + 0x40 * i, 16);
    d.buffer(t, "out" + std::to_string(i), 0x1000 + 0x40 * i, 16);
  }
  d.fifo(t, {0, 1}, 2);
  d.fifo(t, {2, 3}, 2);
  d.ring(t, s2mm, 0, 0, {"in0", "in1"}, 16, {0, 1});
  d.ring(t, mm2s, 0, 2, {"out0", "out1"}, 16, {2, 3});
  d.program(t, add_in_turn(addend, {0, 1}, {2, 3}, {{0x70400, 0x71000}, {0x70440, 0x71040}}));
}

/// Core (0,2) between shim MM2S 0 and S2MM 0.
inline device_design add_by_one_core(int addend) {
  device_design d;
  put_adder(d, core2, addend);
  d.flow(shim, {bundle::dma, 0}, core2, {bundle::dma, 0});
  d.flow(core2, {bundle::dma, 0}, shim, {bundle::dma, 0});
  return d;
}

}  // namespace npurt::emu::testing
