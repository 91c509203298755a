// SPDX-License-Identifier: Apache-2.0
// Latencies, units and memory order: the shortest distances that straight code is given, against hand-written figures
// (aie2/README.md, "The exposed pipeline"), and that the core agrees that one bundle less would be wrong.
#include <catch2/generators/catch_generators.hpp>

#include "codegen/bench.hpp"
#include "codegen/dependence.hpp"
#include "codegen/layout.hpp"
#include "codegen/reservation.hpp"
#include "codegen/schedule.hpp"

using namespace npurt;
using namespace npurt::codegen;

namespace {

isa::decoded_instruction instruction(std::string_view row, const std::vector<std::string_view>& operands) {
  isa::decoded_instruction insn{.row = isa::find_instruction(row)};
  REQUIRE(insn.row != nullptr);
  std::size_t given = 0;
  for (std::size_t i = 0; i < insn.row->operands.size(); ++i) {
    if (insn.row->operands[i].tied < 0 && insn.row->operands[i].kind == isa::operand_kind::reg) {
      insn.values[i] = *isa::find_register(operands.at(given++));
    }
  }
  isa::complete(insn);
  return insn;
}

/// Bundles that the second must wait behind the first.
int distance(const placed& first, const placed& second) {
  int bundles = -16;
  for (int d = 15; d >= 0 && may_follow(first, second, d); --d) {
    bundles = d;
  }
  return bundles;
}
placed plain(isa::decoded_instruction insn, ordering order = ordering::none) {
  return {.cycle = 0, .insn = insn, .label = {}, .note = {}, .order = order, .alias = 1, .banks = 0};
}

}  // namespace

TEST_CASE("a result is read as many bundles later as its latency says", "[codegen][timing]") {
  struct row {
    std::string_view what, first;
    std::vector<std::string_view> first_operands;
    std::string_view second;
    std::vector<std::string_view> second_operands;
    int bundles;
  };
  const std::vector<row> rows{
      {"scalar", "ADD", {"r0", "r1", "r2"}, "ADD", {"r3", "r0", "r2"}, 1},
      {"multiply", "MUL_mul_r_rr", {"r0", "r1", "r2"}, "ADD", {"r3", "r0", "r2"}, 2},
      {"scalar load", "LDA_dms_lda_idx_imm", {"r0", "p0"}, "ADD", {"r3", "r0", "r2"}, 7},
      {"vector load lda", "VLDA_dmw_lda_w_ag_idx_imm", {"wl0", "p0"}, "VADD_32", {"x1", "x0", "x2"}, 7},
      {"vector load ldb", "VLDB_dmw_ldb_ag_idx_imm", {"wl0", "p0"}, "VADD_32", {"x1", "x0", "x2"}, 7},
      {"load of an accumulator, for vmac",
       "VLDA_dmw_lda_am_ag_idx_imm",
       {"amll0", "p0"},
       "VMAC_vmac_cm_core_dense",
       {"cm1", "cm0", "x0", "x1", "r0"},
       5},
      {"vector to vector, forwarded", "VADD_32", {"x0", "x1", "x2"}, "VADD_32", {"x3", "x0", "x2"}, 1},
      {"vector to store, not forwarded", "VADD_32", {"x0", "x1", "x2"}, "VST_dmw_sts_w_ag_idx_imm", {"wl0", "p0"}, 2},
      {"vmac to vmac, forwarded",
       "VMAC_vmac_cm_core_dense",
       {"cm0", "cm1", "x0", "x1", "r0"},
       "VMAC_vmac_cm_core_dense",
       {"cm2", "cm0", "x0", "x1", "r0"},
       2},
      {"vmac to store",
       "VMAC_vmac_cm_core_dense",
       {"cm0", "cm1", "x0", "x1", "r0"},
       "VST_dmw_sts_am_ag_idx_imm",
       {"amll0", "p0"},
       5},
      {"vmac.f to vmac.f",
       "VMAC_F_vmac_bm_core_dense",
       {"bml0", "bml1", "x0", "x1", "r0"},
       "VMAC_F_vmac_bm_core_dense",
       {"bml2", "bml0", "x0", "x1", "r0"},
       4},
      {"vmac.f to store",
       "VMAC_F_vmac_bm_core_dense",
       {"bml0", "bml1", "x0", "x1", "r0"},
       "VST_dmw_sts_am_ag_idx_imm",
       {"amll0", "p0"},
       6},
      {"comparison to select", "VLT_S32", {"r16", "x0", "x1"}, "VSEL_32", {"x2", "x3", "x4", "r16"}, 2},
      {"srs to store", "VSRS_S16_S32_mv_w_srs", {"wl0", "bml0", "s0"}, "VST_dmw_sts_w_ag_idx_imm", {"wl0", "p0"}, 4},
      {"ups to vmac",
       "VUPS_S32_S8_mv_ups_w2c",
       {"cm0", "wl0", "s0"},
       "VMAC_vmac_cm_core_dense",
       {"cm1", "cm0", "x0", "x1", "r0"},
       1},
      {"post-increment to address",
       "VLDB_dmw_ldb_ag_pstm_nrm_imm",
       {"wl0", "p0"},
       "VLDA_dmw_lda_w_ag_idx_imm",
       {"wl1", "p0"},
       1},
  };
  for (const row& r : rows) {
    INFO(r.what);
    CHECK(distance(plain(instruction(r.first, r.first_operands)), plain(instruction(r.second, r.second_operands))) ==
          r.bundles);
  }
}

