// SPDX-License-Identifier: Apache-2.0
// What the fuzz targets share: the fuzzer's bytes as a source of numbers, and the way an oracle reports.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <vector>

namespace npurt::fuzz {

/// A broken promise of the code under test; it ends the process, which is how fuzzers learn of it.
inline void require(bool kept, const char* promise) {
  if (kept) return;
  std::fprintf(stderr, "not kept: %s\n", promise);
  std::abort();
}

/// Numbers from the front of the fuzzer's bytes; zeros when they are used up.
class input {
 public:
  input(const std::uint8_t* data, std::size_t size) : rest_(data, size) {}

  bool empty() const { return rest_.empty(); }
  std::span<const std::uint8_t> rest() const { return rest_; }
  std::span<const std::byte> rest_bytes() const { return std::as_bytes(rest_); }

  template <std::integral Integer>
  Integer take() {
    Integer value{};
    const auto bytes = std::min(sizeof value, rest_.size());
    if (bytes != 0) std::memcpy(&value, rest_.data(), bytes);
    rest_ = rest_.subspan(bytes);
    return value;
  }
  std::uint8_t u8() { return take<std::uint8_t>(); }
  std::uint16_t u16() { return take<std::uint16_t>(); }
  std::uint32_t u32() { return take<std::uint32_t>(); }
  std::uint64_t u64() { return take<std::uint64_t>(); }

  /// One of the values of a list that is not empty.
  template <typename List>
  auto pick(const List& list) {
    return list[u8() % std::size(list)];
  }

  std::vector<std::uint32_t> words(std::size_t count) {
    std::vector<std::uint32_t> result;
    while (result.size() < count && !empty()) result.push_back(u32());
    return result;
  }

 private:
  std::span<const std::uint8_t> rest_;
};

}  // namespace npurt::fuzz
