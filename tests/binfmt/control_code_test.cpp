// SPDX-License-Identifier: Apache-2.0
// The control-code reader; layouts of versions 0.1 (mlir-aie) and 1.0 (aiebu) written out by hand.
#include <catch2/catch_test_macros.hpp>

#include "binfmt/control_code.hpp"
#include "binfmt/damage.hpp"
#include "binfmt/little_endian.hpp"

using namespace npurt;
using namespace npurt::binfmt;

namespace {

using words = std::vector<std::uint32_t>;

std::vector<std::byte> stream_of(std::uint32_t first_word, std::uint32_t count, words operations) {
  const auto bytes = static_cast<std::uint32_t>(16 + 4 * operations.size());
  const std::uint32_t header[]{first_word, 0x00000104, count, bytes};
  operations.insert(operations.begin(), std::begin(header), std::end(header));
  return bytes_of(operations);
}
std::vector<std::byte> v0_1(std::uint32_t count, const words& operations) {
  return stream_of(0x06030100, count, operations);
}
std::vector<std::byte> v1_0(std::uint32_t count, const words& operations) {
  return stream_of(0x06030001, count, operations);
}

const auto reader = [](std::span<const std::byte> bytes) { return read_control_code(bytes); };

// BLOCKWRITE of a shim BD, patch of its address, queue push, wait: one transfer as mlir-aie writes it.
const words transfer{1,    0,  0x1D000, 48, 1024,       0,  0,       0,  0x80000000, 0x02000000, 0,   0x02000000,
                     0x81, 48, 0,       0,  0,          0,  0x1D004, 0,  2,          0,          256, 0,
                     0,    0,  0x1D204, 0,  0x80000000, 24, 0x80,    16, 0x00000000, 0x00010100};

}  // namespace

TEST_CASE("a transfer in form 0.1 is decoded", "[binfmt][control_code]") {
  const control_code code = read_control_code(v0_1(4, transfer));
  CHECK(code.major == 0);
  CHECK(code.minor == 1);
  CHECK(code.generation == 3);
  CHECK(code.rows == 6);
  CHECK(code.columns == 4);
  CHECK(code.memtile_rows == 1);
  REQUIRE(code.operations.size() == 4);

  const control_operation& block = code.operations[0];
  CHECK(block.op == control_op::block_write);
  CHECK(block.offset == 16);
  CHECK(block.address == 0x1D000);
  CHECK(block.data == words{1024, 0, 0, 0, 0x80000000, 0x02000000, 0, 0x02000000});

  const control_operation& patch = code.operations[1];
  CHECK(patch.op == control_op::ddr_patch);
  CHECK(patch.offset == 64);
  CHECK(patch.address == 0x1D004);
  CHECK(patch.argument == 2);
  CHECK(patch.argument_offset == 256);

  CHECK(code.operations[2].op == control_op::write);
  CHECK(code.operations[2].address == 0x1D204);
  CHECK(code.operations[2].value == 0x80000000);

  const tct_sync_operands& sync = code.operations[3].sync;
  CHECK(code.operations[3].op == control_op::tct_sync);
  CHECK((sync.direction == 0 && sync.col == 0 && sync.row == 0 && sync.columns == 1 && sync.rows == 1 &&
         sync.channel == 0));
}

TEST_CASE("sync operands lie in their own bytes", "[binfmt][control_code]") {
  const control_code code = read_control_code(v0_1(1, {0x80, 16, 0x00030201, 0x05040600}));
  const tct_sync_operands& sync = code.operations[0].sync;
  CHECK((sync.direction == 1 && sync.row == 2 && sync.col == 3));
  CHECK((sync.rows == 6 && sync.columns == 4 && sync.channel == 5));
}

TEST_CASE("MASKWRITE is 28 or 32 bytes long in form 0.1, value before mask", "[binfmt][control_code]") {
  for (const words& w : {words{3, 0, 0x1D200, 0, 0xF00, 0x1F00, 28}, words{3, 0, 0x1D200, 0, 0xF00, 0x1F00, 32, 0}}) {
    const control_code code = read_control_code(v0_1(1, w));
    CHECK(code.operations[0].address == 0x1D200);
    CHECK(code.operations[0].value == 0xF00);
    CHECK(code.operations[0].mask == 0x1F00);
  }
}

