// SPDX-License-Identifier: Apache-2.0
// Reads EMBEDDED_METADATA as xclbinutil --add-kernel writes it. pugixml parses; what it lets pass and XRT's parser,
// which recurses, should not see is refused here.
#include "binfmt/kernel_metadata.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <limits>
#include <string>

#include <pugixml.hpp>

namespace npurt::binfmt {

namespace {

constexpr std::size_t longest_text = std::size_t{1} << 24;
constexpr int deepest = 32;
constexpr std::ptrdiff_t most_attributes = 32;

[[noreturn]] void fail(const std::string& message, std::size_t offset) {
  throw format_error("EMBEDDED_METADATA: " + message, offset);
}

std::string tag(const pugi::xml_node& e) { return "<" + std::string(e.name()) + ">"; }

/// Walks over all elements before any is used.
class shape_check : public pugi::xml_tree_walker {
 public:
  explicit shape_check(std::size_t base) : base_(base) {}

  bool for_each(pugi::xml_node& e) override {
    const std::size_t at = base_ + static_cast<std::size_t>(e.offset_debug());
    if (depth() >= deepest) {
      fail("nested too deeply", at);
    }
    if (std::distance(e.attributes_begin(), e.attributes_end()) > most_attributes) {
      fail(tag(e) + " has too many attributes", at);
    }
    for (const pugi::xml_attribute& a : e.attributes()) {
      if (e.attribute(a.name()) != a) {
        fail(tag(e) + " has " + a.name() + " twice", at);
      }
    }
    return true;
  }

 private:
  std::size_t base_;
};

/// The elements of one section; offsets of errors count from the start of the file.
class metadata_reader {
 public:
  metadata_reader(std::string_view text, std::size_t base) : base_(base) {
    if (text.size() > longest_text) {
      fail("has " + std::to_string(text.size()) + " bytes", base);
    }
    const pugi::xml_parse_result parsed =
        document_.load_buffer(text.data(), text.size(), pugi::parse_default, pugi::encoding_utf8);
    if (!parsed) {
      fail(parsed.description(), base + static_cast<std::size_t>(parsed.offset));
    }
    shape_check check(base);
    document_.traverse(check);
  }

  std::vector<kernel_metadata> kernels() const {
    const pugi::xml_node root = document_.document_element();
    if (std::string_view(root.name()) != "project") {
      fail("root element is " + tag(root), offset_of(root));
    }
    if (root.next_sibling()) {
      fail("has a second root element", offset_of(root.next_sibling()));
    }
    pugi::xml_node at = root;
    for (const char* name : {"platform", "device", "core"}) {
      const pugi::xml_node next = at.child(name);
      if (!next) {
        fail("no <" + std::string(name) + "> in " + tag(at), offset_of(at));
      }
      at = next;
    }
    std::vector<kernel_metadata> result;
    for (const pugi::xml_node& kernel : at.children("kernel")) {
      result.push_back(read_kernel(kernel));
    }
    return result;
  }

 private:
  std::size_t offset_of(const pugi::xml_node& e) const { return base_ + static_cast<std::size_t>(e.offset_debug()); }

  std::string text_of(const pugi::xml_node& e, const char* key) const {
    const pugi::xml_attribute value = e.attribute(key);
    if (!value) {
      fail(tag(e) + " has no " + key, offset_of(e));
    }
    return value.value();
  }

  /// Decimal, or hexadecimal after 0x.
  std::uint64_t number_of(const pugi::xml_node& e, const char* key,
                          std::uint64_t most = std::numeric_limits<std::uint64_t>::max()) const {
    const std::string text = text_of(e, key);
    const bool hex = text.starts_with("0x") || text.starts_with("0X");
    const char* first = text.data() + (hex ? 2 : 0);
    const char* last = text.data() + text.size();
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(first, last, value, hex ? 16 : 10);
    if (error != std::errc{} || end != last || value > most) {
      fail(tag(e) + " has " + key + " \"" + text + "\"", offset_of(e));
    }
    return value;
  }

  std::uint32_t small_number_of(const pugi::xml_node& e, const char* key) const {
    return static_cast<std::uint32_t>(number_of(e, key, std::numeric_limits<std::uint32_t>::max()));
  }

  kernel_argument read_argument(const pugi::xml_node& e) const {
    return {.name = text_of(e, "name"),
            .type = text_of(e, "type"),
            .id = small_number_of(e, "id"),
            .address_qualifier = small_number_of(e, "addressQualifier"),
            .size = number_of(e, "size"),
            .offset = number_of(e, "offset")};
  }

  kernel_metadata read_kernel(const pugi::xml_node& e) const {
    kernel_metadata kernel{.name = text_of(e, "name"), .arguments = {}, .instances = {}};
    if (const pugi::xml_node extended = e.child("extended-data")) {
      kernel.dpu_kernel_id = number_of(extended, "dpu_kernel_id");
      kernel.functional = small_number_of(extended, "functional");
    }
    for (const pugi::xml_node& argument : e.children("arg")) {
      kernel.arguments.push_back(read_argument(argument));
    }
    for (const pugi::xml_node& instance : e.children("instance")) {
      kernel.instances.push_back(text_of(instance, "name"));
    }
    std::ranges::stable_sort(kernel.arguments, {}, &kernel_argument::id);
    return kernel;
  }

  std::size_t base_;
  pugi::xml_document document_;
};

}  // namespace

std::vector<kernel_metadata> read_kernel_metadata(std::string_view text, std::size_t base) {
  return metadata_reader(text, base).kernels();
}

}  // namespace npurt::binfmt
