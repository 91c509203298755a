// SPDX-License-Identifier: Apache-2.0
// One instruction of the table alone in a program, with registers picked for its operands.
#pragma once

#include "aie/isa/isa.hpp"
#include "core_bench.hpp"

namespace npurt::test {

/// An instruction with its operands, in a bundle of its own, followed by what ends the run.
class single_instruction {
 public:
  explicit single_instruction(const aie::isa::instruction& row) : row_(row) {
    insn_.row = &row;
    for (std::size_t i = 0; i < row.operands.size(); ++i) {
      insn_.values[i] = pick(row.operands[i], i);
    }
    aie::isa::complete(insn_);
  }

  const aie::isa::instruction& row() const { return row_; }
  bool has(std::string_view operand) const { return index_of(operand).has_value(); }
  /// Record name of the register of an operand, by its name or its place among definitions or uses of data.
  std::string_view reg(std::string_view operand) const { return reg_at(*index_of(operand)); }
  std::int32_t value(std::string_view operand) const { return insn_.values[*index_of(operand)]; }
  std::string_view def(unsigned n) const { return reg_at(nth(aie::isa::operand_role::def, n)); }
  std::string_view use(unsigned n) const { return reg_at(nth(aie::isa::operand_role::use, n)); }
  /// Sets an immediate operand.
  void set(std::string_view operand, std::int32_t value) {
    insn_.values[*index_of(operand)] = value;
    aie::isa::complete(insn_);
  }

  /// A core with the program loaded. Its registers are zero.
  std::unique_ptr<core_bench> bench() const {
    auto bench = std::make_unique<core_bench>(quiet_end);
    const auto code = bundle();
    bench->core.write_program(0, std::as_bytes(std::span(code)));
    const auto end = machine_code(quiet_end);
    bench->core.write_program(static_cast<std::uint32_t>(code.size()), std::as_bytes(std::span(end)));
    return bench;
  }

 private:
  static constexpr auto quiet_end =
      "nop\nnop\nnop\nnop\nnop\nnop\nnop\nnop\nnop\nnop\nnop\nnop\ndone\nnop\nnop\nnop\nnop\nnop\n";

  static bool is_address(std::string_view name) {
    return name == "ptr" || name == "mod" || name == "dj" || name == "ptr_out" || name.starts_with("count_");
  }

  /// Address operands get p2 and modifiers 1, others the fourth, fifth ... register of their class, r if it has any.
  static std::int32_t pick(const aie::isa::operand& operand, std::size_t place) {
    namespace isa = aie::isa;
    if (operand.kind == isa::operand_kind::imm) {
      return operand.offset < 0 ? -operand.scale : operand.scale;  // spills only reach down
    }
    if (operand.fixed != isa::no_reg) {
      return operand.fixed;
    }
    const auto& members = isa::register_classes()[operand.cls].encode;
    if (operand.name == "ptr" || operand.name == "ptr_out") {
      return members[2 % members.size()].reg;
    }
    if (is_address(operand.name)) {
      return members[1 % members.size()].reg;
    }
    if (const auto r = isa::find_member(operand.cls, "r" + std::to_string(8 + place)); r && members.size() > 16) {
      return *r;
    }
    return members[std::min(place % 3, members.size() - 1)].reg;
  }

  std::optional<std::size_t> index_of(std::string_view operand) const {
    for (std::size_t i = 0; i < row_.operands.size(); ++i) {
      if (row_.operands[i].name == operand) {
        return i;
      }
    }
    return std::nullopt;
  }

  std::size_t nth(aie::isa::operand_role role, unsigned n) const {
    for (std::size_t i = 0; i < row_.operands.size(); ++i) {
      const auto& operand = row_.operands[i];
      if (operand.role == role && operand.name != "imm" && !is_address(operand.name) && n-- == 0) {
        return i;
      }
    }
    throw std::out_of_range(std::string(row_.name) + " has no such operand");
  }

