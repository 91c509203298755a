// SPDX-License-Identifier: Apache-2.0
// SHA-256, for data of which a chip's owner published no more than the sum.
#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <format>
#include <string>
#include <vector>

namespace npurt::emu::testing {

/// FIPS 180-4, of words as they lie in memory.
inline std::string sha256(const std::vector<std::uint32_t>& data) {
  const auto fraction = [](double x) { return static_cast<std::uint32_t>((x - std::floor(x)) * 0x1p32); };
  std::array<std::uint32_t, 64> k{}, w{};
  std::array<std::uint32_t, 8> h{};
  for (unsigned n = 2, found = 0; found < 64; ++n) {
    bool prime = true;
    for (unsigned d = 2; d * d <= n; ++d) prime = prime && n % d != 0;
    if (!prime) continue;
    if (found < 8) h[found] = fraction(std::sqrt(n));
    k[found++] = fraction(std::cbrt(n));
  }
  std::vector<std::uint32_t> message = data;
  for (std::uint32_t& x : message) x = std::byteswap(x);
  message.push_back(0x80000000);
  while (message.size() % 16 != 15) message.push_back(0);
  message.push_back(static_cast<std::uint32_t>(32 * data.size()));
  for (std::size_t at = 0; at < message.size(); at += 16) {
    for (unsigned i = 0; i < 64; ++i) {
      if (i < 16) {
        w[i] = message[at + i];
        continue;
      }
      const auto a = w[i - 15], b = w[i - 2];
      w[i] = w[i - 16] + (std::rotr(a, 7) ^ std::rotr(a, 18) ^ a >> 3) + w[i - 7] +
             (std::rotr(b, 17) ^ std::rotr(b, 19) ^ b >> 10);
    }
    auto s = h;
    for (unsigned i = 0; i < 64; ++i) {
      const auto t1 = s[7] + (std::rotr(s[4], 6) ^ std::rotr(s[4], 11) ^ std::rotr(s[4], 25)) +
                      ((s[4] & s[5]) ^ (~s[4] & s[6])) + k[i] + w[i];
      const auto t2 = (std::rotr(s[0], 2) ^ std::rotr(s[0], 13) ^ std::rotr(s[0], 22)) +
                      ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
      s = {t1 + t2, s[0], s[1], s[2], s[3] + t1, s[4], s[5], s[6]};
    }
    for (unsigned i = 0; i < 8; ++i) h[i] += s[i];
  }
  std::string text;
  for (const auto x : h) text += std::format("{:08x}", x);
  return text;
}

}  // namespace npurt::emu::testing
