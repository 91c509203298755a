// SPDX-License-Identifier: Apache-2.0
// Reads DPU sequences. Layouts: the operation tables of aiebu (aie2_blob_preprocessor_input.h and its specification of
// the ISA), the sequences of Riallto and of RyzenAI-SW (whose text form names each field), mlir-aie's until early 2024.
#include <string>

#include "binfmt/byte_view.hpp"
#include "binfmt/control_code.hpp"

namespace npurt::binfmt {

namespace {

enum class dpu_op : std::uint8_t {
  noop = 0,
  write_bd = 1,
  write32 = 2,
  sync = 3,
  write_bd_extend_shimtile = 6,
  write_shim_bd = 11,
  write_mem_bd = 12,
  read32 = 14,
  read32_poll = 15,
  record_timestamp = 16,
};

/// The words before the first operation that mlir-aie and Riallto write; the first of them counts them.
constexpr std::uint32_t prolog_words = 17;

constexpr std::uint64_t bd_registers = 0x1D000, memtile_bd_registers = 0xA0000;
constexpr std::size_t bd_words = 8, core_bd_words = 6;
constexpr unsigned array_columns = 5;
constexpr unsigned shim_bds = 16, core_bds = 16, memtile_bds = 48;

std::string name_of_unknown(unsigned code) {
  switch (code) {
    case 4:
      return " (WRITEBD_EXTEND_AIETILE)";
    case 5:
      return " (WRITE32_EXTEND_GENERAL)";
    case 7:
      return " (WRITEBD_EXTEND_MEMTILE)";
    case 8:
      return " (WRITE32_EXTEND_DIFFBD)";
    case 9:
      return " (WRITEBD_EXTEND_SAMEBD_MEMTILE)";
    case 10:
      return " (DUMPDDR, of simulations)";
    case 13:
      return " (WRITE32_RTP)";
    case 17:
      return " (MERGESYNC)";
    case 18:
      return " (DUMP_REGISTER)";
    default:
      return "";
  }
}

/// One operation after the other, as operations of transactions.
class sequence_reader {
 public:
  sequence_reader(const byte_view& stream, std::vector<control_operation>& out) : stream_(stream), out_(out) {}

  /// @return bytes of the operation at `at`
  std::size_t read(std::size_t at) {
    at_ = at;
    switch (static_cast<dpu_op>(stream_.u8(at + 3))) {
      case dpu_op::noop:
        return add(control_op::noop, 4);
      case dpu_op::write_bd:
        return row() == 0 ? shim_bd(0, 1) : tile_bd();
      case dpu_op::write32: {
        const std::size_t size = add(control_op::write, 12);
        out_.back().address = register_at(col(), word(1));
        out_.back().value = word(2);
        return size;
      }
      case dpu_op::sync:
        return sync();
      case dpu_op::write_bd_extend_shimtile:
        return shim_bd(4, field(1));
      case dpu_op::write_shim_bd:
        return shim_bd(0, 1);
      case dpu_op::write_mem_bd:
        return tile_bd();
      case dpu_op::read32:
        return add(control_op::read_regs, 8);
      case dpu_op::read32_poll: {
        const std::size_t size = add(control_op::mask_poll, 16);
        out_.back().address = register_at(col(), word(1));
        out_.back().value = word(2);
        out_.back().mask = 0xFFFFFFFF;
        return size;
      }
      case dpu_op::record_timestamp:
        return add(control_op::record_timer, 4);
    }
    const unsigned code = stream_.u8(at + 3);
    stream_.fail("operation " + std::to_string(code) + name_of_unknown(code) + " is unknown", at);
  }

 private:
  std::uint32_t word(std::size_t index) const { return stream_.u32(at_ + 4 * index); }
  /// The opcode word's bytes: 0 BD, direction, ...; 1 row; 2 column.
  std::uint8_t field(std::size_t index) const { return stream_.u8(at_ + index); }
  unsigned col() const { return field(2); }
  unsigned row() const { return field(1); }
  std::uint64_t register_at(std::uint64_t column, std::uint64_t offset) const {
    return column << 25 | std::uint64_t{row()} << 20 | offset;
  }

  std::size_t add(control_op op, std::size_t size) {
    stream_.slice(at_, size);
    out_.push_back({.op = op, .offset = at_, .size = size, .sync = {}, .data = {}});
    return size;
  }

  std::size_t sync() {
    const std::size_t size = add(control_op::tct_sync, 8);
    out_.back().sync = {.direction = field(0),
                        .col = field(2),
                        .row = field(1),
                        .columns = stream_.u8(at_ + 6),
                        .rows = stream_.u8(at_ + 5),
                        .channel = stream_.u8(at_ + 7)};
    if (field(0) > 1) stream_.fail("sync of direction " + std::to_string(field(0)), at_);
    return size;
  }

  void check_bd(unsigned bd, unsigned bds) const {
    if (bd >= bds) stream_.fail("writes BD " + std::to_string(bd) + " of " + std::to_string(bds), at_);
  }

  /// The same BD of shims in a row, `extra` bytes before its words: the step from one's host address to the next one's.
  /// The words hold an offset in the host buffer, to which the firmware adds the buffer's address.
  std::size_t shim_bd(std::size_t extra, unsigned columns) {
    const unsigned bd = field(0) & 0xF, buffer = field(0) >> 4;
    const std::uint64_t step = extra == 0 ? 0 : word(1);
    const std::size_t size = 4 + extra + 4 * bd_words;
    const std::vector<std::uint32_t> words = words_of(stream_.slice(at_ + 4 + extra, 4 * bd_words));
    check_bd(bd, shim_bds);
    if (columns == 0 || columns > array_columns) {
      stream_.fail("writes the BD of " + std::to_string(columns) + " columns", at_);
    }
    for (unsigned i = 0; i < columns; ++i) {
      const std::uint64_t address = std::uint64_t{col() + i} << 25 | (bd_registers + 0x20 * bd);
      add(control_op::block_write, size);
      out_.back().address = address;
      out_.back().data = words;
      add(control_op::ddr_patch, size);
      out_.back().address = address + 4;
      out_.back().argument = buffer;
      out_.back().argument_offset = (words[1] | std::uint64_t{words[2] & 0xFFFF} << 32) + i * step;
    }
    return size;
  }

  std::size_t tile_bd() {
    const bool is_memtile = row() == 1;
    if (row() == 0) stream_.fail("BD of a memtile in row 0", at_);
    check_bd(field(0), is_memtile ? memtile_bds : core_bds);
    const std::size_t words = is_memtile ? bd_words : core_bd_words;
    const std::size_t size = add(control_op::block_write, 4 + 4 * words);
    out_.back().address = register_at(col(), (is_memtile ? memtile_bd_registers : bd_registers) + 0x20 * field(0));
    out_.back().data = words_of(stream_.slice(at_ + 4, 4 * words));
    return size;
  }

  const byte_view& stream_;
  std::vector<control_operation>& out_;
  std::size_t at_ = 0;
};

}  // namespace

control_code read_dpu_sequence(std::span<const std::byte> bytes) {
  const byte_view stream(bytes, "DPU sequence");
  control_code code{.bytes = static_cast<std::uint32_t>(bytes.size()), .operations = {}};
  sequence_reader reader(stream, code.operations);
  std::size_t at = stream.u32(0) == prolog_words ? 4 * prolog_words : 0;
  stream.slice(0, at);
  while (at < bytes.size()) at += reader.read(at);
  return code;
}

}  // namespace npurt::binfmt
