// SPDX-License-Identifier: Apache-2.0
// Translates bundles to host code and keeps it.
#pragma once

#include <asmjit/x86.h>

#include <deque>
#include <memory>
#include <unordered_map>

#include "emu/core/translate/context.hpp"
#include "emu/core/translate/shape.hpp"

namespace npurt::emu::translate {

class emitter;

class translator {
 public:
  translator(machine& core, context& shared);
  ~translator();

  /// Whether this host can execute what is translated.
  bool usable() const { return enter_ != nullptr; }

  position* find(const shape& at) const;
  /// The position, translated with the bundles behind it if it was not; nullptr if the host gives no memory for code.
  position* translate(const shape& at);
  bool is_full() const { return positions_.size() > max_positions; }
  void clear();

  exit_point enter(const void* code, std::uint64_t budget) const { return enter_(code, budget, context_); }

  slot_table slots;

 private:
  using enter_function = exit_point (*)(const void* code, std::uint64_t budget, context* shared);
  static constexpr std::size_t max_positions = 20'000;
  static constexpr unsigned max_unit = 64;  ///< bundles translated at once

  void make_entry();
  const bundle* bundle_at(const shape& at) const;
  bool is_translatable(const shape& at, const bundle& b, const cycle_plan& plan) const;
  std::optional<std::uint32_t> return_address(const bundle& b) const;
  void emit_unit(emitter& out, shape at);
  bool publish(emitter& out, asmjit::CodeHolder& code);

  machine* core_;
  context* context_;
  std::unique_ptr<asmjit::JitRuntime> runtime_;
  enter_function enter_ = nullptr;
  bool has_avx_ = false;
  std::unordered_map<shape, std::unique_ptr<position>, shape_hash> positions_;
  std::deque<std::unique_ptr<edge>> edges_;
};

}  // namespace npurt::emu::translate
