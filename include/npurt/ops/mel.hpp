// SPDX-License-Identifier: Apache-2.0
// Whisper's log-mel spectrogram on the NPU.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>

#include "npurt/detail/operands.hpp"
#include "npurt/device.hpp"
#include "npurt/executor.hpp"
#include "npurt/ops/op_plan.hpp"
#include "npurt/ops/op_report.hpp"

namespace npurt {

inline constexpr std::size_t mel_bands = 80;
inline constexpr std::size_t mel_hop = 160;  ///< samples from frame to frame, 10 ms
/// Least and largest number of samples: a frame, and five minutes.
inline constexpr std::size_t mel_min_samples = mel_hop;
inline constexpr std::size_t mel_max_samples = std::size_t{300} * 16000;

/// Frames of so many samples: as Whisper counts, without the one that is centred at the last whole hop.
constexpr std::size_t mel_frames(std::size_t samples) { return samples / mel_hop; }

namespace detail {

using samples_in = std::span<const float>;
using mel_out = matrix_view<float>;

/// @throws shape_error naming n unless there are mel_min_samples to `most`; value_error if one is not finite
void check_mel_samples(samples_in pcm, std::size_t most);
/// @throws shape_error naming bands or frames
void check_mel_result(std::size_t samples, const mel_out& out);

std::shared_ptr<overlay::plan> make_mel(device& target, std::size_t samples);
void start_mel(overlay::plan& plan, samples_in pcm);
void wait_mel(overlay::plan& plan, std::size_t samples, mel_out out, std::chrono::milliseconds deadline);
void call_mel(overlay::plan& plan, samples_in pcm, mel_out out, std::chrono::milliseconds deadline);
const op_report& run_mel(device& target, samples_in pcm, mel_out out);
const op_report& run_mel(executor& target, samples_in pcm, mel_out out);

template <typename X>
constexpr void check_mel_input() {
  static_assert(rank_of<X> == 1, "npurt::mel: pcm must be a npurt::tensor_view of rank 1");
  static_assert(reads<X, float>, "npurt::mel: the elements of pcm must be float");
}

template <typename Y>
constexpr void check_mel_output() {
  static_assert(is_matrix<Y>, "npurt::mel: out must be a npurt::matrix_view (rank 2)");
  static_assert(writes<Y, float>, "npurt::mel: the elements of out must be float and not const");
}

}  // namespace detail

/// out = (max(m, largest of m - 8) + 4) / 4, where m[b, t] is log10(max(1e-10, sum over the bins f of
/// filter[b, f] · |STFT(pcm)[f, t]|²)): windows of 400 samples of 16 kHz (periodic Hann) centred at 160·t, the signal
/// reflected at both ends (as often as needed: numpy's "reflect"), Slaney's filters over 0 to 8000 Hz. Synchronous:
/// returns when out is complete. The host scales the samples to 30 bits by a power of two that their largest sets (so
/// any unit will do; below 2^-24 as if that were the largest); the NPU computes m; the host copies it out, and clamps
/// and shifts it on the way. Context and plans are kept with the device as npurt::gelu's. Thread-safe.
/// @param target where to run: a device or an executor
/// @param pcm    [n] float of any size, mel_min_samples <= n <= mel_max_samples; any host memory. An infinity or NaN is
///               refused
/// @param out    [80, n / 160] float, row-major
/// @return where it ran; valid as long as the target
/// m is within 0.02 of the exact value wherever the clamp leaves it, in quiet bands beside loud ones too (0.006 was
/// measured: kernels/i16-mel/README.md).
/// @throws shape_error naming n, bands or frames; value_error if a sample is not finite; otherwise as npurt::gelu
template <typename X, typename Y, detail::call_target Target>
const op_report& mel(Target& target, const X& pcm, const Y& out) {
  detail::check_mel_input<X>();
  detail::check_mel_output<Y>();
  return detail::run_mel(target, pcm.elements(), out);
}

/// npurt::mel for one number of samples, prepared.
class mel_plan : public op_plan {
 public:
  /// @param samples n, mel_min_samples to mel_max_samples
  /// @throws shape_error naming n; otherwise as npurt::gelu before its command
  mel_plan(device& target, std::size_t samples)
      : op_plan(detail::make_mel(target, samples), "mel_plan"), samples_(samples) {}

  std::size_t samples() const { return (void)prepared(), samples_; }
  std::size_t frames() const { return mel_frames(samples()); }

  /// Copies pcm and hands the command to the device; pcm may go then. See op_plan.
  /// @throws shape_error naming n; value_error if a sample is not finite; command_error
  template <typename X>
  void start(const X& pcm) {
    detail::start_mel(prepared(), checked_input(pcm));
  }

  /// Waits for the command and writes out; after an exception out is as it was. See op_plan.
  /// @throws shape_error naming bands or frames; timeout_error, command_error
  template <typename Y>
  void wait(const Y& out) {
    wait(out, default_deadline());
  }
  template <typename Y>
  void wait(const Y& out, std::chrono::milliseconds deadline) {
    detail::check_mel_output<Y>();
    detail::wait_mel(prepared(), samples_, out, deadline);
  }

  /// Both.
  template <typename X, typename Y>
  void operator()(const X& pcm, const Y& out) {
    (*this)(pcm, out, default_deadline());
  }
  template <typename X, typename Y>
  void operator()(const X& pcm, const Y& out, std::chrono::milliseconds deadline) {
    detail::check_mel_output<Y>();
    detail::call_mel(prepared(), checked_input(pcm), out, deadline);
  }

 private:
  template <typename X>
  detail::samples_in checked_input(const X& pcm) const {
    detail::check_mel_input<X>();
    detail::check_extent("mel_plan", "pcm", "n", pcm.size(), samples());
    return pcm.elements();
  }

  std::size_t samples_;
};

}  // namespace npurt