TEST_CASE("a register may be written again while its last reader is still to come by no more than the latency",
          "[codegen][timing]") {
  // Read at E1, written at E7: the load may even be issued six bundles before the reader.
  const operand_time load{7, 0}, reader{1, 0}, forwarded_write{2, 'M'}, forwarded_read{1, 'M'};
  CHECK(write_after_read(reader, load) == -6);
  CHECK(write_after_read(forwarded_read, forwarded_write) == 0);  // in the same cycle the read would see the new value
  CHECK(write_after_read(reader, forwarded_write) == -1);
  CHECK(write_after_write(load, operand_time{1, 0}) == 7);
}

TEST_CASE("stores and loads of one memory keep their order, and locks hold around them", "[codegen][timing]") {
  const auto store = plain(instruction("VST_dmw_sts_w_ag_idx_imm", {"wl0", "p0"}), ordering::store);
  const auto srs_store = plain(instruction("VST_SRS_S8_S32_ag_idx_imm", {"p0", "cm0", "s0"}), ordering::store);
  const auto load = plain(instruction("VLDB_dmw_ldb_ag_idx_imm", {"wl1", "p1"}), ordering::load);
  const auto release = plain(instruction("REL_mLockId_imm", {"r0"}), ordering::release);
  CHECK(distance(store, load) == 1);
  CHECK(distance(srs_store, load) == 3);
  CHECK(distance(load, store) == 0);
  CHECK(distance(store, release) == 4);
  auto elsewhere = load;
  elsewhere.alias = 2;
  CHECK(distance(store, elsewhere) <= 0);
  auto anywhere = load;
  anywhere.alias = 0;
  CHECK(distance(store, anywhere) == 1);
}

TEST_CASE("two claims of a unit never meet in a cycle", "[codegen][timing]") {
  // A load into r writes it at E7 through R_WA, a mova at E1: six bundles later they would meet.
  const auto load = plain(instruction("LDA_dms_lda_idx_imm", {"r0", "p0"}));
  const auto mova = plain(instruction("MOVA_lda_cg", {"r1"}));
  CHECK(may_follow(load, mova, 5));
  CHECK_FALSE(may_follow(load, mova, 6));
  CHECK(may_follow(load, mova, 7));
  // Lock operations hold the semaphore for four cycles.
  const auto release = plain(instruction("REL_mLockId_imm", {"r0"}), ordering::release);
  CHECK_FALSE(may_follow(release, release, 3));
  CHECK(may_follow(release, release, 4));
  // A part-word store keeps other accesses away for seven.
  const auto part_word = plain(instruction("ST_S8_ag_idx_imm", {"r2", "p2"}), ordering::store);
  auto other = plain(instruction("VLDB_dmw_ldb_ag_idx_imm", {"wl1", "p1"}), ordering::load);
  other.alias = 2;
  CHECK_FALSE(may_follow(part_word, other, 6));
  CHECK(may_follow(part_word, other, 7));
}

TEST_CASE("a reservation table that repeats sees a unit that is held longer than a turn", "[codegen][timing]") {
  const std::vector<resource_use> held{{3, 0, true}, {3, 1, true}, {3, 2, true}, {3, 3, true}};
  CHECK(collides_with_itself(held, 3));
  CHECK_FALSE(collides_with_itself(held, 4));
  reservation_table table(5);
  table.take(held, 12, 0);
  const std::vector<resource_use> one{{3, 0, true}}, keeps_away{{3, 0, false}};
  CHECK_FALSE(table.is_free(one, 0));
  CHECK(table.is_free(one, 1));
  CHECK_FALSE(table.is_free(keeps_away, -3));
  CHECK(table.in_the_way(one, 2) == std::vector<std::size_t>{0});
  table.release(held, 12, 0);
  CHECK(table.is_free(one, 0));
}

TEST_CASE("the bound of many recurrences through each other is that of the longest", "[codegen][timing]") {
  constexpr std::size_t count = 40;
  dependence_graph graph{.timings = std::vector<operation_timing>(count), .edges = {}};
  const std::vector<operation> ops(count);
  for (std::size_t from = 0; from < count; ++from) {
    for (std::size_t to = 0; to < count; ++to) {
      graph.edges.push_back({from, to, from == 3 && to == 4 ? 10 : 8, 1});  // 3, 4, 3: 18 cycles in two iterations
    }
  }
  CHECK(recurrence_bound(graph, ops).cycles == 9);
}

TEST_CASE("one bundle less than the distance reads the old value on the core", "[codegen][timing]") {
  const int between = GENERATE(5, 6);  // a load is read seven bundles later
  std::string text = "f:\n lda r2, [p0, #0]\n";
  for (int i = 0; i < between; ++i) {
    text += " nop\n";
  }
  test::kernel_bench bench(text + " add r3, r2, r1\n ret lr\n nop\n nop\n nop\n nop\n nop\n", true);
  bench.put(0x70000, std::vector<std::uint32_t>{36});
  bench.set("p0", 0x70000);
  bench.set("r1", 1);
  bench.set("r2", 100);
  bench.run();
  std::uint32_t sum = 0;
  std::memcpy(&sum, bench.core.reg("r3").data(), sizeof sum);
  CHECK(sum == (between == 5 ? 101 : 37));
}
