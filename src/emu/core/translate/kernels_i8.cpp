// SPDX-License-Identifier: Apache-2.0
// int8 4x8x8: pairs or quadruples of products in 32 bits, which no 8-bit factors overflow.
#include <immintrin.h>

#include <array>

#include "emu/core/translate/kernels.hpp"

#define NPURT_AVX2 [[gnu::target("avx2")]]
#define NPURT_VNNI [[gnu::target("avx512f,avx512bw,avx512vnni,avx512vbmi")]]

namespace npurt::emu::translate::kernels {
namespace {

NPURT_AVX2 inline __m256i widen(__m128i bytes, bool is_signed) {
  return is_signed ? _mm256_cvtepi8_epi16(bytes) : _mm256_cvtepu8_epi16(bytes);
}

NPURT_AVX2 inline __m128i load(const std::byte* from) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
}

/// acc (+ or -) sum, either of which may be negated.
NPURT_AVX2 inline __m256i combine(const mac_job& job, unsigned row, __m256i sum) {
  const __m256i zero = _mm256_setzero_si256();
  const __m256i product = job.negate ? _mm256_sub_epi32(zero, sum) : sum;
  if (job.acc == nullptr) {
    return product;
  }
  const __m256i acc = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(job.acc) + row);
  return job.negate_acc ? _mm256_sub_epi32(product, acc) : _mm256_add_epi32(product, acc);
}

}  // namespace

NPURT_AVX2 void mac_i8_avx2(const mac_job& job, bool x_signed, bool y_signed) {
  alignas(32) std::array<int, 16> pairs;  // x[row][2p], x[row][2p + 1] at row * 4 + p
  _mm256_store_si256(reinterpret_cast<__m256i*>(pairs.data()), widen(load(job.x), x_signed));
  _mm256_store_si256(reinterpret_cast<__m256i*>(pairs.data() + 8), widen(load(job.x + 16), x_signed));
  __m256i columns[4];  // y[2p][c], y[2p + 1][c] for all c
  for (unsigned p = 0; p < 4; ++p) {
    const __m128i rows = load(job.y + 16 * p);
    columns[p] = widen(_mm_unpacklo_epi8(rows, _mm_srli_si128(rows, 8)), y_signed);
  }
  for (unsigned row = 0; row < 4; ++row) {
    __m256i sum = _mm256_madd_epi16(columns[0], _mm256_set1_epi32(pairs[row * 4]));
    for (unsigned p = 1; p < 4; ++p) {
      sum = _mm256_add_epi32(sum, _mm256_madd_epi16(columns[p], _mm256_set1_epi32(pairs[row * 4 + p])));
    }
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(job.out) + row, combine(job, row, sum));
  }
}

namespace {

/// Bytes k and column c of four rows from `first_row` on, at 4 * c + k; twice.
consteval std::array<std::uint8_t, 64> columns_of_rows(unsigned first_row) {
  std::array<std::uint8_t, 64> index{};
  for (unsigned i = 0; i < 64; ++i) index[i] = static_cast<std::uint8_t>(8 * (first_row + i % 4) + i / 4 % 8);
  return index;
}
alignas(64) constexpr std::array y_index{columns_of_rows(0), columns_of_rows(4)};

/// The four factors k of two rows, each for eight columns: words of x.
consteval std::array<std::uint32_t, 16> rows_of_factors(unsigned first_row, unsigned half) {
  std::array<std::uint32_t, 16> index{};
  for (unsigned i = 0; i < 16; ++i) index[i] = 2 * (first_row + i / 8) + half;
  return index;
}
alignas(64) constexpr std::array x_index{rows_of_factors(0, 0), rows_of_factors(0, 1), rows_of_factors(2, 0),
                                         rows_of_factors(2, 1)};

NPURT_VNNI inline __m512i load_index(const void* from) { return _mm512_load_si512(from); }

/// As translated code has written them: what two stores have left does not reach one load without waiting.
NPURT_VNNI inline __m512i load_halves(const std::byte* from) {
  const auto* const halves = reinterpret_cast<const __m256i*>(from);
  return _mm512_inserti64x4(_mm512_castsi256_si512(_mm256_loadu_si256(halves)), _mm256_loadu_si256(halves + 1), 1);
}

}  // namespace

/// The instruction takes x unsigned: 128 more, and 128 times the sums of y less.
NPURT_VNNI void mac_i8_vnni(const mac_job& job, bool x_signed, bool y_signed) {
  if (!y_signed) return mac_i8_avx2(job, x_signed, y_signed);
  const __m512i factors = load_halves(job.y), zero = _mm512_setzero_si512(), offset = _mm512_set1_epi8(-128);
  const __m512i y[2] = {_mm512_permutexvar_epi8(load_index(y_index[0].data()), factors),
                        _mm512_permutexvar_epi8(load_index(y_index[1].data()), factors)};
  __m512i x = _mm512_castsi256_si512(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(job.x)));
  __m512i start = zero;
  if (x_signed) {
    x = _mm512_xor_si512(x, offset);
    start = _mm512_sub_epi32(zero, _mm512_dpbusd_epi32(_mm512_dpbusd_epi32(zero, offset, y[0]), offset, y[1]));
  }
  for (unsigned rows = 0; rows < 2; ++rows) {
    __m512i sum = start;
    for (unsigned half = 0; half < 2; ++half)
      sum = _mm512_dpbusd_epi32(sum, _mm512_permutexvar_epi32(load_index(x_index[2 * rows + half].data()), x), y[half]);
    if (job.negate) sum = _mm512_sub_epi32(zero, sum);
    if (job.acc != nullptr) {
      const __m512i acc = load_halves(job.acc + 64 * rows);
      sum = job.negate_acc ? _mm512_sub_epi32(sum, acc) : _mm512_add_epi32(sum, acc);
    }
    _mm512_storeu_si512(job.out + 64 * rows, sum);
  }
}

}  // namespace npurt::emu::translate::kernels
