// SPDX-License-Identifier: Apache-2.0
// The first pass: statements to section items and symbols. Labels and bundles in collect.cpp, directives in
// directives.cpp.
#pragma once

#include <vector>

#include "asm/matcher.hpp"
#include "asm/unit.hpp"

namespace npurt::assembler {

class collector {
 public:
  explicit collector(unit& u) : u_(u) { enter(".text", true, false, false); }

  void run();

 private:
  using handler = void (collector::*)(const statement&);
  struct place {
    std::size_t section = 0;
    bool discarded = false;  ///< in a section that is not loaded: what stands there is not looked at
  };

  unit_section& current() { return u_.sections[at_.section]; }
  section_item& add(section_item::type kind, const source_text& at);
  unit_section& enter(std::string_view name, bool executable, bool writable, bool no_bits);
  void leave(place to);

  void take(const statement& s);
  std::size_t repeat(std::size_t first, std::size_t last);
  std::size_t end_of_repeat(std::size_t first, std::size_t last) const;
  statement respelled(const statement& s);
  bool define(const source_text& name);
  void label(const source_text& name);
  void bundle(const statement& s);
  static std::string no_format(const statement& s, const std::vector<std::vector<candidate>>& readings);

  static handler handler_of(std::string_view directive);
  void directive(const statement& s);
  bool wants(const statement& s, std::size_t least, std::size_t most, std::string_view usage);
  bool has_contents(const statement& s);
  bool is_symbol(const source_text& name);

  void plain_section(const statement& s);
  void section(const statement& s);
  void push_section(const statement& s);
  void pop_section(const statement& s);
  void previous(const statement& s);
  void global(const statement& s);
  void symbol_type(const statement& s);
  void symbol_size(const statement& s);
  void set(const statement& s);
  void align(const statement& s);
  void data(const statement& s);
  void floats(const statement& s);
  void string(const statement& s);
  void space(const statement& s);
  void fill(const statement& s);
  void common(const statement& s);
  void ignore(const statement& s);

  void reserve(const statement& s, const source_text& count_at, std::int64_t bytes, std::int64_t fill);

  unit& u_;
  place at_, before_;
  std::vector<place> pushed_;
  std::int64_t space_ = 0;    ///< bytes so far, so that a small source cannot ask for much memory
  std::size_t repeated_ = 0;  ///< statements out of .rept so far, likewise
};

}  // namespace npurt::assembler
