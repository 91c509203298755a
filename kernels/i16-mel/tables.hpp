// SPDX-License-Identifier: Apache-2.0
// What op_mel is given besides samples: window, Fourier and filter tables, as the chunks of B for one batch of frames.
// Plain C++; the layout is README.md's.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <numbers>
#include <vector>

namespace npurt::kernels::mel {

inline constexpr unsigned window_length = 400, hop = 160, bands = 80;
inline constexpr unsigned batch_frames = 8;  ///< of a core at a time

// Chunks of B, 8,192 bytes each: eleven with Fourier tables, of which the first begins with the window, and two with
// filters. A set of four frequencies has two tables, the upper and the lower 16 bits. The sets come in parts, the first
// one in the first chunk, five in two chunks thereafter.
inline constexpr unsigned table_chunks = 11, filter_chunks = 2, chunks = table_chunks + filter_chunks;
inline constexpr std::int32_t chunk_bytes = 8192;
inline constexpr unsigned sets = 26, sets_of_first_part = 1, sets_of_a_part = 5, parts = 6;
inline constexpr unsigned halves_of_first_chunk = 2, halves_of_a_chunk = 5;
inline constexpr unsigned steps = 25;  ///< of four samples
inline constexpr unsigned window_rows = 4 * (steps + 1);
inline constexpr std::int32_t window_row_bytes = 32, window_bytes = window_rows * window_row_bytes;
inline constexpr std::int32_t init_bytes = 32, step_bytes = 64;
inline constexpr std::int32_t half_bytes = init_bytes + static_cast<std::int32_t>(steps) * step_bytes;
inline constexpr unsigned band_groups = 20, groups_of_a_chunk = band_groups / filter_chunks, group_bands = 4;
inline constexpr unsigned filter_pairs = 5;  ///< pairs of sets that a group of four bands spans at most
inline constexpr std::int32_t filter_bytes = 64, group_bytes = 2 * filter_pairs * filter_bytes;
inline constexpr std::int32_t filter_starts = groups_of_a_chunk * group_bytes;  ///< where a chunk's words about it are
inline constexpr std::int32_t scale_words = filter_starts + 4 * groups_of_a_chunk;  ///< the floor, what is added; fp32
static_assert(window_bytes + halves_of_first_chunk * half_bytes <= chunk_bytes &&
              halves_of_a_chunk * half_bytes <= chunk_bytes && scale_words + 8 <= chunk_bytes &&
              halves_of_first_chunk + (table_chunks - 1) * halves_of_a_chunk == 2 * sets &&
              sets_of_first_part + (parts - 1) * sets_of_a_part == sets);

/// A set's powers of a batch, in the order in which op_mel keeps them: of four frames each.
inline constexpr std::int32_t powers_of_a_set = 2 * 64;

inline constexpr unsigned window_shift = 20, sum_shift = 32;  ///< by which op_mel shifts its results right
inline constexpr int least_window_sum = 30000, most_window_sum = 32767, fourier_one = 32767;  ///< the tables' 1
inline constexpr double sample_limit = 0x1p29;  ///< samples must be smaller than this

/// The four frequencies of a set, even ones of 1 to 100 in even sets, odd ones in odd sets; beyond 100 there is nothing
/// to do. It gives 200 - k along with k.
constexpr unsigned frequency(unsigned set, unsigned lane) { return 8 * (set / 2) + 2 * lane + (set % 2 == 0 ? 2 : 1); }
inline constexpr unsigned last_frequency = 100;

/// Slaney's mel filters as Whisper has them: 80 bands over 0 to 8000 Hz, each of area 1.
inline double filter(unsigned band, unsigned bin) {
  constexpr double bin_hz = 40, top_hz = 8000, knee_hz = 1000, knee = 15;  // below the knee a mel is 200/3 Hz
  const double log_step = std::log(6.4) / 27;
  const double top = knee + std::log(top_hz / knee_hz) / log_step;
  const auto edge = [&](unsigned i) {
    const double m = top * i / (bands + 1);
    return m < knee ? m * knee_hz / knee : knee_hz * std::exp((m - knee) * log_step);
  };
  const double low = edge(band), centre = edge(band + 1), high = edge(band + 2), hz = bin_hz * bin;
  return std::max(0.0, std::min((hz - low) / (centre - low), (high - hz) / (high - centre))) * 2 / (high - low);
}

namespace detail {

inline void put(std::byte* to, std::int64_t value) {
  const auto whole = static_cast<std::int16_t>(value);
  std::memcpy(to, &whole, sizeof whole);
}

/// The window at n and at 200 - n, which add up to 1, as whole numbers of the least error. What they add up to is the
/// Fourier tables' to make up for.
struct window_weights {
  int outer = 0, inner = 0;
  window_weights() = default;
  explicit window_weights(unsigned n) {
    const double sine = std::sin(std::numbers::pi * n / window_length);
    double least = 1;
    for (int sum = least_window_sum; sum <= most_window_sum; ++sum) {
      const double wanted = sum * sine * sine, error = std::abs(wanted - std::round(wanted)) / sum;
      if (error >= least) continue;
      least = error;
      outer = static_cast<int>(std::lround(wanted));
      inner = sum - outer;
    }
  }
};

/// For n up to 100.
inline const window_weights& window_at(unsigned n) {
  static const auto all = [] {
    std::array<window_weights, window_length / 4 + 1> made;
    for (unsigned i = 0; i < made.size(); ++i) made[i] = window_weights(i);
    return made;
  }();
  return all[n];
}

/// Two rows of four: of x[n] and x[400 - n], then of x[200 - n] and x[200 + n], each giving the sums a, b, c, d.
inline void put_window(std::byte* to, unsigned n) {
  constexpr int signs[4][4]{{1, 1, 1, 1}, {1, 1, -1, -1}, {1, -1, 1, -1}, {1, -1, -1, 1}};
  if (n > window_length / 4) return;
  const window_weights& weights = window_at(n);
  for (unsigned row = 0; row < 4; ++row) {
    for (unsigned column = 0; column < 4; ++column) {
      put(to + 2 * (4 * row + column), signs[row][column] * (row < 2 ? weights.outer : weights.inner));
    }
  }
}

/// Half of a row of a set's table: for sample n and each of the set's frequencies.
inline void put_fourier(std::byte* to, unsigned set, unsigned n, bool is_sine, bool is_upper) {
  const window_weights& window = window_at(n);
  const double sum = window.outer + window.inner, one = 0x1p16 * fourier_one * least_window_sum / sum;
  for (unsigned lane = 0; lane < 4; ++lane) {
    const unsigned k = frequency(set, lane);
    if (k > last_frequency) continue;
    const double angle = 2 * std::numbers::pi * (k * n % window_length) / window_length;
    const double size = n % 100 == 0 ? one / 2 : one;  // there x[n] and x[200 - n] are the same
    const std::int64_t whole = std::llround(size * (is_sine ? std::sin(angle) : std::cos(angle)));
    const std::int64_t upper = (whole + 0x8000) >> 16;
    put(to + 2 * lane, is_upper ? upper : whole - upper * 0x10000);
  }
}

/// From the end downwards, because a loop reads on past what it needs: for sample 100 alone, then in each step for the
/// two even ones of four samples and for the two odd ones; cosines before sines.
inline void put_half(std::byte* to, unsigned set, bool is_upper) {
  constexpr unsigned row = 8, matrix = 16;
  for (const unsigned sine : {0u, 1u}) {
    put_fourier(to + half_bytes - init_bytes + sine * matrix, set, 100, sine != 0, is_upper);
    for (unsigned n = 0; n < 4 * steps; ++n) {
      std::byte* two = to + half_bytes - init_bytes - (2 * (n / 4) + sine + 1) * (step_bytes / 2);
      put_fourier(two + n % 2 * matrix + n % 4 / 2 * row, set, n, sine != 0, is_upper);
    }
  }
}

inline std::uint16_t to_bf16(double value) {
  const auto bits = std::bit_cast<std::uint32_t>(static_cast<float>(value));
  return static_cast<std::uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

/// Weights of a set's eight bins, k and 200 - k, for four bands.
inline void put_filters(std::byte* to, unsigned set, unsigned group) {
  for (unsigned row = 0; row < 8; ++row) {
    const unsigned k = frequency(set, row % 4), bin = row < 4 ? k : 2 * last_frequency - k;
    if (k > last_frequency || (row >= 4 && k == last_frequency)) continue;
    for (unsigned band = 0; band < group_bands; ++band) {
      const std::uint16_t weight = to_bf16(filter(group * group_bands + band, bin));
      std::memcpy(to + 2 * (row * group_bands + band), &weight, sizeof weight);
    }
  }
}

/// The first pair of sets that holds a bin of the group's bands.
inline unsigned first_pair(unsigned group) {
  unsigned first = sets / 2 - filter_pairs;
  for (unsigned bin = 1; bin < 2 * last_frequency; ++bin) {
    const unsigned k = std::min(bin, 2 * last_frequency - bin);
    for (unsigned band = 0; band < group_bands; ++band) {
      if (filter(group * group_bands + band, bin) > 0) first = std::min(first, (k - 1) / 8);
    }
  }
  return first;
}

}  // namespace detail

/// For samples that were multiplied by `scale`, a power of two.
inline void put_scale(std::byte* tables, double scale) {
  const double unit = std::exp2(double{window_shift + sum_shift}) / (scale * least_window_sum * fourier_one * 0x1p16);
  constexpr double least = std::numeric_limits<float>::min(), most = std::numeric_limits<float>::max();
  const std::array words{static_cast<float>(std::clamp(1e-10 / (unit * unit), least, most)),
                         static_cast<float>(2 * std::log10(unit))};
  for (unsigned chunk = table_chunks; chunk < chunks; ++chunk) {
    std::memcpy(tables + chunk * chunk_bytes + scale_words, words.data(), sizeof words);
  }
}

/// All chunks of B for a batch, but for put_scale().
inline std::vector<std::byte> tables() {
  std::vector<std::byte> bytes(std::size_t{chunks} * chunk_bytes);
  for (unsigned n = 0; n < window_rows; ++n) detail::put_window(bytes.data() + n * window_row_bytes, n);
  for (unsigned half = 0; half < 2 * sets; ++half) {
    // Downwards, too.
    const bool is_first = half < halves_of_first_chunk;
    const unsigned later = half - halves_of_first_chunk, chunk = is_first ? 0 : 1 + later / halves_of_a_chunk;
    const unsigned place =
        is_first ? halves_of_first_chunk - 1 - half : halves_of_a_chunk - 1 - later % halves_of_a_chunk;
    detail::put_half(bytes.data() + chunk * chunk_bytes + (is_first ? window_bytes : 0) + place * half_bytes, half / 2,
                     half % 2 == 0);
  }
  for (unsigned group = 0; group < band_groups; ++group) {
    const unsigned place = group % groups_of_a_chunk, first = detail::first_pair(group);
    std::byte* chunk = bytes.data() + (table_chunks + group / groups_of_a_chunk) * chunk_bytes;
    for (unsigned i = 0; i < 2 * filter_pairs; ++i) {
      detail::put_filters(chunk + place * group_bytes + i * filter_bytes, 2 * first + i, group);
    }
    const auto start = static_cast<std::uint32_t>(2 * first * powers_of_a_set);
    std::memcpy(chunk + filter_starts + 4 * place, &start, sizeof start);
  }
  return bytes;
}

/// Where a result of a batch lies in its chunk, in fp32 numbers: blocks of 4 frames by 4 bands.
constexpr unsigned place_of(unsigned frame, unsigned band) {
  return band / 4 * 32 + frame / 4 * 16 + frame % 4 * 4 + band % 4;
}

}  // namespace npurt::kernels::mel
