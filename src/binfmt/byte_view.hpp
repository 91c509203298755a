// SPDX-License-Identifier: Apache-2.0
// Bounds-checked access to a part of a file. Every read outside it is a format_error that names the part.
#pragma once

#include <cstddef>
#include <cstring>
#include <span>
#include <string>
#include <utility>

#include "binfmt/format_error.hpp"
#include "binfmt/little_endian.hpp"

namespace npurt::binfmt {

class byte_view {
 public:
  /// @param name  the part in messages, e.g. "PDI image header"
  /// @param base  where the part begins in the input, for the offsets of errors
  byte_view(std::span<const std::byte> bytes, std::string name, std::size_t base = 0)
      : bytes_(bytes), name_(std::move(name)), base_(base) {}

  std::size_t size() const { return bytes_.size(); }
  std::span<const std::byte> bytes() const { return bytes_; }
  const std::string& name() const { return name_; }

  template <std::integral Integer>
  Integer get(std::size_t offset) const {
    little_endian<Integer> value;
    std::memcpy(&value, slice(offset, sizeof value).data(), sizeof value);
    return value;
  }
  std::uint8_t u8(std::size_t offset) const { return get<std::uint8_t>(offset); }
  std::uint16_t u16(std::size_t offset) const { return get<std::uint16_t>(offset); }
  std::uint32_t u32(std::size_t offset) const { return get<std::uint32_t>(offset); }
  std::uint64_t u64(std::size_t offset) const { return get<std::uint64_t>(offset); }

  /// The bytes [offset, offset + size).
  std::span<const std::byte> slice(std::uint64_t offset, std::uint64_t size) const {
    if (offset > bytes_.size() || size > bytes_.size() - offset) {
      fail("ends after " + std::to_string(bytes_.size()) + " bytes, needs " + std::to_string(size) + " at " +
               std::to_string(offset),
           bytes_.size());
    }
    return bytes_.subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(size));
  }

  byte_view part(std::uint64_t offset, std::uint64_t size, std::string name) const {
    return {slice(offset, size), std::move(name), base_ + static_cast<std::size_t>(offset)};
  }

  /// Text of at most `size` bytes, ended by a zero byte or by the size.
  std::string text(std::uint64_t offset, std::uint64_t size) const {
    const auto raw = slice(offset, size);
    std::string result;
    for (const std::byte b : raw) {
      if (b == std::byte{0}) {
        break;
      }
      result += static_cast<char>(b);
    }
    return result;
  }

  [[noreturn]] void fail(const std::string& message, std::size_t offset) const {
    throw format_error(name_ + " " + message, base_ + offset);
  }

 private:
  std::span<const std::byte> bytes_;
  std::string name_;
  std::size_t base_;
};

}  // namespace npurt::binfmt
