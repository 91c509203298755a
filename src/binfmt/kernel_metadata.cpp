// SPDX-License-Identifier: Apache-2.0
// Reads EMBEDDED_METADATA as xclbinutil --add-kernel writes it.
#include "binfmt/kernel_metadata.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <string>

#include "binfmt/xml.hpp"

namespace npurt::binfmt {

namespace {

const std::string& text_of(const xml_element& e, std::string_view key) {
  const std::string* value = e.attribute(key);
  if (value == nullptr) {
    throw format_error("EMBEDDED_METADATA: <" + e.name + "> has no " + std::string(key), e.offset);
  }
  return *value;
}

/// Decimal, or hexadecimal after 0x.
std::uint64_t number_of(const xml_element& e, std::string_view key, std::uint64_t most) {
  const std::string& text = text_of(e, key);
  const bool hex = text.starts_with("0x") || text.starts_with("0X");
  const char* first = text.data() + (hex ? 2 : 0);
  const char* last = text.data() + text.size();
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(first, last, value, hex ? 16 : 10);
  if (error != std::errc{} || end != last || value > most) {
    throw format_error("EMBEDDED_METADATA: <" + e.name + "> has " + std::string(key) + " \"" + text + "\"", e.offset);
  }
  return value;
}

std::uint64_t number_of(const xml_element& e, std::string_view key) {
  return number_of(e, key, std::numeric_limits<std::uint64_t>::max());
}

std::uint32_t small_number_of(const xml_element& e, std::string_view key) {
  return static_cast<std::uint32_t>(number_of(e, key, std::numeric_limits<std::uint32_t>::max()));
}

kernel_argument read_argument(const xml_element& e) {
  return {.name = text_of(e, "name"),
          .type = text_of(e, "type"),
          .id = small_number_of(e, "id"),
          .address_qualifier = small_number_of(e, "addressQualifier"),
          .size = number_of(e, "size"),
          .offset = number_of(e, "offset")};
}

kernel_metadata read_kernel(const xml_element& e) {
  kernel_metadata kernel{.name = text_of(e, "name"), .arguments = {}, .instances = {}};
  if (const xml_element* extended = e.child("extended-data")) {
    kernel.dpu_kernel_id = number_of(*extended, "dpu_kernel_id");
    kernel.functional = small_number_of(*extended, "functional");
  }
  for (const xml_element& child : e.children) {
    if (child.name == "arg") {
      kernel.arguments.push_back(read_argument(child));
    } else if (child.name == "instance") {
      kernel.instances.push_back(text_of(child, "name"));
    }
  }
  std::ranges::stable_sort(kernel.arguments, {}, &kernel_argument::id);
  return kernel;
}

}  // namespace

std::vector<kernel_metadata> read_kernel_metadata(std::string_view text, std::size_t base) {
  const xml_element root = parse_xml(text, base);
  const xml_element* at = &root;
  if (root.name != "project") {
    throw format_error("EMBEDDED_METADATA: root element is <" + root.name + ">", root.offset);
  }
  for (const char* name : {"platform", "device", "core"}) {
    const xml_element* next = at->child(name);
    if (next == nullptr) {
      throw format_error("EMBEDDED_METADATA: no <" + std::string(name) + "> in <" + at->name + ">", at->offset);
    }
    at = next;
  }
  std::vector<kernel_metadata> kernels;
  for (const xml_element& child : at->children) {
    if (child.name == "kernel") {
      kernels.push_back(read_kernel(child));
    }
  }
  return kernels;
}

}  // namespace npurt::binfmt
