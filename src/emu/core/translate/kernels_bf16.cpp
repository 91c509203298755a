// SPDX-License-Identifier: Apache-2.0
// The multiplier's sum of bf16 products and an fp32 lane (numerics/float_sum.hpp), 16 lanes at once.
//
// With exponents inside the limits below, each step of that sum is one operation on fp32: products of bf16 and scaling
// by a power of two are exact; rounding a term to the 23 fraction bits under the largest exponent is a conversion to an
// integer, and the final rounding to 24 bits the conversion back. A term that scaling makes denormal rounds to zero in
// either case. All of them name their rounding mode, so that the host's modes do not matter.
#include <immintrin.h>

#include <array>

#include "emu/core/translate/kernels.hpp"

#define NPURT_AVX512 [[gnu::target("avx512f,avx512bw")]]

namespace npurt::emu::translate::kernels {
namespace {

constexpr int nearest = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;

// Biased exponents. The product of the two smallest factors is that of the smallest accumulator, 2^-102: below it the
// result could be denormal. Nothing within the upper limits comes near infinity.
constexpr int min_factor = 76, max_factor = 186;
constexpr int min_acc = 2 * min_factor - 127, max_acc = 230;

/// For 16-bit elements 2i + 1: which factor belongs to lane i, by term.
template <unsigned Terms>
struct factor_order {
  alignas(64) std::array<std::array<std::uint16_t, 32>, Terms> x{}, y{};
};

constexpr factor_order<8> matrix_order() {
  factor_order<8> order;
  for (unsigned k = 0; k < 8; ++k) {
    for (unsigned lane = 0; lane < 16; ++lane) {
      order.x[k][2 * lane + 1] = static_cast<std::uint16_t>(lane / 4 * 8 + k);
      order.y[k][2 * lane + 1] = static_cast<std::uint16_t>(k * 4 + lane % 4);
    }
  }
  return order;
}

constexpr factor_order<2> elementwise_order() {
  factor_order<2> order;
  for (unsigned k = 0; k < 2; ++k) {
    for (unsigned lane = 0; lane < 16; ++lane) {
      order.x[k][2 * lane + 1] = order.y[k][2 * lane + 1] = static_cast<std::uint16_t>(k * 16 + lane);
    }
  }
  return order;
}

constexpr factor_order<8> matrix = matrix_order();
constexpr factor_order<2> elementwise = elementwise_order();

NPURT_AVX512 inline __m512 as_float(__m512i v) { return _mm512_castsi512_ps(v); }
NPURT_AVX512 inline __m512 times(__m512 a, __m512 b) { return _mm512_mul_round_ps(a, b, nearest); }
NPURT_AVX512 inline __m512i exponent_of(__m512i v) { return _mm512_and_si512(v, _mm512_set1_epi32(0x7F800000)); }

// In halves: that is how registers and frames were written, and a load is faster from one pending store than from two.
NPURT_AVX512 inline __m512i load_halves(const std::byte* from) {
  const auto* halves = reinterpret_cast<const __m256i*>(from);
  return _mm512_inserti64x4(_mm512_castsi256_si512(_mm256_loadu_si256(halves)), _mm256_loadu_si256(halves + 1), 1);
}

/// Factors with denormals as zero. @return false if one is outside the limits
NPURT_AVX512 inline bool load_factors(const std::byte* from, __m512i& to) {
  const __m512i exponents = _mm512_set1_epi16(0x7F80);
  const __m512i raw = load_halves(from);
  const __mmask32 numbers = _mm512_test_epi16_mask(raw, exponents);
  to = _mm512_maskz_mov_epi16(numbers, raw);
  const __m512i above = _mm512_sub_epi16(_mm512_and_si512(raw, exponents), _mm512_set1_epi16(min_factor << 7));
  return _mm512_mask_cmpgt_epu16_mask(numbers, above, _mm512_set1_epi16((max_factor - min_factor) << 7)) == 0;
}

NPURT_AVX512 inline bool load_acc(const std::byte* from, __m512i& to) {
  to = load_halves(from);
  const __mmask16 numbers = _mm512_test_epi32_mask(to, _mm512_set1_epi32(0x7FFFFFFF));
  const __m512i above = _mm512_sub_epi32(exponent_of(to), _mm512_set1_epi32(min_acc << 23));
  return _mm512_mask_cmpgt_epu32_mask(numbers, above, _mm512_set1_epi32((max_acc - min_acc) << 23)) == 0;
}

NPURT_AVX512 inline __m512 pick(const std::array<std::uint16_t, 32>& order, __m512i factors) {
  return as_float(_mm512_maskz_permutexvar_epi16(0xAAAAAAAA, _mm512_load_si512(order.data()), factors));
}

/// An accumulator, or its negation, as a whole number of units.
NPURT_AVX512 inline __m512i units(__m512i acc, bool negate, __m512 scale) {
  acc = _mm512_xor_si512(acc, _mm512_set1_epi32(negate ? static_cast<int>(0x80000000) : 0));
  return _mm512_cvt_roundps_epi32(times(as_float(acc), scale), nearest);
}

/// A sum of units of 2^-23 of `largest`, a power of two as a float, as fp32.
NPURT_AVX512 inline __m512 in_units(__m512i sum, __m512i largest) {
  return times(_mm512_cvt_roundepi32_ps(sum, nearest),
               as_float(_mm512_sub_epi32(largest, _mm512_set1_epi32(23 << 23))));
}

template <unsigned Terms>
NPURT_AVX512 inline bool mac(const mac_job& job, const factor_order<Terms>& order) {
  __m512i x, y, acc = _mm512_setzero_si512();
  if (!load_factors(job.x, x) || !load_factors(job.y, y) || (job.acc != nullptr && !load_acc(job.acc, acc))) {
    return false;
  }
  x = _mm512_xor_si512(x, _mm512_set1_epi16(job.negate ? static_cast<short>(0x8000) : short{0}));
  // The power of two of the largest term, as a float.
  __m512i largest = _mm512_max_epi32(exponent_of(acc), _mm512_set1_epi32(min_acc << 23));
  __m512 products[Terms];
  for (unsigned k = 0; k < Terms; ++k) {
    const __m512 a = pick(order.x[k], x), b = pick(order.y[k], y);
    products[k] = times(a, b);
    const __m512 power =
        times(as_float(exponent_of(_mm512_castps_si512(a))), as_float(exponent_of(_mm512_castps_si512(b))));
    largest = _mm512_max_epi32(largest, _mm512_castps_si512(power));
  }
  const __m512 scale = as_float(_mm512_sub_epi32(_mm512_set1_epi32((2 * 127 + 23) << 23), largest));
  __m512i sum = units(acc, job.negate_acc, scale);
  for (unsigned k = 0; k < Terms; ++k) {
    sum = _mm512_add_epi32(sum, _mm512_cvt_roundps_epi32(times(products[k], scale), nearest));
  }
  _mm512_storeu_ps(job.out, in_units(sum, largest));
  return true;
}

}  // namespace

NPURT_AVX512 bool add_fp32_avx512(const add_job& job) {
  __m512i a = _mm512_setzero_si512(), b;
  if ((job.a != nullptr && !load_acc(job.a, a)) || !load_acc(job.b, b)) return false;
  const __m512i largest =
      _mm512_max_epi32(_mm512_max_epi32(exponent_of(a), exponent_of(b)), _mm512_set1_epi32(min_acc << 23));
  const __m512 scale = as_float(_mm512_sub_epi32(_mm512_set1_epi32((2 * 127 + 23) << 23), largest));
  const __m512i sum = _mm512_add_epi32(units(a, job.negate_a, scale), units(b, job.negate_b, scale));
  _mm512_storeu_ps(job.out, in_units(sum, largest));
  return true;
}

NPURT_AVX512 bool mac_bf16_matrix_avx512(const mac_job& job) { return mac(job, matrix); }
NPURT_AVX512 bool mac_bf16_elementwise_avx512(const mac_job& job) { return mac(job, elementwise); }

}  // namespace npurt::emu::translate::kernels