TEST_CASE("the rare operations of form 0.1 are decoded", "[binfmt][control_code]") {
  const control_code code = read_control_code(v0_1(7, {4,          0,    0x32004, 0,    1, 2, 32, 0,  // MASKPOLL
                                                       5,                                             // NOOP
                                                       0x00000306,                                    // PREEMPT level 3
                                                       7,          0,    0x32004, 0,    3, 4, 32, 0,  // MASKPOLL_BUSY
                                                       0x00050008, 4096, 0x10,    0x2,                // LOADPDI 5
                                                       0x82,       16,   0xAA,    0xBB,               // READ_REGS
                                                       0x83,       12,   0xCC}));                     // RECORD_TIMER
  REQUIRE(code.operations.size() == 7);
  CHECK(code.operations[0].op == control_op::mask_poll);
  CHECK(code.operations[0].mask == 2);
  CHECK(code.operations[1].op == control_op::noop);
  CHECK(code.operations[2].id == 3);
  CHECK(code.operations[3].op == control_op::mask_poll_busy);
  CHECK(code.operations[4].id == 5);
  CHECK(code.operations[4].pdi_size == 4096);
  CHECK(code.operations[4].pdi_address == 0x200000010);
  CHECK(code.operations[5].data == words{0xAA, 0xBB});
  CHECK(code.operations[6].data == words{0xCC});
}

TEST_CASE("operations for parameters of the host and for preemption are decoded in both forms",
          "[binfmt][control_code]") {
  // As aie-rt's xaie_txn.h lays them out; the same structures serve both forms.
  const words ops{0x00000C09, 77,                 // LOAD_PM_START: 12 operations, program 77
                  0x0000000A, 128, 0x10,    0x2,  // CREATE_SCRATCHPAD: 128 bytes at 0x200000010
                  0x0002050B, 3,                  // UPDATE_STATE_TABLE: entry 5 less 3
                  0x0000070C, 4,   0x1D004,       // UPDATE_REG: entry 7 times 4
                  0x0000000D,                     // UPDATE_SCRATCH
                  0x84,       12,  0x0304};       // MERGE_SYNC: 4 tokens of 3 columns
  for (const control_code& code : {read_control_code(v0_1(6, ops)), read_control_code(v1_0(6, ops))}) {
    REQUIRE(code.operations.size() == 6);
    CHECK(code.operations[0].op == control_op::load_pm_start);
    CHECK(code.operations[0].value == 12);
    CHECK(code.operations[0].id == 77);
    CHECK(code.operations[1].op == control_op::create_scratchpad);
    CHECK(code.operations[1].value == 128);
    CHECK(code.operations[1].address == 0x200000010);
    CHECK(code.operations[2].op == control_op::update_state_table);
    CHECK(code.operations[2].id == 5);
    CHECK(code.operations[2].function == state_function::decrease);
    CHECK(code.operations[2].value == 3);
    CHECK(code.operations[3].op == control_op::update_reg);
    CHECK(code.operations[3].id == 7);
    CHECK(code.operations[3].function == state_function::multiply);
    CHECK(code.operations[3].value == 4);
    CHECK(code.operations[3].address == 0x1D004);
    CHECK(code.operations[4].op == control_op::update_scratch);
    CHECK(code.operations[5].op == control_op::merge_sync);
    CHECK(code.operations[5].tokens == 4);
    CHECK(code.operations[5].columns == 3);
  }
  CHECK(test::refused(reader, v0_1(1, {0x0003000B, 0})));  // no such function
  CHECK(test::refused(reader, v0_1(1, {0x84, 8})));        // no operands
}

TEST_CASE("bytes beside the opcode may hold garbage", "[binfmt][control_code]") {
  const control_code code = read_control_code(v0_1(1, {0xABCDEF00, 0x12345678, 0x1D204, 0, 7, 24}));
  CHECK(code.operations[0].op == control_op::write);
  CHECK(code.operations[0].value == 7);
}

TEST_CASE("form 1.0 is decoded", "[binfmt][control_code]") {
  const control_code code = read_control_code(v1_0(6, {0,    0x1D204, 7,                              // WRITE
                                                       3,    0x1D200, 0xF00,   0x1F00,                // MASKWRITE
                                                       4,    0x32004, 1,       2,                     // MASKPOLL
                                                       1,    0x1D000, 20,      8,          9,         // BLOCKWRITE
                                                       0x80, 16,      1,       0x01010100,            // TCT
                                                       0x81, 24,      0x1D004, 3,          64, 0}));  // DDR_PATCH
  REQUIRE(code.operations.size() == 6);
  CHECK(code.operations[0].address == 0x1D204);
  CHECK(code.operations[0].value == 7);
  CHECK(code.operations[1].value == 0xF00);
  CHECK(code.operations[1].mask == 0x1F00);
  CHECK(code.operations[2].mask == 2);
  CHECK(code.operations[3].data == words{8, 9});
  CHECK(code.operations[4].sync.direction == 1);
  CHECK(code.operations[4].sync.channel == 1);
  CHECK(code.operations[5].address == 0x1D004);
  CHECK(code.operations[5].argument == 3);
  CHECK(code.operations[5].argument_offset == 64);
}

