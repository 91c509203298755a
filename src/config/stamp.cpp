// SPDX-License-Identifier: Apache-2.0
// The stamps are fields of fixed place in the header and JSON strings in the mirror.
#include "config/stamp.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>

#include "binfmt/content_uuid.hpp"
#include "binfmt/little_endian.hpp"
#include "binfmt/xclbin.hpp"
#include "config/description.hpp"

namespace npurt::config {

namespace {

constexpr std::size_t unique_id_at = 0x128;
constexpr std::size_t timestamp_at = 0x138;
constexpr std::size_t uuid_at = 0x1A0;
constexpr std::string_view mirror_start = "XCLBIN_MIRROR_DATA_START";

/// The characters of a JSON string in the mirror; its first occurrence is the header's.
std::span<std::byte> mirror_value(std::span<std::byte> mirror, std::string_view key) {
  const std::string opening = "\"" + std::string(key) + "\":\"";
  const auto wanted = std::as_bytes(std::span(opening));
  const auto begin = std::ranges::search(mirror, wanted).end();
  const auto end = std::find(begin, mirror.end(), std::byte{'"'});
  if (begin == mirror.end() || end == mirror.end()) {
    throw config_error("xclbinutil's mirror has no " + std::string(key));
  }
  return {begin, end};
}

void replace(std::span<std::byte> place, std::string_view text, std::string_view what) {
  if (place.size() != text.size()) {
    throw config_error("xclbinutil's mirror has a " + std::string(what) + " of " + std::to_string(place.size()) +
                       " characters, not " + std::to_string(text.size()));
  }
  std::ranges::copy(std::as_bytes(std::span(text)), place.begin());
}

void write_stamps(std::span<std::byte> file, std::span<std::byte> mirror, std::uint64_t time,
                  const binfmt::content_uuid& uuid) {
  const binfmt::le64 stored = time;
  const auto stored_bytes = std::as_bytes(std::span(&stored, 1));
  std::ranges::copy(stored_bytes, file.subspan(unique_id_at).begin());
  std::ranges::copy(stored_bytes, file.subspan(timestamp_at).begin());
  std::ranges::copy(uuid, file.subspan(uuid_at).begin());
  replace(mirror_value(mirror, "UniqueID"), binfmt::to_hex(stored_bytes), "unique id");
  replace(mirror_value(mirror, "TimeStamp"), std::to_string(time), "time stamp");
  replace(mirror_value(mirror, "XclBinUUID"), binfmt::to_hex(uuid), "uuid");
}

}  // namespace

void stamp_xclbin(std::vector<std::byte>& file) {
  binfmt::read_xclbin(file);
  const auto start = std::ranges::search(file, std::as_bytes(std::span(mirror_start)));
  if (start.empty()) {
    throw config_error("xclbinutil wrote no mirror");
  }
  const std::span<std::byte> mirror(start.begin(), file.end());

  // Neutral stamps first, so that the uuid is that of the content alone. Ten digits, as every time until 2286 has.
  constexpr std::uint64_t first_time = 1'000'000'000;
  constexpr binfmt::content_uuid no_uuid{};
  write_stamps(file, mirror, first_time, no_uuid);
  const binfmt::content_uuid uuid = binfmt::uuid_of(file);
  binfmt::le32 low;
  std::memcpy(&low, uuid.data(), sizeof low);
  write_stamps(file, mirror, first_time + (low & 0x3FFFFFFF), uuid);
}

}  // namespace npurt::config
