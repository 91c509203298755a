// SPDX-License-Identifier: Apache-2.0
// dft: the discrete Fourier transform of all frames as one int8 matrix multiplication.
//
// A number of 16 bits is 256·hi + lo with two int8 parts. With frames x and basis w (cosines, sines) in such parts,
//   x·w = 65536·(hi·hi) + 256·(hi·lo + lo·hi) + lo·lo,
// so that one multiplication of all parts by all parts gives four exact int32 products to put together.
#pragma once

#include <cstdint>

#include "support/matrix.hpp"

namespace spectrogram {

/// What the NPU multiplies: frames · basis, in the parts said above.
struct dft_factors {
  examples::matrix<std::int8_t> frames;  ///< [2 × frames, length]: all hi rows, then all lo rows
  examples::matrix<std::int8_t> basis;   ///< [length, 4 × bins]: cosine hi, sine hi, cosine lo, sine lo
  double unit = 0;                       ///< what a recombined product of 1 stands for
};

/// Quantises frames and basis; the largest value of the frames fills the 16 bits.
/// @param frames  [frames, length] windowed samples
dft_factors make_dft_factors(const examples::matrix<double>& frames);

/// The same product on the CPU.
examples::matrix<std::int32_t> multiply_on_cpu(const examples::matrix<std::int8_t>& a,
                                               const examples::matrix<std::int8_t>& b);

/// The largest absolute difference between two matrices of one shape.
std::int64_t largest_difference(const examples::matrix<std::int32_t>& a, const examples::matrix<std::int32_t>& b);

/// The power spectrum in a product of dft_factors: |DFT|².
/// @return [frames, bins], bins = length / 2 + 1
examples::matrix<double> power_spectrum(const examples::matrix<std::int32_t>& product, double unit);

/// The power spectrum in double precision, without any quantisation.
examples::matrix<double> reference_power_spectrum(const examples::matrix<double>& frames);

}  // namespace spectrogram