TEST_CASE("an unknown operation is refused with its offset", "[binfmt][control_code]") {
  for (const std::uint32_t op : {2U, 14U, 15U, 0x7FU, 0x85U, 0xFFU}) {
    try {
      read_control_code(v0_1(2, {5, op}));
      FAIL("accepted operation " << op);
    } catch (const format_error& e) {
      CHECK(e.offset() == 20);
      const bool named = std::string(e.what()).find(op == 2 ? "block set" : "CONFIG_SHIMDMA") != std::string::npos;
      CHECK(named == (op < 16));
    }
  }
}

TEST_CASE("malformed control code is refused", "[binfmt][control_code]") {
  CHECK(test::refused(reader, stream_of(0x06030200, 0, {})));                // version 0.2
  CHECK(test::refused(reader, v0_1(2, {5})));                                // one operation too few
  CHECK(test::refused(reader, v0_1(1, {5, 5})));                             // one too many
  CHECK(test::refused(reader, v0_1(1, {0, 0, 0x1D204, 0, 7, 20})));          // WRITE smaller than it is
  CHECK(test::refused(reader, v0_1(1, {0, 0, 0x1D204, 0, 7, 26})));          // not a whole number of words
  CHECK(test::refused(reader, v0_1(1, {0, 0, 0x1D204, 0, 7, 0xFFFFFFFC})));  // larger than the stream
  CHECK(test::refused(reader, v0_1(1, {1, 0, 0x1D000, 12})));                // BLOCKWRITE smaller than its header
  CHECK(test::refused(reader, v0_1(1, {0x80, 16, 2, 0x00010100})));          // direction 2
  CHECK(test::refused(reader, v0_1(1, {0x81, 48, 0, 0, 1, 0, 4, 0, 0, 0, 0, 0})));    // patch action 1
  CHECK(test::refused(reader, v0_1(1, {0x81, 48, 0, 0, 0, 0, 4, 0, 256, 0, 0, 0})));  // argument 256
}

TEST_CASE("every truncated stream is refused, and bytes after it are ignored", "[binfmt][control_code]") {
  std::vector<std::byte> stream = v0_1(4, transfer);
  CHECK(test::accepted_prefixes(reader, stream) == 0);
  stream.resize(stream.size() + 64, std::byte{0xFF});
  CHECK_FALSE(test::refused(reader, stream));
}

TEST_CASE("damaged streams give nothing but format errors", "[binfmt][control_code]") {
  CHECK(test::refused_mutations(reader, v0_1(4, transfer), 5000) > 0);
}

TEST_CASE("padding that AMD's writers leave in a patch is ignored", "[binfmt][control_code]") {
  // Of the df_bw_phx.elf in xdna-driver: op_base's 8 bytes are never set, nor are the 4 between action and register.
  const control_code code =
      read_control_code(v0_1(1, {0x81, 48, 0x505BF0C0, 0x7FFE, 0, 0x1F2, 0x1D024, 0, 2, 0, 0x08000000, 0}));
  REQUIRE(code.operations.size() == 1);
  CHECK(code.operations[0].address == 0x1D024);
  CHECK(code.operations[0].argument == 2);
  CHECK(code.operations[0].argument_offset == 0x08000000);
}

