// SPDX-License-Identifier: Apache-2.0
// Whisper's log-mel spectrogram on the calling thread's vector units; the numeric contract is npurt::mel's.
#pragma once

#include <cstddef>
#include <span>

namespace npurt::cpu {

/// @param pcm    at least a hop of finite samples
/// @param frames of which out has rows for each band, as many as pcm has whole hops
void mel(std::span<const float> pcm, std::size_t frames, float* out);

}  // namespace npurt::cpu
