// SPDX-License-Identifier: Apache-2.0
// int8 4x8x8: pairs of products in 32 bits, which no 8-bit factors overflow.
#include <immintrin.h>

#include <array>

#include "emu/core/translate/kernels.hpp"

#define NPURT_AVX2 [[gnu::target("avx2")]]

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

}  // namespace npurt::emu::translate::kernels
