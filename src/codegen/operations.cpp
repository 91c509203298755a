// SPDX-License-Identifier: Apache-2.0
// Loads and stores in all their forms of addressing.
#include "codegen/operations.hpp"

#include <algorithm>
#include <array>

namespace npurt::codegen {
namespace {

constexpr std::int32_t register_bytes = 32;

/// Names of one access in the order of addressing::type.
using form_names = std::array<std::string_view, 5>;

constexpr form_names load_w_lda{"VLDA_dmw_lda_w_ag_idx_imm", "VLDA_dmw_lda_w_ag_pstm_nrm_imm",
                                "VLDA_dmw_lda_w_ag_pstm_nrm", "VLDA_2D_dmw_lda_w", "VLDA_3D_dmw_lda_w"};
constexpr form_names load_w_ldb{"VLDB_dmw_ldb_ag_idx_imm", "VLDB_dmw_ldb_ag_pstm_nrm_imm", "VLDB_dmw_ldb_ag_pstm_nrm",
                                "VLDB_2D", "VLDB_3D"};
constexpr form_names load_am{"VLDA_dmw_lda_am_ag_idx_imm", "VLDA_dmw_lda_am_ag_pstm_nrm_imm",
                             "VLDA_dmw_lda_am_ag_pstm_nrm", "VLDA_2D_dmw_lda_am", "VLDA_3D_dmw_lda_am"};
constexpr form_names store_w{"VST_dmw_sts_w_ag_idx_imm", "VST_dmw_sts_w_ag_pstm_nrm_imm", "VST_dmw_sts_w_ag_pstm_nrm",
                             "VST_2D_dmw_sts_w", "VST_3D_dmw_sts_w"};
constexpr form_names store_am{"VST_dmw_sts_am_ag_idx_imm", "VST_dmw_sts_am_ag_pstm_nrm_imm",
                              "VST_dmw_sts_am_ag_pstm_nrm", "VST_2D_dmw_sts_am", "VST_3D_dmw_sts_am"};
constexpr form_names load_conv{"VLDA_CONV_FP32_BF16_ag_idx_imm", "VLDA_CONV_FP32_BF16_pstm_nrm_imm",
                               "VLDA_CONV_FP32_BF16_pstm_nrm", "VLDA_2D_CONV_FP32_BF16", "VLDA_3D_CONV_FP32_BF16"};
constexpr form_names store_conv{"VST_CONV_BF16_FP32_ag_idx_imm", "VST_CONV_BF16_FP32_ag_pstm_nrm_imm",
                                "VST_CONV_BF16_FP32_ag_pstm_nrm", "VST_CONV_2D_BF16_FP32", "VST_CONV_3D_BF16_FP32"};
constexpr form_names store_srs_8{"VST_SRS_S8_S32_ag_idx_imm", "VST_SRS_S8_S32_ag_pstm_nrm_imm",
                                 "VST_SRS_S8_S32_ag_pstm_nrm", "VST_2D_SRS_S8_S32", "VST_3D_SRS_S8_S32"};
constexpr form_names load_ups_8{"VLDA_UPS_S32_D8_ag_idx_imm", "VLDA_UPS_S32_D8_ag_pstm_nrm_imm",
                                "VLDA_UPS_S32_D8_ag_pstm_nrm", "VLDA_2D_UPS_S32_D8", "VLDA_3D_UPS_S32_D8"};
constexpr form_names load_u8_names{"LDA_U8_ag_idx_imm", "LDA_U8_ag_pstm_nrm_imm", "LDA_U8_ag_pstm_nrm",
                                   "LDA_2D_U8_dmhb_lda", "LDA_3D_U8_dmhb_lda"};
constexpr form_names load_r{"LDA_dms_lda_idx_imm", "LDA_dms_lda_pstm_nrm_imm", "LDA_dms_lda_pstm_nrm", "LDA_2D_dms_lda",
                            "LDA_3D_dms_lda"};
constexpr form_names store_r{"ST_dms_sts_idx_imm", "ST_dms_sts_pstm_nrm_imm", "ST_dms_sts_pstm_nrm", "ST_2D_dms_sts",
                             "ST_3D_dms_sts"};

value_ref leaf(const value_ref& v, unsigned which) {
  return {v.owner, v.id, static_cast<std::uint8_t>(v.first_leaf + which), 1};
}

std::string address_text(const kernel& k, const pointer& p, const addressing& how) {
  switch (how.kind) {
    case addressing::type::indexed:
      return how.bytes == 0 ? std::format("[{}]", k.name_of(p)) : std::format("[{} + {}]", k.name_of(p), how.bytes);
    case addressing::type::post_immediate:
      return std::format("[{}], then + {}", k.name_of(p), how.bytes);
    default:
      return std::format("[{}], then on by {}", k.name_of(p), k.name_of(how.stride));
  }
}

/// The row's operands by their names; what is no part of the address is the data.
std::vector<operand> address_operands(const isa::instruction& row, const value_ref& data, const pointer& p,
                                      const addressing& how, const shift_amount* shift) {
  constexpr unsigned dc = 3, high_dc = 7;
  std::vector<operand> operands;
  for (const isa::operand& o : row.operands) {
    if (o.name == "ptr" || o.name == "ptr_out") {
      operands.push_back(use(p));
    } else if (o.name == "mod") {
      operands.push_back(use(how.stride));
    } else if (o.name == "count_out" || o.name == "count_lo_out") {
      operands.push_back(use(leaf(how.stride, dc)));
    } else if (o.name == "count_hi_out") {
      operands.push_back(use(leaf(how.stride, high_dc)));
    } else if (o.name == "imm") {
      operands.push_back(detail::immediate(how.bytes));
    } else if (o.name == "shft") {
      operands.push_back(use(*shift));
    } else {
      operands.push_back(use(data));
    }
  }
  return operands;
}

void access(kernel& k, std::initializer_list<const form_names*> forms, const value_ref& data, const pointer& p,
            const addressing& how, const shift_amount* shift = nullptr) {
  operation op;
  for (const form_names* names : forms) {
    op.ways.push_back(isa::find_instruction((*names)[static_cast<std::size_t>(how.kind)]));
  }
  op.operands = address_operands(*op.ways[0], data, p, how, shift);
  const bool is_load = op.ways[0]->load;
  op.note = is_load ? std::format("{} = {}", k.name_of(data), address_text(k, p, how))
                    : std::format("{} = {}", address_text(k, p, how), k.name_of(data));
  op.order = is_load ? ordering::load : ordering::store;
  op.alias = p.area.alias;
  op.banks = p.area.banks;
  op.yields = p.area.yields;
  k.emit(std::move(op));
}

bool is_accumulator(register_kind kind) {
  return kind == register_kind::am || kind == register_kind::bm || kind == register_kind::cm;
}

/// One access for each 256 bits; the one at the pointer itself last, because it may move it on.
template <typename One>
void each_register(const value_ref& data, const addressing& how, One one) {
  for (unsigned i = data.leaves; i-- > 0;) {
    const bool moves = i == 0 && how.kind != addressing::type::indexed;
    const std::int32_t base = how.kind == addressing::type::indexed ? how.bytes : 0;
    one(leaf(data, i), moves ? how : at(base + static_cast<std::int32_t>(i) * register_bytes));
  }
}

}  // namespace

void detail::emit(kernel& k, std::initializer_list<std::string_view> names, std::vector<operand> operands,
                  std::string note) {
  operation op{.ways = {}, .operands = std::move(operands), .note = std::move(note)};
  for (const auto name : names) {
    const isa::instruction* row = isa::find_instruction(name);
    if (row == nullptr) {
      throw operand_error(std::format("{}: there is no instruction {}", op.note, name));
    }
    op.ways.push_back(row);
  }
  k.emit(std::move(op));
}

void detail::load(kernel& k, const value_ref& target, pointer& p, const addressing& how) {
  each_register(target, how, [&](const value_ref& part, const addressing& part_how) {
    if (is_accumulator(k.kind_of(target))) {
      access(k, {&load_am}, part, p, part_how);
    } else {
      access(k, {&load_w_ldb, &load_w_lda}, part, p, part_how);  // lda has more that only it can do
    }
  });
}

void detail::store(kernel& k, const value_ref& source, pointer& p, const addressing& how) {
  each_register(source, how, [&](const value_ref& part, const addressing& part_how) {
    access(k, {is_accumulator(k.kind_of(source)) ? &store_am : &store_w}, part, p, part_how);
  });
}

void detail::converted(kernel& k, std::string_view name, const value_ref& data, pointer& p, const addressing& how,
                       const shift_amount* shift) {
  const form_names& names = name == "VLDA_CONV_FP32_BF16"  ? load_conv
                            : name == "VST_CONV_BF16_FP32" ? store_conv
                                                           : store_srs_8;
  access(k, {&names}, data, p, how, shift);
}

scalar load_i32(pointer& p, const addressing& how) {
  const auto v = kernel::typed<scalar>(p.owner->define(register_kind::r));
  access(*p.owner, {&load_r}, v, p, how);
  return v;
}

void store(pointer& p, const scalar& s, const addressing& how) { access(*p.owner, {&store_r}, s, p, how); }

void restart(const stride_2d& s, const scalar& count) {
  constexpr unsigned dc = 3;
  detail::emit(*count.owner, {"MOV_mv_scl"}, {use(leaf(s, dc)), use(count)},
               std::format("{} after {}", s.owner->name_of(s), s.owner->name_of(count)));
}

scalar load_u8(pointer& p, const addressing& how) {
  const auto v = kernel::typed<scalar>(p.owner->define(register_kind::r));
  access(*p.owner, {&load_u8_names}, v, p, how);
  return v;
}

shift_amount shift_here(kernel& k, std::int32_t amount) {
  return detail::result<shift_amount>(k, {"MOV_mv_cg", "MOVXM_lng_cg"}, {detail::immediate(amount)},
                                      std::format("shift {}", amount));
}

void set_bytes_signed(kernel& k, bool is_signed) {
  const operand reg{.kind = operand::type::physical, .reg = *isa::find_register("crUPSSign")};
  detail::emit(k, {"MOV_mv_cg"}, {reg, detail::immediate(is_signed)}, "crUPSSign");
}

accum<acc32, 32> load_bytes(pointer& p, const shift_amount& shift, const addressing& how) {
  const auto v = kernel::typed<accum<acc32, 32>>(p.owner->define(register_kind::cm));
  access(*p.owner, {&load_ups_8}, v, p, how, &shift);
  return v;
}

vector<std::int8_t, 64> gather(const accum<acc32, 32>& addresses, unsigned first, const memory_area& area) {
  constexpr unsigned lanes = 8;
  kernel& k = *addresses.owner;
  const auto eight = kernel::typed<vector<std::int32_t, 8>>(k.define(register_kind::w));
  detail::emit(k, {"VMOV_mv_w"}, {use(eight), use(leaf(addresses, first / lanes))},
               std::format("{} = lanes {} and on of {}", k.name_of(eight), first, k.name_of(addresses)));
  const auto v = kernel::typed<vector<std::int8_t, 64>>(k.define(register_kind::x));
  for (const unsigned half : {0u, 1u}) {
    k.emit({.ways = {isa::find_instruction(half == 0 ? "VLDB_4x32_LO" : "VLDB_4x32_HI")},
            .operands = {use(leaf(v, half)), use(eight)},
            .note = std::format("{} = at {}", k.name_of(v), k.name_of(eight)),
            .order = ordering::load,
            .alias = area.alias,
            .banks = area.banks});
  }
  return v;
}

scalar number(kernel& k, std::int32_t value) {
  return detail::result<scalar>(k, {"MOVA_lda_cg", "MOVX_alu_cg", "MOV_mv_cg", "MOVXM_lng_cg"},
                                {detail::immediate(value)}, std::to_string(value));
}

stride_2d make_stride(std::string name, const scalar& step, const scalar& last, const scalar& next) {
  enum : std::uint8_t { m, dn, dj };
  kernel& k = *step.owner;
  const auto s = kernel::typed<stride_2d>(k.define(register_kind::d2, std::move(name), true));
  for (const auto& [part, value] : {std::pair{m, &next}, {dn, &last}, {dj, &step}}) {
    detail::emit(k, {"MOV_mv_scl"}, {use(leaf(s, part)), use(*value)},
                 std::format("{} by {}", k.name_of(s), k.name_of(*value)));
  }
  k.restart(s);
  return s;
}

namespace {

void lock_operation(std::string_view row, const scalar& id, std::int32_t value, ordering order) {
  kernel& k = *id.owner;
  k.emit({.ways = {isa::find_instruction(row)},
          .operands = {use(id), use(k.constant(value))},
          .note = "lock " + k.name_of(id),
          .order = order});
}

}  // namespace

void acquire(const scalar& id, std::int32_t value) { lock_operation("ACQ_mLockId_reg", id, value, ordering::acquire); }
void release(const scalar& id, std::int32_t value) { lock_operation("REL_mLockId_reg", id, value, ordering::release); }

}  // namespace npurt::codegen
