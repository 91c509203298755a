// SPDX-License-Identifier: Apache-2.0
// The tables with which op_matmul_i8 turns int32 into int8, one for each panel of 64 columns. Plain C++.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <span>
#include <vector>

namespace npurt::kernels {

/// A column's result is clamp(rne((sum + bias) · multiplier / 2^shift) + zero point).
struct column_scale {
  std::int32_t bias = 0;
  std::int16_t multiplier = 1;
  std::uint8_t shift = 0;  ///< up to 46: beyond, every result is 0
};

inline constexpr std::size_t requantised_columns = 64, requantisation_bytes = 8192;

namespace detail {

/// A column brought to its panel's shift: · 2^up, then · multiplier.
struct common_scale {
  unsigned up;
  std::int16_t multiplier;
};

/// The core multiplies by 2^up first and saturates to int32: what that changes must lie beyond int8 in the end,
/// |2^31 · multiplier / 2^shift| >= 2^9 > 255 + 0.5.
inline std::optional<common_scale> bring_to(unsigned shift, const column_scale& column) {
  constexpr unsigned most_up = 14, sum_bits = 31, beyond_i8_bits = 10;  // one spare: 2^31 - 1 is the largest
  if (column.multiplier == 0) {
    return common_scale{0, 0};
  }
  int multiplier = column.multiplier;
  unsigned up = shift - column.shift;
  for (; up > 0 && std::abs(2 * multiplier) <= INT16_MAX; --up) {
    multiplier *= 2;
  }
  const bool saturates_late =
      up == 0 || std::int64_t{std::abs(multiplier)} << sum_bits >= std::int64_t{1} << (shift + beyond_i8_bits);
  if (up > most_up || !saturates_late) {
    return std::nullopt;
  }
  return common_scale{up, static_cast<std::int16_t>(multiplier)};
}

}  // namespace detail

/// The chunk of a panel: sums' start [ct 8][side 2][4 rows][4] int64, diagonals [ct 8][stage, side][pair 2][2 k][4]
/// int16 in 32 bytes each, the shift. Nothing if the columns' scales lie too far apart: shifts more than 14 + the
/// headroom of the multiplier in int16 apart, or scaled up below a common shift of more than 35.
inline std::optional<std::vector<std::byte>> requantisation_table(
    std::span<const column_scale, requantised_columns> columns) {
  constexpr std::size_t factors_at = 2048, factor_bytes = 32, group_factors = 8 * factor_bytes, shift_at = 4096;
  constexpr unsigned most_shift = 46;
  unsigned shift = 0;
  for (const column_scale& c : columns) {
    shift = std::max<unsigned>(shift, c.multiplier == 0 ? 0 : c.shift);
  }
  if (shift > most_shift) {
    return std::nullopt;
  }
  std::vector<std::byte> table(requantisation_bytes);
  const auto put = [&](std::size_t at, auto value) { std::memcpy(table.data() + at, &value, sizeof value); };
  for (std::size_t column = 0; column < columns.size(); ++column) {
    const auto scale = detail::bring_to(shift, columns[column]);
    if (!scale) {
      return std::nullopt;
    }
    for (std::size_t row = 0; row < 4; ++row) {
      put(column / 4 * 128 + row * 32 + column % 4 * 8, std::int64_t{columns[column].bias} * (1 << scale->up));
    }
    const std::size_t side = column / 4 % 2, pair = column / 2 % 2, k = column % 2;
    const std::size_t diagonal =
        factors_at + column / 8 * group_factors + (2 * side + pair) * factor_bytes + 2 * (4 * k + column % 4);
    put(diagonal, static_cast<std::int16_t>(1 << scale->up));
    put(diagonal + group_factors / 2, scale->multiplier);
  }
  put(shift_at, static_cast<std::uint32_t>(shift));
  return table;
}

}  // namespace npurt::kernels
