// SPDX-License-Identifier: Apache-2.0
// The format: the length of the header, 64 bits; the header, JSON; the elements.
// https://huggingface.co/docs/safetensors
#include "safetensors.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdfloat>

namespace examples {
namespace {

using nlohmann::json;

static_assert(std::endian::native == std::endian::little, "the file's numbers are little-endian");

constexpr std::uint64_t most_header_bytes = 100'000'000;  // as the format's own library

/// Bytes of an element that read() understands; 0 for others.
std::size_t element_bytes(const std::string& dtype) {
  if (dtype == "F32") return 4;
  return dtype == "F16" || dtype == "BF16" ? 2 : 0;
}

template <typename Element>
float element_at(const std::vector<char>& bytes, std::size_t index) {
  Element value;
  std::memcpy(&value, bytes.data() + index * sizeof value, sizeof value);
  return static_cast<float>(value);
}

float element_of(const std::string& dtype, const std::vector<char>& bytes, std::size_t index) {
  if (dtype == "F32") return element_at<float>(bytes, index);
  return dtype == "F16" ? element_at<std::float16_t>(bytes, index) : element_at<std::bfloat16_t>(bytes, index);
}

std::string text_of(const std::vector<std::size_t>& shape) { return json(shape).dump(); }

/// Nothing if it does not fit.
std::optional<std::size_t> product_of(const std::vector<std::size_t>& shape) {
  std::size_t product = 1;
  for (const std::size_t extent : shape) {
    if (extent != 0 && product > std::numeric_limits<std::size_t>::max() / extent) return std::nullopt;
    product *= extent;
  }
  return product;
}

bool is_count(const json& value) { return value.is_number_unsigned(); }

bool are_counts(const json& values) { return values.is_array() && std::ranges::all_of(values, is_count); }

bool is_entry(const json& value) {
  return value.is_object() && value.contains("dtype") && value["dtype"].is_string() && value.contains("shape") &&
         are_counts(value["shape"]) && value.contains("data_offsets") && are_counts(value["data_offsets"]) &&
         value["data_offsets"].size() == 2;
}

}  // namespace

safetensors::safetensors(std::filesystem::path file) : file_(std::move(file)), in_(file_, std::ios::binary) {
  if (!in_) throw safetensors_error(file_, "cannot be opened");
  read_header();
}

void safetensors::read_header() {
  std::error_code failure;
  const std::uint64_t size = std::filesystem::file_size(file_, failure);
  if (failure) throw safetensors_error(file_, "has no size: " + failure.message());
  std::uint64_t length = 0;
  if (size < sizeof length || !in_.read(reinterpret_cast<char*>(&length), sizeof length)) {
    throw safetensors_error(file_, "is shorter than a header's length");
  }
  if (length > most_header_bytes || length > size - sizeof length) {
    throw safetensors_error(
        file_, "a header of " + std::to_string(length) + " bytes in a file of " + std::to_string(size) + " bytes");
  }
  std::string text(length, '\0');
  if (!in_.read(text.data(), static_cast<std::streamsize>(length)))
    throw safetensors_error(file_, "the header is cut off");
  const json header = json::parse(text, nullptr, false);
  if (!header.is_object()) throw safetensors_error(file_, "the header is no JSON object");
  data_ = sizeof length + length;
  for (const auto& [name, value] : header.items()) {
    if (name == "__metadata__") continue;
    if (!is_entry(value)) throw safetensors_error(file_, name + ": no dtype, shape and two data_offsets in the header");
    add(name,
        {value["dtype"].get<std::string>(), value["shape"].get<std::vector<std::size_t>>(),
         value["data_offsets"][0].get<std::uint64_t>(), value["data_offsets"][1].get<std::uint64_t>()},
        size - data_);
  }
}

void safetensors::add(const std::string& name, const entry& found, std::uint64_t data_bytes) {
  if (found.begin > found.end || found.end > data_bytes) {
    throw safetensors_error(file_, name + ": bytes " + std::to_string(found.begin) + " to " +
                                       std::to_string(found.end) + " of " + std::to_string(data_bytes));
  }
  const std::optional<std::size_t> elements = product_of(found.shape);
  const std::size_t each = element_bytes(found.dtype);
  const std::uint64_t bytes = found.end - found.begin;
  if (!elements || (each != 0 && (bytes % each != 0 || bytes / each != *elements))) {
    throw safetensors_error(
        file_, name + ": " + std::to_string(bytes) + " bytes of " + found.dtype + " are no " + text_of(found.shape));
  }
  entries_.emplace(name, found);
}

std::vector<float> safetensors::read(const std::string& name, const std::vector<std::size_t>& shape) {
  const auto found = entries_.find(name);
  if (found == entries_.end()) throw safetensors_error(file_, "there is no tensor " + name);
  const entry& at = found->second;
  if (at.shape != shape) {
    throw safetensors_error(file_, name + " is " + text_of(at.shape) + ", it must be " + text_of(shape));
  }
  if (element_bytes(at.dtype) == 0)
    throw safetensors_error(file_, name + ": dtype " + at.dtype + ", not F32, F16 or BF16");
  std::vector<char> bytes(at.end - at.begin);
  in_.clear();
  in_.seekg(static_cast<std::streamoff>(data_ + at.begin));
  if (!in_.read(bytes.data(), static_cast<std::streamsize>(bytes.size()))) {
    throw safetensors_error(file_, name + " is cut off");
  }
  std::vector<float> values(bytes.size() / element_bytes(at.dtype));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = element_of(at.dtype, bytes, i);
  return values;
}

}  // namespace examples
