// SPDX-License-Identifier: Apache-2.0
// Programs as source text.
#include "asm/disassembler.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <iterator>
#include <set>

#include "asm/expression.hpp"
#include "asm/label_table.hpp"
#include "asm/matcher.hpp"
#include "asm/packer.hpp"

namespace npurt::assembler {
namespace {

using namespace aie::isa;

constexpr std::size_t bytes_column = 3 * 16;  // the longest bundle

/// Whether the assembler gives these bytes for the bundle's text. Not so for bits that no instruction looks at.
bool is_canonical(const decoded_bundle& bundle, std::span<const std::uint8_t> bytes) {
  std::vector<std::vector<candidate>> readings;
  for (std::size_t slot = 0; slot < bundle.count; ++slot) {
    auto& reading = readings.emplace_back(1);
    reading[0].instruction = bundle.slots[slot];
  }
  const auto packed = pack(readings);
  if (packed.shortest() != bytes.size()) return false;
  const auto again = encode(packed.by_length[bytes.size() / 2]->bundle);
  return again && std::equal(bytes.begin(), bytes.end(), again->begin());
}

class listing {
 public:
  explicit listing(const program& p) : p_(p), labels_(p) {}

  std::string run() {
    out_ = labels_.others();
    for (const auto i : order()) {
      header(p_.sections[i]);
      if (p_.sections[i].executable && !p_.sections[i].no_bits)
        code(i);
      else
        data(i);
      out_ += labels_.definitions(i, p_.sections[i].address + p_.sections[i].size);
    }
    return std::move(out_);
  }

 private:
  template <typename... Args>
  void print(fmt::format_string<Args...> text, Args&&... args) {
    fmt::format_to(std::back_inserter(out_), text, std::forward<Args>(args)...);
  }

  /// As in the program, but code by its addresses: the assembler places it in the order of the source.
  std::vector<std::size_t> order() const {
    std::vector<std::size_t> code, all;
    for (std::size_t i = 0; i < p_.sections.size(); ++i)
      if (p_.sections[i].executable) code.push_back(i);
    std::ranges::stable_sort(code, {}, [this](std::size_t i) { return p_.sections[i].address; });
    auto next = code.begin();
    for (std::size_t i = 0; i < p_.sections.size(); ++i) all.push_back(p_.sections[i].executable ? *next++ : i);
    return all;
  }

  /// The name as the assembler reads it, different from all before.
  std::string section_name(const section& s) {
    std::string name = s.name.empty() ? "unnamed" : s.name;
    for (auto& c : name)
      if (!is_symbol_part(c) && c != '-') c = '_';
    const auto wanted = name;
    for (int i = 2; !section_names_.insert(name).second; ++i) name = fmt::format("{}.{}", wanted, i);
    return name;
  }

  void header(const section& s) {
    print("\n.section {}, \"a{}{}\", {}, {:#x}\n", section_name(s), s.writable ? "w" : "", s.executable ? "x" : "",
          s.no_bits ? "@nobits" : "@progbits", s.address);
    if (s.alignment > 1 && s.alignment <= 4096 && std::has_single_bit(s.alignment) && s.address % s.alignment == 0)
      print(".balign {}\n", s.alignment);
  }

  void code(std::size_t index) {
    const auto& s = p_.sections[index];
    const address_names names = [this](const decoded_instruction& user, std::uint32_t value) {
      return labels_.name(user, value);
    };
    for_each_bundle(s, [&](std::size_t at, const std::optional<decoded_bundle>& bundle) {
      const auto length = std::min<std::size_t>(bundle ? bundle->bytes : step_without_bundle, s.bytes.size() - at);
      const auto bytes = std::span(s.bytes).subspan(at, length);
      out_ += labels_.definitions(index, s.address + static_cast<std::uint32_t>(at));
      print("/* {:5x}: {:{}}*/ ", s.address + at, fmt::format("{:02x} ", fmt::join(bytes, " ")), bytes_column);
      if (bundle && is_canonical(*bundle, bytes))
        print("{}\n", to_text(*bundle, names));
      else
        print(".byte {:#04x}{}\n", fmt::join(bytes, ", "), bundle ? "  // " + to_text(*bundle) : "");
    });
  }

  void data(std::size_t index) {
    const auto& s = p_.sections[index];
    constexpr std::uint32_t row = 16;
    const auto end = s.address + s.size;
    for (auto at = s.address; at < end;) {
      out_ += labels_.definitions(index, at);
      const auto stop = labels_.next(index, at + 1, end);
      const auto length = s.no_bits ? stop - at : std::min(stop - at, row - at % row);
      print("/* {:5x} */ ", at);
      if (s.no_bits)
        print(".zero {}\n", length);
      else
        print(".byte {:#04x}\n", fmt::join(std::span(s.bytes).subspan(at - s.address, length), ", "));
      at += length;
    }
  }

  const program& p_;
  label_table labels_;
  std::set<std::string> section_names_;
  std::string out_;
};

}  // namespace

std::string disassemble(const program& p) { return listing(p).run(); }

}  // namespace npurt::assembler
