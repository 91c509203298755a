// SPDX-License-Identifier: Apache-2.0
// Writes the host code of one cycle after the other.
#pragma once

#include <asmjit/x86.h>

#include <functional>
#include <optional>
#include <vector>

#include "emu/core/translate/context.hpp"
#include "emu/core/translate/shape.hpp"

namespace npurt::emu::translate {

namespace x86 = asmjit::x86;

/// Bytes in the register file or a frame.
struct place {
  x86::Gp base;
  std::int32_t offset;

  x86::Mem at(std::size_t size, std::size_t skip = 0) const {
    return x86::ptr(base, offset + static_cast<std::int32_t>(skip), static_cast<std::uint32_t>(size));
  }
  bool operator==(const place& o) const { return base == o.base && offset == o.offset; }
};

class emitter;
/// Own code of an instruction's computation, in the stage in which it runs.
using emit_function = void (*)(emitter&, const flying&);

/// How the computation of an instruction is translated.
struct recipe {
  emit_function emit = nullptr;      ///< own code
  semantic_function call = nullptr;  ///< or a call, of the semantics or of something equal and faster
  bool reads_memory_itself = false;  ///< a load whose code takes the bytes from where they are
  bool for_reference = false;        ///< the whole bundle is left to the reference
  bool multiplies = false;           ///< counts multiply-accumulates
  bool reads_clock = false;
};
recipe find_recipe(const operation& op);

/// Memory that an instruction accesses in this stage.
struct access {
  std::uint32_t size, align_down;
};
access access_of(const operation& op);

class emitter {
 public:
  emitter(asmjit::CodeHolder& code, std::deque<std::unique_ptr<edge>>& edges, bool has_avx)
      : a(&code), edges_(&edges), has_avx_(has_avx) {}

  /// Code for the cycle that starts at `p`. @return the shape after it, if execution can go on to the bundle behind
  std::optional<shape> cycle(position& p, const bundle& issued, const cycle_plan& plan);
  /// Code for a position that is left to the reference.
  void stop(position& p);
  void jump(const void* code);
  void continue_elsewhere(const shape& to);
  /// Code that is seldom run, behind the rest.
  void finish();

  x86::Assembler a;
  struct entry {
    position* p;
    asmjit::Label start, past_gates;
  };
  std::vector<entry> entries;

  /// @name For own code of instructions
  /// @{
  /// Loads a one-word operand, that is sampled in this cycle or an immediate.
  void load(const x86::Gp& to, const flying& f, unsigned use);
  bool is_immediate(const flying& f, unsigned use) const { return f.op->uses[use].count == 0; }
  /// Operand bytes in this cycle.
  place source(const flying& f, unsigned use, bool to_buffer = false);
  /// Keeps a one-word result until it is due.
  void result(const flying& f, unsigned def, const x86::Gp& value);
  place result_place(const flying& f, unsigned def) const;
  place buffer_of(const flying& f, const use_operand& use) const;
  place in_frame(const flying& f, std::size_t offset) const;
  void copy(const place& to, const place& from, std::size_t size);
  void clear(const place& to, std::size_t size);
  /// rcx + rax = host address of the access of `f`; leaves the cycle to the reference if there is none.
  void locate(const flying& f);
  std::uint32_t return_address = 0;  ///< of a call in this bundle
  /// The bundle branches to its operand `use`: always, or by the flags.
  void branch(const flying& f, unsigned use);
  void branch_if(x86::CondCode condition, const flying& f, unsigned use);
  /// @}

 private:
  struct held_result {
    const flying* f;
    unsigned def;
    std::optional<x86::Gp> reg;
    std::size_t index;
  };
  enum class branching { none, maybe, always };

  place in_register(std::uint16_t offset) const { return {x86::rbx, offset}; }
  place in_context(std::size_t offset) const { return {x86::r13, static_cast<std::int32_t>(offset)}; }

  void begin(position& p, const cycle_plan& plan);
  void look_up(const flying& f, std::uint32_t down, std::size_t table, const asmjit::Label& unaligned,
               const asmjit::Label& unknown);
  void gate(const flying& f, unsigned index);
  void count_memory_stall();
  void note_macs();
  void actions();
  void prepare_stores();
  void issue();
  void run(const flying& f);
  void call(const flying& f, semantic_function what);
  void sample(const flying& f, unsigned use);
  void read(const flying& f);
  void form_address(const flying& f);
  void update_pointer(const flying& f);
  void update_2d(const flying& f);
  void update_3d(const flying& f);
  void commit(const flying& f);
  void commit_word(const flying& f, unsigned def);
  void loop_hardware();
  std::optional<shape> go_on(shape after, bool lands);
  void fork(const shape& straight, const shape& taken);
  void leave(const void* where, leaving why);
  void take_edge(const shape& to);
  void cold(std::function<void()> code) { cold_.push_back(std::move(code)); }

  std::deque<std::unique_ptr<edge>>* edges_;
  bool has_avx_;
  std::vector<std::function<void()>> cold_;
  // The cycle that is being written.
  const cycle_plan* plan_ = nullptr;
  position* position_ = nullptr;
  asmjit::Label redo_;
  std::vector<held_result> held_;
  std::vector<const flying*> stores_;
  branching branch_ = branching::none;
};

}  // namespace npurt::emu::translate
