// SPDX-License-Identifier: Apache-2.0
// libuuid's SHA-1 based UUIDs in a namespace of npurt's own.
#include "binfmt/content_uuid.hpp"

#include <uuid/uuid.h>

namespace npurt::binfmt {

namespace {

// c0e44ffa-898e-4023-9539-f24b09a51612, drawn once; another one would rename every file.
constexpr uuid_t name_space{0xc0, 0xe4, 0x4f, 0xfa, 0x89, 0x8e, 0x40, 0x23,
                            0x95, 0x39, 0xf2, 0x4b, 0x09, 0xa5, 0x16, 0x12};

}  // namespace

content_uuid uuid_of(std::string_view content) {
  content_uuid made;
  uuid_generate_sha1(reinterpret_cast<unsigned char*>(made.data()), name_space, content.data(), content.size());
  return made;
}

content_uuid uuid_of(std::span<const std::byte> content) {
  return uuid_of(std::string_view(reinterpret_cast<const char*>(content.data()), content.size()));
}

std::string to_hex(std::span<const std::byte> bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const std::byte byte : bytes) {
    text += digits[std::to_integer<unsigned>(byte >> 4)];
    text += digits[std::to_integer<unsigned>(byte & std::byte{0xF})];
  }
  return text;
}

std::string to_text(const content_uuid& uuid) {
  std::array<char, UUID_STR_LEN> text;
  uuid_unparse_lower(reinterpret_cast<const unsigned char*>(uuid.data()), text.data());
  return text.data();
}

}  // namespace npurt::binfmt