TEST_CASE("a DPU sequence is decoded with and without a prolog", "[binfmt][control_code]") {
  // A parameter of core (0,2), the output's BD 1 in buffer 1, a push with a token, the wait: as Riallto writes them.
  const words operations{0x02000200, 0x2C10, 7, 0x06000111, 0,          0xE1000, 0x40,       0,          0,
                         0x80000000, 0,      0, 0x02000000, 0x02000000, 0x1D204, 0x80000001, 0x03000000, 0x00010100};
  words with_prolog{17, 0x01000405, 0x01000100};
  with_prolog.resize(17, 0x55FF);
  with_prolog.insert(with_prolog.end(), operations.begin(), operations.end());
  const control_code plain = read_dpu_sequence(bytes_of(operations)), code = read_dpu_sequence(bytes_of(with_prolog));
  REQUIRE(plain.operations.size() == 5);
  REQUIRE(code.operations.size() == 5);
  CHECK(code.operations[0].op == control_op::write);
  CHECK(code.operations[0].offset == 68);
  CHECK(code.operations[0].address == 0x00202C10);
  CHECK(code.operations[0].value == 7);
  CHECK(code.operations[1].op == control_op::block_write);
  CHECK(code.operations[1].address == 0x1D020);
  CHECK(code.operations[1].data == words{0xE1000, 0x40, 0, 0, 0x80000000, 0, 0, 0x02000000});
  CHECK(code.operations[2].op == control_op::ddr_patch);
  CHECK(code.operations[2].address == 0x1D024);
  CHECK(code.operations[2].argument == 1);
  CHECK(code.operations[2].argument_offset == 0x40);
  CHECK(code.operations[3].address == 0x1D204);
  CHECK(code.operations[3].value == 0x80000001);
  CHECK(code.operations[4].op == control_op::tct_sync);
  CHECK(code.operations[4].sync.direction == 0);
  CHECK(code.operations[4].sync.columns == 1);
  CHECK(code.operations[4].sync.rows == 1);
}

TEST_CASE("a DPU sequence writes BDs of all kinds and polls", "[binfmt][control_code]") {
  const auto one = [](const words& sequence) {
    const control_code code = read_dpu_sequence(bytes_of(sequence));
    REQUIRE_FALSE(code.operations.empty());
    return code.operations;
  };
  const auto shim = one({0x0B010013, 0x20000, 0x100, 0x40000001, 0, 0xC0000000, 0x02000000, 0, 0x02000000});
  CHECK(shim[0].address == (1u << 25 | 0x1D060));
  CHECK(shim[1].argument == 1);
  CHECK(shim[1].argument_offset == 0x1'0000'0100);
  const auto memtile = one({0x0C03011F, 1, 2, 3, 4, 5, 6, 7, 8});
  CHECK(memtile[0].address == (3u << 25 | 1u << 20 | (0xA0000 + 31 * 0x20)));
  CHECK(memtile[0].data == words{1, 2, 3, 4, 5, 6, 7, 8});
  const auto core = one({0x01000405, 1, 2, 3, 4, 5, 6, 0});  // and a noop
  CHECK(core[0].address == (4u << 20 | 0x1D0A0));
  CHECK(core[0].data.size() == 6);
  CHECK(core[1].op == control_op::noop);
  // Two columns, the second 0x1000 further in the buffer.
  const auto row = one({0x06010220, 0x1000, 64, 0x80, 0, 0, 0, 0, 0, 0});
  REQUIRE(row.size() == 4);
  CHECK(row[2].address == (2u << 25 | 0x1D000));
  CHECK(row[3].argument == 2);
  CHECK(row[3].argument_offset == 0x1080);
  const auto poll = one({0x0F040000, 0x1D220, 0x02000000, 0xFFFFFFFF});
  CHECK(poll[0].op == control_op::mask_poll);
  CHECK(poll[0].address == (4ull << 25 | 0x1D220));
  CHECK(poll[0].mask == 0xFFFFFFFF);
}

TEST_CASE("a malformed DPU sequence is refused", "[binfmt][control_code]") {
  const auto sequence = [](std::span<const std::byte> bytes) { return read_dpu_sequence(bytes); };
  CHECK(test::refused(sequence, bytes_of(words{})));
  CHECK(test::refused(sequence, bytes_of(words{17, 0, 0})));                               // shorter than its prolog
  CHECK(test::refused(sequence, bytes_of(words{0x02000200, 0x2C10})));                     // half a write
  CHECK(test::refused(sequence, bytes_of(words{0x03000002, 0x00010100})));                 // direction 2
  CHECK(test::refused(sequence, bytes_of(words{0x05000000, 0, 0})));                       // layout unknown
  CHECK(test::refused(sequence, bytes_of(words{0x13000000})));                             // no such operation
  CHECK(test::refused(sequence, bytes_of(words{0x0C000130, 0, 0, 0, 0, 0, 0, 0, 0})));     // BD 48 of a memtile
  CHECK(test::refused(sequence, bytes_of(words{0x06000000, 0, 0, 0, 0, 0, 0, 0, 0, 0})));  // of no column
  CHECK(test::refused(sequence, bytes_of(words{0x06000600, 0, 0, 0, 0, 0, 0, 0, 0, 0})));  // of six
}