  std::string_view reg_at(std::size_t i) const {
    return aie::isa::registers()[static_cast<std::size_t>(insn_.values[i])].name;
  }

  std::vector<std::uint8_t> bundle() const {
    namespace isa = aie::isa;
    for (const isa::bundle_format& format : isa::formats()) {
      isa::decoded_bundle b;
      b.format = &format;
      b.bytes = format.bytes;
      b.count = static_cast<std::uint8_t>(format.slots.size());
      bool here = false;
      for (std::size_t i = 0; i < format.slots.size(); ++i) {
        const bool own = format.slots[i].where == row_.where;
        here = here || own;
        b.slots[i] = own ? insn_ : isa::decoded_instruction{.row = &isa::slot_nop(format.slots[i].where)};
      }
      const auto bytes = here ? isa::encode(b) : std::nullopt;
      if (bytes) {
        return {bytes->begin(), bytes->begin() + format.bytes};
      }
    }
    throw std::runtime_error(std::string(row_.name) + " does not encode");
  }

  const aie::isa::instruction& row_;
  aie::isa::decoded_instruction insn_;
};

/// The mnemonic without .2d / .3d.
inline std::string family_name(const aie::isa::instruction& row) {
  std::string name(row.mnemonic);
  for (const std::string_view dimension : {".2d", ".3d"}) {
    if (const auto at = name.find(dimension); at != std::string::npos) {
      name.erase(at, dimension.size());
    }
  }
  return name;
}

/// Bytes of a register by its record name, in parts where it is not contiguous.
template <typename T>
std::vector<T> lanes_of(core_bench& bench, std::string_view reg) {
  const auto bytes = bench.core.reg(reg);
  std::vector<T> lanes(bytes.size() / sizeof(T));
  std::memcpy(lanes.data(), bytes.data(), lanes.size() * sizeof(T));
  return lanes;
}

template <typename T>
void fill_lanes(core_bench& bench, std::string_view reg, const std::vector<T>& lanes) {
  const auto bytes = bench.core.reg(reg);
  std::memcpy(bytes.data(), lanes.data(), std::min(bytes.size(), lanes.size() * sizeof(T)));
}

/// Element `i` of `bits` (4 to 64), sign-extended, and its counterpart.
inline std::int64_t get_element(std::span<const std::byte> bytes, unsigned bits, unsigned i) {
  std::uint64_t value = 0;
  for (unsigned b = 0; b < bits; ++b) {
    const unsigned at = i * bits + b;
    value |= std::uint64_t{std::to_integer<unsigned>(bytes[at / 8]) >> at % 8 & 1u} << b;
  }
  return static_cast<std::int64_t>(value << (64 - bits)) >> (64 - bits);
}

inline void set_element(std::span<std::byte> bytes, unsigned bits, unsigned i, std::int64_t value) {
  for (unsigned b = 0; b < bits; ++b) {
    const unsigned at = i * bits + b;
    const auto bit = static_cast<std::byte>(1u << at % 8);
    bytes[at / 8] = (value >> b & 1) != 0 ? bytes[at / 8] | bit : bytes[at / 8] & ~bit;
  }
}

/// Widths in names like vups.s64.d32: destination, then source.
struct named_widths {
  unsigned to = 0, from = 0;
};

inline named_widths widths_in(const std::string& family) {
  named_widths w;
  const auto last = family.rfind('.'), first = family.rfind('.', last - 1);
  w.to = static_cast<unsigned>(std::stoul(family.substr(first + 2)));
  w.from = static_cast<unsigned>(std::stoul(family.substr(last + 2)));
  return w;
}

/// All sign controls to signed, as a `d` form then behaves like its `s` form.
inline void make_signed(core_bench& bench) {
  for (const auto* reg : {"crVaddSign", "crUnpackSign", "crPackSign", "crUPSSign", "crSRSSign"}) {
    bench.set(reg, 1);
  }
}

}  // namespace npurt::test
