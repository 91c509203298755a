// SPDX-License-Identifier: Apache-2.0
// Transposition in a sequence. What of x lies behind its last row does not come to y: its columns' padding stays zero.
#include <fmt/format.h>

#include "runtime/overlay/transpose_code.hpp"
#include "runtime/sequence/step.hpp"

namespace npurt::detail::sequences {

namespace {

class transposition : public step {
 public:
  transposition(const operand& x, const operand& y) : x_(x), y_(y) {}

  sequence_step describe() const override {
    return {.name = fmt::format("transpose {}x{}", x_.rows, x_.columns), .macs = 0, .bytes = 2 * x_.bytes()};
  }

  std::vector<argument> arguments() const override { return {x_.tensor, y_.tensor}; }

  bool shape(tensors& all) const override {
    const std::size_t columns = overlay::padded_transpose_columns(static_cast<std::uint32_t>(x_.columns));
    bool changed = all[x_.tensor].need(overlay::padded_transpose_rows(rows(), element_bytes()), columns);
    changed |= all[y_.tensor].need(columns, x_.rows);
    return changed;
  }

  std::size_t rows_written(const tensors&) const override {
    return overlay::padded_transpose_columns(static_cast<std::uint32_t>(x_.columns));
  }

  overlay::recipe write(const tensors& all) const override {
    const std::size_t most = overlay::transpose_most_pitch_bytes / element_bytes();
    check_range("transpose", "x with its padding", "C", all[x_.tensor].pitch, most);
    return {overlay::operation::transpose,
            overlay::transpose_code({.rows = rows(),
                                     .columns = static_cast<std::uint32_t>(x_.columns),
                                     .element_bytes = element_bytes(),
                                     .x_pitch = static_cast<std::uint32_t>(all[x_.tensor].pitch),
                                     .y_pitch = static_cast<std::uint32_t>(all[y_.tensor].pitch)}),
            {}};
  }

 private:
  std::uint32_t rows() const { return static_cast<std::uint32_t>(x_.rows); }
  std::uint32_t element_bytes() const { return static_cast<std::uint32_t>(bytes_of(x_.element)); }

  operand x_, y_;
};

}  // namespace

std::unique_ptr<step> transpose_step(const operand& x, const operand& y) {
  constexpr std::size_t word = 4;
  if (x.rows * bytes_of(x.element) % word != 0) {
    throw shape_error("R", fmt::format("transpose in a sequence: R is {}, it must be a multiple of {}", x.rows,
                                       word / bytes_of(x.element)));
  }
  return std::make_unique<transposition>(x, y);
}

}  // namespace npurt::detail::sequences
